"""Episodes as Developer's simulator writes them: a folder with videos, rows and metadata."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.job import Problem
from protocol.paths import ROWS, VIDEO
from protocol.training import TrainingConfig
from trainer.data.episode import Episode, unreadable
from trainer.data.material import MAX_METADATA_BYTES, Damaged, read_json, read_whole
from trainer.data.rows import RowError, Table, read_table
from trainer.data.video import Footage, Keep, Picture, VideoError, VideoTooLarge, pictures, survey

ACTIONS, METADATA = ROWS, "metadata.json"


@dataclass(frozen=True)
class SimulatorEpisode:
    """A folder with `<camera>.mp4`, `actions.jsonl` and `metadata.json`."""

    path: Path
    name: str

    @property
    def shares_its_file(self) -> bool:
        return False

    def read(self, config: TrainingConfig) -> Episode:
        damage: list[Problem] = []
        metadata = self._metadata(damage)
        table = self._table(metadata or {}, config, damage)
        cameras = [each for each in config.dataset.camera_names if self.made_of(each).is_file()]
        missing = [each for each in config.dataset.camera_names if each not in cameras]
        damage += [unreadable(f"{self.made_of(each).name} 없음") for each in missing]
        return Episode(self.name, metadata, table, damage=tuple(damage), cameras=tuple(cameras))

    def look(self, camera: str, config: TrainingConfig, keep: Keep) -> Footage | Problem:  # noqa: ARG002
        path = self.made_of(camera)
        try:
            return survey(path, keep=keep)
        except VideoTooLarge as error:
            return unreadable(f"{path.name} 너무 큼 ({error}), 디코딩하지 않음")
        except VideoError as error:
            return unreadable(f"{path.name} 손상 (프레임 {error.frame}부터 디코딩 불가)", error.frame)

    def made_of(self, camera: str) -> Path:
        return self.path / f"{camera}{VIDEO}"

    def table(self, config: TrainingConfig) -> Table:
        return read_table(self.path / ACTIONS, self._metadata([]) or {}, config)

    def pictures(self, camera: str) -> Iterator[Picture]:
        return pictures(self.made_of(camera))

    def _metadata(self, damage: list[Problem]) -> Mapping[str, Any] | None:
        try:
            read = read_json(read_whole(self.path / METADATA, MAX_METADATA_BYTES))
        except FileNotFoundError:
            damage.append(unreadable(f"{METADATA} 없음"))
        except OSError:
            damage.append(unreadable(f"{METADATA} 읽기 불가"))
        except Damaged as damaged:
            damage.append(unreadable(f"{METADATA} 읽기 불가 ({damaged.reason})"))
        else:
            if isinstance(read, dict):
                return read
            damage.append(unreadable(f"{METADATA} 읽기 불가 (객체가 아님)"))
        return None

    def _table(
        self, metadata: Mapping[str, Any], config: TrainingConfig, damage: list[Problem]
    ) -> Table | None:
        try:
            return read_table(self.path / ACTIONS, metadata, config)
        except FileNotFoundError:
            damage.append(unreadable(f"{ACTIONS} 없음"))
        except OSError:
            damage.append(unreadable(f"{ACTIONS} 읽기 불가"))
        except Damaged as damaged:
            damage.append(unreadable(f"{ACTIONS} 읽기 불가 ({damaged.reason})"))
        except RowError as error:
            damage.append(_not_understood(error))
        return None


def _not_understood(error: RowError) -> Problem:
    if not error.missing:
        return unreadable(f"{ACTIONS} 읽기 불가 ({error.line}번째 줄: {error.damage})", error.line - 1)
    lacking = ", ".join(error.missing)
    message = f"{ACTIONS} 형식을 알 수 없음 ({error.line}번째 줄에 {lacking} 없음, 예: {error.shown})"
    return Problem(severity="refuse", check="row_form", message=message, frame=error.line - 1)
