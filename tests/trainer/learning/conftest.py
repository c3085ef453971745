"""A tiny policy on a tiny store, trained once a session. LeRobot is imported once a process, here."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from protocol.folders import RunFolder
from protocol.job import Trained
from protocol.training import TrainingConfig

from .runs import SMALL, Run, write_store

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of packages that LeRobot pulls in
    import trainer.evaluate
    import trainer.loop.train  # noqa: F401

type NewRun = Callable[..., Run]


@pytest.fixture(scope="session")
def small_config() -> TrainingConfig:
    return TrainingConfig().with_changes(SMALL)


@pytest.fixture(scope="session")
def frames_file(small_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_store(tmp_path_factory.mktemp("data") / "data.h5", small_config)


@pytest.fixture
def new_run(frames_file: Path, small_config: TrainingConfig, tmp_path: Path) -> Iterator[NewRun]:
    """Makes runs that are thrown away at once: each of their saves is a hundred megabytes and more."""

    def make(name: str = "run", **changes: object) -> Run:
        return Run(RunFolder(tmp_path / name), frames_file, small_config.with_changes(changes))

    yield make
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture(scope="session")
def unbroken(
    frames_file: Path, small_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Run, Trained]]:
    """One run from beginning to end, for reading only."""
    folder = tmp_path_factory.mktemp("unbroken")
    run = Run(RunFolder(folder), frames_file, small_config)
    yield run, run.train()
    shutil.rmtree(folder, ignore_errors=True)
