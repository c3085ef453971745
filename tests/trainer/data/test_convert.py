"""The converted file holds exactly LeRobot's pixels and the rows that remain, or does not exist."""

import json
from collections.abc import Callable
from pathlib import Path

import av
import h5py
import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from protocol.folders import AttemptFolder
from protocol.job import ConvertJob
from protocol.progress import Counted, read_line
from protocol.training import TrainingConfig
from trainer.converting.convert import convert, fill
from trainer.converting.draft import Place, Task
from trainer.data.episodes import find_episodes
from trainer.data.pixels import resize
from trainer.data.store import FrameStore, create, stats_of
from trainer.data.video import pictures, write_video
from trainer.jobs import do
from trainer.process.attempt import Attempt, JobError, Stop

from .desk import hash_folder

KEPT = ("episode_000", "episode_002", "episode_003")


def lerobot_s_pixels(video: Path, size: tuple[int, int]) -> np.ndarray:
    """Full RGB frames, then torchvision's own resize on uint8."""
    frames: list[np.ndarray] = []
    with av.open(video) as container:
        frames.extend(frame.to_ndarray(format="rgb24") for frame in container.decode(video=0))
    planes = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)
    small = v2.Resize(list(size), antialias=True)(planes)
    return small.permute(0, 2, 3, 1).numpy()


def test_pixels_are_lerobot_s_bit_for_bit(converted: FrameStore, simulated: Path) -> None:
    start = 0
    for name, end in zip(converted.episode_names, converted.episode_ends, strict=True):
        expected = lerobot_s_pixels(simulated / name / "ego.mp4", (48, 64))[3:-2]
        assert np.array_equal(converted.frames["ego"][start:end], expected)
        start = end


@pytest.mark.parametrize("width", [50, 64])
def test_a_picture_is_lerobot_s_whether_its_lines_are_padded_or_not(tmp_path: Path, width: int) -> None:
    video, rng = tmp_path / "ego.mp4", np.random.default_rng(0)
    planes = rng.integers(0, 256, (6, 57, width), np.uint8)
    write_video(video, planes, width=width, height=38, fps=30)
    expected: list[np.ndarray] = []
    with av.open(video) as container:
        expected.extend(frame.to_ndarray(format="rgb24") for frame in container.decode(video=0))
    assert np.array_equal(list(pictures(video)), expected)


def test_cuts_and_exclusions_are_applied(converted: FrameStore, simulated: Path) -> None:
    assert converted.episode_names == KEPT
    assert converted.episode_ends.tolist() == [11, 22, 33]
    assert converted.num_frames == len(converted.frames["ego"]) == 33
    rows = [
        json.loads(line) for line in (simulated / "episode_002" / "actions.jsonl").read_text().splitlines()
    ]
    steering = np.array([row["steering"] for row in rows[3:-2]], dtype=np.float32)
    assert np.array_equal(converted.action[11:22, 0], steering)


def test_the_file_says_where_it_comes_from(converted: FrameStore, cut_config: TrainingConfig) -> None:
    assert converted.certificate == "certified"
    assert converted.config == cut_config
    assert converted.fps == 30
    assert converted.action_names == ("steering", "throttle", "bucket", "lift")
    assert converted.stats["action"]["mean"] == pytest.approx(converted.action.mean(axis=0), rel=1e-5)
    assert converted.stats["observation.state"]["count"] == [33]


def test_the_file_is_one_piece_with_lerobot_s_keys(converted: FrameStore) -> None:
    with h5py.File(converted.path) as file:
        assert set(file) == {
            *("observation.images.ego", "observation.state", "action", "episode_ends", "episode_names"),
            *("episode_keys", "episode_firsts", "episode_checksums"),
        }
        pictures = file["observation.images.ego"]
        assert isinstance(pictures, h5py.Dataset)
        assert pictures.chunks is None
        assert np.array_equal(pictures[:], converted.frames["ego"])


def test_a_video_that_breaks_after_the_check_leaves_no_file(
    spoiled: Callable[[str], Path], config: TrainingConfig, tmp_path: Path
) -> None:
    with pytest.raises(JobError, match="episode_002: ego, frame"):
        convert(spoiled("damaged_video"), tmp_path / "data.h5", config, "certified")
    assert not [path for path in tmp_path.iterdir() if path.suffix in {".h5", ".tmp"}]


