"""Every order has a key that says which orders are the same, and survives the trip through the disk."""

from typing import get_args

from bot.core import effects
from bot.core.effects import (
    BringBack,
    Effect,
    FetchData,
    FetchWeights,
    ForgetCheckpoint,
    HandOn,
    KillJob,
    LookAtPlan,
    Post,
    PublishBest,
    PublishCheckpoint,
    PublishCurve,
    ReadTerms,
    StartJob,
    StopJob,
    TellArrived,
    TranslateLesson,
    VerifyCheckpoint,
    read_effect,
)
from protocol.messages import Answer, Lesson
from protocol.training import TrainingConfig

RUN = "cycle01"
ORDERS = (
    Post(message=Answer(to=(1,), body="x", ref="h0-1")),
    ReadTerms(cycle=1, asked=1),
    LookAtPlan(cycle=1, asked=1),
    TranslateLesson(
        cycle=1, entry=2, lesson=Lesson(category="학습", text="x"), why="y", config=TrainingConfig()
    ),
    FetchData(cycle=1, source="dataset/", asked=2),
    FetchWeights(cycle=1, run=RUN, path="checkpoints/cycle00/act_best", asked=3),
    BringBack(cycle=1, run=RUN, of="cycle01-lost", epoch=50, asked=4),
    StartJob(run=RUN, attempt=1, work="check", source="dataset/", config=TrainingConfig()),
    TellArrived(run=RUN, attempt=1),
    StopJob(run=RUN, attempt=1),
    KillJob(run=RUN, attempt=1),
    PublishCheckpoint(cycle=1, run=RUN, epoch=50, folder="checkpoints/epoch_050", meta={}),
    PublishBest(cycle=1, run=RUN, epoch=50, folder="checkpoints/best/epoch_050", meta={}),
    PublishCurve(cycle=1, run=RUN, epoch=50),
    HandOn(cycle=1, run=RUN),
    VerifyCheckpoint(path="checkpoints/act_best/", asked=1),
    ForgetCheckpoint(cycle=1, run=RUN, epoch=50, folder="checkpoints/epoch_050"),
)


def test_every_kind_of_order_is_here() -> None:
    union = get_args(effects.Effect)[0]
    assert {type(order) for order in ORDERS} == set(get_args(union))


def test_no_two_kinds_share_a_key() -> None:
    keys = [order.key for order in ORDERS]
    assert len(set(keys)) == len(keys)
    assert all(key.startswith(order.kind) for key, order in zip(keys, ORDERS, strict=True))


def test_an_order_comes_back_from_the_disk_as_it_was() -> None:
    back: list[Effect] = [read_effect(order.model_dump_json()) for order in ORDERS]
    assert back == list(ORDERS)


def test_every_order_has_a_key_of_its_own(training, trained) -> None:
    for epoch in (50, 100, 150, 200):
        training.trainer_says(training.saved("best", epoch))
        training.checkpoint_is_saved(epoch)
        training.checkpoint_is_published(epoch)
        training.best_is_published(epoch)
    training.operator_asks("stop")
    training.job_ends(trained)
    keys = [effect.key for effect in training.effects]
    assert len(set(keys)) == len(keys)
    kinds = {effect.kind for effect in training.effects}
    assert {"hand_on", "stop_job", "publish_curve", "forget_checkpoint"} <= kinds


def test_an_owed_order_comes_back_from_the_disk_as_it_was(training) -> None:
    assert [read_effect(one.model_dump_json()) for one in training.effects] == training.effects
