"""Taking over what a lost machine has saved of a run: from the bucket it comes without our manifest."""

import logging
import shutil
from pathlib import Path

from protocol.folders import RunFolder
from protocol.saved import MANIFEST, damage
from trainer.saving import folder
from trainer.saving.checkpoint import read_state

log = logging.getLogger(__name__)


def take_over(run: RunFolder, left: Path) -> None:
    """Put `left/checkpoint` and `left/best` where a run saves its own; what is no save of ours stays out.

    Raises:
        JobError: no_space.
    """
    for source in (left / "checkpoint", left / "best"):
        state = read_state(source)
        if state is None:
            log.warning("passed over: %s holds no training state", source)
            continue
        target = run.checkpoint(state.epoch) if source.name == "checkpoint" else run.best_at(state.epoch)
        if damage(target) is not None:
            folder.write_whole(target, lambda unfinished, source=source: _copy(source, unfinished))


def _copy(source: Path, unfinished: Path) -> None:
    shutil.copytree(source, unfinished, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST))
