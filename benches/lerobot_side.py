"""Stock LeRobot on the same data as ours: its loader, its lerobot-train."""

import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import torch

from benches.trainer_scenes import Scene


def lerobot_loader(made: Scene) -> Iterator[Any]:
    """As lerobot-train makes it, by its own defaults: four workers."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset  # noqa: PLC0415  seconds

    fps, chunk = made.config.dataset.fps, made.config.policy.chunk_size
    dataset = LeRobotDataset(
        "local/dataset",
        lerobot_data(made),
        delta_timestamps={"action": [step / fps for step in range(chunk)]},
        video_backend="pyav",
        return_uint8=True,
    )
    return cycled(
        torch.utils.data.DataLoader(
            dataset,
            made.config.training.batch_size,
            shuffle=True,
            num_workers=4,
            prefetch_factor=2,
            persistent_workers=True,
        )
    )


def cycled(loader: Any) -> Iterator[Any]:
    while True:
        yield from loader


def lerobot_data(made: Scene) -> Path:
    """The same frames as a LeRobotDataset, pictures lossless; made once."""
    from trainer.converting.lerobot_export import write_lerobot  # noqa: PLC0415  LeRobot's writer: seconds

    target = made.folder / "lerobot"
    if not target.exists():
        write_lerobot(made.store(), target)
    return target


LOGGED = re.compile(r"step:(\d+)\b.*?updt_s:([\d.]+) data_s:([\d.]+)")


def lerobot_train(made: Scene, device: str, steps: int, out: Path, *options: str) -> list[str]:
    """The call of lerobot-train that the scene's config amounts to."""
    config, training = made.config, made.config.training
    return [
        *(sys.executable, "-m", "lerobot.scripts.lerobot_train"),
        *("--dataset.repo_id=local/dataset", f"--dataset.root={lerobot_data(made)}"),
        *("--dataset.video_backend=pyav", "--policy.type=act", f"--policy.device={device}"),
        *("--policy.push_to_hub=false", "--policy.pretrained_backbone_weights=null"),
        f"--policy.chunk_size={config.policy.chunk_size}",
        f"--policy.n_action_steps={config.policy.n_action_steps}",
        f"--policy.n_encoder_layers={config.model.transformer_layers}",
        f"--policy.dim_model={config.model.dim_model}",
        f"--policy.n_heads={config.model.n_heads}",
        f"--policy.dim_feedforward={config.model.dim_feedforward}",
        f"--policy.optimizer_lr={training.lr}",
        f"--policy.optimizer_lr_backbone={training.lr_backbone}",
        f"--seed={training.seed}",
        *(f"--batch_size={training.batch_size}", f"--steps={steps}", "--log_freq=1"),
        *("--wandb.enable=false", f"--output_dir={out}", *options),
    ]


def lerobot_rate(made: Scene, device: str, steps: int, turn: int) -> float:
    """From lerobot-train's own log: what a step and its data took."""
    command = lerobot_train(made, device, steps, made.folder / f"theirs-{turn}", "--save_checkpoint=false")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    logged = [(float(update), float(data)) for _, update, data in LOGGED.findall(done.stdout + done.stderr)]
    if not logged:
        raise click.ClickException(f"lerobot-train said nothing of its steps: {done.stderr[-2000:]}")
    after_start = logged[len(logged) // 4 :]
    return made.config.training.batch_size / statistics.mean(update + data for update, data in after_start)
