"""Episodes that are not trained on, to measure by: which ones, and how well their actions are foreseen.

Only whole episodes: neighbouring frames of one episode are nearly the same picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from lerobot.utils.constants import ACTION, OBS_IMAGES
from torch import Tensor

from protocol.training import TrainingConfig
from trainer.data.store import FrameStore
from trainer.learning.feed import STD_FLOOR, Feed
from trainer.learning.learner import Learner
from trainer.process.attempt import JobError

BATCH = 64


@dataclass(frozen=True)
class Split:
    """Frame numbers of a data set, on the CPU: those trained on (n,), those held out (m,); `held_out_names`
    are the latter's episodes."""

    trained: Tensor
    held_out: Tensor
    held_out_names: tuple[str, ...]
    num_trained_episodes: int


def split(store: FrameStore, config: TrainingConfig) -> Split:
    """By the config's share and seed.

    Raises:
        JobError("bad_data"): nothing would be left to train on.
    """
    lengths = np.diff(store.episode_ends, prepend=0)
    chosen = held_out(lengths.tolist(), config.dataset.holdout, config.training.seed)
    if len(chosen) == len(lengths):
        raise JobError("bad_data", f"{store.path}: no episode is left to train on; lower dataset.holdout")
    is_out = torch.from_numpy(np.repeat(np.isin(np.arange(len(lengths)), chosen), lengths))
    return Split(
        trained=torch.nonzero(~is_out).flatten(),
        held_out=torch.nonzero(is_out).flatten(),
        held_out_names=tuple(store.episode_names[number] for number in chosen),
        num_trained_episodes=len(lengths) - len(chosen),
    )


def held_out(lengths: Sequence[int], share: float, seed: int) -> tuple[int, ...]:
    """The numbers of the episodes held out of those with `lengths` frames: `share` of them, at least one.

    Stratified by length: in order of their lengths the episodes are cut into as many runs as are wanted, and
    of each run one is drawn. (What did not succeed is not admitted, so success divides nothing here.)

    >>> held_out([10, 20, 30, 40], 0.5, seed=0)
    (1, 2)
    >>> held_out([10, 20, 30, 40], 0.0, seed=0)
    ()
    """
    wanted = max(1, round(share * len(lengths))) if share else 0
    if not wanted:
        return ()
    rng = np.random.default_rng(np.random.SeedSequence([seed, len(lengths)]))
    by_length = np.lexsort((rng.permutation(len(lengths)), np.asarray(lengths)))
    return tuple(sorted(int(rng.choice(run)) for run in np.array_split(by_length, wanted)))


@torch.no_grad()
def held_out_l1(learner: Learner, feed: Feed, samples: Tensor) -> float:
    """Mean absolute error of the chunks foreseen at the frames `samples` (m,), in action units.

    The policy foresees as it will when it acts: no dropout, and the latent style at its mean. No randomness
    is used, so a training goes on as if it had not been looked at.
    """
    scale = torch.tensor(learner.stats[ACTION]["std"], device=feed.device) + STD_FLOOR
    error = torch.zeros((), dtype=torch.float64, device=feed.device)
    learner.policy.eval()
    try:
        for part in feed.in_order(samples, BATCH).split(BATCH):
            error += _summed_error(learner, feed.batch(part), scale)
    finally:
        learner.policy.train()
    values = feed.valid_frames(samples.to(feed.device)) * feed.num_actions
    return float(error / values)


def _summed_error(learner: Learner, batch: dict[str, Tensor], scale: Tensor) -> Tensor:
    images = [batch[key] for key in learner.policy.config.image_features]
    wanted = batch.pop(ACTION)
    foreseen, _ = learner.policy.model({**batch, OBS_IMAGES: images})
    errors = (foreseen.float() - wanted).abs() * scale * ~batch["action_is_pad"].unsqueeze(-1)
    return errors.sum(dtype=torch.float64)
