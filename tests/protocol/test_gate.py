"""Nothing wrong can be said: one test a rule, and the card's three bad examples."""

import pytest

from protocol import Refused, Voice, allowed_user_ids, check, recipients_of, render
from protocol.gate import RULES
from protocol.messages import Alert, Answer, Blocked, Question, Receipt
from protocol.roster import CARD_IDS, Peer

OPERATOR = 200000000000000001
VOICE = Voice(operators=(OPERATOR,))
WATCHER, EVALUATION = CARD_IDS[Peer.WATCHER], CARD_IDS[Peer.EVALUATION]
TO = (WATCHER,)
M = f"<@{WATCHER}>"


def broken_rule(text: str, to: tuple[int, ...] = TO) -> str:
    with pytest.raises(Refused) as refused:
        check(text, to, VOICE)
    assert str(refused.value) == f"{refused.value.rule}: {refused.value.detail}"
    return refused.value.rule


def test_the_card_s_good_example_passes() -> None:
    check(f"{M} [REPORT] ACT 학습 진행. Epoch: 150/500, Loss: 0.0234", TO, VOICE)


@pytest.mark.parametrize(
    "text", ["@Watcher [REPORT] ACT 학습 진행.", "Watcher-Claw, 학습 진행중이야.", "[REPORT] ACT 학습 진행."]
)
def test_the_card_s_three_bad_examples_are_refused(text: str) -> None:
    assert broken_rule(text) == "mention"


@pytest.mark.parametrize(
    "text", [f"\\{M} [REPORT] x", f"`{M}` [REPORT] x", f"```\n{M}\n```", f"```{M}", f"``a ` {M}`` x"]
)
def test_a_mention_in_code_or_behind_a_backslash_is_none(text: str) -> None:
    assert broken_rule(text) == "mention"


@pytest.mark.parametrize(
    "text", ["<@123456789012345678> x", f"{M} <@12> x", f"{M} <@Watcher> x", f"{M} <@147720563192771790"]
)
def test_every_id_is_known_and_whole(text: str) -> None:
    assert broken_rule(text) == "known ids"


def test_every_recipient_is_mentioned_outside_code() -> None:
    assert broken_rule(f"{M} x", (WATCHER, EVALUATION)) == "every recipient"
    assert broken_rule(f"{M} `<@{EVALUATION}>`", (WATCHER, EVALUATION)) == "every recipient"
    check(f"{M} <@!{EVALUATION}> x", (WATCHER, EVALUATION), VOICE)


def test_nobody_else_is_mentioned() -> None:
    assert broken_rule(f"{M} <@{EVALUATION}> x") == "nobody else"


@pytest.mark.parametrize(
    "words",
    [
        "@Watcher x",
        "@ developer",
        "x\nDeveloper, 재생성",
        "x\n- Evaluation-Claw: 확인",
        "Watcher야, x",
        "[REPORT] watcher님! x",
        ", Watcher, x",
        "x\n1. **Developer**: 재생성",
        "x\n**[REPORT]** Domain Expert, 확인",
    ],
)
def test_a_name_is_no_address(words: str) -> None:
    assert broken_rule(f"{M} {words}") == "address"


@pytest.mark.parametrize(
    "words",
    [
        "요청: Developer에게 재생성 요청",
        "영향 범위: DomainExpert(다양성), Developer(행동)",
        "`Watcher, x`",
        "\u200bWatcher, x",
    ],
)
def test_a_name_in_running_text_is_fine(words: str) -> None:
    check(f"{M} [REPORT] x\n{words}", TO, VOICE)


@pytest.mark.parametrize("crowd", ["@everyone", "@here", f"<@&{WATCHER}>"])
def test_no_crowd_is_pinged(crowd: str) -> None:
    assert broken_rule(f"{M} {crowd}") == "crowd"


def test_length_is_counted_as_the_strictest_client_counts() -> None:
    assert broken_rule(f"{M} {'😀' * 990}") == "length"
    check(f"{M} {'가' * 1900}", TO, VOICE)


def test_every_part_passes_or_none() -> None:
    with pytest.raises(Refused, match="mention"):
        check([f"{M} x", "y"], TO, VOICE)
    assert broken_rule(f"{M} x", ()) == "recipients"


def test_every_rule_has_an_example_above() -> None:
    assert list(RULES) == [
        "mention",
        "known ids",
        "every recipient",
        "nobody else",
        "address",
        "crowd",
        "length",
    ]


def test_operators_hear_answers_and_alerts_alone() -> None:
    for message in (Answer(to=(OPERATOR, WATCHER, WATCHER), body="x"), Alert(to=(OPERATOR,), body="x")):
        assert OPERATOR in allowed_user_ids(message, VOICE)
        assert len(set(allowed_user_ids(message, VOICE))) == len(allowed_user_ids(message, VOICE))
    for message in (
        Receipt(to=(OPERATOR,), understood=("x",), next_step="y"),
        Question(to=(OPERATOR,), question="x", how_to_answer="y"),
    ):
        with pytest.raises(Refused, match="not for operators"):
            render(message, voice=VOICE)


def test_strangers_and_ourselves_hear_nothing() -> None:
    with pytest.raises(Refused, match="neither in the roster nor an operator"):
        render(Answer(to=(OPERATOR,), body="x"))
    with pytest.raises(Refused, match="ourselves"):
        render(Answer(to=(CARD_IDS[Peer.TRAINING],), body="x"))


def test_recipients_are_those_of_the_kind() -> None:
    blocked = Blocked(cause="data", problems=("x",), request="y")
    assert recipients_of(blocked, VOICE) == allowed_user_ids(blocked, VOICE) == TO
