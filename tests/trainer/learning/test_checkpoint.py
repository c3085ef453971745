"""What a checkpoint holds can be loaded by plain LeRobot, and by whoever reads its README."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from lerobot.common.train_utils import load_training_state
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.factory import make_pre_post_processors
from safetensors.torch import load_file

from protocol.job import Trained
from protocol.progress import Saved, Started, Stepped
from protocol.saved import damage
from trainer.saving.checkpoint import read_state

from .runs import EPOCHS, FRAMES, STEPS_PER_EPOCH, Run


def test_every_save_is_whole_and_said(unbroken: tuple[Run, Trained]) -> None:
    run, _ = unbroken
    said = [line for line in run.lines() if isinstance(line, Saved)]
    assert [line.epoch for line in said if line.what == "checkpoint"] == [2, 4]
    assert {line.what for line in said} == {"checkpoint", "best"}
    kept = [run.folder.path / line.folder for line in said if (run.folder.path / line.folder).exists()]
    assert [damage(path) for path in kept] == [None] * len(kept)
    assert said[-1].size_bytes == sum(path.stat().st_size for path in kept[-1].rglob("*") if path.is_file())


def test_the_best_is_saved_before_the_checkpoint_that_is_published_with_it(
    unbroken: tuple[Run, Trained],
) -> None:
    run, trained = unbroken
    best, checkpoint = [line for line in run.lines() if isinstance(line, Saved)][-2:]
    assert (best.what, best.epoch, best.loss) == ("best", trained.best_epoch, trained.best_loss)
    assert (checkpoint.what, checkpoint.epoch, checkpoint.loss) == ("checkpoint", EPOCHS, trained.last_loss)


def test_a_run_says_how_it_stands(unbroken: tuple[Run, Trained]) -> None:
    run, trained = unbroken
    started, *rest = run.lines()
    assert isinstance(started, Started)
    assert (started.frames, started.steps_per_epoch, started.device) == (FRAMES, STEPS_PER_EPOCH, "CPU")
    ends = {line.epoch: line for line in rest if isinstance(line, Stepped)}
    last = ends[EPOCHS]
    assert (last.loss, last.first_loss, last.samples) == (
        trained.last_loss,
        trained.first_loss,
        EPOCHS * FRAMES,
    )
    assert np.mean(list(last.l1_by_action.values())) == pytest.approx(last.l1)
    assert last.loss == pytest.approx(last.l1 + 10 * last.kl)


def test_lerobot_loads_policy_and_processors(unbroken: tuple[Run, Trained]) -> None:
    model = unbroken[0].folder.checkpoint(EPOCHS) / "pretrained_model"
    policy = ACTPolicy.from_pretrained(model)
    saved = load_file(model / "model.safetensors")
    assert all(torch.equal(saved[name], weight) for name, weight in policy.state_dict().items())
    before, after = make_pre_post_processors(policy.config, pretrained_path=str(model))
    observation = {"observation.images.ego": torch.rand(3, 16, 24), "observation.state": torch.rand(4)}
    assert after(policy.select_action(before(observation))).shape == (1, 4)


def test_a_checkpoint_never_sends_its_reader_for_other_weights(unbroken: tuple[Run, Trained]) -> None:
    policy = ACTPolicy.from_pretrained(unbroken[0].folder.checkpoint(EPOCHS) / "pretrained_model")
    assert policy.config.pretrained_backbone_weights is None


def test_stock_lerobot_goes_on_from_our_training_state(unbroken: tuple[Run, Trained]) -> None:
    checkpoint = unbroken[0].folder.checkpoint(EPOCHS)
    policy = ACTPolicy.from_pretrained(checkpoint / "pretrained_model")
    stock = policy.config.get_optimizer_preset().build(policy.get_optim_params())
    step, optimizer, _ = load_training_state(checkpoint, stock, None)
    assert step == EPOCHS * STEPS_PER_EPOCH
    assert [group["lr"] for group in optimizer.param_groups] == [1e-3, 1e-5]


def test_the_readme_of_the_best_does_what_it_says(
    unbroken: tuple[Run, Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, trained = unbroken
    best = run.folder.best_at(trained.best_epoch)
    load, resize = re.findall(r"```python\n(.*?)```", (best / "README.md").read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(best)
    names = {"ego": np.zeros((480, 640, 3), np.uint8), "state": [0.0, 0.0, 0.0, 1.0]}
    exec(resize + load, names)  # noqa: S102
    assert names["action"].shape == (1, 4)  # pyright: ignore[reportAttributeAccessIssue]


def test_a_state_that_cannot_be_read_is_no_state(tmp_path: Path) -> None:
    (tmp_path / "trainer_state.json").write_text("{")
    assert read_state(tmp_path) is None
    assert read_state(tmp_path / "elsewhere") is None
