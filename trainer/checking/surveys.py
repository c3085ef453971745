"""What was seen in a video, remembered by its content: the same file is not decoded again to be judged.

One small JSON file each. Damage is not remembered: what is damaged should come back as another file.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from trainer.data.episode import Source
from trainer.data.fingerprint import content_at
from trainer.data.looks import Looks
from trainer.data.video import Footage

VERSION = 1
"""Of what a survey sees. A change to data.looks or data.video that sees otherwise needs the next."""


@dataclass(frozen=True)
class Surveys:
    """Those in `folder`, and in `earlier` ones; without a folder nothing is remembered."""

    folder: Path | None = None
    earlier: tuple[Path, ...] = ()

    def find(self, key: str) -> Footage | None:
        for folder in (self.folder, *self.earlier) if self.folder and key else ():
            with suppress(OSError, ValueError, KeyError, TypeError):  # not there, or of no use
                return _footage(json.loads((folder / f"{key}.json").read_bytes()))
        return None

    def keep(self, key: str, footage: Footage) -> None:
        """Whole or not at all; a power cut may take it away. Raises OSError."""
        if not (self.folder and key) or (place := self.folder / f"{key}.json").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_name(f".{key}.{os.getpid()}")
        unfinished.write_bytes(_written(footage))
        unfinished.replace(place)

    def forget_all_but(self, keys: frozenset[str]) -> None:
        if self.folder and self.folder.is_dir():
            for path in self.folder.iterdir():
                if path.stem not in keys:
                    path.unlink(missing_ok=True)


def survey_key(content: str, camera: str, part: str, fps: int) -> str:
    """Names what is seen by a file's hash, the camera and, of a file of several, which `part` of it.

    Empty where the content is not known. Pictures without a clock have the config's.
    """
    how = VERSION, av.__version__, content, camera, part, fps
    return hashlib.sha256(repr(how).encode()).hexdigest() if content else ""


def survey_keys(
    source: Source, cameras: Sequence[str], data: Path, hashes: Mapping[str, str], fps: int
) -> dict[str, str]:
    """By camera. `hashes` are those of the files under `data`, by name."""
    part = source.name if source.shares_its_file else ""
    places = {camera: source.made_of(camera).relative_to(data).as_posix() for camera in cameras}
    return {
        camera: survey_key(content_at(place, hashes), camera, part, fps) for camera, place in places.items()
    }


def _written(footage: Footage) -> bytes:
    return json.dumps(asdict(footage), default=lambda array: array.tolist()).encode()


def _footage(told: dict[str, Any]) -> Footage:
    looks = Looks(**{name: np.array(values, np.float64) for name, values in told.pop("looks").items()})
    times, sizes = np.array(told.pop("times"), np.float64), told.pop("sizes")
    return Footage(**told, times=times, sizes=tuple((width, height) for width, height in sizes), looks=looks)
