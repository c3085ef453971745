"""What of ours goes, when, and that nothing else ever does."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.shell.bucket import (
    Listed,
    Meta,
    list_checkpoints,
    open_bucket,
    publish_best,
    publish_checkpoint,
    publish_curve,
)
from bot.shell.bucket.retention import DEAD_AFTER_S, Surplus, surplus, take_away
from protocol import paths

from .plug import WEIGHTS, PlugPulledError, Save, interrupted_after
from .workbench import Bench, FolderBench, payload

META = Meta(loss=0.1)
NOW = 2_000_000_000.0


def whole(path: str, cycle: int, epoch: int) -> Listed:
    return Listed(path, cycle, epoch, ours=True, complete=True, run=f"cycle{cycle:02d}-a")


def a_cycle(cycle: int, epochs: list[int], best: int) -> list[Listed]:
    own = [whole(paths.act_epoch(epoch, cycle), cycle, epoch) for epoch in epochs]
    flat = [whole(paths.act_epoch(epoch), cycle, epoch) for epoch in epochs]
    return [*own, *flat, whole(paths.act_best(cycle), cycle, best)]


def paths_of(drops: tuple[Surplus, ...]) -> list[str]:
    return [each.path for each in drops]


class TestTheRule:
    def test_the_newest_cycle_keeps_its_last_three_and_the_best(self) -> None:
        listed = a_cycle(3, [50, 100, 150, 200, 250], best=100)
        assert paths_of(surplus(listed, 3, NOW)) == [
            "checkpoints/act_epoch_050/",
            "checkpoints/cycle03/act_epoch_050/",
        ]

    def test_an_earlier_cycle_keeps_its_best_and_its_last(self) -> None:
        listed = [each for each in a_cycle(3, [100, 150, 200], best=100) if "cycle03" in each.path]
        assert paths_of(surplus(listed, 4, NOW)) == ["checkpoints/cycle03/act_epoch_150/"]

    def test_flat_paths_go_when_the_next_cycles_first_is_there(self) -> None:
        former = a_cycle(3, [200, 250], best=200)
        assert surplus(former, 4, NOW) == ()
        first = [each for each in a_cycle(4, [50], best=50) if each.path == paths.act_epoch(50)]
        drops = surplus([*former, *first], 4, NOW)
        assert paths_of(drops) == ["checkpoints/act_epoch_200/", "checkpoints/act_epoch_250/"]
        assert "checkpoints/cycle03/act_epoch_250/ stays" in drops[1].why

    def test_a_flat_path_that_is_the_only_copy_stays(self) -> None:
        only = [whole(paths.act_epoch(250), 3, 250), whole(paths.act_epoch(50), 4, 50)]
        assert surplus(only, 4, NOW) == ()

    @pytest.mark.parametrize(("age_s", "goes"), [(DEAD_AFTER_S - 1, False), (DEAD_AFTER_S + 1, True)])
    def test_a_dead_publish_goes_after_a_day(self, age_s: float, goes: bool) -> None:
        dead = Listed(paths.act_epoch(50, 3), 3, 50, True, False, "cycle03-a", written_at=NOW - age_s)
        assert bool(surplus([dead], 3, NOW)) is goes

    def test_what_is_superseded_is_not_dead(self) -> None:
        kept = Listed(paths.act_epoch(50, 3), 3, 50, True, False, "cycle03-a", "cycle03-b", NOW - 1e6)
        assert surplus([kept], 3, NOW) == ()

    @given(st.data())
    def test_foreign_checkpoints_best_and_last_always_stay(self, data: st.DataObject) -> None:
        listed: list[Listed] = []
        for cycle in range(1, 4):
            epochs = data.draw(st.lists(st.integers(1, 20).map(lambda n: 50 * n), min_size=1, unique=True))
            listed += a_cycle(cycle, epochs, data.draw(st.sampled_from(epochs)))
        foreign = [Listed(paths.act_epoch(n), None, n, False, False) for n in (999, 1001)]
        dropped = set(paths_of(surplus([*listed, *foreign], 3, NOW)))
        assert not dropped & {each.path for each in foreign}
        for cycle in range(1, 4):
            own = [e for e in listed if e.path.startswith(paths.checkpoints(cycle)) and "epoch" in e.path]
            newest = max(own, key=lambda each: each.epoch or 0)
            best = next(e for e in listed if e.path == paths.act_best(cycle))
            assert not dropped & {best.path, newest.path, paths.act_epoch(best.epoch or 0, cycle)}


class TestTheGoing:
    async def test_the_next_cycles_first_checkpoint_tidies_up(self, bench: Bench, save: Save) -> None:
        bench.seed("checkpoints/act_epoch_900/model.safetensors", b"by hand")
        for epoch in (50, 100, 150):
            await publish_checkpoint(bench.store, save(f"3 {epoch}"), 3, epoch, "cycle03-a", META)
        await publish_best(bench.store, save("3 best"), 3, 50, "cycle03-a", META)
        published = await publish_checkpoint(bench.store, save("4"), 4, 50, "cycle04-a", META)
        assert published.untidied == ()
        assert [each.path for each in await list_checkpoints(bench.store)] == [
            "checkpoints/act_epoch_050/",
            "checkpoints/act_epoch_900/",
            "checkpoints/cycle03/act_best/",
            "checkpoints/cycle03/act_epoch_050/",
            "checkpoints/cycle03/act_epoch_150/",
            "checkpoints/cycle04/act_epoch_050/",
        ]

    async def test_nothing_goes_while_what_stays_is_damaged(self, bench: Bench, save: Save) -> None:
        for epoch in (50, 100):
            await publish_checkpoint(bench.store, save(f"3 {epoch}"), 3, epoch, "cycle03-a", META)
        bench.seed(f"checkpoints/cycle03/act_epoch_100/{WEIGHTS}", b"damaged")
        published = await publish_checkpoint(bench.store, save("4"), 4, 50, "cycle04-a", META)
        assert published.tidied == ()
        assert "cycle 3 keeps what could go: checkpoints/cycle03/act_epoch_100/" in published.untidied[0]

    async def test_a_dead_publish_is_swept_and_a_live_one_is_not(self, bench: Bench, save: Save) -> None:
        bench.seed("checkpoints/act_epoch_900/model.safetensors", b"by hand")
        with pytest.raises(PlugPulledError):
            await publish_checkpoint(interrupted_after(3, bench), save(), 3, 50, "cycle03-a", META)
        before = bench.contents()
        listed = await list_checkpoints(bench.store)
        assert surplus(listed, 3, time.time()) == ()
        bench.age("checkpoints/", DEAD_AFTER_S + 60)
        listed = await list_checkpoints(bench.store)
        await take_away(bench.store, listed, surplus(listed, 3, time.time()))
        assert len(before) > 1
        assert bench.contents() == {"checkpoints/act_epoch_900/model.safetensors": b"by hand"}


class TestTheCurve:
    async def test_a_young_curve_stays_unless_the_new_one_is_the_last(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        png, seen = tmp_path / "curve.png", list[bytes]()
        for content, final in ((b"first", False), (b"second", False), (b"last", True)):
            png.write_bytes(content)
            await publish_curve(bench.store, png, 3, "run", final=final)
            seen.append(bench.contents("checkpoints/loss_curve.png")["checkpoints/loss_curve.png"])
        assert seen == [b"first", b"first", b"last"]

    async def test_an_older_curve_is_replaced(self, bench: Bench, tmp_path: Path) -> None:
        png = tmp_path / "curve.png"
        for content in (b"first", b"second"):
            png.write_bytes(content)
            await publish_curve(bench.store, png, 3, "run")
            bench.age("checkpoints/", 31)
        assert bench.contents("checkpoints/loss_curve.png")["checkpoints/loss_curve.png"] == b"second"


async def test_what_a_killed_process_left_is_swept_when_the_folder_is_opened(tmp_path: Path) -> None:
    bench = FolderBench(tmp_path)
    await bench.store.put_bytes("checkpoints/a/b", b"1")
    for name in (".~bucket/.~old", ".~bucket/.~young"):
        bench.seed(name, b"half")
    os.utime(tmp_path / ".~bucket/.~old", (0, 0))
    await open_bucket(tmp_path.as_uri()).close()
    assert sorted(path.name for path in (tmp_path / ".~bucket").iterdir()) == [".~young", "lock"]
    assert payload(bench, "checkpoints/a/") == {"b": b"1"}
