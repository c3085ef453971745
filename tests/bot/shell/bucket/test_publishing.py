"""Checkpoints reach the bucket whole, or not at all, and nothing of anybody else's is lost."""

import asyncio
from pathlib import Path
from typing import cast

import pytest

from bot.shell.bucket import (
    Listed,
    Manifest,
    Meta,
    ObjectStore,
    fetch_checkpoint,
    list_checkpoints,
    publish_best,
    publish_checkpoint,
    publish_curve,
    publish_flat_best,
    unpublish,
    verify,
)
from bot.shell.bucket.errors import IntegrityError, NotFound, PreconditionFailed, WriteDenied
from protocol import paths

from .plug import Interrupted, PlugPulledError, Save, interrupted_after
from .workbench import Bench, GcsBench, files_in, payload

META = Meta(loss=0.0089, certificate="c0ffee", config_hash="abc123")
RUN, OTHER_RUN = "cycle03-a", "cycle03-b"
OWN, FLAT = "checkpoints/cycle03/act_epoch_050/", "checkpoints/act_epoch_050/"
WEIGHTS = "pretrained_model/model.safetensors"


async def listed_paths(bench: Bench) -> list[str]:
    return [each.path for each in await list_checkpoints(bench.store)]


class TestPublishing:
    async def test_a_checkpoint_stands_at_both_paths(self, bench: Bench, save: Save) -> None:
        folder = save()
        told: list[tuple[int, int]] = []
        published = await publish_checkpoint(
            bench.store, folder, 3, 50, RUN, META, lambda *step: told.append(step)
        )
        assert (published.cycle.path, published.flat.path) == (OWN, FLAT)
        assert payload(bench, OWN) == payload(bench, FLAT) == files_in(folder)
        total = sum(map(len, files_in(folder).values()))
        assert (told[0], told[-1]) == ((0, total), (total, total))
        for prefix in (OWN, FLAT):
            manifest = await verify(bench.store, prefix)
            assert (manifest.run, manifest.cycle, manifest.epoch, manifest.loss) == (RUN, 3, 50, 0.0089)
            assert manifest.total_bytes == total

    async def test_a_checkpoint_and_its_copy_have_one_hash(self, bench: Bench, save: Save) -> None:
        published = await publish_checkpoint(bench.store, save("1"), 3, 50, RUN, META)
        other = await publish_checkpoint(bench.store, save("2"), 3, 100, RUN, META)
        assert published.cycle.manifest.hash == published.flat.manifest.hash
        assert len({published.cycle.manifest.hash, other.cycle.manifest.hash}) == 2

    async def test_what_is_published_is_not_published_again(self, bench: Bench, save: Save) -> None:
        folder = save()
        await publish_checkpoint(bench.store, folder, 3, 50, RUN, META)
        before = {each.name: each async for each in bench.store.list()}
        again = await publish_checkpoint(bench.store, folder, 3, 50, RUN, META)
        assert (again.cycle.sent_files, again.flat.sent_files) == (0, 0)
        assert {each.name: each async for each in bench.store.list()} == before

    async def test_a_run_does_not_change_its_mind(self, bench: Bench, save: Save) -> None:
        first = save("1")
        await publish_checkpoint(bench.store, first, 3, 50, RUN, META)
        with pytest.raises(WriteDenied, match="other content"):
            await publish_checkpoint(bench.store, save("2"), 3, 50, RUN, META)
        assert payload(bench, OWN) == files_in(first)

    async def test_another_run_supersedes_and_says_so(self, bench: Bench, save: Save) -> None:
        await publish_checkpoint(bench.store, save("1", **{"only_then.json": "{}"}), 3, 50, RUN, META)
        second = save("2")
        published = await publish_checkpoint(bench.store, second, 3, 50, OTHER_RUN, META)
        assert (published.cycle.superseded, published.flat.superseded) == (RUN, RUN)
        assert payload(bench, OWN) == payload(bench, FLAT) == files_in(second)

    async def test_nothing_saved_is_nothing_published(self, bench: Bench, tmp_path: Path) -> None:
        with pytest.raises(NotFound, match="holds no files"):
            await publish_checkpoint(bench.store, tmp_path / "never", 3, 50, RUN, META)
        assert bench.contents() == {}

    async def test_a_publish_interrupted_at_any_write_goes_on(self, bench: Bench, save: Save) -> None:
        former, folder = save("0", **{"old.json": "{}"}), save("1")
        counted = Interrupted(bench.store, writes=100)
        await publish_checkpoint(cast("ObjectStore", counted), folder, 3, 999, RUN, META)
        for writes in range(100 - counted.writes_left + 14):  # 14: what superseding takes besides
            prefixes = (paths.act_epoch(writes, 3), paths.act_epoch(writes))
            await publish_checkpoint(bench.store, former, 3, writes, OTHER_RUN, META)
            try:
                await publish_checkpoint(interrupted_after(writes, bench), folder, 3, writes, RUN, META)
            except PlugPulledError:
                for prefix in prefixes:
                    await whole_or_unpublished(bench, prefix)
            await publish_checkpoint(bench.store, folder, 3, writes, RUN, META)
            for prefix in prefixes:
                await verify(bench.store, prefix)
                assert payload(bench, prefix) == files_in(folder)
                await unpublish(bench.store, prefix)

    async def test_what_had_arrived_is_not_sent_again(self, bench: Bench, save: Save) -> None:
        folder = save("1", **{f"training_state/{number}.bin": f"{number}" for number in range(6)})
        plug = interrupted_after(6, bench)
        with pytest.raises(PlugPulledError):
            await publish_checkpoint(plug, folder, 3, 50, RUN, META)
        arrived = len(payload(bench, OWN))
        assert arrived
        published = await publish_checkpoint(bench.store, folder, 3, 50, RUN, META)
        assert published.cycle.sent_files <= 8 - arrived


