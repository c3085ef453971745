"""An operator at three in the morning, on a Korean keyboard."""

import pytest

from bot.core.policy import Policy
from bot.core.state import Held, Stopping
from protocol import parse
from protocol.messages import Acknowledgement, Talk

OPERATOR = 300000000000000001


def types(play, text: str):
    play.says(OPERATOR, parse(text))
    return play.posted("answer")[-1].body


@pytest.mark.parametrize(
    "text", ["!중지", "！중지", "! 멈춰!", "!STOP", "!stop now", "!ㄴ새ㅔ", "학습 중지해 주세요"]
)
def test_a_stop_is_a_stop(training, text: str) -> None:
    assert types(training, text).startswith("stop 접수")
    assert isinstance(training.cycle.run, Stopping)


@pytest.mark.parametrize("text", ["!재개", "!계속", "!재시도", "!resume."])
def test_and_he_lets_it_go_on(training, trained, text: str) -> None:
    training.operator_asks("stop")
    training.job_ends(None)
    assert isinstance(training.cycle.run, Held)
    types(training, text)
    assert not isinstance(training.cycle.run, Held)


@pytest.mark.parametrize("text", ["!status", "！status", "!상태", "!status?", "!ㄴㅅㅁㅅㅕㄴ", "!ㄴㅅㅁ션"])
def test_a_look_is_a_look(play, text: str) -> None:
    assert "열린 cycle이 없습니다" in types(play, text)


@pytest.mark.parametrize("text", ["!stop?", "!중지？"])
def test_a_question_stops_nothing(training, text: str) -> None:
    assert "`!help`" in types(training, text)
    assert not isinstance(training.cycle.run, Stopping)


@pytest.mark.parametrize("text", ["!abandon 50", "!포기 50", "！포기 50", "!abandon? 50"])
def test_giving_up_is_meant_only_without_a_question_mark(training, text: str) -> None:
    training.checkpoint_is_saved(50)
    types(training, text)
    (checkpoint,) = training.cycle.shelf.checkpoints
    assert checkpoint.status == ("saved" if "?" in text else "given_up")


@pytest.mark.parametrize("text", ["!", "!abracadabra", "!아무말", "?", "무슨 말을 하나요"])
def test_whatever_is_not_understood_is_answered_with_the_list_of_commands(play, text: str) -> None:
    assert "`!help`" in types(play, text)


def test_a_word_misspelt_is_guessed(play) -> None:
    assert "`!stop`입니까?" in types(play, "!stpo")


def test_an_approval_is_delegated_in_korean_too(play) -> None:
    assert "Watcher의 권한" in types(play, "!승인")


def test_an_operator_is_thanked_by_silence(play) -> None:
    play.says(OPERATOR, Acknowledgement())
    assert play.kinds() == []


def test_a_peer_s_exclamation_mark_is_no_command(training) -> None:
    training.says(training.watcher, parse("!중지"))
    assert training.posted("answer") == []
    assert isinstance(training.cycle.run, Stopping), "it is Watcher's order, in Watcher's words"


def test_operators_are_always_answered(stage_class) -> None:
    play = stage_class(Policy(operators=(OPERATOR,), answers_a_minute=3))
    for _ in range(20):
        types(play, "!status")
    assert play.kinds() == ["answer"] * 20


def test_who_is_answered_no_more_is_called_by_name(stage_class) -> None:
    play = stage_class(Policy(operators=(OPERATOR,), answers_a_minute=1))
    for _ in range(3):
        play.says(play.developer, Talk(about="status"))
    assert play.posted("alert")[0].body.startswith("Developer에게")
