"""The training loop, from top to bottom.

Epochs are the role card's: every sample once, in an order that follows from seed and epoch alone. Losses said
and kept are epoch means of LeRobot's total loss. A run goes on from its newest whole save, mid-epoch or not,
and then comes to the very weights an unbroken run comes to (bit for bit on a CPU with as many threads).
"""

from dataclasses import dataclass
from typing import NoReturn

from torch import Tensor

from protocol.folders import RunFolder
from protocol.job import Trained, TrainJob
from protocol.progress import Gpu
from trainer.data.store import FrameStore
from trainer.learning import device as devices
from trainer.learning import feed as feeds
from trainer.learning.feed import Feed
from trainer.learning.history import TrainerState
from trainer.learning.holdout import Split, held_out_l1, split
from trainer.learning.learner import Learner
from trainer.learning.meter import Meter
from trainer.learning.pace import Pace
from trainer.learning.ranks import Ranks, joined
from trainer.learning.reference import Reference
from trainer.learning.tuning import Onlookers
from trainer.loop.begin import begin
from trainer.loop.settle import TakeStep, settle
from trainer.process.attempt import Attempt, JobError, alone_with
from trainer.saving import saves
from trainer.saving.saves import Saves
from trainer.watching import blame
from trainer.watching.board import Board
from trainer.watching.curve import Curve
from trainer.watching.lookout import Lookout
from trainer.watching.voice import Voice


@dataclass(frozen=True)
class Course:
    """The parts of one training that stay while its state moves on."""

    attempt: Attempt
    ranks: Ranks
    learner: Learner
    feed: Feed
    pace: Pace
    saves: Saves
    voice: Voice
    curve: Curve
    board: Board
    lookout: Lookout
    parts: Split
    take_step: TakeStep


def train(job: TrainJob, attempt: Attempt) -> Trained:
    """Train to the end of the job's epochs.

    Raises:
        JobError: stopped (a resume point is saved), diverged, out_of_memory, no_space, no_device, no_weights,
            bad_job, bad_data. Whatever was saved before stays.
    """
    with (
        devices.out_of_memory_named(job.config.training.batch_size),
        alone_with(RunFolder(job.run).lock),
        joined(job.device) as ranks,
    ):
        return _train(job, attempt, ranks)


def _train(job: TrainJob, attempt: Attempt, ranks: Ranks) -> Trained:
    device = devices.pick(job.device)
    store = FrameStore.open(job.data)
    parts = split(store, job.config)
    with ranks.first_alone():
        learner, state, came_from = begin(job, store, parts, device)
    feed = feeds.load(store, job.config.policy.chunk_size, device)
    run, pace = RunFolder(job.run), Pace(resume_point_every_s=job.resume_point_every_s)
    voice = Voice(attempt.say, pace, device, feed.waits)
    onlookers = Onlookers(told=voice.trying, look=attempt.stop.leave_if_asked)
    settled = settle(learner, feed, state, job, ranks, onlookers)
    learner = settled.learner
    state = state.model_copy(update={"recipe": learner.recipe})
    voice.started(learner, state, came_from, settled.memory)
    keeper = Saves(run, attempt.say, pace)
    keeper.catch_up(came_from, state)
    every = job.config.training.save_checkpoint_every
    drawn = Curve(run.loss_curve, every, job.config.action_names)
    with keeper, drawn as curve, Board(run.tensorboard) as board:
        lookout = Lookout(store, feed, run, resumed_at=state.epoch if came_from else None)
        course = Course(
            *(attempt, ranks, learner, feed, pace, keeper, voice, curve, board, lookout, parts),
            settled.take_step,
        )
        pace.begins()
        feed.waits.begin()
        if state.is_done and state.best is None:
            state = _last_as_best(course, state)
        while not state.is_done:
            state = _epoch(course, state)
            state = _epoch_end(course, state)
        curve.finish(state.history, state.best)
        keeper.wait()
    saves.drop_all_but_newest(run.resume, 0)  # nobody goes on from a finished training
    return _trained(state, devices.peak_memory(device))


def _last_as_best(course: Course, state: TrainerState) -> TrainerState:
    """Nothing is left to learn, and the best weights are gone: of those there are the last are the best."""
    state = state.with_the_last_as_best()
    course.saves.keep_best(course.learner, state)
    course.saves.resume_point(course.learner, state)
    return state