def test_pictures_and_actions_must_be_as_many_to_the_end(
    simulated: Path, config: TrainingConfig, tmp_path: Path
) -> None:
    path, rows = tmp_path / "data.h5", np.zeros((10, 4), np.float32)
    create(path, config=config, state=rows, action=rows, episode_ends=[10], episode_names=["episode_000"])
    with pytest.raises(JobError, match="16 pictures, 14 actions"):
        fill(config, Task(path, Place(find_episodes(simulated)[0], total=14, kept=range(10), start=0)))


def test_a_stop_leaves_no_file_under_its_name(
    simulated: Path, config: TrainingConfig, tmp_path: Path
) -> None:
    with pytest.raises(JobError, match="stopped"):
        convert(simulated, tmp_path / "data.h5", config, "certified", stop=Stop(asked=True))
    assert not (tmp_path / "data.h5").exists()


@pytest.mark.parametrize("certificate", ["", "of other data"])
def test_nothing_is_converted_that_was_not_checked(
    spoiled: Callable[[str], Path], config: TrainingConfig, tmp_path: Path, certificate: str
) -> None:
    job = ConvertJob(data=spoiled("nan"), output=tmp_path / "data.h5", config=config, certificate=certificate)
    with pytest.raises(JobError) as error:
        do(job, Attempt(AttemptFolder(tmp_path)))
    assert error.value.failed.failure == "bad_data"
    assert not job.output.exists()


def test_hashing_before_a_conversion_is_told_of_and_can_be_stopped(
    simulated: Path, config: TrainingConfig, tmp_path: Path
) -> None:
    output, certificate = tmp_path / "data.h5", hash_folder(simulated)
    job = ConvertJob(data=simulated, output=output, config=config, certificate=certificate)
    attempt = Attempt(AttemptFolder(tmp_path), Stop(asked=True))
    with pytest.raises(JobError) as error:
        do(job, attempt)
    assert error.value.failed.failure == "stopped"
    attempt.stop.asked = False
    do(job, attempt)
    lines = [read_line(line) for line in attempt.folder.events.read_text().splitlines()]
    told = {line.unit: (line.done, line.total) for line in lines if isinstance(line, Counted)}
    assert told == {"file": (12, 12), "episode": (4, 4)}


def test_a_picture_of_the_right_size_is_left_as_it_is() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    assert resize(frames, (48, 64)) is frames


@pytest.mark.parametrize("size", [(224, 224), (64, 64), (500, 700)])
def test_resizing_is_torchvision_s_whatever_the_size(size: tuple[int, int]) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 480, 640, 3), dtype=np.uint8)
    expected = v2.Resize(list(size), antialias=True)(torch.from_numpy(frames).permute(0, 3, 1, 2))
    assert np.array_equal(resize(frames, size), expected.permute(0, 2, 3, 1).numpy())


def test_statistics_are_lerobot_s_population_ones() -> None:
    stats = stats_of(np.array([[0, 1], [2, 1], [4, 1]], dtype=np.float32))
    assert stats == {
        "mean": [2.0, 1.0],
        "std": pytest.approx([np.sqrt(8 / 3), 0.0]),
        "min": [0.0, 1.0],
        "max": [4.0, 1.0],
        "count": [3],
    }


def test_a_file_of_another_kind_is_named(tmp_path: Path, config: TrainingConfig) -> None:
    path = tmp_path / "data.h5"
    path.write_bytes(b"not HDF5")
    with pytest.raises(JobError, match=r"data\.h5: .*convert the data set again"):
        FrameStore.open(path)


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"data\.h5 is not there; convert a data set to it"):
        FrameStore.open(tmp_path / "data.h5")


def test_a_file_of_a_newer_schema_is_refused(tmp_path: Path, config: TrainingConfig) -> None:
    path, rows = tmp_path / "data.h5", np.zeros((2, 4), np.float32)
    create(path, config=config, state=rows, action=rows, episode_ends=[2], episode_names=["에피소드"])
    assert FrameStore.open(path).episode_names == ("에피소드",)
    with h5py.File(path, "r+") as file:
        file.attrs["schema"] = 2
    with pytest.raises(JobError, match="schema 2, this version reads 1"):
        FrameStore.open(path)
