"""What the real Evaluation does with a HANDOFF: copy the checkpoint, load it, try it on unseen episodes."""

import asyncio
import shutil
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.rehearsal.players.numbers import EPOCH_L1, Numbers, worded
from bot.rehearsal.players.peers import EvaluationFailed
from bot.rehearsal.players.script import field
from bot.rehearsal.processes import CommandFailed, run_trainer
from bot.rehearsal.stage import Stage


class Measured(BaseModel):
    """What `python -m trainer evaluate --json` prints: held-out L1s in action units."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    l1: float
    l1_mean_action: float = Field(gt=0)
    l1_blank: float = Field(gt=0)


async def evaluate(stage: Stage, handoff: str) -> str:
    """Do what `handoff` asks for; the three numbers in words.

    Raises:
        EvaluationFailed: it names no usable checkpoint, or the checkpoint does not load.
    """
    epochs = EPOCH_L1.search(handoff)
    if epochs is None:
        raise EvaluationFailed("HANDOFF에 `L1: 첫 epoch … → 마지막 epoch …` 없음")
    measured = await _measure(stage, await _copied(stage, handoff))
    return worded(
        Numbers(
            first_l1=float(epochs["first"]),
            last_l1=float(epochs["last"]),
            better_than_mean=1 - measured.l1 / measured.l1_mean_action,
            better_than_blank=1 - measured.l1 / measured.l1_blank,
        )
    )


async def _copied(stage: Stage, handoff: str) -> str:
    """The checkpoint, by plain file copy, as `gcloud storage cp -r` would."""
    named = field(handoff, "Best checkpoint") or ""
    copy = stage.evaluation / "act_best"
    try:
        source = stage.in_bucket(named)
        shutil.rmtree(copy, ignore_errors=True)
        await asyncio.to_thread(shutil.copytree, source, copy)
    except (ValueError, OSError) as problem:
        raise EvaluationFailed(f"checkpoint를 가져올 수 없음: {problem}") from problem
    return str(copy)


async def _measure(stage: Stage, checkpoint: str) -> Measured:
    command: Sequence[str] = ("evaluate", checkpoint, str(stage.held_out), "--json")
    try:
        return Measured.model_validate_json(await run_trainer(command))
    except CommandFailed as failed:
        raise EvaluationFailed(str(failed)) from failed
    except ValidationError as invalid:
        raise EvaluationFailed(f"평가 결과를 읽을 수 없음: {invalid.errors()[0]['msg']}") from invalid
