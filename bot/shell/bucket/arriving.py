"""In which order a data set comes: what a check can begin with first, then what takes long."""

from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

from protocol.paths import ROWS, VIDEO

type RowsHere = Callable[[int], Awaitable[None]]
"""Hears that all is here but so many bytes of videos whose rows are here."""


async def nobody_waits(_coming_bytes: int) -> None:
    """RowsHere, when nothing begins before all is here."""


def videos_of_rows(places: Collection[Path]) -> frozenset[Path]:
    """The videos that lie beside their rows: a simulator's. Another set's pictures say nothing by halves.

    >>> [str(each) for each in videos_of_rows([Path("a/ego.mp4"), Path("a/actions.jsonl"), Path("b/1.mp4")])]
    ['a/ego.mp4']
    """
    with_rows = {place.parent for place in places if place.name == ROWS}
    return frozenset(place for place in places if place.suffix == VIDEO and place.parent in with_rows)
