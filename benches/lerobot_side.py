"""Stock LeRobot on the same data as ours: its loader, its lerobot-train."""

import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import torch

from benches.trainer_scenes import Scene
from benches.trainer_turns import Bench


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


@dataclass(frozen=True)
class Setting:
    """How lerobot-train is set up. None: as many threads as there are cores. `amp`: in bfloat16 or, on a GPU,
    in float16, whatever torch takes for it there."""

    workers: int
    threads: int | None = None
    amp: bool = False

    def __str__(self) -> str:
        told = [f"{self.workers} workers", f"{self.threads} thread" * bool(self.threads), "amp" * self.amp]
        return ", ".join(filter(None, told))


MORE = tuple(Setting(workers) for workers in (8, 16) if workers <= (os.cpu_count() or 1))
SETTINGS = (Setting(4), Setting(2), Setting(1), Setting(0), Setting(1, 1), *MORE)
"""Four is lerobot-train's default."""

CHEAPEST = (Setting(0, 1),)
"""What takes the least processor time: nothing is handed from one process or thread to another."""


READY = 8
"""Batches that its four workers have ready before the first step: two each."""


def lerobot_rate(bench: Bench, steps: int, setting: Setting, turn: int) -> float:
    """Samples a second of `steps` steps by the bench's clock, after those whose batches cost nothing."""
    made = bench.scene
    out = made.folder / f"theirs-{setting}-{turn}".replace(", ", "-").replace(" ", "-")
    options = (
        *("--save_checkpoint=false", f"--num_workers={setting.workers}"),
        f"--policy.use_amp={str(setting.amp).lower()}",
    )
    steps += READY
    command = lerobot_train(made, bench.device.type, steps, out, *options)
    environ = os.environ | {"PYTHONUNBUFFERED": "1"}
    environ.pop("OMP_WAIT_POLICY", None)  # ours, not theirs
    if setting.threads:
        environ["OMP_NUM_THREADS"] = str(setting.threads)
    heard, said = [], deque[str](maxlen=20)
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as training:
        assert training.stdout is not None, "it is a pipe"
        for line in training.stdout:
            said.append(line)
            if LOGGED.search(line):
                heard.append(bench.clock_of(training.pid))
    if len(heard) < steps:
        raise click.ClickException("lerobot-train did not take all its steps: " + "".join(said))
    counted = heard[READY - 1 :]
    return bench.batch_size * (len(counted) - 1) / (counted[-1] - counted[0])
