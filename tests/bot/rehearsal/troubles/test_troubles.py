"""Some of Discord's faults against the real daemon; `python -m bot.rehearsal.troubles` plays all of them."""

from pathlib import Path

import pytest

from bot.rehearsal.troubles import TROUBLES
from bot.rehearsal.troubles.__main__ import suffer

BY_NAME = {one.name: one for one in TROUBLES}

QUICK = (
    "cable cut",
    "op 9 false: session gone",
    "IDENTIFY refused ×8 (op 9 loop)",
    "close 4014: intent not enabled",
    "heartbeats unanswered, events flow",
    "malformed event",
    "events delivered twice",
    "reset after the commit",
    "mention lost by the server",
    "killed inside the quiet time",
    "killed between send and note",
)


@pytest.mark.parametrize("name", QUICK)
async def test_nothing_is_lost_and_nothing_is_said_twice(name: str, tmp_path: Path) -> None:
    outcome = await suffer(BY_NAME[name], tmp_path)
    assert (outcome.wrong, outcome.lost, outcome.doubled) == ("", 0, 0), outcome.did
    assert outcome.asked >= 4


def test_every_trouble_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(TROUBLES)
