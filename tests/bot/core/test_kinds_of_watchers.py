"""Watchers who reject, who only nod, who never answer, who say things nobody understands: each to the end."""

from datetime import timedelta

import pytest

from bot.core.events import Spoke, Ticked
from bot.core.rhythm.ticks import wake_at
from protocol import render
from protocol.messages import Acknowledgement, Approval, Lesson, Rejection

OOM = Lesson(category="학습", text="batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생")
SLOW = Lesson(category="학습", text="학습률이 너무 낮아 수렴이 느림")
SWING = Lesson(category="데이터", text="에피소드 첫 50프레임은 카메라 스윙으로 무효")
RIDDLE = Lesson(category="학습", text="지난번처럼 하면 안 됨")
HALF_HOUR = 1800


def asked(play, *lessons: Lesson) -> None:
    """Everything is ready but Watcher's word."""
    play.watcher_hands_over(*lessons)
    play.terms_are_read()
    play.developer_hands_over()
    play.data_is_admitted()


def ended(play, trained) -> list[str]:
    """The lines about lessons in DONE, after a run that came to its end."""
    play.training_starts()
    play.trainer_says(play.saved("best", 500))
    play.job_ends(trained)
    play.best_is_published(500)
    play.is_handed_on()
    (done,) = play.posted("done")
    (text,) = render(done)
    return [line for line in text.splitlines() if line.startswith("- ")]


def training(play):
    return play.cycle.terms.config.training


class TestOneWhoRejects:
    def test_the_run_starts_with_what_is_left_and_done_says_why(self, play, trained) -> None:
        asked(play, OOM, SWING)
        assert play.cycle.run.phase == "unstarted"
        play.says(play.watcher, Rejection(reason="이번에는 메모리가 충분함"))
        assert play.cycle.run.phase == "starting"
        assert training(play).batch_size == 64
        assert ended(play, trained) == [
            f"- ⛔ {OOM.text} — 이번에는 메모리가 충분함",
            "- ✅ 첫 50프레임 스킵 — 4,250프레임 제외 (29,750 → 25,500), 동기화 확인",
        ]


class TestOneWhoOnlyNods:
    def test_it_is_asked_back_once_so_that_only_yes_or_no_answers(self, play, trained) -> None:
        asked(play, OOM)
        play.says(play.watcher, Acknowledgement())
        (question,) = play.posted("question")
        named = play.cycle.proposal.hash
        assert question.question == f"제안 {named}을 승인합니까, 반려합니까?"
        assert f"[APPROVE] {named}" in question.how_to_answer
        play.says(play.watcher, Acknowledgement())
        assert len(play.posted("question")) == 1, "a nod to a question is not asked about for ever"
        assert play.cycle.run.phase == "unstarted", "a nod is no consent"
        play.says(play.watcher, Approval())
        assert ended(play, trained) == [
            "- ✅ batch_size 32로 축소, gradient accumulation 2 적용 — OOM 없이 완료"
        ]

    def test_a_yes_that_answers_that_question_is_a_yes(self, play) -> None:
        asked(play, OOM)
        heard(play, "확인했습니다")
        (question,) = play.posted("question")
        heard(play, "네, 승인합니다.", to=question.ref)
        assert training(play).batch_size == 32
        assert len(play.posted("question")) == 1


class TestOneWhoNeverAnswers:
    def test_each_report_says_what_is_waited_for_and_operators_hear_after_two_hours(self, play) -> None:
        asked(play, OOM)
        since = play.cycle.proposal.since
        for report in range(1, 10):
            play.ticks(HALF_HOUR)
            told = play.posted("phase_report")[-1]
            assert len(play.posted("phase_report")) == report
            assert told.phase == "awaiting_approval"
            assert told.since == since
            assert f"답: [APPROVE] {play.cycle.proposal.hash}" in told.notes[-1]
            waited = play.at - since
            assert bool(play.posted("alert")) == (waited >= timedelta(hours=2)), waited
        (alert,) = play.posted("alert")
        assert alert.to == play.policy.operators
        assert play.cycle.run.phase == "unstarted", "silence is never consent"

    def test_operators_hear_at_the_hour_not_at_the_next_report(self, play) -> None:
        asked(play, OOM)
        due = play.cycle.proposal.since + timedelta(hours=2)
        play.happened(Ticked(at=due - timedelta(seconds=1)))
        assert wake_at(play.state, play.policy) == due
        assert play.posted("alert") == []
        play.happened(Ticked(at=due))
        assert len(play.posted("alert")) == 1
        assert wake_at(play.state, play.policy) == play.state.report_due_at


class TestOneNobodyUnderstands:
    def test_the_lesson_is_asked_back_and_stands_in_done_unanswered(self, play, trained) -> None:
        asked(play, RIDDLE)
        (question,) = play.posted("question")
        assert RIDDLE.text in question.question
        assert "→ 적용: batch_size=32" in question.how_to_answer
        assert play.cycle.run.phase == "starting", "nobody waits for it"
        (line,) = ended(play, trained)
        assert line.startswith(f"- ❔ {RIDDLE.text}")


class TestOneWhoApprovesInPart:
    @pytest.mark.parametrize("words", ["1번은 승인, 2번은 보류", "1번은 승인합니다. 2번은 반려합니다."])
    def test_what_is_approved_is_applied_and_the_rest_is_not(self, play, trained, words: str) -> None:
        asked(play, OOM, SLOW)
        assert [line.number for line in play.cycle.proposal.lines] == [1, 2]
        heard(play, words)
        assert play.cycle.proposal is None
        assert (training(play).batch_size, training(play).lr) == (32, 1e-4)
        first, second = ended(play, trained)
        assert first.startswith("- ✅ batch_size 32로 축소")
        assert second == f"- ⛔ {SLOW.text} — Watcher 반려"


def heard(play, words: str, to: str | None = None) -> None:
    """Watcher's own words, from the channel to their meaning, in answer to the proposal or to another."""
    ref = to or play.cycle.proposal.refs[0]
    mention = f"<@{play.policy.roster.training}>"
    spoke = Spoke(
        at=play.later(),
        author=play.watcher,
        message_id=int(play.at.timestamp()),
        text=f"{mention} {words}",
        said_at=play.at,
        reply_ref=ref,
    )
    play.happened(spoke)
    play.ticks(10)
