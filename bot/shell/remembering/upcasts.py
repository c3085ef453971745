"""How a state that an older version saved becomes one of ours: a step a schema number, JSON in and out.

A change to bot.core.state's shape ships its step here, and a row as the old version stored it in
`tests/bot/shell/remembering/states/`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bot.core.state import SCHEMA

type Json = dict[str, Any]

BEFORE_THE_PROBE = ("awaited", "fetching", "fetched")


def _without_a_device(state: Json) -> Json:
    """Schema 1 knew no probe of the device: what was checked or trained there had one."""
    cycle = state.get("cycle")
    if cycle is None or cycle["data"]["phase"] in BEFORE_THE_PROBE:
        return state
    return state | {"cycle": {"device": {"phase": "proven", "name": "-"}} | cycle}


def _as_it_is(state: Json) -> Json:
    """What is new has a default that says how it was before. The number alone keeps older versions out."""
    return state


UPCASTS: Mapping[int, Callable[[Json], Json]] = {1: _without_a_device, 2: _as_it_is}
"""From a state's schema number to how it becomes one of the next number."""


def upcast(state: Json, schema: int) -> Json:
    """`state`, of number `schema`, in today's shape."""
    for number in range(schema, SCHEMA):
        state = UPCASTS[number](state)
    return state
