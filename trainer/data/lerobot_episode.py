"""Episodes of a LeRobotDataset v3, read through LeRobot's own reader (the extra `lerobot-dataset`).

    meta/info.json  meta/episodes/…  data/chunk-…/file-….parquet  videos/<camera>/chunk-…/file-….mp4

Rows and stored pictures are LeRobot's to read. A video is decoded by `data.video`, to the same pixels but
strictly: LeRobot's decoders pass over damage in silence. `next.success`, where it is recorded, is what
metadata.json says elsewhere. The rule about the camera's resolution holds for videos: stored pictures may be
resized already.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from protocol.job import Problem
from protocol.training import TrainingConfig
from trainer.data.episode import Episode, unreadable
from trainer.data.rows import Table
from trainer.data.store import ACTION, IMAGES, STATE
from trainer.data.video import (
    MAX_FRAMES,
    MAX_PIXELS,
    Footage,
    Keep,
    Picture,
    Span,
    VideoError,
    pictures,
    survey,
    watch,
)
from trainer.process.attempt import JobError

if TYPE_CHECKING:
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

INFO = Path("meta/info.json")
READ_VERSION = "v3."
SUCCESS = "next.success"
NO_EXTRA = "a LeRobotDataset needs LeRobot's own reader: pip install 'training-claw[lerobot-dataset]'"


def is_lerobot_dataset(folder: Path) -> bool:
    return (folder / INFO).is_file()


@dataclass(frozen=True)
class LeRobotEpisode:
    """Episode `number` of the data set in the folder `path`."""

    path: Path
    name: str
    number: int = 0

    @property
    def shares_its_file(self) -> bool:
        return True

    def read(self, config: TrainingConfig) -> Episode:
        version = version_of(self.path)
        if not version.startswith(READ_VERSION):
            return Episode(
                self.name, damage=(unreadable(f"LeRobotDataset {version or '버전 없음'}, 기준 v3"),)
            )
        try:
            with _opened(self) as dataset:
                return self._read(dataset, config)
        except Exception as error:  # whatever LeRobot, Arrow or Parquet make of damage
            return Episode(
                self.name, damage=(unreadable(f"LeRobotDataset 읽기 불가 ({type(error).__name__})"),)
            )

    def table(self, config: TrainingConfig) -> Table:
        with _opened(self) as dataset:
            return _table(dataset, config)

    def pictures(self, camera: str) -> Iterator[Picture]:
        with _opened(self) as dataset:
            key = IMAGES + camera
            if key in dataset.meta.video_keys:
                yield from pictures(*_place(dataset, key, self.number))
            else:
                yield from _stored(dataset, key)

    def _read(self, dataset: "LeRobotDataset", config: TrainingConfig) -> Episode:
        metadata = {"fps": dataset.meta.fps, **_success(dataset)}
        misfits = (*_misfits(dataset, config), *self._strays(dataset, config))
        if misfits:
            return Episode(self.name, metadata, damage=misfits)
        return Episode(self.name, metadata, _table(dataset, config), cameras=config.dataset.camera_names)

    def _strays(self, dataset: "LeRobotDataset", config: TrainingConfig) -> Iterator[Problem]:
        """Videos that the data set says lie outside of it: they are not looked at."""
        for key in (IMAGES + camera for camera in config.dataset.camera_names):
            try:
                if key in dataset.meta.video_keys:
                    _place(dataset, key, self.number)
            except VideoError:
                yield unreadable(f"{key}가 데이터 폴더 밖을 가리킴")

    def look(self, camera: str, config: TrainingConfig, keep: Keep) -> Footage | Problem:  # noqa: ARG002
        key = IMAGES + camera
        try:
            with _opened(self) as dataset:
                return self._footage(dataset, key, keep)
        except VideoError as error:
            return unreadable(f"{key} 손상 (프레임 {error.frame}부터 읽기 불가)", error.frame)

    def made_of(self, camera: str) -> Path:
        with _opened(self) as dataset:
            key = IMAGES + camera
            if key in dataset.meta.video_keys:
                return _place(dataset, key, self.number)[0]
            return self.path / dataset.meta.get_data_file_path(self.number)

    def _footage(self, dataset: "LeRobotDataset", key: str, keep: Keep) -> Footage:
        if key in dataset.meta.video_keys:
            return replace(survey(*_place(dataset, key, self.number), keep), name=key)
        return watch(key, _stored(dataset, key), dataset.meta.fps, keep)


def episodes_in(root: Path) -> list[LeRobotEpisode]:
    """Those of one data set; where it cannot be read a single one, which says why.

    Raises:
        JobError("bad_job"): LeRobot's reader is not installed.
    """
    try:
        from lerobot.datasets.dataset_metadata import LeRobotDatasetMetadata  # noqa: PLC0415  # seconds
    except ImportError as error:
        raise JobError("bad_job", f"{root}: {NO_EXTRA}") from error
    try:
        with _cache_of_our_own():
            episodes = LeRobotDatasetMetadata("local/dataset", root).episodes
            numbers = [] if episodes is None else episodes["episode_index"][:]
    except Exception:  # to be said when it is read
        numbers = []
    if not numbers:
        return [LeRobotEpisode(root, root.name)]
    return [LeRobotEpisode(root, f"episode_{number:03d}", number) for number in map(int, numbers)]


def version_of(root: Path) -> str:
    """What info.json says; empty where it says nothing."""
    try:
        told = json.loads((root / INFO).read_bytes())
    except (OSError, ValueError):
        return ""
    return str(told.get("codebase_version", ""))[:20] if isinstance(told, dict) else ""


@contextmanager
def _opened(episode: LeRobotEpisode) -> "Iterator[LeRobotDataset]":
    """That one episode's part. `pyav` is only named: we ask LeRobot for no video."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset  # noqa: PLC0415

    with _cache_of_our_own():
        yield LeRobotDataset("local/dataset", episode.path, episodes=[episode.number], video_backend="pyav")


