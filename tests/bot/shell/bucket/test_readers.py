"""Readers beside us: by manifest, by plain copy; and a bucket that was in use before we came."""

import asyncio
from pathlib import Path

from bot.shell.bucket import (
    Meta,
    ObjectStore,
    fetch_checkpoint,
    list_checkpoints,
    publish_best,
    publish_checkpoint,
    publish_curve,
    publish_flat_best,
    verify,
)
from bot.shell.bucket.errors import NotFound

from .plug import WEIGHTS, Save
from .workbench import Bench, files_in, payload

BEST = "checkpoints/act_best/"


async def plain_copy(store: ObjectStore, prefix: str) -> dict[str, bytes]:
    """As `gcloud storage cp -r` does it: a listing, then each name as it is when its turn comes."""
    copied: dict[str, bytes] = {}
    for name in [each.name async for each in store.list(prefix)]:
        data, _ = await store.get_bytes(name)
        copied[name.removeprefix(prefix)] = data
    for ours in (".training-claw.json", "manifest.json"):
        copied.pop(ours, None)
    return copied


async def test_ten_replacements_of_the_best_are_never_read_as_a_mix(
    bench: Bench, save: Save, tmp_path: Path
) -> None:
    contents: dict[int, dict[str, bytes]] = {}
    done, seen = asyncio.Event(), list[int]()

    async def read() -> None:
        while not done.is_set():
            try:
                manifest, _ = await fetch_checkpoint(bench.store, BEST, tmp_path / "reader", pause_s=0.002)
            except NotFound:
                continue
            assert files_in(tmp_path / "reader") == contents[manifest.cycle]
            seen.append(manifest.cycle)

    async def copy_plainly() -> None:
        """A copy may be a mix only if a replacement was under way while it was made."""
        while not done.is_set():
            try:
                before = await verify(bench.store, BEST)
                copied = await plain_copy(bench.store, BEST)
                after = await verify(bench.store, BEST)
            except NotFound:
                continue
            assert before != after or copied == contents[before.cycle]

    async with asyncio.TaskGroup() as group:
        for cycle in range(1, 12):
            run = f"cycle{cycle:02d}-a"
            saved = save(str(cycle), **{f"only_{cycle}.json": "{}"})
            contents[cycle] = files_in(saved)
            await publish_best(bench.store, saved, cycle, 50, run, Meta())
            await publish_flat_best(bench.store, cycle, run)
            if cycle == 1:
                group.create_task(read())
                group.create_task(copy_plainly())
            assert await plain_copy(bench.store, BEST) == contents[cycle]
        done.set()
    assert seen


async def test_a_bucket_full_of_foreign_checkpoints_loses_none(
    bench: Bench, save: Save, tmp_path: Path
) -> None:
    """Day one: somebody has worked here for weeks, at the card's own paths and at ours."""
    places = [
        *(f"checkpoints/act_epoch_{epoch:03d}/" for epoch in range(50, 550, 50)),
        *(f"checkpoints/cycle03/act_epoch_{epoch:03d}/" for epoch in range(50, 300, 50)),
        "checkpoints/cycle03/act_best/",
        BEST,
        "checkpoints/friday night/",
    ]
    foreign = {f"{place}{WEIGHTS}": place.encode() for place in places}
    foreign |= {f"{place}manifest.json": b"theirs " + place.encode() for place in places}
    foreign |= {"checkpoints/loss_curve.png": b"their curve", "checkpoints/notes.txt": b"their notes"}
    for name, data in foreign.items():
        bench.seed(name, data)
    png = tmp_path / "curve.png"
    png.write_bytes(b"our curve")
    for cycle in (3, 4):
        run = f"cycle{cycle:02d}-a"
        for epoch in (50, 100, 150, 200):
            await publish_checkpoint(bench.store, save(f"{cycle} {epoch}"), cycle, epoch, run, Meta())
            await publish_best(bench.store, save(f"{cycle} {epoch} best"), cycle, epoch, run, Meta())
        await publish_flat_best(bench.store, cycle, run)
        await publish_curve(bench.store, png, cycle, run, final=True)
    left = set(bench.contents("checkpoints/").values())
    assert set(foreign.values()) <= left
    listed = await list_checkpoints(bench.store)
    assert sum(not each.ours for each in listed) >= len(places) - 6
    for each in listed:
        if each.complete:
            await verify(bench.store, each.path)
    assert payload(bench, "checkpoints/friday night/") == {WEIGHTS: b"checkpoints/friday night/"}
