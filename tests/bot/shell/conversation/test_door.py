from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.shell.conversation.channel import Letter, Mark
from bot.shell.conversation.door import Door
from protocol.roster import Roster

ROSTER = Roster()
US, WATCHER = ROSTER.training, ROSTER.watcher
OPERATOR, STRANGER = 1477300000000000001, 1477300000000000002
CHANNEL = 1477000000000000001
DOOR = Door(CHANNEL, ROSTER, (OPERATOR,))
TO_US = Letter(
    id=1,
    channel_id=CHANNEL,
    author_id=WATCHER,
    content=f"<@{US}> [HANDOFF] Cycle 1",
    at=datetime(2026, 3, 1, tzinfo=UTC),
    mentions=frozenset({US}),
)


def admits(letter: Letter) -> bool:
    return DOOR.admits(letter, answers_ours=False)


def test_a_peer_that_mentions_us_is_heard() -> None:
    assert admits(TO_US)
    assert admits(replace(TO_US, content=f"<@!{US}> hello"))


@pytest.mark.parametrize(
    "unheard",
    [
        replace(TO_US, author_id=STRANGER),
        replace(TO_US, author_id=US),
        replace(TO_US, channel_id=CHANNEL + 1),
        replace(TO_US, plain=False),
        replace(TO_US, mentions=frozenset()),
        replace(TO_US, content="@Training hello"),
        replace(TO_US, author_id=STRANGER, content="!status"),
        replace(TO_US, content="!status", mentions=frozenset()),
        replace(TO_US, author_id=OPERATOR, content="well", mentions=frozenset()),
    ],
    ids=[
        "stranger",
        "ourselves",
        "elsewhere",
        "webhook",
        "in code",
        "by name",
        "! of a stranger",
        "! of a peer",
        "talk",
    ],
)
def test_everybody_and_everything_else_is_not(unheard: Letter) -> None:
    assert not admits(unheard)


def test_a_reply_to_us_needs_no_mention() -> None:
    assert DOOR.admits(replace(TO_US, content="승인", mentions=frozenset()), answers_ours=True)
    assert not DOOR.admits(replace(TO_US, author_id=STRANGER), answers_ours=True)


def test_a_command_of_an_operator_needs_no_mention() -> None:
    assert admits(replace(TO_US, author_id=OPERATOR, content=" !status", mentions=frozenset()))


def test_only_watchers_two_answers_count() -> None:
    assert DOOR.counts(Mark(1, WATCHER, "✅"))
    assert DOOR.counts(Mark(1, WATCHER, "❌"))
    assert not DOOR.counts(Mark(1, WATCHER, "👍"))
    assert not DOOR.counts(Mark(1, ROSTER.developer, "✅"))


def test_what_a_peer_says_to_nobody_may_go_on_from_before() -> None:
    unaddressed = replace(TO_US, content="- [학습] 둘째", mentions=frozenset())
    assert DOOR.may_go_on(unaddressed)
    assert not DOOR.may_go_on(replace(unaddressed, content=f"<@{ROSTER.developer}> 데이터는?"))
    assert not DOOR.may_go_on(replace(unaddressed, reply_to=7))
    assert not DOOR.may_go_on(replace(unaddressed, author_id=OPERATOR))
    assert not DOOR.may_go_on(replace(unaddressed, author_id=STRANGER))


def test_a_stranger_s_command_is_turned_away_and_named() -> None:
    stop = replace(TO_US, author_id=STRANGER, content="!stop", mentions=frozenset())
    assert DOOR.turns_away(stop) == "stop"
    assert DOOR.turns_away(replace(stop, content="well!")) is None
    assert DOOR.turns_away(replace(stop, channel_id=CHANNEL + 1)) is None
    for known in (US, WATCHER, OPERATOR):
        assert DOOR.turns_away(replace(stop, author_id=known)) is None