@contextmanager
def _cache_of_our_own() -> Iterator[None]:
    """LeRobot turns Parquet into Arrow files in a cache and leaves them: a second copy of all pictures."""
    import datasets.config  # noqa: PLC0415

    before = datasets.config.HF_DATASETS_CACHE
    with TemporaryDirectory(prefix="training-claw-") as cache:
        datasets.config.HF_DATASETS_CACHE = cache
        try:
            yield
        finally:
            datasets.config.HF_DATASETS_CACHE = before


def _table(dataset: "LeRobotDataset", config: TrainingConfig) -> Table:
    rows = _rows(dataset, ["frame_index", "timestamp", ACTION, STATE])
    return Table(
        frame=rows["frame_index"].astype(np.float64),
        timestamp=rows["timestamp"].astype(np.float64),
        action=_ordered(dataset, ACTION, rows[ACTION], config.action_names),
        state=_ordered(dataset, STATE, rows[STATE], config.state_names),
    )


def _ordered(
    dataset: "LeRobotDataset", key: str, values: NDArray[Any], wanted: Sequence[str]
) -> NDArray[np.float64]:
    """In the config's order, where the data set names its columns with the config's names."""
    names = dataset.meta.features[key].get("names")
    rows = values.astype(np.float64).reshape(len(values), -1)
    if isinstance(names, list) and sorted(map(str, names)) == sorted(wanted):
        return rows[:, [names.index(name) for name in wanted]]
    return rows


def _rows(dataset: "LeRobotDataset", names: list[str]) -> dict[str, NDArray[Any]]:
    return dataset.hf_dataset.select_columns(names).with_format("numpy")[:]


def _success(dataset: "LeRobotDataset") -> dict[str, Any]:
    if SUCCESS not in dataset.meta.features:
        return {}
    return {"success_criteria": {"met": bool(_rows(dataset, [SUCCESS])[SUCCESS].any())}}


def _stored(dataset: "LeRobotDataset", key: str) -> Iterator[Picture]:
    """Pictures (H, W, 3) that lie in the rows, all of the size of the first. Raises VideoError."""
    stored = dataset.hf_dataset.select_columns([key]).with_format(None)
    size: tuple[int, ...] | None = None
    for frame in range(len(stored)):
        try:
            picture = np.asarray(stored[frame][key].convert("RGB"))
        except Exception as error:  # each image format has its own for damage
            raise VideoError(str(error), frame) from error
        size = size or picture.shape
        if picture.shape != size:
            raise VideoError(f"{picture.shape} after {size}", frame)
        yield picture


def _place(dataset: "LeRobotDataset", key: str, number: int) -> tuple[Path, Span]:
    """In which video file an episode lies, and where in it. Raises VideoError: not in the data set."""
    root = dataset.root
    path = root / dataset.meta.get_video_file_path(number, key)
    if not path.resolve().is_relative_to(root.resolve()):
        raise VideoError("outside the data set", 0)
    known: dict[str, Any] = dataset.meta.episodes[number]  # pyright: ignore[reportOptionalSubscript]
    return path, Span(known[f"videos/{key}/from_timestamp"], known[f"videos/{key}/to_timestamp"])


def _misfits(dataset: "LeRobotDataset", config: TrainingConfig) -> Iterator[Problem]:
    features = dataset.meta.features
    if dataset.meta.fps != config.dataset.fps:
        yield _unlike(f"fps {dataset.meta.fps}, 기준 {config.dataset.fps}")
    if len(dataset.hf_dataset) > MAX_FRAMES:
        yield unreadable(f"너무 김, {len(dataset.hf_dataset)}프레임")
    for name, width in ((ACTION, len(config.action_names)), (STATE, len(config.state_names))):
        shape = tuple(features.get(name, {}).get("shape", ()))
        if shape != (width,):
            yield _unlike(f"{name} {shape or '없음'}, 기준 ({width},)")
    for camera in config.dataset.camera_names:
        known = features.get(IMAGES + camera, {})
        shape = tuple(known.get("shape", ()))
        if known.get("dtype") not in ("image", "video") or len(shape) != 3 or shape[2] != 3:
            yield _unlike(f"{IMAGES}{camera} {shape or '없음'}, 기준 (높이, 너비, 3)")
        elif shape[0] * shape[1] > MAX_PIXELS:
            yield unreadable(f"{IMAGES}{camera} 너무 큼 {shape}")


def _unlike(what: str) -> Problem:
    return Problem(severity="refuse", check="row_form", message=f"LeRobotDataset 형식이 설정과 다름 ({what})")