async def whole_or_unpublished(bench: Bench, prefix: str) -> None:
    """What a reader may see at any moment."""
    try:
        await verify(bench.store, prefix)
    except NotFound:
        return


class TestBest:
    async def test_the_best_is_replaced_in_its_place(self, bench: Bench, save: Save) -> None:
        await publish_best(bench.store, save("1", **{"stale.json": "{}"}), 3, 40, RUN, META)
        better = save("2")
        placed = await publish_best(bench.store, better, 3, 90, RUN, META)
        assert (placed.path, placed.manifest.epoch) == ("checkpoints/cycle03/act_best/", 90)
        assert payload(bench, placed.path) == files_in(better)

    async def test_the_flat_best_stands_until_it_is_replaced_once(self, bench: Bench, save: Save) -> None:
        third, fourth = save("3"), save("4")
        await publish_best(bench.store, third, 3, 90, RUN, META)
        await publish_flat_best(bench.store, 3, RUN)
        await publish_best(bench.store, fourth, 4, 70, "cycle04-a", META)
        assert payload(bench, "checkpoints/act_best/") == files_in(third)
        placed = await publish_flat_best(bench.store, 4, "cycle04-a")
        assert payload(bench, "checkpoints/act_best/") == files_in(fourth)
        assert (placed.manifest.cycle, placed.manifest.epoch, placed.superseded) == (4, 70, RUN)

    async def test_only_this_runs_best_goes_to_the_flat_path(self, bench: Bench, save: Save) -> None:
        with pytest.raises(NotFound, match="is not published"):
            await publish_flat_best(bench.store, 3, RUN)
        await publish_best(bench.store, save(), 3, 90, RUN, META)
        with pytest.raises(PreconditionFailed, match="of run"):
            await publish_flat_best(bench.store, 3, OTHER_RUN)

    async def test_a_reader_by_manifest_never_sees_a_mix(
        self, bench: Bench, save: Save, tmp_path: Path
    ) -> None:
        best = "checkpoints/cycle03/act_best/"
        folders = [save(str(number), **{f"only_{number}.json": "{}"}) for number in range(6)]
        contents = [files_in(folder) for folder in folders]
        await publish_best(bench.store, folders[0], 3, 0, RUN, META)
        done = asyncio.Event()

        async def read(number: int) -> int:
            seen = 0
            while not done.is_set():
                dest = tmp_path / f"reader_{number}"
                try:
                    manifest, _ = await fetch_checkpoint(bench.store, best, dest, pause_s=0.002)
                except NotFound:
                    continue
                assert files_in(dest) == contents[manifest.epoch]
                seen += 1
            return seen

        async with asyncio.TaskGroup() as group:
            readers = [group.create_task(read(number)) for number in range(3)]
            for epoch in range(1, 6):
                await publish_best(bench.store, folders[epoch], 3, epoch, RUN, META)
            done.set()
        assert sum(reader.result() for reader in readers) > 0


