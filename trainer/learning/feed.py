"""The data set at hand, and the batches cut from it.

Frames stay uint8 until a batch is made; a batch is LeRobot's normalised one to the last bit that matters:
images / 255 by ImageNet's mean and std, state and action by the data set's, `(x - mean) / (std + 1e-8)`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from time import perf_counter

import numpy as np
import torch
from lerobot.utils.constants import ACTION, IMAGENET_STATS, OBS_STATE
from torch import Tensor

from trainer.data.store import FrameStore
from trainer.learning import resident
from trainer.learning.act import image_key
from trainer.learning.ahead import Ahead
from trainer.learning.variety import Transform, as_it_is

STD_FLOOR = 1e-8
"""LeRobot's: a constant channel is divided by this, so its least deviation becomes huge."""


@dataclass
class Waits:
    """A stopwatch over the fetching of frames; what a GPU fetches by itself takes no time here."""

    total_s: float = 0.0
    _told_s: float = 0.0
    _began_at: float = 0.0

    def __enter__(self) -> None:
        self._began_at = perf_counter()

    def __exit__(self, *_: object) -> None:
        self.total_s += perf_counter() - self._began_at

    def since_last_s(self) -> float:
        """Seconds spent since this was last asked."""
        waited_s, self._told_s = self.total_s - self._told_s, self.total_s
        return waited_s

    def begin(self) -> None:
        """The first step comes now: what was fetched to try the step no step has waited for."""
        self.total_s = self._told_s = 0.0


@dataclass(frozen=True)
class Feed:
    """N frames of a data set: `frames[key]` uint8 (N, H, W, 3), `state` (N, S), `action` (N, A), both
    normalised, and `episode_end` (N,), the exclusive last frame of each frame's episode, `episode` (N,) its
    number. All lie on `device`, but for frames that `ahead` brings there.
    """

    frames: dict[str, Tensor]
    state: Tensor
    action: Tensor
    episode_end: Tensor
    episode: Tensor
    chunk_size: int
    device: torch.device
    ahead: Ahead | None = None
    waits: Waits = field(default_factory=Waits)

    def __len__(self) -> int:
        return len(self.action)

    @property
    def num_actions(self) -> int:
        return self.action.shape[1]

    @property
    def num_episodes(self) -> int:
        return int(self.episode[-1]) + 1

    def episode_shares(self) -> Tensor:
        """(N,) float64: a sample's summed error times this, added up, is its episode's mean error."""
        frames = torch.bincount(self.episode).double()[self.episode]
        left = self.episode_end - torch.arange(len(self), device=self.device)
        return 1 / (frames * left.clamp_max(self.chunk_size) * self.num_actions)

    def in_order(self, order: Tensor, every: int) -> Tensor:
        """`order` (n,), on the device: samples that will be asked for in turn, a part `every` samples."""
        return order.to(self.device) if self.ahead is None else self.ahead.follow(order, every)

    def pictures(self, samples: Tensor) -> dict[str, Tensor]:
        """Those of the frames numbered `samples` (B,), uint8 (B, H, W, 3) on the device."""
        with self.waits:
            if self.ahead is not None:
                return self.ahead.pictures(samples)
            return {key: frames.index_select(0, samples) for key, frames in self.frames.items()}

    def batch(self, samples: Tensor, varied: Transform = as_it_is) -> dict[str, Tensor]:
        """What `ACTPolicy.forward` takes, for the frames numbered `samples` (B,), its pictures `varied`."""
        return self.batch_of(self.pictures(samples), samples, varied)

    def batch_of(
        self, pictures: Mapping[str, Tensor], samples: Tensor, varied: Transform = as_it_is
    ) -> dict[str, Tensor]:
        """The same, of pictures that are there."""
        following, is_pad = self.chunks(samples)
        return {
            **{key: _normalised(varied(_scaled(each))) for key, each in pictures.items()},
            OBS_STATE: self.state[samples],
            ACTION: self.action[following],
            "action_is_pad": is_pad,
        }

    def chunks(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """The frames (B, chunk) whose actions follow each sample, held at its episode's last, and which of
        them lie beyond that end."""
        ahead = samples[:, None] + torch.arange(self.chunk_size, device=samples.device)
        end = self.episode_end[samples][:, None]
        return torch.minimum(ahead, end - 1), ahead >= end

    def valid_frames(self, samples: Tensor) -> Tensor:
        """How many frames of the samples' chunks lie inside their episodes; a scalar tensor."""
        return (self.episode_end[samples] - samples).clamp_max(self.chunk_size).sum()


def load(store: FrameStore, chunk_size: int, device: torch.device) -> Feed:
    """Read the store. Where its frames then live is said by `resident.home`."""
    ends = np.asarray(store.episode_ends)
    lengths = np.diff(ends, prepend=0)
    home = resident.home(store, device)
    frames = {image_key(camera): each for camera, each in resident.frames_of(store, home).items()}
    return Feed(
        frames=frames,
        state=_standardised(store.state, store.stats["observation.state"]).to(device),
        action=_standardised(store.action, store.stats["action"]).to(device),
        episode_end=torch.from_numpy(np.repeat(ends, lengths)).to(device),
        episode=torch.from_numpy(np.repeat(np.arange(len(ends)), lengths)).to(device),
        chunk_size=chunk_size,
        device=device,
        ahead=None if home == device.type else Ahead(frames, device),
    )


def epoch_order(frames: int, seed: int, epoch: int) -> Tensor:
    """The order of an epoch's samples: a pure function, LeRobot's own (`EpisodeAwareSampler`)."""
    entropy = np.random.SeedSequence([seed, epoch]).generate_state(1, dtype=np.uint64)[0]
    return torch.randperm(frames, generator=torch.Generator().manual_seed(int(entropy)))


def steps(order: Tensor, start: int, samples_per_step: int) -> Iterator[Tensor]:
    """The samples of each optimizer step from position `start` on. The short last one is kept."""
    for first in range(start, len(order), samples_per_step):
        yield order[first : first + samples_per_step]


def _standardised(values: np.ndarray, stats: dict[str, list[float]]) -> Tensor:
    mean, std = (torch.tensor(stats[name], dtype=torch.float32) for name in ("mean", "std"))
    return (torch.from_numpy(np.array(values, dtype=np.float32)) - mean) / (std + STD_FLOOR)


def _scaled(frames: Tensor) -> Tensor:
    """uint8 (B, H, W, 3) to float32 (B, 3, H, W), 0 to 1. Bytes keep their order: that is channels_last."""
    return frames.permute(0, 3, 1, 2).float() / 255.0


def _normalised(pictures: Tensor) -> Tensor:
    """(B, 3, H, W), by whole rows of pixels."""
    mean, std = _image_stats(pictures.device, pictures.shape[3])
    pixels = pictures.permute(0, 2, 3, 1)
    return ((pixels.flatten(2) - mean) / (std + STD_FLOOR)).view(pixels.shape).permute(0, 3, 1, 2)


@cache
def _image_stats(device: torch.device, width: int) -> tuple[Tensor, Tensor]:
    """ImageNet's mean and std for each number of a row of pixels, which is quicker than three at a time.

    Brought to the device once: each time the host would wait for it.
    """
    mean, std = (
        torch.tensor(IMAGENET_STATS[name], dtype=torch.float32, device=device).flatten().repeat(width)
        for name in ("mean", "std")
    )
    return mean, std
