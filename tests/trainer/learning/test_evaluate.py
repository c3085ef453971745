"""A checkpoint measured by episodes it has not seen."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.torch import save

from protocol.job import Trained
from trainer.__main__ import main
from trainer.evaluate import STATISTICS, evaluate
from trainer.process.attempt import JobError
from trainer.simulation.simulate import simulate

from .runs import EPOCHS, Run

EPISODES, LENGTH = 2, 6


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("held-out")
    simulate(folder, episodes=EPISODES, frames=LENGTH, seed=3)
    return folder


def test_the_best_is_measured_in_action_units(unbroken: tuple[Run, Trained], held_out: Path) -> None:
    run, trained = unbroken
    measured = evaluate(run.folder.best_at(trained.best_epoch), held_out)
    assert measured.frames == EPISODES * LENGTH
    assert 0 < measured.l1 < 2
    assert measured.better_than_mean == 1 - measured.l1 / measured.l1_mean_action
    assert measured.better_than_blank == 1 - measured.l1 / measured.l1_blank


@pytest.mark.parametrize("inner", ["", "pretrained_model"])
def test_a_checkpoint_or_the_model_inside_it_will_do(
    unbroken: tuple[Run, Trained], held_out: Path, inner: str
) -> None:
    checkpoint = unbroken[0].folder.checkpoint(EPOCHS)
    told = CliRunner().invoke(main, ["evaluate", str(checkpoint / inner), str(held_out), "--json"])
    figures = json.loads(told.stdout)
    assert figures.keys() == {
        *("l1", "l1_mean_action", "l1_blank", "better_than_mean", "better_than_blank", "frames")
    }


def test_a_folder_that_is_no_checkpoint_is_named(held_out: Path) -> None:
    told = CliRunner().invoke(main, ["evaluate", str(held_out), str(held_out)])
    assert told.exit_code == 2
    assert told.stderr.startswith(f"error: {held_out}: no readable trainer_state.json")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors", b""),
        ("model.safetensors", b"\x40\0\0\0\0\0\0\0{"),
        ("config.json", b"[]"),
        ("config.json", b'{"type": "act", "chunk_size": -1}'),
        ("config.json", b'{"type": "act", "wheels": 4}'),
        (STATISTICS, b""),
        (STATISTICS, save({})),
    ],
)
def test_a_damaged_file_is_one_line(
    unbroken: tuple[Run, Trained], held_out: Path, tmp_path: Path, file: str, content: bytes
) -> None:
    damaged = copytree(unbroken[0].folder.checkpoint(EPOCHS), tmp_path / "damaged")
    (damaged / "pretrained_model" / file).write_bytes(content)
    told = CliRunner().invoke(main, ["evaluate", str(damaged), str(held_out)])
    said = told.stderr.splitlines()[-1]
    assert told.exit_code == 2, told.exception
    assert said.startswith(f"error: {damaged / 'pretrained_model'}")
    assert said.endswith("copy the checkpoint anew")


def one_action_short(folder: Path) -> None:
    rows = folder / "episode_000" / "actions.jsonl"
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[:-1]))


def no_number(folder: Path) -> None:
    rows = folder / "episode_000" / "actions.jsonl"
    rows.write_text(rows.read_text().replace('"loader_x": ', '"loader_x": null, "was": ', 1))


def no_file(folder: Path) -> None:
    rows = folder / "episode_000" / "actions.jsonl"
    rows.unlink()
    os.mkfifo(rows)


def of_another_robot(folder: Path) -> None:
    with h5py.File(folder / "episode_000.h5", "w") as file:
        file["action"] = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (one_action_short, "episode_000: ego has 6 pictures, 5 actions"),
        (no_number, "episode_000: 숫자가 아닌 값 (loader_x None, 프레임 0)"),
        (no_file, "episode_000: actions.jsonl 읽기 불가 (일반 파일이 아님)"),
        (of_another_robot, "episode_000.h5: HDF5 형식을 알 수 없음 (action (3, 2)"),
    ],
)
def test_an_episode_that_cannot_be_measured_is_named_in_one_line(
    unbroken: tuple[Run, Trained], held_out: Path, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(copytree(held_out, tmp_path / "spoiled"))
    checkpoint = unbroken[0].folder.checkpoint(EPOCHS)
    with pytest.raises(JobError, match=re.escape(said)):
        evaluate(checkpoint, tmp_path / "spoiled")


def test_a_folder_without_episodes_is_named(unbroken: tuple[Run, Trained], tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no episode"):
        evaluate(unbroken[0].folder.checkpoint(EPOCHS), tmp_path)
