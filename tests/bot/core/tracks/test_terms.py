"""A broken plan is Watcher's to mend."""

from bot.core.events import FetchFailed, TermsUnreadable
from protocol.messages import Order


def test_a_broken_plan_is_blocked_and_looked_at_again_on_retry(play) -> None:
    play.watcher_hands_over()
    play.happened(TermsUnreadable(at=play.later(), cycle=1, errors=("PLAN.md:3: batch_siz",)))
    assert play.posted("blocked")[0].problems == ("PLAN.md:3: batch_siz",)
    play.operator_asks("retry")
    assert len(play.ordered("read_terms")) == 2
    play.terms_are_read()
    play.happened(TermsUnreadable(at=play.later(), cycle=1, errors=("late",)))
    assert len(play.posted("blocked")) == 1
    play.terms_are_read()
    assert play.cycle.terms.phase == "settled"


def test_watcher_s_next_handoff_looks_again_and_developer_s_does_not(play) -> None:
    play.watcher_hands_over()
    play.happened(TermsUnreadable(at=play.later(), cycle=1, errors=("PLAN.md:3: batch_siz",)))
    play.developer_hands_over()
    assert len(play.ordered("read_terms")) == 1
    assert play.posted("receipt")[-1].next_step.startswith("PLAN.md 수정 대기")
    play.watcher_hands_over()
    assert len(play.ordered("read_terms")) == 2, "it was asked to mend it, and may have"
    assert play.posted("receipt")[-1].next_step.startswith("PLAN.md와 레슨런 확인")
    play.watcher_hands_over()
    assert len(play.ordered("read_terms")) == 2, "it is being looked at"


def test_a_retry_looks_at_the_plan_though_the_data_is_stuck_too(play) -> None:
    play.watcher_hands_over()
    play.developer_hands_over()
    play.happened(TermsUnreadable(at=play.later(), cycle=1, errors=("PLAN.md:3: batch_siz",)))
    play.happened(FetchFailed(at=play.later(), cycle=1, cause="no_data", problem="없음"))
    play.says(play.watcher, Order(verb="retry"))
    assert len(play.ordered("read_terms")) == 2
    assert len(play.ordered("fetch_data")) == 2
