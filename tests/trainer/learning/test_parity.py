"""The same numbers as lerobot-train, step for step; and what we save is a checkpoint like one of its own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from protocol.folders import RunFolder
from protocol.job import Trained
from protocol.training import TrainingConfig
from trainer.converting.lerobot_export import write_lerobot
from trainer.data.store import FrameStore

from .runs import EPOCHS, STEPS_PER_EPOCH, Run

STEPS = EPOCHS * STEPS_PER_EPOCH
HALF = STEPS // 2
PRINTED = re.compile(r"step:(\d+)\b.*? loss:([\d.]+) grdn:([\d.]+)")
LAST_DIGIT = 0.0011
"""A number next to where rounding changes may be printed either way."""

pytestmark = pytest.mark.slow

type Losses = dict[int, tuple[float, float]]
"""By step, loss and gradient norm as printed."""


@dataclass(frozen=True)
class Proof:
    """`ours` is a run with --reference, `printed` what it said; in `folder` lies what stock LeRobot did."""

    ours: Run
    printed: Losses
    folder: Path

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def weights(self, name: str, step: int) -> dict[str, torch.Tensor]:
        return load_file(
            self.folder / name / "checkpoints" / f"{step:06d}" / "pretrained_model" / "model.safetensors"
        )


def read(log: str) -> Losses:
    return {int(step): (float(loss), float(norm)) for step, loss, norm in PRINTED.findall(log)}


@pytest.fixture(scope="module")
def proof(
    frames_file: Path,
    small_config: TrainingConfig,
    unbroken: tuple[Run, Trained],
    tmp_path_factory: pytest.TempPathFactory,
) -> Proof:
    folder = tmp_path_factory.mktemp("stock")
    write_lerobot(FrameStore.open(frames_file), folder / "dataset")
    ours = Run(RunFolder(folder / "ours"), frames_file, small_config)
    with redirect_stdout(StringIO()) as said:
        ours.train(reference=True)
    errands = [
        {"log": f"{folder}/straight.log", "train": straight(small_config, folder)},
        *(
            {"log": f"{folder}/{name}.log", "train": resumed(checkpoint, folder, name)}
            for name, checkpoint in (
                ("from_its_own", folder / "straight" / "checkpoints" / f"{HALF:06d}"),
                ("from_ours", ours.folder.checkpoint(HALF // STEPS_PER_EPOCH)),
                ("from_fast", unbroken[0].folder.checkpoint(HALF // STEPS_PER_EPOCH)),
            )
        ),
        {
            "log": f"{folder}/acted.log",
            "act": str(unbroken[0].folder.best_at(unbroken[1].best_epoch)),
            "data": f"{folder}/dataset",
        },
    ]
    (folder / "errands.json").write_text(json.dumps(errands))
    script = Path(__file__).with_name("stock_lerobot.py")
    done = subprocess.run(
        [sys.executable, script, folder / "errands.json"], env=environment(folder), check=False
    )
    assert done.returncode == 0, max(folder.glob("*.log"), key=lambda path: path.stat().st_mtime).read_text()
    return Proof(ours, read(said.getvalue()), folder)


def environment(folder: Path) -> dict[str, str]:
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads()), "OMP_WAIT_POLICY": "PASSIVE"}
    return {**os.environ, **threads, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "huggingface")}


def straight(config: TrainingConfig, folder: Path) -> list[str]:
    """The call of lerobot-train that our config amounts to."""
    training, model = config.training, config.model
    return [
        "--dataset.repo_id=local/dataset",
        f"--dataset.root={folder / 'dataset'}",
        "--dataset.video_backend=pyav",
        "--policy.type=act",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
        f"--policy.chunk_size={config.policy.chunk_size}",
        f"--policy.n_action_steps={config.policy.n_action_steps}",
        f"--policy.n_encoder_layers={model.transformer_layers}",
        f"--policy.dim_model={model.dim_model}",
        f"--policy.n_heads={model.n_heads}",
        f"--policy.dim_feedforward={model.dim_feedforward}",
        "--policy.pretrained_backbone_weights=null",
        f"--policy.optimizer_lr={training.lr}",
        f"--policy.optimizer_lr_backbone={training.lr_backbone}",
        f"--batch_size={training.batch_size}",
        f"--seed={training.seed}",
        f"--steps={STEPS}",
        f"--save_freq={HALF}",
        "--log_freq=1",
        "--num_workers=0",
        f"--output_dir={folder / 'straight'}",
    ]


def resumed(checkpoint: Path, folder: Path, name: str) -> list[str]:
    """The call of lerobot-train that goes on from a checkpoint in the middle of the run."""
    return [
        f"--config_path={checkpoint / 'pretrained_model' / 'train_config.json'}",
        "--resume=true",
        f"--dataset.root={folder / 'dataset'}",
        f"--steps={STEPS}",
        "--log_freq=1",
        "--num_workers=0",
        f"--output_dir={folder / name}",
    ]


def test_every_printed_number_is_lerobot_s(proof: Proof) -> None:
    theirs = read(proof.log("straight"))
    assert list(theirs) == list(range(1, STEPS + 1))
    assert_printed_alike(proof.printed, theirs)


def test_the_weights_end_as_near_as_rounding_allows(proof: Proof) -> None:
    theirs = proof.weights("straight", STEPS)
    ours = load_file(proof.ours.folder.checkpoint(EPOCHS) / "pretrained_model" / "model.safetensors")
    assert ours.keys() == theirs.keys()
    apart = torch.stack([(ours[name] - theirs[name]).square().sum() for name in ours]).sum().sqrt()
    whole = torch.stack([theirs[name].square().sum() for name in theirs]).sum().sqrt()
    assert apart < 1e-3 * whole


def test_lerobot_train_goes_on_from_our_checkpoint_as_from_its_own(proof: Proof) -> None:
    """With accelerate 1.15 neither is what an unbroken run does: it begins the order of epochs anew."""
    theirs, ours = read(proof.log("from_its_own")), read(proof.log("from_ours"))
    assert list(theirs) == list(range(HALF + 1, STEPS + 1))
    assert_printed_alike(ours, theirs)


def test_lerobot_train_goes_on_from_a_fast_run_s_checkpoint(proof: Proof) -> None:
    assert list(read(proof.log("from_fast"))) == list(range(HALF + 1, STEPS + 1))
    assert f"Resuming data order at epoch {HALF // STEPS_PER_EPOCH}, sample 0" in proof.log("from_fast")


def test_a_stock_script_acts_by_the_best(proof: Proof) -> None:
    (action,) = json.loads(proof.log("acted").rpartition("action ")[2])
    assert len(action) == 4


def test_a_run_starts_from_lerobot_s_own_weights_as_a_run_of_its_own(
    proof: Proof, new_run: Callable[..., Run]
) -> None:
    """A new optimizer, all epochs, this data's statistics; also from weights that hold older statistics."""
    theirs = proof.folder / "straight" / "checkpoints" / f"{STEPS:06d}" / "pretrained_model"
    foreign = proof.folder / "foreign"
    foreign.mkdir()
    old = {"normalize_inputs.buffer_observation_state.mean": torch.zeros(4)}
    save_file({**load_file(theirs / "model.safetensors"), **old}, foreign / "model.safetensors")
    short = {"training.epochs": 2, "training.lr": 1e-6, "training.lr_backbone": 0.0}
    warm, again = (
        new_run(f"from-{place.name}", **short).train(initial_weights=place) for place in (theirs, foreign)
    )
    assert warm.epochs == 2
    assert warm.first_loss == pytest.approx(proof.printed[STEPS][0], rel=0.2)
    assert warm == again


