"""Who is on the stage: the roster's five peers, an operator, and a stranger nobody should listen to."""

from dataclasses import dataclass

from protocol.roster import Peer, Roster

OPERATOR_ID = 1477300000000000001
STRANGER_ID = 1477300000000000002


@dataclass(frozen=True, slots=True)
class Person:
    """A Discord user. `token` is what a bot logs in with; nothing here is a secret."""

    id: int
    name: str
    bot: bool = True

    @property
    def token(self) -> str:
        return f"rehearsal.{self.name}.token"


def cast_of(roster: Roster) -> tuple[Person, ...]:
    """Everybody in the guild, the roster's peers under the names the role card shows (`Watcher-Claw`)."""
    peers = tuple(Person(id=user_id, name=f"{peer}-Claw") for peer, user_id in roster.ids().items())
    return (
        *peers,
        Person(id=OPERATOR_ID, name="operator", bot=False),
        Person(id=STRANGER_ID, name="stranger", bot=False),
    )


def short_name(person: Person) -> str:
    """`Watcher-Claw` is `Watcher` to a reader."""
    return person.name.removesuffix("-Claw")


def id_of(cast: tuple[Person, ...], peer: Peer) -> int:
    return next(person.id for person in cast if short_name(person) == peer.value)
