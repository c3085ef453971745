"""Where everything lies in the daemon's own folder, STATE_DIR."""

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from protocol.folders import AttemptFolder, RunFolder

WEIGHTS_FILE = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Places:
    """`path` is STATE_DIR."""

    path: Path

    @property
    def database(self) -> Path:
        return self.path / "training-claw.sqlite3"

    @property
    def lock(self) -> Path:
        """Held by the one daemon that works here."""
        return self.path / "daemon.lock"

    def disk(self) -> tuple[int, int]:
        """What is free for us and all there is of the disk it is on, in bytes."""
        seen = shutil.disk_usage(self.path)
        return seen.free, seen.total

    def run(self, name: str) -> RunFolder:
        return RunFolder(self.path / "runs" / name)

    def attempt(self, run: str, number: int) -> AttemptFolder:
        return self.run(run).attempt(number)

    def initial_weights(self, run: str) -> Path | None:
        """Of the checkpoint that `run` starts from the folder that `ACTPolicy.from_pretrained` takes."""
        initial = self.run(run).initial
        places = (initial, initial / "pretrained_model")
        return next((place for place in places if (place / WEIGHTS_FILE).is_file()), None)

    def dataset(self, source: str) -> Path:
        """The local copy of the data at `source`: readable, and no two sources share one."""
        readable = re.sub(r"[^A-Za-z0-9]+", "-", source).strip("-")[-40:]
        unique = hashlib.sha256(source.encode()).hexdigest()[:8]
        return self.path / "dataset" / f"{readable}-{unique}"

    def earlier(self, run: str, most: int = 2) -> tuple[Path, ...]:
        """The newest data sets that other runs have converted."""
        others = [path for path in (self.path / "runs").glob("*/data.h5") if path != self.run(run).data]
        return tuple(sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)[:most])
