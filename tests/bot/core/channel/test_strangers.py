"""A command of somebody who is no operator does nothing, and is not forgotten."""

import pytest

from bot.core.channel import strangers
from bot.core.events import Gauges, StrangerCommanded
from bot.core.showing.status import status

STRANGER = 999000000000000001


def commands(play, command: str, author: int = STRANGER):
    return play.happened(StrangerCommanded(at=play.later(60), author=author, command=command))


@pytest.mark.parametrize(
    ("text", "command"),
    [("!stop", "stop"), (" ！ Status please", "status"), ("!", None), ("정말!", None), ("!<@1>", None)],
)
def test_a_command_is_told_from_an_exclamation(text: str, command: str | None) -> None:
    assert strangers.command_in(text) == command


def test_it_changes_nothing_and_is_not_answered(training) -> None:
    before = training.state.cycle
    assert commands(training, "stop") == ()
    assert training.state.cycle == before


def test_status_shows_the_newest_of_each(play) -> None:
    commands(play, "status")
    commands(play, "stop")
    for number in range(3):
        commands(play, "help", STRANGER + 1 + number)
    shown = status(play.state, Gauges(), play.later(3 * 3600), play.policy)
    assert "무시함" in shown
    assert str(STRANGER) not in shown, "only the newest few are shown"
    commands(play, "retry")
    shown = status(play.state, Gauges(), play.later(60), play.policy)
    assert f"{STRANGER}의 명령: `!retry` (1분 전, 3회, 무시함)" in shown
    assert "3시간 " in shown


def test_a_flood_of_people_is_bounded(play) -> None:
    for number in range(50):
        commands(play, "stop", STRANGER + number)
    assert len(play.state.strangers) == strangers.REMEMBERED
