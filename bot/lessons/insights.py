"""What a fact of the run may teach: a table from the trainer's fact to the card's five lines."""

from collections.abc import Callable

from protocol.messages import LessonFound
from protocol.progress import Found

Figures = dict[str, float | int | str]


def insight(found: Found) -> LessonFound | None:
    """What Watcher is told about this fact; None for one we have no words for."""
    words = INSIGHTS.get(found.fact)
    return words(found.figures) if words else None


INSIGHTS: dict[str, Callable[[Figures], LessonFound]] = {}
