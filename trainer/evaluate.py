"""How good a checkpoint is on episodes it has not seen: what an Evaluation does, with plain LeRobot alone.

The policy and its processors are loaded by LeRobot's own calls, as the checkpoint's README says. What is
compared is every frame's predicted chunk with the actions that followed in that episode, in action units.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.factory import make_pre_post_processors
from lerobot.processor import PolicyProcessorPipeline
from lerobot.utils.constants import OBS_STATE
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file

from protocol.training import TrainingConfig
from trainer.checking.checks import finite, numbers
from trainer.data.episode import Source, kept_frames
from trainer.data.episodes import find_episodes
from trainer.data.pixels import resize
from trainer.data.video import VideoError
from trainer.learning.act import image_key
from trainer.process.attempt import JobError, Told, hears_nothing
from trainer.saving.checkpoint import PRETRAINED, read_state

BATCH = 64
STATISTICS = "policy_postprocessor_step_0_unnormalizer_processor.safetensors"

type Values = NDArray[np.float32]


@dataclass(frozen=True)
class Evaluation:
    """Mean absolute errors in action units: of the policy, of always answering the training data's mean
    action, of the policy when every image is black. `better_than_…` is the share of that error it saves; 0
    where there is none.
    """

    l1: float
    l1_mean_action: float
    l1_blank: float
    better_than_mean: float
    better_than_blank: float
    frames: int

    def as_dict(self) -> dict[str, float | int]:
        return asdict(self)


@dataclass(frozen=True)
class Clip:
    """What remains of an episode when head and tail are cut: resized RGB uint8 (T, H, W, 3) by camera,
    `state` (T, S) and `action` (T, A)."""

    images: dict[str, NDArray[np.uint8]]
    state: Values
    action: Values


@dataclass(frozen=True)
class Loaded:
    """`mean_action` (A,) is that of the data it was trained on."""

    policy: ACTPolicy
    preprocessor: PolicyProcessorPipeline[Any, Any]
    postprocessor: PolicyProcessorPipeline[Any, Any]
    mean_action: Values

    @torch.no_grad()
    def predict(self, clip: Clip, *, blank: bool = False) -> Values:
        """The chunk (T, chunk, A) foreseen at each frame, in action units."""
        parts = [
            self._predict(clip, slice(at, at + BATCH), blank) for at in range(0, len(clip.action), BATCH)
        ]
        return np.concatenate(parts)

    def _predict(self, clip: Clip, part: slice, blank: bool) -> Values:
        images = {image_key(camera): _floats(frames[part]) for camera, frames in clip.images.items()}
        seen = {key: torch.zeros_like(image) if blank else image for key, image in images.items()}
        observation = {**seen, OBS_STATE: torch.from_numpy(clip.state[part])}
        foreseen = self.policy.predict_action_chunk(self.preprocessor(observation))
        return self.postprocessor(foreseen).numpy()


def evaluate(checkpoint: Path, episodes: Path, told: Told = hears_nothing) -> Evaluation:
    """Judge the checkpoint folder (`act_best/`, `act_epoch_…/`, or a `pretrained_model/` inside one) by the
    simulator episodes in the folder `episodes`. `told(done, total)` hears of every episode.

    Raises:
        JobError: either folder is not what it should be.
    """
    state = read_state(checkpoint) or read_state(checkpoint.parent)
    if state is None:
        raise JobError(
            "bad_job", f"{checkpoint}: no readable trainer_state.json; name a whole checkpoint folder"
        )
    model = checkpoint / PRETRAINED if (checkpoint / PRETRAINED).is_dir() else checkpoint
    loaded = load(model)
    sources = find_episodes(episodes)
    errors = np.zeros((3, 2))
    frames = 0
    for done, clip in enumerate(_clips(sources, state.config), start=1):
        errors += _errors(loaded, clip)
        frames += len(clip.action)
        told(done, len(sources))
    if not frames:
        raise JobError(
            "bad_data", f"{episodes}: no episode with frames left; name a folder of episode_NNN folders"
        )
    l1, l1_mean, l1_blank = (errors[:, 0] / errors[:, 1]).tolist()
    return Evaluation(l1, l1_mean, l1_blank, _saved(l1, l1_mean), _saved(l1, l1_blank), frames)


def _saved(error: float, other: float) -> float:
    return 1 - error / other if other else 0.0


def load(model: Path) -> Loaded:
    """Raises JobError("bad_job"): LeRobot cannot load it."""
    logging.getLogger("lerobot").setLevel(logging.ERROR)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        with redirect_stdout(sys.stderr):  # LeRobot prints a line, which is no part of our answer
            policy = ACTPolicy.from_pretrained(model).to(device)
        policy.config.device = device
        moved = {"device_processor": {"device": device}}
        before, after = make_pre_post_processors(
            policy.config, pretrained_path=str(model), preprocessor_overrides=moved
        )
    except Exception as error:  # whatever LeRobot, draccus or safetensors make of damage
        raise _unloadable(model, error) from error
    return Loaded(policy, before, after, _mean_action(model))


def _mean_action(model: Path) -> Values:
    try:
        return load_file(model / STATISTICS)["action.mean"].numpy().astype(np.float32)
    except (OSError, KeyError, SafetensorError) as error:
        raise _unloadable(model / STATISTICS, error) from error


def _unloadable(path: Path, error: Exception) -> JobError:
    cause = error.__cause__ or error  # of what merely says that a config is none, what it is about
    said = " ".join(str(cause).split())[:200]
    return JobError("bad_job", f"{path}: LeRobot cannot load it ({said}); copy the checkpoint anew")


def _errors(loaded: Loaded, clip: Clip) -> NDArray[np.float64]:
    """Sum and number of absolute errors of the three answers, (3, 2)."""
    foreseen = loaded.predict(clip)
    wanted, inside = _wanted(clip.action, foreseen.shape[1])
    answers = (foreseen, np.broadcast_to(loaded.mean_action, wanted.shape), loaded.predict(clip, blank=True))
    counted = inside.sum() * wanted.shape[-1]
    return np.array([(np.abs(answer - wanted)[inside].sum(), counted) for answer in answers])


def _wanted(action: Values, chunk: int) -> tuple[Values, NDArray[np.bool_]]:
    """The actions (T, chunk, A) that follow each frame, and which of them (T, chunk) are in the episode."""
    ahead = np.arange(len(action))[:, None] + np.arange(chunk)
    return action[np.minimum(ahead, len(action) - 1)], ahead < len(action)


def _clips(sources: tuple[Source, ...], config: TrainingConfig) -> Iterator[Clip]:
    for source in sources:
        try:
            clip = _clip(source, config)
        except (ValueError, VideoError) as error:
            raise JobError("bad_data", f"{source.name}: {error}; validate the folder to see why") from error
        if len(clip.action):
            yield clip


def _clip(source: Source, config: TrainingConfig) -> Clip:
    """Raises ValueError and VideoError: it is not what a check would admit."""
    episode = source.read(config)
    table = episode.table
    if table is None or episode.cameras != config.dataset.camera_names:
        raise ValueError(", ".join(each.message for each in episode.damage))
    if wrong := [*finite(episode, config), *numbers(episode, config)]:
        raise ValueError(wrong[0].message)
    kept = kept_frames(len(table), config)
    whole = slice(kept.start, kept.stop)
    images: dict[str, NDArray[np.uint8]] = {}
    for camera in config.dataset.camera_names:
        pictures = [*source.pictures(camera)]
        if len(pictures) != len(table):
            raise ValueError(f"{camera} has {len(pictures)} pictures, {len(table)} actions")
        images[camera] = resize(np.stack(pictures), config.dataset.image_size)[whole]
    return Clip(images, table.state[whole].astype(np.float32), table.action[whole].astype(np.float32))


def _floats(frames: NDArray[np.uint8]) -> torch.Tensor:
    """(T, H, W, 3) uint8 to float32 (T, 3, H, W) in 0..1."""
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255.0
