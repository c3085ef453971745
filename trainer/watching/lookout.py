"""Looks at a run after each epoch: reads the machine, asks the detectors, draws what helps to see it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from protocol.folders import RunFolder
from trainer.data.store import FrameStore
from trainer.learning import device as devices
from trainer.learning.feed import Feed
from trainer.learning.history import TrainerState
from trainer.watching.detectors import found
from trainer.watching.disagreement import disagreements
from trainer.watching.facts import Figures, Known, Reading, channels, seen
from trainer.watching.findings_drawn import draw_finding

log = logging.getLogger(__name__)

MOST_READINGS = 2000
"""Kept of a process; of older ones every other goes."""


@dataclass(frozen=True)
class News:
    """A fact that was not told before. `picture` is a file in the run's folder, by its relative name."""

    figures: Figures
    picture: str | None = None


@dataclass
class Lookout:
    """Over one process of a run. `clock` counts seconds and never goes back."""

    store: FrameStore
    feed: Feed
    run: RunFolder
    resumed_at: int | None
    clock: Callable[[], float] = time.monotonic
    readings: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = self.store.config.action_names
        self.known = Known(
            channels(names, self.store.action), self.store.episode_names, disagreements(self.feed)
        )
        self._began_at = self._looked_at = self.clock()

    def news(self, state: TrainerState) -> dict[str, News]:
        """What can be told now that an epoch has ended."""
        self._read()
        facts = found(seen(state, self.known, self.resumed_at, tuple(self.readings)), state.said)
        return {fact: News(figures, self._drawn(fact, figures)) for fact, figures in facts.items()}

    def _read(self) -> None:
        now = self.clock()
        took_s, self._looked_at = max(now - self._looked_at, 1e-9), now
        gpu = devices.gauge(self.feed.device)
        if len(self.readings) >= MOST_READINGS:
            del self.readings[::2]
        self.readings.append(
            Reading(
                at_s=now - self._began_at,
                used_bytes=gpu.used_bytes if gpu else None,
                total_bytes=gpu.total_bytes if gpu else None,
                busy_share=gpu.busy_share if gpu else None,
                waiting_share=self.feed.waits.since_last_s() / took_s,
            )
        )

    def _drawn(self, fact: str, figures: Figures) -> str | None:
        """A picture must never cost the training it shows."""
        try:
            picture = draw_finding(fact, figures, self.store, self.run.findings)
        except Exception:
            log.exception("%s could not be drawn", fact)
            return None
        return picture and _in(self.run, picture)


def _in(run: RunFolder, path: Path) -> str:
    return path.relative_to(run.path).as_posix()
