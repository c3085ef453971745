"""A data BLOCKED names every affected episode, grouped by problem."""

import re
from collections.abc import Sequence
from itertools import groupby

NUMBERED = re.compile(r"episode_(?P<number>\d+)$")


def grouped(problems: Sequence[tuple[str | None, str]]) -> tuple[str, ...]:
    """One line a problem: (episode or None, message) pairs become lines that name all their episodes.

    >>> grouped([("episode_003", "NaN 값"), ("episode_007", "NaN 값"), (None, "에피소드 수 부족 (48개)")])
    ('episode_003, 007의 NaN 값', '에피소드 수 부족 (48개)')
    """
    episodes: dict[str, list[str]] = {}
    for episode, message in problems:
        episodes.setdefault(message, []).extend([episode] if episode else [])
    return tuple(f"{named(names)}의 {message}" if names else message for message, names in episodes.items())


def named(episodes: Sequence[str]) -> str:
    """
    >>> named(["episode_003", "episode_007", "episode_023", "episode_024", "episode_025"])
    'episode_003, 007, 023–025'
    """
    unique = sorted(dict.fromkeys(episodes), key=_order)
    numbers = [NUMBERED.match(name) for name in unique]
    if not all(numbers):
        return ", ".join(unique)
    digits = [found["number"] for found in numbers if found]
    runs = groupby(enumerate(digits), key=lambda place: int(place[1]) - place[0])
    return f"episode_{', '.join(_span([number for _, number in run]) for _, run in runs)}"


def _span(run: list[str]) -> str:
    return f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(run)


def _order(name: str) -> tuple[int, str]:
    found = NUMBERED.match(name)
    return (int(found["number"]) if found else -1, name)
