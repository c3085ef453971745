"""What operators put into AUTO_APPROVE starts without a question; beyond it nothing is changed by anybody."""

import pytest

from bot.core import preapproved
from bot.core.policy import Policy
from protocol.job import Failed
from protocol.messages import Approval, Lesson, Lessons

SLOW = Lesson(category="학습", text="수렴이 느림, lr을 절반으로")
"""Inferred: without AUTO_APPROVE it waits for a yes."""

FASTER = Lesson(category="학습", text="수렴이 느림", remedy="lr=0.01")
"""Watcher's exact word: without bounds it would be applied by being said."""


@pytest.fixture
def play(stage_class):
    return stage_class(Policy(device="cpu", auto_approve=preapproved.read(preapproved.EXAMPLE)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lr", "has 'lr': write fields with their bounds, say lr=1e-6..1e-3, batch_size=8..64"),
        ("lr=fast..faster", "has 'lr=fast..faster'"),
        ("lr=1e-4", "has 'lr=1e-4'"),
        ("lrr=1..2", "names lrr, which is no number of the training config"),
        ("backbone=1..2", "names backbone, which is no number"),
        ("lr=1e-3..1e-6", "has bounds of lr that hold nothing: 1e-3 is above 1e-6"),
        ("lr=1e-6..1e-3, training.lr=0..1", "names training.lr twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=r"^(has|names) ") as refused:
        preapproved.read(text)
    assert str(refused.value).startswith(told)


def test_a_change_within_bounds_is_applied_and_reported_like_the_rest(play) -> None:
    play.watcher_hands_over(SLOW)
    play.developer_hands_over()
    play.terms_are_read()
    assert not play.posted("proposal")
    (report,) = play.posted("change_report")
    assert [(one.change.field, one.change.after, one.approved_by) for one in report.changes] == [
        ("training.lr", 5e-5, "AUTO_APPROVE (lr 1e-6..0.001)")
    ]
    assert play.cycle.terms.phase == "settled"


def test_what_more_than_its_fields_would_change_waits_for_a_yes(play) -> None:
    """Half the batch means two passes a step; of gradient_accumulation nothing was said in advance."""
    play.watcher_hands_over(Lesson(category="학습", text="GPU 메모리 부족으로 학습 중단 발생"))
    play.terms_are_read()
    assert len(play.posted("proposal")) == 1


def test_two_lessons_that_ask_for_the_same_are_both_answered(play) -> None:
    play.watcher_hands_over(SLOW, Lesson(category="학습", text="lr을 절반으로 줄여야 함"))
    play.terms_are_read()
    assert sorted(entry.status for entry in play.cycle.terms.ledger) == ["applied", "satisfied"]
    assert play.cycle.terms.config.training.lr == 5e-5


def test_an_exact_order_beyond_the_bounds_is_asked_about_and_not_applied(play) -> None:
    play.watcher_hands_over(FASTER)
    play.terms_are_read()
    assert play.cycle.terms.config.training.lr == 1e-4
    (question,) = play.posted("question")
    assert "lr 0.01: 운영자가 정한 범위(lr 1e-6..0.001) 밖" in question.question


def test_what_comes_too_late_for_this_run_is_told_to_be_beyond_them_at_once(training) -> None:
    training.says(training.watcher, Lessons(lessons=(FASTER,)))
    assert "범위(lr 1e-6..0.001) 밖" in training.posted("question")[-1].question


def test_a_run_out_of_memory_goes_on_by_itself_where_its_cure_is_approved(training) -> None:
    bounds = preapproved.read("batch_size=8..64, gradient_accumulation=1..8")
    training.policy = training.policy.model_copy(update={"auto_approve": bounds})
    training.job_ends(Failed(failure="out_of_memory", message="out of memory", epoch=39))
    assert training.kinds()[-2:] == ["blocked", "change_report"]
    assert training.posted("blocked")[-1].request.startswith("없음: 운영자가 AUTO_APPROVE로 미리 승인한")
    assert training.cycle.run.phase == "starting"
    assert training.ordered("start_job")[-1].config.training.batch_size == 32


def test_a_yes_to_what_lies_beyond_bounds_set_since_is_asked_about(play) -> None:
    """The bot was restarted with narrower bounds while a proposal was open."""
    bounds, play.policy = play.policy, Policy()
    play.watcher_hands_over(SLOW)
    play.terms_are_read()
    assert len(play.posted("proposal")) == 1
    play.policy = bounds.model_copy(update={"auto_approve": preapproved.read("lr=1e-4..1e-3")})
    play.says(play.watcher, Approval())
    assert play.cycle.terms.config.training.lr == 1e-4
    assert "lr 5e-5: 운영자가 정한 범위(lr 1e-4..0.001) 밖" in play.posted("question")[-1].question
