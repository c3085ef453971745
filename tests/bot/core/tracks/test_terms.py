"""A broken plan is Watcher's to mend."""

from bot.core.events import (
    TermsUnreadable,
)


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
