"""Small simulated sets, made and converted once a session."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from protocol.training import TrainingConfig
from trainer.converting.convert import convert
from trainer.data.store import FrameStore
from trainer.simulation.faults import Fault
from trainer.simulation.simulate import simulate

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
