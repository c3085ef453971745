"""What a machine that was lost has left of a cycle in the bucket."""

import structlog

from bot.core.state import LeftBehind, State
from bot.shell import bucket
from bot.shell.bucket import Manifest, ObjectStore
from bot.shell.bucket.errors import BadContent, BadName
from protocol import paths

log = structlog.stdlib.get_logger("left")


async def left_of(store: ObjectStore, cycle: int, state: State) -> LeftBehind | None:
    """The newest whole checkpoint of `cycle`, if this installation knows nothing of its run.

    A number that was finished here is trained anew: whoever asks for it again wants just that.
    """
    known = state.cycle.run_name if state.cycle and state.cycle.number == cycle else ""
    if any(one.number == cycle for one in state.finished):
        return None
    try:
        newest = await _newest(store, cycle)
    except (BadName, BadContent) as error:  # somebody else's: it must not keep a cycle from its terms
        log.warning("what is left cannot be looked at", cycle=cycle, why=str(error))
        return None
    if newest is None or newest.run == known or not (newest.certificate and newest.config_hash):
        return None
    return LeftBehind(
        run=newest.run, epoch=newest.epoch, certificate=newest.certificate, config=newest.config_hash
    )


async def _newest(store: ObjectStore, cycle: int) -> Manifest | None:
    listed = [
        one
        for one in await bucket.list_checkpoints(store)
        if one.complete and one.cycle == cycle and one.path.startswith(paths.checkpoints(cycle))
    ]
    for one in sorted(listed, key=lambda one: one.epoch or 0, reverse=True):
        if one.path == paths.act_epoch(one.epoch or 0, cycle):
            return await bucket.read_manifest(store, one.path)
    return None
