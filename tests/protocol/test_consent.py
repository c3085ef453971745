"""What counts as a yes. The table is the specification: a doubtful word is asked back, never taken."""

import pytest

from protocol import NotUnderstood, parse
from protocol.consent import Consent, named_items, read_consent, takes_back
from protocol.lines import lines_of
from protocol.messages import Acknowledgement, Approval, Rejection, Talk

YES = r"""
네, 승인합니다
네
예.
승인
승인합니다!
승인합니다. 수고하셨습니다.
승인 합니다 👍
넵 승인했습니다
좋습니다. 제안하신 대로 진행해 주세요!
제안을 승인합니다
변경 사항을 모두 승인합니다.
보고 확인했습니다. 설정 변경을 승인합니다.
그대로 진행하세요
진행해도 됩니다
학습 시작해 주세요
동의합니다
허가합니다
go ahead
Go ahead, please.
Approved.
approved, thanks!
I approve the changes
Please proceed with the training
Yes, please go ahead with it
LGTM
승인합니다 ✅\n이유: OOM 재발 방지
네, 확인했습니다. 제안 3f2a9c81b2d4 (batch_size 64 → 32) 승인합니다. 학습 진행해 주세요.
agreed
ＯＫ 승인
Sure, go for it
sure
물론입니다
그렇게 하세요
결론: **승인**
검토 결과 승인합니다
The proposal is approved.
Approval granted
No problem, approved
"""

NO = r"""
진행하지 마
네, 진행하지 마세요
승인하지 않습니다
승인 안 합니다
승인할 수 없습니다
승인을 거부합니다
반려합니다. loss가 아직 감소 중입니다.
보류해 주세요
이번 변경은 반대합니다
아니요
안 됩니다
no
Rejected.
Do not proceed
please don't start
I do not approve this
not approved
hold on
그렇게 하지 마세요
절대 안 됩니다
definitely not
ㄴㄴ
승인이 아니라 반려입니다
승인 여부: 반려
반려: lr이 너무 낮음
~~승인~~ 반려합니다
"""

NOTED = r"""
확인했습니다
네, 확인했습니다
네 알겠습니다
보고 확인했습니다. 감사합니다.
OK
ok, noted
got it
좋습니다
이의 없습니다
no objections
"""

ASKED_BACK = r"""
승인 부탁드립니다
승인합니다. 다만 lr은 그대로 두세요
승인되면 시작하세요
batch_size 16으로 승인합니다
batch_size 16으로 진행해 주세요
Developer가 승인했습니다
no, go ahead
네, 승인합니다. 그런데 왜 32인가요?
approved if the loss keeps falling
go ahead but keep lr
lr는 승인, batch_size는 반려
1, 2 승인 3 반려
승인하지 않을 이유가 없네요
승인합니다. 잠깐만요
승인합니다. 방금 말은 취소
yes, but not item 2
Yes, and set batch_size to 16
승인합니다만 lr은 유지하세요
❌ 승인
승인 ✗
👎 승인합니다
⚠️ 승인
승인\n하지 않음
a1b2c3d4e5f6은 반려, ffffff123456은 승인
1번
"""

NEITHER = r"""
승인할까요?
승인 절차는 어떻게 되나요
should we go ahead
"승인합니다"라는 답을 승인 기록에 남깁니다
"승인합니다"라고 하면 됩니다
「“네” 또는 승인합니다」라고 답해 주세요
'go ahead' was what he said
> 네, 승인합니다
학습 진행 상황 알려주세요
상황 보고해 주세요
감사합니다
좋은 하루 되세요
안녕하세요
lr은 그대로 두세요
"""


def said(table: str) -> list[str]:
    """One message a line; `\\n` is a line break."""
    return [line.replace("\\n", "\n") for line in table.strip().splitlines()]


def verdict(text: str) -> str:
    return read_consent(lines_of(text)).verdict


