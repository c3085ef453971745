"""What a lesson can turn out to be. Frozen values; the remedies make them, the terms track acts on them."""

from dataclasses import dataclass

from protocol.training import Change


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
    """It is asked back; `example` shows how to say it exactly."""

    example: str


Judgement = Remedied | Satisfied | Impossible | NotOurs | Unclear
