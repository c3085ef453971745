"""What an event changes, and what it does not."""

from bot.core import step
from bot.core.events import (
    FetchFailed,
    JobEnded,
)
from bot.core.state import State
from protocol.messages import (
    ProposalPosted,
    ProposedChange,
)
from protocol.training import Change

A_LINE = ProposedChange(
    number=1,
    changes=(Change(field="training.batch_size", before=64, after=32),),
    reason="OOM",
    lesson="OOM",
)


def test_an_event_of_no_cycle_changes_nothing(play) -> None:
    before = play.state
    failed = FetchFailed(at=play.later(), cycle=1, cause="no_data", problem="x")
    assert play.happened(failed) == ()
    assert play.state == before == State(house="h0")


def test_facts_of_another_cycle_or_run_change_nothing(training, trained) -> None:
    before = training.state
    training.is_handed_on(cycle=7)
    failed = FetchFailed(at=training.later(), cycle=7, cause="no_data", problem="x")
    training.happened(failed)
    training.happened(JobEnded(at=training.later(), run="other", attempt=1, outcome=trained))
    assert training.state == before


def test_a_proposal_that_is_no_longer_open_carries_no_reference(play) -> None:
    posted = ProposalPosted(cycle=1, hash="abc", lines=(A_LINE,), ref="h0-9")
    assert step._carried_by(play.state, posted) == play.state