@pytest.mark.parametrize("text", said(YES))
def test_a_plain_yes_is_consent(text: str) -> None:
    assert verdict(text) == "yes"
    assert isinstance(parse(text), Approval)


@pytest.mark.parametrize("text", said(NO))
def test_a_no_is_a_no_however_it_begins(text: str) -> None:
    assert verdict(text) == "no"
    assert isinstance(rejection := parse(text), Rejection)
    assert rejection.reason


@pytest.mark.parametrize("text", said(NOTED))
def test_noted_is_neither_yes_nor_no(text: str) -> None:
    assert verdict(text) == "acknowledged"
    assert isinstance(parse(text), Acknowledgement)


@pytest.mark.parametrize("text", said(ASKED_BACK))
def test_a_doubtful_yes_is_asked_back(text: str) -> None:
    assert verdict(text) == "unclear"
    assert isinstance(parse(text), Acknowledgement)


@pytest.mark.parametrize("text", said(NEITHER))
def test_questions_quotations_and_small_talk_are_no_consent(text: str) -> None:
    assert verdict(text) == "none"
    assert isinstance(parse(text), Talk)


@pytest.mark.parametrize(
    ("text", "consent"),
    [
        ("1번은 승인, 2번은 보류", Consent("yes", None, (1,), (2,))),
        ("1번 승인, 2번 반려", Consent("yes", None, (1,), (2,))),
        ("1번과 2번은 승인합니다. 3번은 반려합니다.", Consent("yes", None, (1, 2), (3,))),
        ("1, 3번 승인", Consent("yes", None, (1, 3))),
        ("1-3번 승인합니다", Consent("yes", None, (1, 2, 3))),
        ("1번만 승인합니다", Consent("yes", None, (1,))),
        ("1번은 반려, 나머지는 승인", Consent("yes", None, (), (1,))),
        ("2번을 제외하고 모두 승인합니다", Consent("yes", None, (), (2,))),
        ("2번 빼고 승인", Consent("yes", None, (), (2,))),
        ("2번은 반려합니다", Consent("no", None, (2,))),
        ("item 1 approved, item 2 rejected", Consent("yes", None, (1,), (2,))),
        ("1번승인", Consent("yes", None, (1,))),
        ("1번 승인 2번 반려", Consent("yes", None, (1,), (2,))),
        ("1번: 승인\n2번: 반려", Consent("yes", None, (1,), (2,))),
        ("3f2a9c81b2d4에 동의합니다", Consent("yes", "3f2a9c81b2d4")),
        ("반려: 3f2a9c81b2d4 사유: lr이 너무 낮음", Consent("no", "3f2a9c81b2d4")),
        ("#1 승인", Consent("yes", None, (1,))),
        ("제안 3f2a9c81b2d4 승인합니다", Consent("yes", "3f2a9c81b2d4")),
        ("3f2a9c81b2d4 반려합니다", Consent("no", "3f2a9c81b2d4")),
    ],
)
def test_items_and_the_proposal_s_name_are_heard(text: str, consent: Consent) -> None:
    assert read_consent(lines_of(text)) == consent


@pytest.mark.parametrize(
    "words",
    [
        "아님",
        "❌",
        "취소합니다",
        "잠깐만요",
        "단, lr은 유지",
        "만약 실패하면 중단",
        "정말요?",
        "not yet",
        "but keep lr",
    ],
)
def test_words_behind_an_approval_can_take_it_back(words: str) -> None:
    assert takes_back(words)


def test_other_words_behind_an_approval_do_not() -> None:
    assert not takes_back("학습을 시작해 주세요. '보류'는 없습니다")


def test_what_was_struck_out_is_not_said() -> None:
    with pytest.raises(NotUnderstood):
        parse("~~네,\n승인합니다~~")


def test_numbers_in_a_list_are_items_and_those_in_words_are_not() -> None:
    assert named_items("1번, 3-5") == (1, 3, 4, 5)
    assert named_items("batch_size=32 lr2") == ()