class TestForeignContent:
    async def test_it_is_copied_aside_before_our_first_write(self, bench: Bench, save: Save) -> None:
        foreign = {WEIGHTS: b"by hand", "notes.txt": b"keep me", "manifest.json": b"[]"}
        for name, data in foreign.items():
            bench.seed(FLAT + name, data)
        folder = save()
        published = await publish_checkpoint(bench.store, folder, 3, 50, RUN, META)
        aside = published.flat.set_aside
        assert aside.startswith("checkpoints/foreign-")
        assert {name.removeprefix(aside): data for name, data in bench.contents(aside).items()} == foreign
        assert payload(bench, FLAT) == files_in(folder) | {"notes.txt": b"keep me"}
        await verify(bench.store, FLAT)

    async def test_it_survives_a_plug_pulled_anywhere(self, bench: Bench, save: Save) -> None:
        bench.seed(FLAT + WEIGHTS, b"by hand")
        bench.seed(FLAT + "manifest.json", b"[]")
        folder = save()
        for writes in range(4):
            plug = interrupted_after(writes, bench)
            try:
                await publish_checkpoint(plug, folder, 3, 50, RUN, META)
            except PlugPulledError:
                assert b"by hand" in bench.contents().values()
        await publish_checkpoint(bench.store, folder, 3, 50, RUN, META)
        assert b"by hand" in bench.contents("checkpoints/foreign-").values()
        assert payload(bench, FLAT) == files_in(folder)

    async def test_it_is_never_taken_away(self, bench: Bench, save: Save) -> None:
        bench.seed("checkpoints/act_epoch_900/model.safetensors", b"by hand")
        with pytest.raises(WriteDenied, match="no marker of ours"):
            await unpublish(bench.store, "checkpoints/act_epoch_900/")
        bench.seed(FLAT + "notes.txt", b"keep me")
        await publish_checkpoint(bench.store, save(), 3, 50, RUN, META)
        await unpublish(bench.store, FLAT)
        assert bench.contents(FLAT) == {FLAT + "notes.txt": b"keep me"}

    async def test_a_copy_somebody_made_of_ours_is_theirs(self, bench: Bench, save: Save) -> None:
        await publish_checkpoint(bench.store, save(), 3, 50, RUN, META)
        for name, data in bench.contents(OWN).items():
            bench.seed(f"checkpoints/backup/{name.removeprefix(OWN)}", data)
        with pytest.raises(WriteDenied):
            await unpublish(bench.store, "checkpoints/backup/")

    async def test_a_foreign_curve_is_copied_aside(self, bench: Bench, tmp_path: Path) -> None:
        bench.seed("checkpoints/loss_curve.png", b"by hand")
        for content in (b"first", b"second"):
            (tmp_path / "curve.png").write_bytes(content)
            names = await publish_curve(bench.store, tmp_path / "curve.png", 3, final=True)
            assert [bench.contents(name)[name] for name in names] == [content, content]
        assert names == ("checkpoints/cycle03/loss_curve.png", "checkpoints/loss_curve.png")
        assert list(bench.contents("checkpoints/foreign-").values()) == [b"by hand"]

    @pytest.mark.parametrize("above", ["checkpoints/", "checkpoints/cycle03/"])
    @pytest.mark.parametrize("name", ["/model.safetensors", "old\\run/model.safetensors"])
    async def test_a_name_that_we_would_refuse_keeps_nothing_of_ours(
        self, gcs: GcsBench, save: Save, above: str, name: str
    ) -> None:
        gcs.seed(above + name, b"by hand")
        await publish_checkpoint(gcs.store, save("first"), 3, 50, OTHER_RUN, META)
        published = await publish_checkpoint(gcs.store, save(), 3, 50, RUN, META)
        await publish_best(gcs.store, save(), 3, 50, RUN, META)
        assert published.retired == (FLAT, OWN)
        ours = [one.path for one in await list_checkpoints(gcs.store) if one.complete]
        assert ours == [FLAT, "checkpoints/cycle03/act_best/", OWN]
        assert gcs.contents(above + name) == {above + name: b"by hand"}


