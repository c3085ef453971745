"""A stage for the core: facts go in, what is said and ordered comes out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.effects import Effect, Post
from bot.core.events import (
    BestLost,
    BestPublished,
    CheckpointForgotten,
    CheckpointLost,
    CheckpointPublished,
    DaemonWoke,
    DataFetched,
    Event,
    Gauges,
    HandedOn,
    Heard,
    JobEnded,
    JobSpoke,
    LessonsFile,
    RowsFetched,
    TermsRead,
    Ticked,
)
from bot.core.policy import Policy
from bot.core.showing.commands import READS
from bot.core.state import State
from bot.core.step import step
from protocol.job import Checked, Converted, Outcome, Probed, Trained
from protocol.messages import Command, Handoff, Incoming, Lesson, Outgoing
from protocol.plan import Plan
from protocol.progress import Found, Saved, Started, Stepped

NOON = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
OPERATOR = 300000000000000001


class Play:
    """The core on its stage. Each call states one fact and returns what came of it."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.state = State()
        self.effects: list[Effect] = []
        self.at = NOON
        self.watcher = policy.roster.watcher
        self.developer = policy.roster.developer
        self.happened(DaemonWoke(at=self.at, house="h0"))

    def happened(self, event: Event) -> tuple[Effect, ...]:
        self.state, effects = step(self.state, event, self.policy)
        self.effects.extend(effects)
        return effects

    def later(self, seconds: float = 1) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at

    # --- who says what

    def says(self, author: int, message: Incoming, reply_ref: str | None = None) -> tuple[Effect, ...]:
        return self.happened(Heard(at=self.later(), author=author, message=message, reply_ref=reply_ref))

    def watcher_hands_over(self, *lessons: Lesson, cycle: int | None = 1) -> tuple[Effect, ...]:
        return self.says(self.watcher, Handoff(cycle=cycle, lessons=lessons))

    def developer_hands_over(
        self, data: str | None = "gs://ralphton-handoff/dataset/", **fields: Any
    ) -> tuple[Effect, ...]:
        return self.says(self.developer, Handoff(data=data, **fields))

    def operator_asks(self, name: str, *arguments: str) -> tuple[Effect, ...]:
        return self.says(OPERATOR, Command(name=name, arguments=arguments))

    def ticks(self, seconds: float = 1800, gauges: Gauges | None = None) -> tuple[Effect, ...]:
        return self.happened(Ticked(at=self.later(seconds), gauges=gauges or Gauges()))

    # --- what the shell reports

    def terms_are_read(self, plan: Plan | None = None, *files: LessonsFile) -> tuple[Effect, ...]:
        files = files or (LessonsFile(name="lessons/cycle01.md", lessons=None),)
        return self.happened(TermsRead(at=self.later(), cycle=self.cycle.number, plan=plan, files=files))

    def device_is_proven(self) -> tuple[Effect, ...]:
        return self.job_ends(Probed(device="NVIDIA A100"))

    def rows_are_fetched(self) -> tuple[Effect, ...]:
        return self.happened(RowsFetched(at=self.later(), cycle=self.cycle.number, coming_bytes=9 * 10**8))

    def data_is_fetched(self) -> tuple[Effect, ...]:
        return self.happened(
            DataFetched(at=self.later(), cycle=self.cycle.number, files=255, size_bytes=10**9)
        )

    def job_ends(self, outcome: Outcome | None, detail: str = "") -> tuple[Effect, ...]:
        attempt, run = self.cycle.attempts, self.cycle.run_name
        ended = JobEnded(at=self.later(), run=run, attempt=attempt, outcome=outcome, detail=detail)
        return self.happened(ended)

    def data_is_checked(self, **fields: Any) -> tuple[Effect, ...]:
        verdict = {"ok": True, "episodes": 85, "frames": 25500, "hash": "c" * 64} | fields
        return self.job_ends(Checked.model_validate(verdict))

    def data_is_converted(self) -> tuple[Effect, ...]:
        return self.job_ends(Converted(episodes=85, frames=25500, output="data.h5"))  # type: ignore[arg-type]

    def data_is_admitted(self) -> None:
        self.data_is_fetched()
        self.data_is_checked()
        self.data_is_converted()

    def trainer_says(self, line: Started | Stepped | Saved | Found) -> tuple[Effect, ...]:
        attempt, run = self.cycle.attempts, self.cycle.run_name
        return self.happened(JobSpoke(at=self.later(), run=run, attempt=attempt, line=line))

    def training_starts(self, **fields: Any) -> tuple[Effect, ...]:
        line = {
            "at": self.later(),
            "device": "cuda",
            "precision": "bf16",
            "parameters": 60_000_000,
            "episodes": 85,
            "frames": 25500,
            "steps_per_epoch": 399,
            "epochs": 500,
        }
        return self.trainer_says(Started.model_validate(line | fields))

    def checkpoint_is_saved(self, epoch: int) -> tuple[Effect, ...]:
        return self.trainer_says(self.saved("checkpoint", epoch))

    def saved(self, what: str, epoch: int) -> Saved:
        line = {
            "at": self.later(),
            "what": what,
            "epoch": epoch,
            "step": epoch * 399,
            "loss": 0.1,
            "size_bytes": 9,
        }
        return Saved.model_validate(line | {"folder": f"checkpoints/{what}_{epoch:03d}"})

    def checkpoint_is_published(self, epoch: int) -> tuple[Effect, ...]:
        return self.happened(CheckpointPublished(at=self.later(), cycle=self.cycle.number, epoch=epoch))

    def best_is_published(self, epoch: int) -> tuple[Effect, ...]:
        return self.happened(BestPublished(at=self.later(), cycle=self.cycle.number, epoch=epoch))

    def is_forgotten(self, epoch: int) -> tuple[Effect, ...]:
        return self.happened(CheckpointForgotten(at=self.later(), cycle=self.cycle.number, epoch=epoch))

    def is_lost(self, epoch: int) -> tuple[Effect, ...]:
        damage = f"epoch_{epoch:03d}/manifest.json: No such file or directory"
        number = self.cycle.number
        return self.happened(CheckpointLost(at=self.later(), cycle=number, epoch=epoch, damage=damage))

    def best_is_lost(self, epoch: int) -> tuple[Effect, ...]:
        damage = f"best/epoch_{epoch:03d}/manifest.json: No such file or directory"
        number = self.cycle.number
        return self.happened(BestLost(at=self.later(), cycle=number, epoch=epoch, damage=damage))

    def is_handed_on(self, cycle: int | None = None) -> tuple[Effect, ...]:
        number = cycle or self.cycle.number
        return self.happened(HandedOn(at=self.later(), cycle=number, manifest="m" * 12))

    # --- what one looks at

    @property
    def cycle(self):
        assert self.state.cycle is not None
        return self.state.cycle

    def posted(self, kind: str | None = None) -> list[Outgoing]:
        return [
            effect.message
            for effect in self.effects
            if isinstance(effect, Post) and kind in (None, effect.message.kind)
        ]

    def shown(self, name: str, gauges: Gauges | None = None) -> str:
        """What an operator sees who gives that command."""
        return READS[name](self.state, gauges or Gauges(), self.at, self.policy)

    def kinds(self) -> list[str]:
        return [message.kind for message in self.posted()]

    def ordered(self, kind: str) -> list[Any]:
        return [effect for effect in self.effects if effect.kind == kind]


@pytest.fixture(scope="session")
def stage_class() -> type[Play]:
    """The class itself, for laws: each of their examples needs a fresh stage."""
    return Play


@pytest.fixture
def play() -> Play:
    return Play(Policy(operators=(OPERATOR,), device="cpu"))


@pytest.fixture
def training(play: Play) -> Play:
    """A cycle without lessons, in its first epoch."""
    play.watcher_hands_over()
    play.developer_hands_over(episodes=85)
    play.terms_are_read()
    play.data_is_admitted()
    play.training_starts()
    return play


@pytest.fixture
def trained() -> Trained:
    return Trained(
        epochs=500,
        first_loss=1.58,
        last_loss=0.0089,
        best_loss=0.0085,
        best_epoch=498,
        first_l1=0.8,
        last_l1=0.1,
        episodes=85,
        frames=25500,
    )
