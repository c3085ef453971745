"""What a lesson can turn out to be. Frozen values; the remedies make them, the terms track acts on them."""

from dataclasses import dataclass

from protocol.training import Change

HOW_TO_SAY = "→ 적용: batch_size=32"


@dataclass(frozen=True, slots=True)
class Remedied:
    """It asks for these changes. `exact`: the value itself stood in the words, nothing was inferred.

    `summary` is what is done, as DONE will say it.
    """

    changes: tuple[Change, ...]
    exact: bool
    summary: str


@dataclass(frozen=True, slots=True)
class Satisfied:
    """What it asks for is so already; `why` says what is."""

    why: str


@dataclass(frozen=True, slots=True)
class Impossible:
    """It contradicts a bound; nothing is guessed."""

    why: str


@dataclass(frozen=True, slots=True)
class NotOurs:
    """It touches neither config nor data nor process."""

    why: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It is asked back: `why` nothing was done, and how to say it exactly."""

    why: str
    example: str = HOW_TO_SAY


Judgement = Remedied | Satisfied | Impossible | NotOurs | Unclear
