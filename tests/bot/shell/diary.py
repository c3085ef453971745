"""A desk that decides nothing and remembers what it was told."""

from collections.abc import Callable

from bot.core.events import Event
from bot.core.policy import Policy
from bot.core.state import State
from bot.shell.deciding.desk import Desk
from bot.shell.remembering.store import Store


def desk_with_diary(store: Store, committed: Callable[[], None] = lambda: None) -> tuple[Desk, list[Event]]:
    """The desk, and what it was told so far, the newest last; `committed` is called after each."""
    told: list[Event] = []

    def remember(state: State, event: Event, _: Policy) -> tuple[State, tuple[()]]:
        told.append(event)
        return state, ()

    desk = Desk(
        store,
        State(),
        Policy(),
        step=remember,
        speak=lambda _: (),
        alert=lambda _: (),
        headline=lambda *_: "",
        committed=committed,
    )
    return desk, told
