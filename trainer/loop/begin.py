"""Where a training begins: at its newest whole save, or anew."""

from pathlib import Path

import torch

from protocol.folders import RunFolder
from protocol.job import TrainJob
from trainer.data.store import FrameStore
from trainer.learning.act import load_weights
from trainer.learning.history import TrainerState
from trainer.learning.holdout import Split
from trainer.learning.learner import Learner, build
from trainer.learning.reference import must_be_lerobot_s
from trainer.process.attempt import JobError, installed_versions
from trainer.saving import folder
from trainer.saving.checkpoint import load_into
from trainer.saving.saves import forget_after, good_best, newest_good
from trainer.saving.takeover import take_over


def begin(
    job: TrainJob, store: FrameStore, parts: Split, device: torch.device
) -> tuple[Learner, TrainerState, Path | None]:
    """What learns, where it stands, and the save it came from (None: from the start).

    Raises:
        JobError: no_weights; bad_job when store, config and save do not belong together; bad_data.
    """
    _must_fit(job, store)
    if job.reference:
        must_be_lerobot_s(job.config)
    run = RunFolder(job.run)
    folder.sweep(run.checkpoints)
    good = newest_good(run)
    if good is None and job.left is not None:
        take_over(run, job.left)
        good = newest_good(run)
    if good is None:
        return _anew(job, store, device), _first_state(job, store, parts), None
    saved_at, saved = good
    _must_continue(saved, job, _first_state(job, store, parts), saved_at)
    forget_after(run, saved)
    torch.set_num_threads(saved.num_threads)  # sums are split among the threads: another number, other bits
    learner = build(job.config, store.stats, device, fresh=False, stock=job.reference)
    load_into(learner, saved_at)
    best = good_best(run, saved.best)
    return (
        learner,
        saved.model_copy(
            update={
                "config": job.config,
                "journal": job.journal,
                "best": best,
                "versions": installed_versions(),
            }
        ),
        saved_at,
    )


def _anew(job: TrainJob, store: FrameStore, device: torch.device) -> Learner:
    fresh = job.initial_weights is None
    learner = build(job.config, store.stats, device, fresh=fresh, stock=job.reference)
    if job.initial_weights is not None:
        load_weights(learner.policy, job.initial_weights)
    return learner


def _first_state(job: TrainJob, store: FrameStore, parts: Split) -> TrainerState:
    return TrainerState(
        episodes=parts.num_trained_episodes,
        frames=len(parts.trained),
        held_out=parts.held_out_names,
        config=job.config,
        journal=job.journal,
        certificate=store.certificate,
        num_threads=torch.get_num_threads(),
        reference=job.reference,
        versions=installed_versions(),
    )


def _must_fit(job: TrainJob, store: FrameStore) -> None:
    config = job.config
    wanted = dict.fromkeys(config.dataset.camera_names, config.dataset.image_size)
    stored = {camera: frames.shape[1:3] for camera, frames in store.frames.items()}
    if wanted != stored:
        raise JobError(
            "bad_job", f"{job.data}: holds images {stored}, the config wants {wanted}; convert anew"
        )
    if (store.action_names, store.state_names) != (config.action_names, config.state_names):
        raise JobError(
            "bad_job",
            f"{job.data}: holds {store.action_names} and {store.state_names}, the config names "
            f"{config.action_names} and {config.state_names}; convert anew",
        )
    if job.certificate and store.certificate != job.certificate:
        raise JobError(
            "bad_data",
            f"{job.data}: was converted from other data (certificate {store.certificate[:12] or 'none'}) "
            f"than the job names ({job.certificate[:12]}); convert again what was checked",
        )
    if not store.num_frames:
        raise JobError("bad_data", f"{job.data}: holds no frames; look at the cuts and exclusions")


def _must_continue(saved: TrainerState, job: TrainJob, first: TrainerState, saved_at: Path) -> None:
    """A save goes on only with the data it was made from, `first` being how this job would begin."""
    if (saved.certificate, saved.frames) != (first.certificate, first.frames):
        raise JobError(
            "bad_job",
            f"{saved_at}: learned from other data ({saved.frames} frames, certificate "
            f"{saved.certificate[:12] or 'none'}) than {job.data}; start a new run",
        )
    if saved.held_out != first.held_out:
        raise JobError(
            "bad_job", f"{saved_at}: held out other episodes; keep dataset.holdout, or start a new run"
        )
    if saved.reference != first.reference:
        way = "with" if saved.reference else "without"
        raise JobError(
            "bad_job", f"{saved_at}: began {way} --reference; go on the same way, or start a new run"
        )
