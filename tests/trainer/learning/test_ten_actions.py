"""Ten actions and two cameras by two settings alone: simulated, checked, converted, trained, loaded."""

from pathlib import Path

import numpy as np
import pytest
import torch
from lerobot.policies.act.modeling_act import ACTPolicy

from protocol.folders import RunFolder
from protocol.training import TrainingConfig
from trainer.checking.check import check
from trainer.converting.convert import convert
from trainer.data.store import FrameStore
from trainer.simulation.simulate import simulate

from .runs import SMALL, Run

EPISODES, LENGTH = 3, 8
ARM = {"model.action_dim": 10, "dataset.camera_names": ("ego", "wrist")}


@pytest.mark.slow
def test_the_arm_is_trained_by_two_settings(tmp_path: Path) -> None:
    data, output = tmp_path / "data", tmp_path / "data.h5"
    simulate(data, episodes=EPISODES, frames=LENGTH, robot="arm")
    small = {**SMALL, "training.epochs": 1, "dataset.min_episodes": EPISODES}
    config = TrainingConfig().with_changes(small).with_changes(ARM)
    verdict = check(data, config)
    assert verdict.ok, verdict.problems
    convert(data, output, config, verdict.hash)
    store = FrameStore.open(output)
    assert store.action.shape == (EPISODES * LENGTH, 10)
    assert not np.array_equal(store.frames["ego"], store.frames["wrist"])
    run = Run(RunFolder(tmp_path / "run"), output, config)
    assert run.train().frames == EPISODES * LENGTH
    policy = ACTPolicy.from_pretrained(run.folder.checkpoint(1) / "pretrained_model")
    pictures = {key: torch.rand(1, 3, 16, 24) for key in policy.config.image_features}
    assert sorted(pictures) == ["observation.images.ego", "observation.images.wrist"]
    assert policy.select_action({**pictures, "observation.state": torch.rand(1, 4)}).shape == (1, 10)
    assert "base_0, base_1, base_2, arm_0" in (run.folder.checkpoint(1) / "README.md").read_text("utf-8")


def test_the_loader_cannot_be_taken_for_the_arm(tmp_path: Path) -> None:
    simulate(tmp_path, episodes=1, frames=4)
    config = TrainingConfig().with_changes(ARM | {"dataset.min_episodes": 1})
    said = [problem.message for problem in check(tmp_path, config).problems]
    assert any("base_0" in message for message in said)
    assert any("wrist.mp4 없음" in message for message in said)
