"""Small simulated sets, made and converted once a session."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

from protocol.training import TrainingConfig
from trainer.checking import check as checking
from trainer.converting.convert import convert
from trainer.data.simulator_episode import SimulatorEpisode
from trainer.data.store import FrameStore
from trainer.data.video import Keep
from trainer.process import workers
from trainer.process.attempt import Stop
from trainer.simulation.faults import Fault
from trainer.simulation.simulate import simulate

from .desk import Desk, InThisProcess, pictures_of

EPISODES, FRAMES, LEAD_IN = 4, 16, 3
SPOILED = 2


@pytest.fixture(scope="session")
def config() -> TrainingConfig:
    """The card's config for a set of four."""
    return TrainingConfig().with_changes({"dataset.min_episodes": EPISODES, "dataset.image_size": (48, 64)})


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read only."""
    folder = tmp_path_factory.mktemp("simulated")
    simulate(folder, episodes=EPISODES, frames=FRAMES, seed=11, lead_in=LEAD_IN)
    return folder


@pytest.fixture
def spoiled(simulated: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of the set in which episode_002 has the named fault."""

    def spoil(name: str) -> Path:
        folder = copytree(simulated, tmp_path / name)
        Fault(name, SPOILED).spoil(folder / f"episode_{SPOILED:03d}")
        return folder

    return spoil


@pytest.fixture(scope="session")
def cut_config(config: TrainingConfig) -> TrainingConfig:
    return config.with_changes(
        {
            "dataset.skip_first_frames": LEAD_IN,
            "dataset.skip_last_frames": 2,
            "dataset.exclude_episodes": ("episode_001",),
        }
    )


@pytest.fixture(scope="session")
def converted(
    simulated: Path, cut_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory
) -> FrameStore:
    """The set with heads, tails and one episode left out."""
    output = tmp_path_factory.mktemp("converted") / "data.h5"
    convert(simulated, output, cut_config, "certified")
    return FrameStore.open(output)


# --- checked and converted in this very process ------------------------------


@pytest.fixture
def folder(simulated: Path, tmp_path: Path) -> Path:
    return copytree(simulated, tmp_path / "set")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All work is done in this process, which counts the episodes that are decoded."""
    decoded: list[str] = []
    look = SimulatorEpisode.look

    def counting(self: SimulatorEpisode, camera: str, config: TrainingConfig, keep: Keep) -> Any:
        decoded.append(self.name)
        return look(self, camera, config, keep)

    @contextmanager
    def crew(items: int, stop: Stop) -> Iterator[InThisProcess]:
        yield InThisProcess(stop)

    monkeypatch.setattr(SimulatorEpisode, "look", counting)
    for module in (checking, workers):
        monkeypatch.setattr(module, "crew", crew)
    return decoded


@pytest.fixture
def desk(tmp_path: Path, config: TrainingConfig) -> Desk:
    return Desk(tmp_path / "run", config)


@pytest.fixture(scope="session")
def plain(simulated: Path, config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The set's pictures, converted without a check."""
    output = tmp_path_factory.mktemp("plain") / "data.h5"
    convert(simulated, output, config, "plain")
    return pictures_of(output)
