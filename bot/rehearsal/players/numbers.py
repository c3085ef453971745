"""Evaluation's three numbers: what they are, how its reply words them, and what they must be at least."""

import re
from dataclasses import dataclass

MOST_OF_FIRST_L1 = 0.5
LEAST_BETTER_THAN_MEAN = 0.6
LEAST_BETTER_THAN_BLANK = 0.5

NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
EPOCH_L1 = re.compile(rf"L1: 첫 epoch (?P<first>{NUMBER}) → 마지막 epoch (?P<last>{NUMBER})")
"""The line with which Training's HANDOFF says how far its L1 came down."""

_BETTER_THAN_MEAN = re.compile(rf"평균 행동 대비: (?P<percent>{NUMBER})% 개선")
_BETTER_THAN_BLANK = re.compile(rf"가린 화면 대비: (?P<percent>{NUMBER})% 개선")


@dataclass(frozen=True, slots=True)
class Numbers:
    """L1 of the first and the last epoch; then how much lower the held-out L1 is, as a share: than that of
    the constant mean action, and than its own on blanked pictures."""

    first_l1: float
    last_l1: float
    better_than_mean: float
    better_than_blank: float

    @property
    def remaining_l1(self) -> float:
        return self.last_l1 / self.first_l1 if self.first_l1 else float("inf")


def worded(numbers: Numbers) -> str:
    """The three lines of Evaluation's reply."""
    return (
        f"L1: 첫 epoch {numbers.first_l1:.4g} → 마지막 epoch {numbers.last_l1:.4g}"
        f" (처음의 {numbers.remaining_l1:.0%})\n"
        f"평균 행동 대비: {numbers.better_than_mean * 100:.1f}% 개선\n"
        f"가린 화면 대비: {numbers.better_than_blank * 100:.1f}% 개선"
    )


def read_numbers(text: str) -> Numbers | None:
    """The numbers in Evaluation's reply; None when one is missing."""
    l1, mean, blank = EPOCH_L1.search(text), _BETTER_THAN_MEAN.search(text), _BETTER_THAN_BLANK.search(text)
    if l1 is None or mean is None or blank is None:
        return None
    return Numbers(
        first_l1=float(l1["first"]),
        last_l1=float(l1["last"]),
        better_than_mean=float(mean["percent"]) / 100,
        better_than_blank=float(blank["percent"]) / 100,
    )
