"""What remains of a message when it goes over the wire: a message like it, of what its text can say.

Texts are plain, trimmed and free of marks, numbers and times have the digits that are shown, additions
that say nothing are gone, and the time of speaking, which no text says, is unsaid. Idempotent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from protocol import figures
from protocol.messages import GpuMemory, Said, TrainingReport
from protocol.quotation import clean, clean_block
from protocol.training import Change
from protocol.voice import CARD_VOICE, Voice

_OWN_DIGITS: dict[tuple[type[BaseModel], str], Callable[[Any], Any]] = {
    (TrainingReport, "lr"): figures.rounded_rate,
    (GpuMemory, "used_gb"): lambda used: float(f"{used:.1f}"),
    (GpuMemory, "total_gb"): lambda total: float(f"{total:.0f}"),
}


def wire[S: Said](message: S, *, voice: Voice = CARD_VOICE) -> S:
    """The part of `message` that `parse(join(render(message)))` gives back, in the clock of `voice`."""
    return _Sieve(voice.zone, getattr(message, "now", None)).model(message)


@dataclass(frozen=True, slots=True)
class _Sieve:
    """Lets through what is shown when one speaks at `now` in `zone`."""

    zone: ZoneInfo
    now: datetime | None

    def model[M: BaseModel](self, value: M) -> M:
        kept = {name: self.field(value, name) for name in type(value).model_fields}
        return type(value).model_construct(**kept)

    def field(self, owner: BaseModel, name: str) -> Any:
        value = getattr(owner, name)
        match name:
            case "now":
                return figures.unsaid_moment(self.zone)
            case "notes":
                return tuple(note for note in map(clean, value) if note)
            case "block":
                return clean_block(value)
            case _:
                return _OWN_DIGITS.get((type(owner), name), self.value)(value)

    def value(self, value: Any) -> Any:
        match value:
            case datetime():
                return figures.on_the_clock(value, self.now or value, self.zone)
            case str():
                return clean(value)
            case float():
                return figures.rounded(value)
            case Change():
                return Change(field=clean(value.field), before=_json(value.before), after=_json(value.after))
            case BaseModel():
                return self.model(value)
            case tuple():
                return tuple(map(self.value, cast("tuple[Any, ...]", value)))
            case dict():
                return {clean(name): clean(text) for name, text in cast("Mapping[str, str]", value).items()}
            case _:
                return value


def _json(value: Any) -> Any:
    """A config value as JSON knows it, its texts plain."""
    match value:
        case str():
            return clean(value)
        case None | bool() | int() | float():
            return value
        case dict():
            return {clean(str(name)): _json(item) for name, item in cast("Mapping[Any, Any]", value).items()}
        case list() | tuple():
            return [_json(item) for item in cast("list[Any]", value)]
        case _:
            return clean(str(value))
