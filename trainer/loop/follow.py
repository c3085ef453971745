"""What every process of a training but the first does: the same steps, and nothing else.

    torchrun --nproc-per-node=2 -m trainer run JOB.json

The first process is the attempt that protocol.job describes. The others hold no lock, say nothing and save
nothing; when one ends before its time torchrun ends all.
"""

import sys
from pathlib import Path

from pydantic import ValidationError

from protocol.job import EXIT_OF_FAILURE, ExitCode, TrainJob, read_job
from trainer.data.store import FrameStore
from trainer.learning import device as devices
from trainer.learning import feed as feeds
from trainer.learning.holdout import split
from trainer.learning.ranks import Ranks, joined
from trainer.loop.begin import begin
from trainer.loop.settle import settle
from trainer.process.attempt import JobError, Stop, stoppable


def run_follower(job_path: Path) -> ExitCode:
    """Learn beside the process that leads."""
    stop = Stop()
    try:
        job = read_job(job_path.read_bytes())
        if not isinstance(job, TrainJob):
            raise JobError(
                "bad_job", f"{job_path}: only a training is shared among processes; start it alone"
            )
        with stoppable(stop), joined(job.device) as ranks:
            follow(job, ranks, stop)
    except JobError as error:
        print(error, file=sys.stderr)
        return EXIT_OF_FAILURE[error.failed.failure]
    except (OSError, ValidationError):
        return ExitCode.USAGE  # the first process says what is wrong
    return ExitCode.DONE


def follow(job: TrainJob, ranks: Ranks, stop: Stop) -> None:
    """Every step until the end, together with the others.

    Raises:
        JobError: stopped, and what `trainer.loop.begin.begin` raises.
    """
    device, store, training = devices.pick(job.device), FrameStore.open(job.data), job.config.training
    parts = split(store, job.config)
    with ranks.first_alone():
        learner, state, _ = begin(job, store, parts, device)
    feed = feeds.load(store, job.config.policy.chunk_size, device)
    settled = settle(learner, feed, state, job, ranks)
    start = state.running.samples
    for epoch in state.epochs_left:
        order = parts.trained[feeds.epoch_order(state.frames, training.seed, epoch)].to(device)
        seen = epoch * state.frames + start
        for samples in feeds.steps(order, start, training.samples_per_step):
            settled.take_step(settled.learner, feed, samples, training, seen)
            seen += len(samples)
            if ranks.any(stop.asked):
                raise JobError("stopped", "stopped on request; start the run again to go on", epoch)
        start = 0
