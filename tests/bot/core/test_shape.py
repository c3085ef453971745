"""What is saved has a shape, and the shape a number. Who changes one is told what becomes of the other."""

import hashlib
import json
from typing import Any, get_args

from bot.core import effects, state
from bot.core.effects import Post
from bot.core.state import SCHEMA, State

WORDS = frozenset({"title", "description", "default"})
"""What a schema says of a value without changing which ones there are."""

WHAT_TO_DO = """
What is saved (bot/core/state/, an owed effect, or a value of protocol/ in them) has another shape now.

Has a daemon that counts saved a state of schema {schema} before? One of a released version has.
    yes: SCHEMA = {next}, an upcaster from {schema} in bot/shell/remembering/upcasts.py, a row of {schema} in
         tests/bot/shell/remembering/states/schema_{schema}.json. The version before leaves one after
         a rehearsal: sqlite3 play/state/training-claw.sqlite3 'SELECT state FROM state'
    no:  {schema} is being made just now, and only the next line changes
Then in bot/core/state/__init__.py, beside SCHEMA:

SHAPE = "{shape}"
"""


def fingerprint() -> str:
    """Of each phase and each order with the names, kinds and bounds of all their fields."""
    owed = [kind for kind in get_args(get_args(effects.Effect)[0]) if kind is not Post]
    schemas = [shape_of(each.model_json_schema()) for each in (State, *owed)]
    return hashlib.sha256(json.dumps(schemas, sort_keys=True).encode()).hexdigest()[:12]


def shape_of(schema: Any, names: bool = False) -> Any:
    """The schema without what is only said; `names`: its keys are names of ours."""
    match schema:
        case dict():
            return {
                key: shape_of(value, names=not names and key in {"properties", "$defs"})
                for key, value in schema.items()
                if names or key not in WORDS
            }
        case list():
            return [shape_of(each) for each in schema]
        case _:
            return schema


def test_a_shape_and_its_number_change_together() -> None:
    told = WHAT_TO_DO.format(schema=SCHEMA, next=SCHEMA + 1, shape=fingerprint())
    assert fingerprint() == state.SHAPE, told


def test_words_are_no_shape_and_a_field_may_be_called_like_one() -> None:
    said = {"description": "x", "properties": {"title": {"title": "Title", "type": "string", "default": ""}}}
    assert shape_of(said) == {"properties": {"title": {"type": "string"}}}
