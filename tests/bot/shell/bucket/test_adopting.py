"""A run goes on from what a lost machine's run has published; nothing of it disappears for readers."""

import pytest

from bot.shell.bucket import Meta, adopt, list_checkpoints, publish_best, publish_checkpoint, verify
from bot.shell.bucket.manifest import read_marker

from .plug import WEIGHTS, PlugPulledError, Save, interrupted_after
from .workbench import Bench

LOST, OURS = "cycle03-a", "cycle03-b"
META = Meta(loss=0.1, certificate="c", config_hash="d")
CYCLE = "checkpoints/cycle03/"
PUBLISHED = [
    "checkpoints/act_epoch_050/",
    "checkpoints/act_epoch_100/",
    CYCLE + "act_best/",
    CYCLE + "act_epoch_050/",
    CYCLE + "act_epoch_100/",
]


@pytest.fixture
async def lost(bench: Bench, save: Save) -> Bench:
    for epoch in (50, 100):
        await publish_checkpoint(bench.store, save(f"lost {epoch}"), 3, epoch, LOST, META)
    await publish_best(bench.store, save("lost best"), 3, 90, LOST, META)
    return bench


def weights(bench: Bench) -> dict[str, bytes]:
    return {name: data for name, data in bench.contents("checkpoints/").items() if name.endswith(WEIGHTS)}


async def whole(bench: Bench) -> dict[str, str]:
    return {one.path: one.run for one in await list_checkpoints(bench.store) if one.complete}


async def test_all_of_it_stands_under_the_name_of_the_run_that_goes_on(lost: Bench) -> None:
    before = weights(lost)
    assert await adopt(lost.store, 3, LOST, 100, OURS) == (50, 100)
    assert await whole(lost) == dict.fromkeys(PUBLISHED, OURS)
    assert weights(lost) == before
    manifest = await verify(lost.store, CYCLE + "act_best/")
    assert (manifest.epoch, manifest.loss, manifest.certificate) == (90, 0.1, "c")


async def test_what_comes_next_supersedes_nothing(lost: Bench, save: Save) -> None:
    await adopt(lost.store, 3, LOST, 100, OURS)
    published = await publish_checkpoint(lost.store, save("ours 150"), 3, 150, OURS, META)
    assert published.retired == ()
    await publish_best(lost.store, save("ours best"), 3, 140, OURS, META)
    assert set(await whole(lost)) == {
        *PUBLISHED,
        "checkpoints/act_epoch_150/",
        CYCLE + "act_epoch_150/",
    }


async def test_what_came_after_the_checkpoint_gone_on_from_stays_the_lost_runs(lost: Bench) -> None:
    assert await adopt(lost.store, 3, LOST, 50, OURS) == (50,)
    runs = await whole(lost)
    assert [path for path, run in runs.items() if run == LOST] == PUBLISHED[1:3] + PUBLISHED[4:]


async def test_what_is_damaged_stays_the_lost_runs(lost: Bench) -> None:
    await lost.store.put_bytes(CYCLE + "act_epoch_050/" + WEIGHTS, b"other weights")
    assert await adopt(lost.store, 3, LOST, 100, OURS) == (100,)
    assert (await whole(lost))[CYCLE + "act_epoch_050/"] == LOST


async def test_other_runs_and_other_cycles_are_left_alone(lost: Bench, save: Save) -> None:
    assert await adopt(lost.store, 3, "cycle03-z", 100, OURS) == ()
    await publish_checkpoint(lost.store, save("next"), 4, 50, "cycle04-a", META)
    assert await adopt(lost.store, 3, LOST, 100, OURS) == (100,), "the cycle before keeps best and last"
    runs = await whole(lost)
    assert {path for path, run in runs.items() if run == "cycle04-a"} == {
        "checkpoints/act_epoch_050/",
        "checkpoints/cycle04/act_epoch_050/",
    }


async def test_a_plug_pulled_anywhere_is_no_harm(lost: Bench) -> None:
    for writes in range(20):
        try:
            epochs = await adopt(interrupted_after(writes, lost), 3, LOST, 100, OURS)
        except PlugPulledError:
            assert set(await whole(lost)) == set(PUBLISHED), "readers always find it all"
            continue
        break
    else:
        pytest.fail("it never came to its end")
    assert epochs == (50, 100)
    assert await whole(lost) == dict.fromkeys(PUBLISHED, OURS)
    markers = [await read_marker(lost.store, path) for path in PUBLISHED]
    assert [marker.run for marker in markers if marker] == [OURS] * 5