class TestTheShelf:
    async def test_everything_is_listed_ours_and_foreign(
        self, bench: Bench, save: Save, tmp_path: Path
    ) -> None:
        bench.seed("checkpoints/act_epoch_900/model.safetensors", b"by hand")
        bench.seed("checkpoints/.probe/host", b"")
        bench.seed("checkpoints/README.md", b"")
        (tmp_path / "curve.png").write_bytes(b"png")
        await publish_curve(bench.store, tmp_path / "curve.png", 3)
        await publish_checkpoint(bench.store, save(), 3, 50, RUN, META)
        await publish_best(bench.store, save(), 3, 40, RUN, META)
        assert await list_checkpoints(bench.store) == (
            Listed("checkpoints/act_epoch_050/", 3, 50, True, True, RUN),
            Listed("checkpoints/act_epoch_900/", None, 900, False, False),
            Listed("checkpoints/cycle03/act_best/", 3, 40, True, True, RUN),
            Listed("checkpoints/cycle03/act_epoch_050/", 3, 50, True, True, RUN),
        )

    async def test_an_unfinished_publish_is_listed_as_such(self, bench: Bench, save: Save) -> None:
        plug = interrupted_after(2, bench)
        with pytest.raises(PlugPulledError):
            await publish_checkpoint(plug, save(), 3, 50, RUN, META)
        assert await list_checkpoints(bench.store) == (Listed(OWN, 3, 50, True, False, RUN),)

    async def test_taking_away_begins_with_the_manifest_and_ends_with_the_marker(
        self, bench: Bench, save: Save
    ) -> None:
        await publish_checkpoint(bench.store, save(), 3, 50, RUN, META)
        for _ in range(3):
            plug = interrupted_after(1, bench)
            with pytest.raises(PlugPulledError):
                await unpublish(plug, OWN)
            assert OWN + "manifest.json" not in bench.contents(OWN)
            assert OWN + ".training-claw.json" in bench.contents(OWN)
        await unpublish(bench.store, OWN)
        assert await unpublish(bench.store, OWN) == 0
        assert bench.contents(OWN) == {}
        assert await listed_paths(bench) == [FLAT]

    @pytest.mark.parametrize("prefix", ["dataset/", "ssot/"])
    async def test_nothing_outside_checkpoints_is_taken_away(self, bench: Bench, prefix: str) -> None:
        with pytest.raises(WriteDenied):
            await unpublish(bench.store, prefix)

    async def test_damage_is_named_by_verify(self, bench: Bench, save: Save) -> None:
        published = await publish_checkpoint(bench.store, save(), 3, 50, RUN, META)
        bench.seed(OWN + WEIGHTS, b"damaged")
        with pytest.raises(IntegrityError, match=f"{OWN}{WEIGHTS} is not what was published"):
            await verify(bench.store, OWN)
        await bench.store.delete(FLAT + WEIGHTS)
        with pytest.raises(IntegrityError, match="is missing"):
            await verify(bench.store, published.flat.path)

    async def test_a_manifest_survives_being_written_and_read(self, bench: Bench, save: Save) -> None:
        published = await publish_checkpoint(bench.store, save(), 3, 50, RUN, META)
        written = bench.contents(OWN)[OWN + "manifest.json"]
        assert Manifest.model_validate_json(written) == published.cycle.manifest
        assert b'"schema": 1' in written
