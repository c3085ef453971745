"""Watcher's yes and no to the open proposal, in every form they come."""

import pytest

from bot.core.events import Gauges, LessonsFile, Reacted
from bot.core.policy import Policy
from bot.core.showing import commands
from protocol.messages import Acknowledgement, Approval, Command, Handoff, Lesson, Rejection

OOM = Lesson(category="학습", text="batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생")
OPERATOR = 300000000000000001
SLOW = Lesson(category="학습", text="수렴이 느림", remedy="lr=5e-5")


@pytest.fixture
def asked(play):
    """A proposal of two lines waits: one inferred, one only hinted at by a file."""
    play.watcher_hands_over(OOM)
    play.terms_are_read(None, LessonsFile(name="lessons/cycle00.md", lessons=(SLOW,)))
    return play


def config(play):
    return play.cycle.terms.config.training


def test_a_hint_from_a_file_is_proposed_and_not_applied(asked) -> None:
    assert [line.changes[0].field for line in asked.cycle.proposal.lines] == [
        "training.batch_size",
        "training.lr",
    ]
    assert config(asked).lr == 1e-4


def test_a_yes_to_everything_settles_the_terms(asked) -> None:
    asked.says(asked.watcher, Approval())
    assert (config(asked).batch_size, config(asked).lr) == (32, 5e-5)
    assert asked.cycle.terms.phase == "settled"
    assert asked.cycle.proposal is None
    assert asked.posted("change_report")[-1].changes[0].approved_by.startswith("Watcher")


def test_one_line_approved_and_one_held_back(asked) -> None:
    asked.says(asked.watcher, Approval(items=(1,), rejected=(2,)))
    assert (config(asked).batch_size, config(asked).lr) == (32, 1e-4)
    assert [entry.status for entry in asked.cycle.terms.ledger] == ["applied", "rejected"]
    assert asked.cycle.proposal is None


def test_what_was_not_spoken_of_stays_open_under_a_hash_of_its_own(asked) -> None:
    whole = asked.cycle.proposal.hash
    asked.says(asked.watcher, Approval(items=(2,)))
    assert config(asked).lr == 5e-5
    assert asked.cycle.proposal.lines[0].reason.startswith("batch_size 32")
    assert asked.cycle.proposal.hash == whole, "the same config is still where it would lead"
    asked.says(asked.watcher, Rejection(reason="메모리는 충분"))
    assert asked.cycle.terms.ledger[0].note == "메모리는 충분"


def test_an_approval_of_another_hash_does_nothing_but_explain(asked) -> None:
    asked.says(asked.watcher, Approval(proposal="ffffff"))
    assert config(asked).batch_size == 64
    assert asked.cycle.proposal.hash in asked.posted("question")[-1].question


def test_a_reply_to_something_else_is_not_taken_for_consent(asked) -> None:
    asked.says(asked.watcher, Approval(), reply_ref="h0-1")
    assert config(asked).batch_size == 64
    asked.says(asked.watcher, Approval(), reply_ref=asked.cycle.proposal.refs[0])
    assert config(asked).batch_size == 32


def test_a_mere_acknowledgement_is_asked_back_once(asked) -> None:
    asked.says(asked.watcher, Acknowledgement())
    asked.says(asked.watcher, Acknowledgement())
    assert len(asked.posted("question")) == 1
    assert config(asked).batch_size == 64


def test_nobody_but_watcher_can_approve(asked) -> None:
    asked.says(asked.developer, Approval())
    assert config(asked).batch_size == 64
    assert "권한" in asked.posted("answer")[-1].body


def test_without_a_proposal_a_yes_is_answered(play) -> None:
    play.says(play.watcher, Approval())
    assert play.posted("answer")[-1].body == "승인을 기다리는 제안이 없습니다."


@pytest.mark.parametrize(("yes", "batch_size"), [(True, 32), (False, 64)])
def test_a_reaction_on_the_proposal_s_message_counts(asked, yes: bool, batch_size: int) -> None:
    ref = asked.cycle.proposal.refs[0]
    asked.happened(Reacted(at=asked.later(), author=asked.watcher, ref=ref, yes=yes))
    assert config(asked).batch_size == batch_size
    assert asked.cycle.proposal is None


def test_a_reaction_of_somebody_else_or_on_something_else_does_not(asked) -> None:
    ref = asked.cycle.proposal.refs[0]
    asked.happened(Reacted(at=asked.later(), author=asked.developer, ref=ref, yes=True))
    asked.happened(Reacted(at=asked.later(), author=asked.watcher, ref="h0-1", yes=True))
    assert config(asked).batch_size == 64


