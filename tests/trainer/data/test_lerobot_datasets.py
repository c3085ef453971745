"""A LeRobotDataset v3 goes out through LeRobot's writer and comes in through its reader, pixel for pixel."""

import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from protocol.training import TrainingConfig
from trainer.__main__ import main
from trainer.checking.check import check
from trainer.checking.checks import problems_of
from trainer.converting.convert import convert
from trainer.converting.lerobot_export import export, write_lerobot
from trainer.data.episode import Episode, seen
from trainer.data.episodes import find_episodes
from trainer.data.store import FrameStore
from trainer.data.video import VideoError, pictures
from trainer.process.attempt import JobError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of packages that LeRobot pulls in
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

EGO = "observation.images.ego"


def reading(folder: Path) -> Any:
    """By LeRobot itself; its own annotations say less than it does."""
    return LeRobotDataset("local/dataset", folder, video_backend="pyav")


@pytest.fixture(scope="session")
def dataset(converted: FrameStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `converted` holds, as a LeRobotDataset. Read only."""
    folder = tmp_path_factory.mktemp("lerobot") / "dataset"
    write_lerobot(converted, folder)
    return folder


@pytest.fixture(scope="session")
def recorded(simulated: Path, config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LeRobotDataset as LeRobot itself records one: two episodes in one AV1 video. Read only."""
    folder = tmp_path_factory.mktemp("recorded") / "dataset"
    features = {
        EGO: {"dtype": "video", "shape": (480, 640, 3), "names": ["height", "width", "channels"]},
        "observation.state": {"dtype": "float32", "shape": (4,), "names": [*config.state_names]},
        "action": {"dtype": "float32", "shape": (4,), "names": [*reversed(config.action_names)]},
        "next.success": {"dtype": "bool", "shape": (1,), "names": None},
    }
    made = LeRobotDataset.create("local/recorded", 30, features, root=folder, video_backend="pyav")
    for number in range(2):
        for frame, picture in enumerate(pictures(simulated / f"episode_{number:03d}" / "ego.mp4")):
            made.add_frame(
                {
                    EGO: picture,
                    "observation.state": np.full(4, frame, np.float32),
                    "action": np.array([0.4, 0.3, 0.2, 0.1], np.float32),
                    "next.success": np.array([frame == 15]),
                    "task": "load",
                }
            )
        made.save_episode()
    made.finalize()
    return folder


@pytest.fixture
def copied(dataset: Path, tmp_path: Path) -> Iterator[Path]:
    yield shutil.copytree(dataset, tmp_path / "dataset")
    shutil.rmtree(tmp_path)


@pytest.fixture
def three(cut_config: TrainingConfig) -> TrainingConfig:
    """For a set of three whose heads and tails are gone already."""
    cut = {"skip_first_frames": 0, "skip_last_frames": 0, "exclude_episodes": (), "min_episodes": 3}
    return cut_config.with_changes({f"dataset.{name}": value for name, value in cut.items()})


def test_lerobot_reads_what_was_converted_to_the_last_bit(dataset: Path, converted: FrameStore) -> None:
    read = reading(dataset)
    assert (len(read), read.num_episodes, read.fps) == (converted.num_frames, 3, 30)
    for frame in (0, 10, 11, 32):
        row = read[frame]
        shown = (row[EGO].permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)
        assert np.array_equal(shown, converted.frames["ego"][frame])
        assert np.array_equal(row["action"], converted.action[frame])
        assert np.array_equal(row["observation.state"], converted.state[frame])


def test_statistics_are_the_same_on_both_sides(dataset: Path, converted: FrameStore) -> None:
    theirs = reading(dataset).meta.stats
    for key in ("action", "observation.state"):
        for name in ("mean", "std"):
            assert theirs[key][name] == pytest.approx(converted.stats[key][name], rel=1e-6)


def test_it_comes_back_as_it_went(dataset: Path, converted: FrameStore, three: TrainingConfig) -> None:
    sources = find_episodes(dataset)
    assert [source.name for source in sources] == ["episode_000", "episode_001", "episode_002"]
    assert [problems(seen(source, source.read(three), three), three) for source in sources] == [[], [], []]
    tables = [source.table(three) for source in sources]
    assert np.array_equal(np.concatenate([table.action for table in tables]), converted.action)
    assert np.array_equal(np.concatenate([table.state for table in tables]), converted.state)
    assert np.cumsum([len(table) for table in tables]).tolist() == converted.episode_ends.tolist()
    shown = np.stack([picture for source in sources for picture in source.pictures("ego")])
    assert np.array_equal(shown, converted.frames["ego"])


@pytest.mark.slow
def test_it_is_checked_and_converted_like_any_other(
    dataset: Path, converted: FrameStore, three: TrainingConfig, tmp_path: Path
) -> None:
    verdict = check(dataset, three)
    assert (verdict.ok, verdict.episodes, verdict.frames) == (True, 3, 33)
    convert(dataset, tmp_path / "data.h5", three, verdict.hash)
    assert np.array_equal(FrameStore.open(tmp_path / "data.h5").frames["ego"], converted.frames["ego"])


def test_reading_leaves_no_second_copy_behind(
    dataset: Path, three: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets.config  # noqa: PLC0415

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    for source in find_episodes(dataset):
        source.table(three)
    assert list(tmp_path.iterdir()) == []


class TestRecordedByLeRobot:
    def test_an_episode_of_a_shared_video_is_its_own_part(self, recorded: Path) -> None:
        whole = reading(recorded)
        _, second = find_episodes(recorded)
        shown = np.stack([*second.pictures("ego")])
        theirs = (whole[16 + 7][EGO].permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)
        assert shown.shape == (16, 480, 640, 3)
        assert np.array_equal(shown[7], theirs)

    def test_columns_go_by_their_names(self, recorded: Path, config: TrainingConfig) -> None:
        first, _ = find_episodes(recorded)
        assert first.table(config).action[0] == pytest.approx([0.1, 0.2, 0.3, 0.4])

    def test_it_is_held_to_the_rules_of_video(self, recorded: Path, config: TrainingConfig) -> None:
        other = config.with_changes({"dataset.video_size": (320, 240)})
        first, _ = find_episodes(recorded)
        assert problems(seen(first, first.read(config), config), config) == []
        assert problems(seen(first, first.read(other), other), other) == [
            "이미지 해상도 불일치 (observation.images.ego 640x480, 기준 320x240)"
        ]

    def test_a_damaged_video_is_refused_though_lerobot_plays_it(
        self, recorded: Path, config: TrainingConfig, tmp_path: Path
    ) -> None:
        copy = shutil.copytree(recorded, tmp_path / "dataset")
        (video,) = copy.rglob("*.mp4")
        content = video.read_bytes()
        video.write_bytes(content[: len(content) * 6 // 10])
        said = [
            each
            for source in find_episodes(copy)
            for each in problems(seen(source, source.read(config), config), config)
        ]
        assert any("observation.images.ego 손상" in each for each in said)


def problems(episode: Episode, config: TrainingConfig) -> list[str]:
    return [each.message for each in problems_of(episode, config) if each.severity == "refuse"]


def rewrite_info(folder: Path, **changes: object) -> None:
    file = folder / "meta" / "info.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def refusals(folder: Path, config: TrainingConfig) -> list[str]:
    return [
        each
        for source in find_episodes(folder)
        for each in problems(seen(source, source.read(config), config), config)
    ]


def test_an_older_version_is_named(copied: Path, three: TrainingConfig) -> None:
    rewrite_info(copied, codebase_version="v2.1")
    assert "LeRobotDataset v2.1, 기준 v3" in refusals(copied, three)


def test_what_does_not_fit_the_config_is_named(copied: Path, three: TrainingConfig) -> None:
    wider = three.with_changes({"model.action_dim": 10, "dataset.camera_names": ("ego", "wrist")})
    assert problems(find_episodes(copied)[0].read(wider), wider) == [
        "LeRobotDataset 형식이 설정과 다름 (action (4,), 기준 (10,))",
        "LeRobotDataset 형식이 설정과 다름 (observation.images.wrist 없음, 기준 (높이, 너비, 3))",
    ]


def test_success_must_be_recorded(copied: Path, three: TrainingConfig) -> None:
    info = json.loads((copied / "meta" / "info.json").read_text())
    features = {name: each for name, each in info["features"].items() if name != "next.success"}
    rewrite_info(copied, features=features)
    said = problems(find_episodes(copied)[0].read(three), three)
    assert len(said) == 1
    assert "success_criteria 없음" in said[0] or "읽기 불가" in said[0]


@pytest.mark.parametrize("damage", ["cut", "noise", "gone"])
def test_damaged_rows_are_refused(copied: Path, three: TrainingConfig, damage: str) -> None:
    (rows,) = (copied / "data").rglob("*.parquet")
    content = rows.read_bytes()
    match damage:
        case "cut":
            rows.write_bytes(content[: len(content) // 2])
        case "noise":
            rows.write_bytes(content[:3000] + bytes(500) + content[3500:])
        case _:
            rows.unlink()
    assert refusals(copied, three)


def test_no_video_is_looked_for_outside_the_data_set(
    recorded: Path, config: TrainingConfig, tmp_path: Path
) -> None:
    copy = shutil.copytree(recorded, tmp_path / "dataset")
    (video,) = copy.rglob("*.mp4")
    video.rename(tmp_path / "elsewhere.mp4")
    rewrite_info(copy, video_path="../elsewhere.mp4")
    first, _ = find_episodes(copy)
    with pytest.raises(VideoError, match="outside"):
        next(iter(first.pictures("ego")))
    read = first.read(config)
    assert [each.message for each in read.damage] == ["observation.images.ego가 데이터 폴더 밖을 가리킴"]
    assert read.cameras == ()


def test_the_command_writes_a_whole_dataset_or_none(
    simulated: Path, three: TrainingConfig, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("dataset: {min_episodes: 4, image_size: [16, 24]}")
    out = tmp_path / "out"
    arguments = ["convert", str(simulated), str(out), "--to", "lerobot", "--config", str(config)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert reading(out).num_episodes == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "out"]
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 2
    assert "is already there" in again.output


def test_a_writer_that_fails_leaves_no_dataset(
    simulated: Path, config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LeRobotDataset, "save_episode", full)
    with pytest.raises(OSError, match="No space"):
        export(simulated, tmp_path / "out", config, "certified")
    assert not (tmp_path / "out").exists()


def test_without_the_extra_it_is_named(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys  # noqa: PLC0415

    monkeypatch.setitem(sys.modules, "lerobot.datasets.dataset_metadata", None)
    with pytest.raises(JobError, match=r"training-claw\[lerobot-dataset\]"):
        find_episodes(dataset)
