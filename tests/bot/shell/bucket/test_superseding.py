"""A second run of one cycle takes the first one's place; nothing is lost before its own best stands."""

import pytest

from bot.shell.bucket import (
    Meta,
    list_checkpoints,
    publish_best,
    publish_checkpoint,
    publish_flat_best,
    verify,
)
from bot.shell.bucket.errors import IntegrityError, NotFound

from .plug import WEIGHTS, PlugPulledError, Save, interrupted_after
from .workbench import Bench, files_in, payload

FIRST, SECOND = "cycle03-a", "cycle03-b"
META = Meta(loss=0.1)
CYCLE = "checkpoints/cycle03/"


async def first_run(bench: Bench, save: Save) -> None:
    for epoch in (50, 100):
        await publish_checkpoint(bench.store, save(f"first {epoch}"), 3, epoch, FIRST, META)
    await publish_best(bench.store, save("first best"), 3, 90, FIRST, META)
    await publish_flat_best(bench.store, 3, FIRST)


async def whole(bench: Bench) -> list[str]:
    return [each.path for each in await list_checkpoints(bench.store) if each.complete]


async def test_every_manifest_of_the_first_run_goes_before_the_second_shows(bench: Bench, save: Save) -> None:
    await first_run(bench, save)
    published = await publish_checkpoint(bench.store, save("second"), 3, 50, SECOND, META)
    assert len(published.retired) == 5
    assert await whole(bench) == [
        "checkpoints/act_best/",  # stands until the next HANDOFF
        "checkpoints/act_epoch_050/",
        CYCLE + "act_epoch_050/",
    ]


async def test_the_first_runs_files_are_kept_until_the_seconds_best_stands(bench: Bench, save: Save) -> None:
    await first_run(bench, save)
    await publish_checkpoint(bench.store, save("second"), 3, 50, SECOND, META)
    kept = payload(bench, f"{CYCLE}.superseded/{FIRST}/act_epoch_050/")
    assert kept[WEIGHTS].startswith(b"weights first 50")
    assert payload(bench, CYCLE + "act_epoch_100/")[WEIGHTS].startswith(b"weights first 100")
    second_best = save("second best")
    await publish_best(bench.store, second_best, 3, 40, SECOND, META)
    assert payload(bench, CYCLE + "act_best/") == files_in(second_best)
    left = {name for name, data in bench.contents().items() if b"first" in data}
    assert {name for name in left if not name.startswith("checkpoints/act_best/")} == set()
    assert [each.run for each in await list_checkpoints(bench.store)] == [FIRST, SECOND, SECOND, SECOND]


async def test_superseding_survives_a_plug_pulled_anywhere(bench: Bench, save: Save) -> None:
    await first_run(bench, save)
    checkpoint, best = save("second"), save("second best")
    for writes in range(40):
        plug = interrupted_after(writes, bench)
        try:
            await publish_checkpoint(plug, checkpoint, 3, 50, SECOND, META)
            await publish_best(plug, best, 3, 40, SECOND, META)
        except PlugPulledError:
            if not await best_of_the_second_stands(bench):
                told = b"".join(bench.contents(CYCLE).values())
                assert all(mark in told for mark in (b"weights first 50", b"weights first best"))
            continue
        break
    else:
        pytest.fail("it never came to its end")
    assert await whole(bench) == [
        "checkpoints/act_best/",
        "checkpoints/act_epoch_050/",
        CYCLE + "act_best/",
        CYCLE + "act_epoch_050/",
    ]
    assert not bench.contents(CYCLE + ".superseded/")


async def best_of_the_second_stands(bench: Bench) -> bool:
    try:
        return (await verify(bench.store, CYCLE + "act_best/")).run == SECOND
    except (NotFound, IntegrityError):
        return False
