"""What operators have approved in advance (AUTO_APPROVE): fields of the config, each within bounds.

Beyond them such a field is changed on nobody's word: a stolen token can approve, too.
"""

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.lessons.changes import name_of, written
from bot.lessons.names import FIELD_OF, plain
from protocol.training import Change, TrainingConfig

EXAMPLE = "lr=1e-6..1e-3, batch_size=8..64"

_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_BOUND = re.compile(rf"([\w.]+)\s*=\s*({_NUMBER})\s*\.\.\s*({_NUMBER})", re.IGNORECASE | re.ASCII)


class Preapproved(BaseModel):
    """`field` is `section.name`; from `least` to `most`, both included."""

    model_config = ConfigDict(frozen=True)

    field: str
    least: float
    most: float

    def __str__(self) -> str:
        return f"{name_of(self.field)} {written(self.least)}..{written(self.most)}"

    def holds(self, value: Any) -> bool:
        return isinstance(value, int | float) and self.least <= value <= self.most


def read(text: str) -> tuple[Preapproved, ...]:
    """
    >>> [str(one) for one in read(EXAMPLE)], read("")
    (['lr 1e-6..0.001', 'batch_size 8..64'], ())

    Raises:
        ValueError: what is wrong, and how it is written.
    """
    bounds = tuple(_bound(part.strip()) for part in text.split(",") if part.strip())
    fields = [one.field for one in bounds]
    if twice := sorted({field for field in fields if fields.count(field) > 1}):
        raise ValueError(f"names {twice[0]} twice")
    return bounds


def _bound(part: str) -> Preapproved:
    found = _BOUND.fullmatch(part)
    if not found:
        raise ValueError(f"has {part!r}: write fields with their bounds, say {EXAMPLE}")
    name, least, most = found[1], float(found[2]), float(found[3])
    field = FIELD_OF.get(plain(name), "")
    if not isinstance(_default(field), int | float):
        raise ValueError(f"names {name}, which is no number of the training config")
    if least > most:
        raise ValueError(f"has bounds of {name} that hold nothing: {found[2]} is above {found[3]}")
    return Preapproved(field=field, least=least, most=most)


def _default(field: str) -> Any:
    section, _, name = field.partition(".")
    return TrainingConfig().model_dump().get(section, {}).get(name)


def beyond(changes: Iterable[Change], bounds: Iterable[Preapproved]) -> str:
    """Which change goes beyond the bounds of its field, in words; empty: none does."""
    named = {one.field: one for one in bounds}
    for change in changes:
        if change.field in named and not named[change.field].holds(change.after):
            bound = named[change.field]
            return f"{name_of(change.field)} {written(change.after)}: 운영자가 정한 범위({bound}) 밖"
    return ""


def covering(changes: tuple[Change, ...], bounds: Iterable[Preapproved]) -> tuple[Preapproved, ...]:
    """The bounds that hold every one of these changes; empty: somebody has to be asked."""
    named = {one.field: one for one in bounds}
    holding = tuple(named[each.field] for each in changes if each.field in named)
    all_hold = len(holding) == len(changes) and not beyond(changes, bounds)
    return holding if all_hold else ()