def _epoch(course: Course, state: TrainerState) -> TrainerState:
    """The rest of the running epoch, step by step."""
    training, feed = state.config.training, course.feed
    shuffled = feeds.epoch_order(state.frames, training.seed, state.epoch)
    order = feed.in_order(course.parts.trained[shuffled], training.batch_size)
    meter = Meter(feed, state.running)
    for samples in feeds.steps(order, state.running.samples, training.samples_per_step):
        seen = state.epoch * state.frames + meter.samples
        means = course.take_step(course.learner, feed, samples, training, seen)
        meter.add(means, samples, training.grad_clip_norm)
        course.pace.stepped(len(samples))
        if course.ranks.any(course.attempt.stop.asked):
            _leave(course, _stand(course, state, meter, order))
        if course.pace.something_due():
            _look_up(course, _stand(course, state, meter, order))
    return _stand(course, state, meter, order)


def _stand(course: Course, state: TrainerState, meter: Meter, order: Tensor) -> TrainerState:
    """Where the training stands now; the first look at what the device has done since the last one."""
    running = meter.read()
    now = state.during(running, state.step + running.steps - state.running.steps)
    if not meter.is_sound:
        _halt(course, now, order)
    return now


def _halt(course: Course, good: TrainerState, order: Tensor) -> NoReturn:
    """A step was not finite. The weights are still those from before it: save them, and name its frames."""
    if good.step and not isinstance(course.take_step, Reference):
        course.saves.resume_point(course.learner, good)
        course.saves.wait()
    per_step = good.config.training.samples_per_step
    batch = order[good.running.samples : good.running.samples + per_step]
    frames = blame.named(course.lookout.store, blame.suspects(course.feed, batch))
    is_saved = saves.newest_good(course.saves.run) is not None
    before = "the last save is from before it" if is_saved else "nothing was saved before it"
    raise JobError(
        "diverged",
        f"the loss is no longer finite in epoch {good.epoch + 1} at step {good.step + 1}, {before}; "
        f"lower the learning rate or look at its frames ({frames})",
        good.epoch,
    )


def _leave(course: Course, state: TrainerState) -> NoReturn:
    """Between two steps: save where we are, and go."""
    course.saves.resume_point(course.learner, state)
    course.saves.wait()
    where = f"in epoch {state.epoch + 1} at step {state.step}"
    raise JobError(
        "stopped", f"stopped on request {where}; start the run again to go on from there", state.epoch
    )


def _look_up(course: Course, state: TrainerState) -> None:
    """Between two steps: save if it is time, say how far we are."""
    if course.pace.resume_point_due():
        course.saves.resume_point_if_idle(course.learner, state)
    course.voice.stepped(state)


def _epoch_end(course: Course, state: TrainerState) -> TrainerState:
    """Close the epoch's books: its means, the best so far, what it shows, its line, its checkpoint."""
    state = state.after_epoch(_held_out_l1(course, state))
    if state.best is not None and state.best.epoch == state.epoch:
        course.saves.keep_best(course.learner, state)
    news = course.lookout.news(state)
    state = state.having_said(tuple(news))
    course.voice.stepped(state)
    course.voice.found(news)
    if state.epoch % state.config.training.save_checkpoint_every == 0 or state.is_done:
        course.saves.checkpoint(course.learner, state)
    course.curve.offer(state.history, state.best)
    course.board.offer(state, course.pace.samples_per_s)
    return state


def _held_out_l1(course: Course, state: TrainerState) -> float | None:
    """After every few epochs, where episodes are held out."""
    if not state.held_out_is_due:
        return None
    return held_out_l1(course.learner, course.feed, course.parts.held_out)


def _trained(state: TrainerState, peak_gpu: Gpu | None) -> Trained:
    first, last, best = state.history[0], state.history[-1], state.history[state.best_epoch - 1]
    return Trained(
        epochs=state.epoch,
        first_loss=first.loss,
        last_loss=last.loss,
        best_loss=best.loss,
        best_epoch=state.best_epoch,
        first_l1=first.l1,
        last_l1=last.l1,
        episodes=state.episodes,
        frames=state.frames,
        peak_gpu=peak_gpu,
        best_held_out_l1=best.held_out_l1,
    )
