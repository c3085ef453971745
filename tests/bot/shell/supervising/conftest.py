import os
from collections.abc import Callable
from pathlib import Path

import pytest

type Smi = Callable[[str, str], None]
"""Puts a nvidia-smi on the PATH that answers with these two tables, or does as the shell is told."""


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Smi:
    """It speaks as the real one does: one line a row, fields apart by a comma and a blank."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")

    def install(apps: str, use: str) -> None:
        script = f"""#!/bin/sh
case "$1 $2" in
"--query-compute-apps=pid,gpu_uuid --format=csv,noheader") {apps} ;;
"--query-gpu=uuid,utilization.gpu --format=csv,noheader,nounits") {use} ;;
*) echo "Option $1 is not recognized." ; exit 2 ;;
esac
"""
        unfinished = place / "unfinished"
        unfinished.write_text(script)
        unfinished.chmod(0o755)
        unfinished.rename(place / "nvidia-smi")

    return install
