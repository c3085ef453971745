"""What was learned, on its way to safety."""

from bot.core.events import (
    CheckpointPublished,
)


def test_a_resume_point_needs_no_upload(training) -> None:
    assert training.trainer_says(training.saved("resume", 3)) == ()


def test_superseding_an_earlier_run_of_the_cycle_is_said(training) -> None:
    training.checkpoint_is_saved(50)
    old = "checkpoints/cycle01/act_epoch_400/"
    cycle = training.cycle.number
    training.happened(CheckpointPublished(at=training.later(), cycle=cycle, epoch=50, retired=(old,)))
    assert old in training.posted("receipt")[-1].understood[0]
    assert training.posted("receipt")[-1].to == (training.watcher,)


def test_what_was_forgotten_is_off_the_shelf(training) -> None:
    training.checkpoint_is_saved(50)
    training.checkpoint_is_published(50)
    training.is_forgotten(50)
    assert training.cycle.shelf.checkpoints == ()
    assert training.best_is_published(50) == ()


def test_a_checkpoint_without_a_loss_is_published_all_the_same(training) -> None:
    line = training.saved("checkpoint", 50).model_copy(update={"loss": None})
    training.trainer_says(line)
    assert "loss" not in training.ordered("publish_checkpoint")[0].meta
