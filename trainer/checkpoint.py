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
from typing import Any

import torch
from lerobot.common.train_utils import load_training_state, save_training_state
from lerobot.configs.default import DatasetConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.optim import AdamWConfig
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor

from trainer import folder
from trainer.act import load_weights
from trainer.history import TrainerState
from trainer.learner import Learner, Weights
from trainer.readme import readme

PRETRAINED = "pretrained_model"
STATE = "trainer_state.json"
UNSET_FLAGS = {"fused": None, "foreach": None, "capturable": False}
"""Stock LeRobot can load an optimizer state only where these are as AdamW's defaults have them."""


def write_checkpoint(target: Path, learner: Learner, state: TrainerState) -> None:
    """Model and training state, whole at `target` or not there at all."""

    def fill(unfinished: Path) -> None:
        _write_model(unfinished / PRETRAINED, learner, learner.weights(), state)
        samples_per_step = state.config.training.samples_per_step
        save_training_state(
            unfinished, state.step, learner.optimizer, None, 1, samples_per_step, portable(learner.optimizer)
        )
        _write_words(unfinished, learner, state, PRETRAINED)

    folder.write_whole(target, fill)


def write_best(target: Path, learner: Learner, weights: Weights, state: TrainerState) -> None:
    """Model alone, its files directly in `target`. `weights` and `state` are of the best epoch's end."""

    def fill(unfinished: Path) -> None:
        _write_model(unfinished, learner, weights, state)
        _write_words(unfinished, learner, state, ".")

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


def portable(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The optimizer's state such that stock LeRobot saves and loads it, wherever and however it runs here.

    Fused and channels_last states break LeRobot's own saving: tensors must be contiguous, flags unset.
    """
    state = optimizer.state_dict()
    tensors = {
        number: {name: value.detach().cpu().contiguous() for name, value in of.items()}
        for number, of in state["state"].items()
    }
    groups = [{**group, "lr": float(group["lr"]), **UNSET_FLAGS} for group in state["param_groups"]]
    return {"state": tensors, "param_groups": groups}


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


def _write_model(target: Path, learner: Learner, weights: Weights, state: TrainerState) -> None:
    target.mkdir(parents=True, exist_ok=True)
    learner.policy.config.save_pretrained(target)
    _pipeline_config(learner, state).save_pretrained(target)
    learner.preprocessor.save_pretrained(target)
    learner.postprocessor.save_pretrained(target)
    file = target / "model.safetensors"
    save_file(weights, file, metadata={"format": "pt"})
    _verify(file, weights)


def _verify(file: Path, weights: Weights) -> None:
    read_back = load_file(file)
    if not all(torch.equal(read_back[name], tensor) for name, tensor in weights.items()):
        raise OSError(f"{file}: reads back other weights than were written; check the disk")


def _pipeline_config(learner: Learner, state: TrainerState) -> TrainPipelineConfig:
    """`train_config.json`, for lerobot-train to go on from. It names the data set, not where ours lies."""
    training = state.config.training
    steps_per_epoch = -(-state.frames // training.samples_per_step)
    return TrainPipelineConfig(
        dataset=DatasetConfig(repo_id="local/dataset"),
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
