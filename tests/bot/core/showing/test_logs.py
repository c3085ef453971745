"""`!logs`: as many of the newest lines as are asked for."""

import pytest

from bot.core.events import Gauges, Heard
from protocol.messages import Answer, Command

TWELVE = tuple(f"12:{n:02d} line" for n in range(12))


def asked(play, *words: str, journal: tuple[str, ...] = TWELVE) -> Answer:
    command, gauges = Command(name="logs", arguments=words), Gauges(journal=journal)
    play.happened(Heard(at=play.later(), author=play.policy.operators[0], message=command, gauges=gauges))
    return play.posted("answer")[-1]


@pytest.mark.parametrize(("words", "lines"), [((), 10), (("3",), 3), (("50",), 12)])
def test_they_are_the_newest_lines_in_the_peoples_time(play, words, lines) -> None:
    answer = asked(play, *words)
    assert tuple(answer.block.splitlines()) == TWELVE[-lines:]
    assert answer.body.startswith(f"최근 기록 {lines}줄 (KST, ")


@pytest.mark.parametrize("word", ["abc", "0", "51", "-3", "３"])
def test_what_is_no_number_of_lines_is_said_with_how_to_ask(play, word: str) -> None:
    answer = asked(play, word)
    assert answer.body == f"`!logs {word}`: 줄 수를 1부터 50까지의 숫자로 적어 주세요. 예: `!logs 20`"
    assert answer.block == ""


def test_where_nothing_happened_yet_that_is_said(play) -> None:
    assert asked(play, journal=()).block == "기록이 없습니다."