def test_a_reference_goes_on_where_it_was_stopped(proof: Proof, new_run: Callable[..., Run]) -> None:
    run = new_run()
    run.stop_at(step=4, reference=True)
    run.train(reference=True)
    ours, theirs = (
        load_file(each.folder.checkpoint(EPOCHS) / "pretrained_model" / "model.safetensors")
        for each in (run, proof.ours)
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_reference_does_not_become_another_run(new_run: Callable[..., Run]) -> None:
    run = new_run()
    run.stop_at(step=1, reference=True)
    assert "began with --reference" in str(run.fail())


@pytest.mark.parametrize(
    "beyond",
    [
        {"training.gradient_accumulation": 2},
        {"training.action_weights": {"lift": 2.0}},
        {"dataset.image_transforms": ("hue",)},
    ],
)
def test_what_lerobot_cannot_do_is_no_reference(
    new_run: Callable[..., Run], beyond: dict[str, object]
) -> None:
    assert new_run(**beyond).fail(reference=True).failed.failure == "bad_job"


def assert_printed_alike(ours: Losses, theirs: Losses) -> None:
    assert ours.keys() == theirs.keys()
    for step, numbers in theirs.items():
        assert ours[step] == pytest.approx(numbers, abs=LAST_DIGIT), f"step {step}"
