"""Which orders may go past one that waits, and which must not."""

import itertools

import pytest

from bot.core.effects import (
    Effect,
    FetchData,
    ForgetCheckpoint,
    HandOn,
    KillJob,
    PublishBest,
    PublishCheckpoint,
    PublishCurve,
    ReadTerms,
    StartJob,
    StopJob,
    TellArrived,
    VerifyCheckpoint,
)
from bot.shell.deciding.precedence import stays_behind
from protocol.training import TrainingConfig

CHECKPOINT = PublishCheckpoint(cycle=1, run="r", epoch=50, folder="f", meta={})
BEST = PublishBest(cycle=1, run="r", epoch=47, folder="f", meta={})
CURVE = PublishCurve(cycle=1, run="r", epoch=50)
FORGET = ForgetCheckpoint(cycle=1, run="r", epoch=50, folder="f")
HAND_ON = HandOn(cycle=1, run="r")
VERIFY = VerifyCheckpoint(path="checkpoints/act_best/", asked=1)
UPLOADS = (CHECKPOINT, BEST, CURVE)
START = StartJob(run="r", attempt=1, work="train", source="dataset/", config=TrainingConfig())
IN_ORDER = (START, ReadTerms(cycle=1, asked=1), FetchData(cycle=1, source="dataset/", asked=1))


@pytest.mark.parametrize("upload", UPLOADS, ids=lambda one: one.kind)
def test_a_handoff_comes_after_every_upload_and_nothing_of_the_next_cycle_before_it(upload: Effect) -> None:
    assert stays_behind(HAND_ON, upload)
    assert stays_behind(upload, HAND_ON)


def test_a_deletion_that_fails_does_not_hold_back_the_handoff() -> None:
    assert not stays_behind(HAND_ON, FORGET)


@pytest.mark.parametrize(
    ("order", "first"), [*itertools.permutations((*UPLOADS, FORGET), 2)], ids=lambda one: one.kind
)
def test_what_goes_to_different_places_does_not_wait_for_each_other(order: Effect, first: Effect) -> None:
    assert not stays_behind(order, first)


@pytest.mark.parametrize("one", [BEST, CURVE], ids=lambda one: one.kind)
def test_what_goes_to_the_same_place_keeps_its_order(one: Effect) -> None:
    assert stays_behind(one, one)


def test_every_checkpoint_has_a_place_of_its_own() -> None:
    assert not stays_behind(CHECKPOINT, CHECKPOINT)
    assert not stays_behind(VERIFY, VERIFY)


@pytest.mark.parametrize(("order", "first"), [*itertools.permutations(IN_ORDER, 2)], ids=lambda one: one.kind)
def test_what_is_not_known_to_be_independent_keeps_its_order(order: Effect, first: Effect) -> None:
    assert stays_behind(order, first)


def test_a_process_can_be_stopped_though_nobody_can_tell_it_that_its_data_is_here() -> None:
    told = TellArrived(run="r", attempt=1)
    for signal in (StopJob(run="r", attempt=1), KillJob(run="r", attempt=1)):
        assert not stays_behind(signal, told)
        assert stays_behind(signal, START)