def test_while_it_waits_each_report_says_how_to_answer(asked) -> None:
    asked.developer_hands_over()
    asked.data_is_admitted()
    asked.ticks()
    (report,) = asked.posted("phase_report")
    assert report.phase == "awaiting_approval"
    assert f"답: [APPROVE] {asked.cycle.proposal.hash}" in report.notes[-1]
    asked.ticks(7200)
    assert asked.posted("alert")[0].to == asked.policy.operators
    asked.ticks(7200)
    assert len(asked.posted("alert")) == 1, "operators are told once"


def test_silence_is_consent_only_where_the_settings_say_so(stage_class) -> None:
    play = stage_class(Policy(approval="notice", notice_grace_s=600))
    play.watcher_hands_over(OOM)
    play.terms_are_read()
    play.ticks(300)
    assert config(play).batch_size == 64
    play.ticks(301)
    assert config(play).batch_size == 32
    assert "이의 없음" in play.posted("change_report")[-1].changes[0].approved_by


def test_a_lesson_said_twice_is_one_lesson(asked) -> None:
    before = asked.cycle.proposal
    asked.says(asked.watcher, Handoff(lessons=(OOM,)))
    assert asked.cycle.proposal == before
    assert len(asked.posted("proposal")) == 1


def test_a_lesson_after_the_start_waits_for_the_next_cycle(training) -> None:
    training.says(training.watcher, Handoff(lessons=(OOM,)))
    assert [one.lesson for one in training.state.carried] == [OOM]
    assert training.cycle.terms.ledger == ()


class TestAnOperatorsWord:
    """`!approve` and `!reject` count only where Watcher's right was delegated in the settings."""

    @pytest.fixture
    def delegated(self, stage_class):
        play = stage_class(Policy(operators=(OPERATOR,), device="cpu", operators_may_approve=True))
        play.watcher_hands_over(OOM)
        play.terms_are_read(None, LessonsFile(name="lessons/cycle00.md", lessons=(SLOW,)))
        return play

    def test_without_delegation_it_is_explained_and_changes_nothing(self, asked) -> None:
        asked.operator_asks("approve")
        assert config(asked).batch_size == 64
        assert "OPERATORS_MAY_APPROVE" in asked.posted("answer")[-1].body
        assert "approve" not in commands.available(asked.policy)

    def test_with_it_a_yes_counts_and_watcher_is_told_whose_it_was(self, delegated) -> None:
        delegated.operator_asks("approve", delegated.cycle.proposal.hash, "1")
        assert (config(delegated).batch_size, config(delegated).lr) == (32, 1e-4)
        told = delegated.posted("receipt")[-1]
        assert told.to == (delegated.watcher,)
        assert str(OPERATOR) in told.understood[0]
        assert delegated.posted("answer")[-1].to == (OPERATOR,)
        applied = delegated.posted("change_report")[-1].changes[0]
        assert applied.approved_by.startswith(f"operator {OPERATOR}")

    def test_a_no_has_its_reason(self, delegated) -> None:
        delegated.operator_asks("reject", delegated.cycle.proposal.hash, "메모리는", "충분")
        assert config(delegated).batch_size == 64
        assert delegated.cycle.terms.ledger[0].note == "메모리는 충분"
        assert "데이터가 준비되는 대로" in delegated.posted("receipt")[-1].next_step

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("approve", "ffffff"), "지금 기다리는 제안은"),
            (("approve", "[REJECT]"), "항목 번호"),
            (("approve", "7"), "기다리는 것은 1번, 2번입니다"),
            (("aprove",), "`!approve`입니까"),
        ],
    )
    def test_what_cannot_be_meant_is_asked_back(self, delegated, words, told: str) -> None:
        delegated.operator_asks(*words)
        assert config(delegated).batch_size == 64
        assert told in delegated.posted("answer")[-1].body

    def test_without_a_proposal_there_is_nothing_to_decide(self, stage_class) -> None:
        play = stage_class(Policy(operators=(OPERATOR,), operators_may_approve=True))
        play.operator_asks("approve")
        assert play.posted("answer")[-1].body == "승인을 기다리는 제안이 없습니다."
        assert "`!reject`" in commands.help_(play.state, Gauges(), play.at, play.policy)

    def test_a_peer_s_exclamation_mark_is_no_operator_s(self, delegated) -> None:
        delegated.says(delegated.developer, Command(name="approve"))
        assert config(delegated).batch_size == 64
