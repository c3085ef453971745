"""What came of a soak: who asked what and when, what was answered, and what that adds up to."""

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from pydantic import BaseModel, ConfigDict

from bot.rehearsal.discord.news import News
from bot.rehearsal.discord.record import Entry

MARK = "q{:06d}"
_MARK = re.compile(r"\bq(\d{6})")


@dataclass(slots=True)
class Tally:
    """Questions by number. An answer counts if it carries the number and notifies who asked.

    Whatever we say ends with a reference of its own, so a text that comes twice was said twice.
    """

    training_id: int
    asker: dict[int, int] = field(default_factory=dict[int, int])
    asked_at: dict[int, float] = field(default_factory=dict[int, float])
    answered_at: dict[int, float] = field(default_factory=dict[int, float])
    order: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    said: dict[str, set[int]] = field(default_factory=dict[str, set[int]])
    news: News = field(default_factory=News)

    def asked(self, number: int, asker: int) -> None:
        self.asker[number] = asker
        self.asked_at[number] = time.monotonic()

    def heard(self, entry: Entry) -> None:
        if entry.author_id != self.training_id:
            return
        self.said.setdefault(entry.content, set()).add(entry.id)
        for found in _MARK.findall(entry.content):
            number = int(found)
            if number not in self.answered_at and self.asker.get(number) in entry.mentions:
                self.answered_at[number] = time.monotonic()
                self.order.setdefault(self.asker[number], []).append(number)
        self.news.announce()

    def waiting(self) -> int:
        return len(self.asked_at) - len(self.answered_at)

    def lost(self, numbers: Iterable[int]) -> tuple[int, ...]:
        return tuple(one for one in numbers if one not in self.answered_at)

    def doubled(self) -> int:
        return sum(len(ids) - 1 for ids in self.said.values())

    def out_of_order(self) -> int:
        """Answers to one and the same asker that came before the answer to an earlier question."""
        return sum(later < earlier for one in self.order.values() for earlier, later in pairwise(one))

    def waits_ms(self, numbers: Iterable[int]) -> tuple[int, ...]:
        answered = [one for one in numbers if one in self.answered_at]
        return tuple(round((self.answered_at[one] - self.asked_at[one]) * 1000) for one in answered)


class Leg(BaseModel):
    """One leg of a soak, as it is kept. `pid`, `rss_kb`, `descriptors`: the daemon's at its calm end."""

    model_config = ConfigDict(frozen=True)

    number: int
    throttled: bool
    asked: int
    lost: tuple[int, ...]
    doubled: int
    out_of_order: int
    kills: int
    faults: int
    refused: int
    waits_ms: tuple[int, ...]
    took_s: float
    pid: int
    rss_kb: int
    descriptors: int


def at_share(values: Iterable[float], share: float) -> float:
    """The value below which this share of them lies; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def longest_life(legs: Sequence[Leg]) -> list[Leg]:
    """The legs that ended under the daemon process that saw most of them."""
    lives = [list(life) for _, life in groupby(legs, key=lambda leg: leg.pid)]
    return max(lives, key=len) if lives else []


def growth_kb(life: Sequence[Leg]) -> float | None:
    """By how much RSS grew a thousand messages, by least squares; None where there is too little to say."""
    if len(life) < 4:
        return None
    points: list[tuple[float, float]] = []
    asked = 0
    for leg in life:
        asked += leg.asked
        points.append((asked / 1000, leg.rss_kb))
    middle = sum(x for x, _ in points) / len(points)
    spread = sum((x - middle) ** 2 for x, _ in points)
    return sum((x - middle) * y for x, y in points) / spread
