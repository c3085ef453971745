from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .benches import Bench, FolderBench, GcsBench, gcs_bench


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
