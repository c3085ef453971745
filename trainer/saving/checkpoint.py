"""What lies in a checkpoint: LeRobot's own layout, plus what is needed to go on exactly where it was left.

    epoch_050/                     best/epoch_042/
        pretrained_model/              the files of pretrained_model/ themselves, so that the folder
        training_state/                can be given to from_pretrained as it is
        trainer_state.json             trainer_state.json
        README.md                      README.md
        manifest.json                  manifest.json

`pretrained_model/` and `training_state/` are those of LeRobot 0.6.1's `save_checkpoint`: lerobot-train goes
on from them, `ACTPolicy.from_pretrained` loads the former.
"""

from pathlib import Path

import torch
from lerobot.common.train_utils import load_training_state, save_training_step
from lerobot.configs.default import DatasetConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.optim import AdamWConfig
from lerobot.optim.optimizers import save_optimizer_state
from lerobot.utils.constants import RNG_STATE, TRAINING_STATE_DIR
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor

from trainer.learning.act import load_weights
from trainer.learning.history import TrainerState
from trainer.learning.learner import Learner, Weights
from trainer.learning.variety import lerobot_s
from trainer.saving import folder
from trainer.saving.readme import readme
from trainer.saving.snapshot import UNSET_FLAGS, ModelCopy, TrainingCopy, on_file

PRETRAINED = "pretrained_model"
STATE = "trainer_state.json"


def write_checkpoint(target: Path, learner: Learner, taken: TrainingCopy) -> None:
    """Model and training state, whole at `target` or not there. Of `learner` only what never changes."""

    def fill(unfinished: Path) -> None:
        _write_model(unfinished / PRETRAINED, learner, taken.model)
        _write_training(unfinished / TRAINING_STATE_DIR, learner, taken)
        _write_words(unfinished, learner, taken.state, PRETRAINED)

    folder.write_whole(target, fill)


def write_best(target: Path, learner: Learner, taken: ModelCopy) -> None:
    """Model alone, its files directly in `target`. `taken` is of the best epoch's end."""

    def fill(unfinished: Path) -> None:
        _write_model(unfinished, learner, taken)
        _write_words(unfinished, learner, taken.state, ".")

    folder.write_whole(target, fill)


def read_state(saved: Path) -> TrainerState | None:
    """Where a save stands; None when there is none, or none we can read."""
    try:
        return TrainerState.model_validate_json((saved / STATE).read_bytes())
    except (OSError, ValidationError):
        return None


def load_into(learner: Learner, saved: Path) -> None:
    """Weights and optimizer as they were when `saved` was written; learning rates stay the optimizer's own.

    Raises:
        JobError: bad_job, when they are of another model.
    """
    load_weights(learner.policy, saved / PRETRAINED)
    load_portable(learner.optimizer, saved)


def load_portable(optimizer: torch.optim.Optimizer, saved: Path) -> None:
    """The way back: flags, learning rates and tensor layouts become this optimizer's again."""
    kept = [{name: group[name] for name in (*UNSET_FLAGS, "lr")} for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group.update(UNSET_FLAGS)
    load_training_state(saved, optimizer, None)
    for group, flags in zip(optimizer.param_groups, kept, strict=True):
        group.update(flags)
        for weight in group["params"]:
            _lay_out_as(weight, optimizer.state.get(weight, {}))


def _lay_out_as(weight: Tensor, moments: dict[str, Tensor]) -> None:
    for name in moments.keys() & {"exp_avg", "exp_avg_sq"}:
        moments[name] = torch.empty_like(weight, memory_format=torch.preserve_format).copy_(moments[name])
    if "step" in moments:
        moments["step"] = moments["step"].to(weight.device, torch.float32)


def _write_model(target: Path, learner: Learner, taken: ModelCopy) -> None:
    target.mkdir(parents=True, exist_ok=True)
    learner.policy.config.save_pretrained(target)
    _pipeline_config(learner, taken.state).save_pretrained(target)
    learner.preprocessor.save_pretrained(target)
    learner.postprocessor.save_pretrained(target)
    file, weights = target / "model.safetensors", on_file(taken.weights)
    save_file(weights, file, metadata={"format": "pt"})
    _verify(file, weights)


def _write_training(target: Path, learner: Learner, taken: TrainingCopy) -> None:
    """LeRobot's `save_training_state`, but for the random state: that of then, not of now."""
    target.mkdir()
    save_training_step(taken.state.step, target, 1, taken.state.config.training.samples_per_step)
    save_file(taken.random, target / RNG_STATE)
    moments = {number: on_file(tensors) for number, tensors in taken.optimizer["state"].items()}
    save_optimizer_state(learner.optimizer, target, {**taken.optimizer, "state": moments})


def _verify(file: Path, weights: Weights) -> None:
    read_back = load_file(file)
    if not all(torch.equal(read_back[name], tensor) for name, tensor in weights.items()):
        raise OSError(f"{file}: reads back other weights than were written; check the disk")


def _pipeline_config(learner: Learner, state: TrainerState) -> TrainPipelineConfig:
    """`train_config.json`, for lerobot-train to go on from. It names the data set, not where ours lies."""
    training = state.config.training
    steps_per_epoch = -(-state.frames // training.samples_per_step)
    return TrainPipelineConfig(
        dataset=DatasetConfig(
            repo_id="local/dataset",
            video_backend="pyav",  # the one that needs no ffmpeg
            image_transforms=lerobot_s(state.config.dataset),
        ),
        policy=learner.policy.config,
        output_dir=Path("outputs"),
        seed=training.seed,
        batch_size=training.samples_per_step,
        steps=steps_per_epoch * training.epochs,
        save_freq=steps_per_epoch * training.save_checkpoint_every,
        optimizer=AdamWConfig(
            lr=training.lr, weight_decay=training.weight_decay, grad_clip_norm=training.grad_clip_norm
        ),
    )


def _write_words(target: Path, learner: Learner, state: TrainerState, model_folder: str) -> None:
    (target / STATE).write_text(state.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (target / "README.md").write_text(readme(state, learner.stats, model_folder), encoding="utf-8")
