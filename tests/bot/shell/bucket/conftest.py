import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .plug import WEIGHTS, Save
from .workbench import Bench, FolderBench, GcsBench, gcs_bench


@pytest.fixture(params=["folder", "gcs"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """A bucket of either kind."""
    if request.param == "folder":
        root = tmp_path / "bucket"
        root.mkdir()
        yield FolderBench(root)
    else:
        async with gcs_bench() as made:
            yield made


@pytest.fixture
async def gcs() -> AsyncIterator[GcsBench]:
    async with gcs_bench() as made:
        yield made


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Saves a checkpoint on this machine; `mark` makes its content one of a kind."""
    numbers = itertools.count()

    def make(mark: str = "1", **more: str) -> Path:
        folder = tmp_path / f"saved_{next(numbers)}"
        files = {WEIGHTS: f"weights {mark}" * 9000, "pretrained_model/config.json": f"config {mark}", **more}
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return folder

    return make
