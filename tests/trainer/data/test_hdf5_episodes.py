"""Episodes that come as HDF5 with LeRobot's keys are read, judged and converted like the simulator's."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from protocol.training import TrainingConfig
from trainer.checking.check import check
from trainer.checking.checks import problems_of
from trainer.converting.convert import convert, fill
from trainer.converting.draft import Place, Task
from trainer.data.episode import Episode, Source, seen
from trainer.data.episodes import find_episodes
from trainer.data.store import FrameStore, create
from trainer.process.attempt import JobError

FRAMES = 6
RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (FRAMES, 48, 64, 3), dtype=np.uint8)


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    path = tmp_path / "episode_000.h5"
    with h5py.File(path, "w") as file:
        file["observation.images.ego"] = PICTURES
        file["observation.state"] = RNG.normal(size=(FRAMES, 4))
        file["action"] = RNG.uniform(-1, 1, (FRAMES, 4))
        file["timestamp"] = np.arange(FRAMES) / 30
        file.attrs["success_criteria"] = json.dumps({"met": True})
    return path


def source_of(path: Path) -> Source:
    (source,) = find_episodes(path.parent)
    return source


def whole(source: Source, config: TrainingConfig) -> Episode:
    return seen(source, source.read(config), config)


def messages(path: Path, config: TrainingConfig) -> list[str]:
    return [problem.message for problem in problems_of(whole(source_of(path), config), config)]


def test_a_good_file_has_no_problem_whatever_its_pictures_size(episode: Path, config: TrainingConfig) -> None:
    assert source_of(episode).name == "episode_000"
    assert messages(episode, config) == []


def test_its_pictures_are_converted_unchanged(episode: Path, config: TrainingConfig, tmp_path: Path) -> None:
    rows = source_of(episode).table(config)
    output = tmp_path / ".data.h5"
    frames = create(
        output,
        config=config,
        state=rows.state.astype(np.float32),
        action=rows.action.astype(np.float32),
        episode_ends=[FRAMES],
        episode_names=["episode_000"],
    )
    fill(config, Task(output, Place(source_of(episode), total=FRAMES, kept=range(FRAMES), start=0)))
    assert np.array_equal(frames["ego"], PICTURES)


def test_values_are_held_to_the_same_checks(episode: Path, config: TrainingConfig) -> None:
    with h5py.File(episode, "r+") as file:
        del file["action"], file.attrs["success_criteria"]
        file["action"] = np.full((FRAMES, 4), 2.0)
    assert messages(episode, config) == [
        *(f"액션 값 범위 초과 ({name} 2, 프레임 0 외 5개)" for name in config.action_names),
        "success_criteria 없음",
    ]


def test_what_does_not_fit_is_shown_with_its_shape(episode: Path, config: TrainingConfig) -> None:
    with h5py.File(episode, "r+") as file:
        del file["action"], file["observation.images.ego"]
        file["action"] = np.zeros((FRAMES, 3))
    assert messages(episode, config) == [
        "HDF5 형식을 알 수 없음 (action (6, 3), 기준 (프레임 수, 4))",
        "HDF5 형식을 알 수 없음 (observation.images.ego 없음, 기준 uint8 (프레임 수, 높이, 너비, 3))",
    ]


def test_rows_and_pictures_must_be_as_many(episode: Path, config: TrainingConfig) -> None:
    with h5py.File(episode, "r+") as file:
        del file["observation.images.ego"]
        file["observation.images.ego"] = PICTURES[:-1]
    assert messages(episode, config) == ["프레임 수 불일치 (비디오 5프레임, 액션 6프레임)"]
    with h5py.File(episode, "r+") as file:
        del file["action"]
        file["action"] = np.zeros((FRAMES - 1, 4))
    told = "action 5프레임, observation.state 6프레임, timestamp 6프레임"
    assert messages(episode, config) == [f"프레임 수 불일치 ({told})"]


@pytest.mark.parametrize(("key", "value"), [("episode_ends", [2, 6]), ("episode_index", [7, 7, 8, 8, 8, 8])])
def test_one_file_may_hold_all_episodes(
    episode: Path, config: TrainingConfig, tmp_path: Path, key: str, value: list[int]
) -> None:
    with h5py.File(episode, "r+") as file:
        file[key] = value
        file["frame_index"] = [0, 1, 0, 1, 2, 3]
        del file["timestamp"]
        file.attrs["success_criteria"] = json.dumps([True, False])
    first, second = find_episodes(tmp_path)
    assert (first.name, second.name) == ("episode_000", "episode_001")
    assert problems_of(whole(first, config), config) == ()
    assert [each.message for each in problems_of(whole(second, config), config)] == [
        "success_criteria 미충족"
    ]
    assert np.array_equal(np.stack(list(second.pictures("ego"))), PICTURES[2:])
    assert len(second.table(config)) == 4


def test_a_file_of_all_episodes_is_checked_and_converted(
    episode: Path, config: TrainingConfig, tmp_path: Path
) -> None:
    with h5py.File(episode, "r+") as file:
        file["episode_ends"] = [2, 4, 5, 6]
        del file["timestamp"]
    verdict = check(tmp_path, config.with_changes({"dataset.min_episodes": 4}))
    assert [problem.message for problem in verdict.problems if problem.severity == "refuse"] == []
    assert (verdict.ok, verdict.episodes, verdict.frames) == (True, 4, 6)
    output = tmp_path / "converted" / ".data.h5"
    convert(tmp_path, output, config, verdict.hash)
    store = FrameStore.open(output)
    assert store.episode_ends.tolist() == [2, 4, 5, 6]
    assert np.array_equal(store.frames["ego"], PICTURES)


def test_ends_that_do_not_rise_are_said(episode: Path, config: TrainingConfig) -> None:
    with h5py.File(episode, "r+") as file:
        file["episode_ends"] = [3, 3, 6]
    assert messages(episode, config) == [
        "HDF5 형식을 알 수 없음 (episode_ends가 에피소드를 차례로 나누지 않음)"
    ]


@pytest.mark.parametrize("last", [FRAMES - 1, FRAMES + 3])
def test_episodes_are_of_all_frames_and_of_no_others(
    episode: Path, config: TrainingConfig, last: int
) -> None:
    with h5py.File(episode, "r+") as file:
        file["episode_ends"] = [2, last]
    said = f"HDF5 형식을 알 수 없음 (episode_ends {last}프레임, action 6프레임)"
    for source in find_episodes(episode.parent):
        assert said in {problem.message for problem in problems_of(whole(source, config), config)}


def test_a_group_is_no_clock(episode: Path, config: TrainingConfig) -> None:
    with h5py.File(episode, "r+") as file:
        del file["timestamp"]
        file.create_group("timestamp")
    assert messages(episode, config) == ["episode_000.h5 읽기 불가"]


def test_of_a_complex_number_no_half_is_taken(episode: Path, config: TrainingConfig) -> None:
    with h5py.File(episode, "r+") as file:
        del file["action"]
        file["action"] = np.zeros((FRAMES, 4), np.complex64)
    assert messages(episode, config) == ["HDF5 형식을 알 수 없음 (action 복소수)"]


def test_what_is_no_number_is_no_action(episode: Path, config: TrainingConfig) -> None:
    with h5py.File(episode, "r+") as file:
        del file["action"]
        file["action"] = [["left"] * 4] * FRAMES
    assert messages(episode, config) == ["episode_000.h5 읽기 불가"]


def test_a_broken_file_is_named(episode: Path, config: TrainingConfig, tmp_path: Path) -> None:
    episode.write_bytes(episode.read_bytes()[:2000])
    assert messages(episode, config) == ["episode_000.h5 읽기 불가"]
    place = Place(source_of(episode), total=FRAMES, kept=range(FRAMES), start=0)
    rows = np.zeros((FRAMES, 4), np.float32)
    output = tmp_path / ".data.h5"
    create(output, config=config, state=rows, action=rows, episode_ends=[FRAMES], episode_names=["a"])
    with pytest.raises(JobError, match="episode_000: ego"):
        fill(config, Task(output, place))


def test_a_damaged_block_of_pictures_is_placed(episode: Path, config: TrainingConfig) -> None:
    with h5py.File(episode, "r+") as file:
        del file["observation.images.ego"]
        packed = file.create_dataset(
            "observation.images.ego",
            data=PICTURES,
            chunks=(1, 48, 64, 3),
            compression="gzip",
            fletcher32=True,
        )
        where = packed.id.get_chunk_info(4)
    content = bytearray(episode.read_bytes())
    content[where.byte_offset + 20] ^= 0xFF
    episode.write_bytes(content)
    assert messages(episode, config) == ["observation.images.ego 손상 (프레임 0부터 읽기 불가)"]


def test_what_is_kept_in_another_file_is_not_read(
    episode: Path, config: TrainingConfig, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.bin"
    elsewhere.write_bytes(bytes(FRAMES * 4 * 8))
    with h5py.File(episode, "r+") as file:
        del file["action"], file["observation.state"]
        file["action"] = h5py.ExternalLink("other.h5", "action")
        file.create_dataset(
            "observation.state", (FRAMES, 4), "f8", external=[(str(elsewhere), 0, FRAMES * 32)]
        )
    assert messages(episode, config) == [
        "다른 파일을 가리킴 (action)",
        "다른 파일을 가리킴 (observation.state)",
    ]


def test_a_file_that_claims_more_than_fits_is_not_read(episode: Path, config: TrainingConfig) -> None:
    with h5py.File(episode, "r+") as file:
        del file["observation.images.ego"]
        file.create_dataset(
            "observation.images.ego", (200_000, 480, 640, 3), np.uint8, chunks=(1, 480, 640, 3)
        )
    assert messages(episode, config) == ["observation.images.ego 너무 큼 (200000, 480, 640, 3)"]
