"""No picture is decoded twice: a killed conversion goes on, a changed set costs what changed in it."""

import sys
from contextlib import suppress
from pathlib import Path
from shutil import copytree
from subprocess import Popen, TimeoutExpired

import numpy as np
import pytest

from protocol.job import Converted
from protocol.training import TrainingConfig
from trainer import convert as conversion
from trainer.attempt import JobError, Stop
from trainer.convert import convert
from trainer.faults import Fault
from trainer.reuse import known_in
from trainer.store import FrameStore, checksum_map, frame_maps

NO_VIDEO = Fault("missing_video", 0)


@pytest.fixture
def folder(simulated: Path, tmp_path: Path) -> Path:
    return copytree(simulated, tmp_path / "set")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All work is done in this process, which counts the episodes that are decoded."""
    decoded: list[str] = []
    pictures = conversion._small_pictures

    def counting(place, camera, config):
        decoded.append(place.source.name)
        return pictures(place, camera, config)

    def in_order(work, items, *, stop, told):
        for done, item in enumerate(items, start=1):
            stop.leave_if_asked()
            work(item)
            told(done, len(items))

    monkeypatch.setattr(conversion, "_small_pictures", counting)
    monkeypatch.setattr(conversion, "in_processes", in_order)
    return decoded


def pictures_of(path: Path) -> np.ndarray:
    return FrameStore.open(path).frames["ego"].copy()


def test_the_same_data_is_not_converted_twice(folder: Path, config: TrainingConfig, here: list[str]) -> None:
    output = folder.parent / "data.h5"
    first = convert(folder, output, config, "certified")
    written = output.stat().st_ino
    assert len(here) == 4
    heard: list[tuple[int, int]] = []
    again = convert(folder, output, config, "certified", told=lambda *so_far: heard.append(so_far))
    assert first == again == Converted(episodes=4, frames=64, output=output)
    assert (len(here), output.stat().st_ino, heard) == (4, written, [(4, 4)])


def test_only_what_changed_is_decoded(folder: Path, config: TrainingConfig, here: list[str]) -> None:
    output = folder.parent / "data.h5"
    convert(folder, output, config, "certified")
    before = pictures_of(output)
    Fault("black_frames", 1).spoil(folder / "episode_001")
    convert(folder, output, config, "certified anew")
    assert here[4:] == ["episode_001"]
    store = FrameStore.open(output)
    assert store.certificate == "certified anew"
    same = (store.frames["ego"] == before).all(axis=(1, 2, 3))
    assert same[:16].all()
    assert not same[24:27].any()
    assert same[32:].all()


def test_other_cuts_and_sizes_are_other_pictures(
    folder: Path, config: TrainingConfig, here: list[str]
) -> None:
    output = folder.parent / "data.h5"
    convert(folder, output, config, "certified")
    convert(folder, output, config.with_changes({"dataset.skip_first_frames": 2}), "certified")
    assert len(here) == 8
    convert(folder, output, config.with_changes({"dataset.image_size": (32, 32)}), "certified")
    assert len(here) == 12


def test_a_stopped_conversion_goes_on_where_it_was(
    folder: Path, config: TrainingConfig, here: list[str]
) -> None:
    output = folder.parent / "data.h5"
    stop = Stop()

    def stop_after_two(done: int, total: int) -> None:
        stop.asked = done == 2

    with pytest.raises(JobError, match="stopped"):
        convert(folder, output, config, "certified", stop=stop, told=stop_after_two)
    assert not output.exists()
    convert(folder, output, config, "certified")
    assert here == ["episode_000", "episode_001", "episode_002", "episode_003"]
    assert sorted(path.name for path in folder.parent.iterdir()) == ["data.h5", "set"]
    whole = folder.parent / "whole.h5"
    convert(folder, whole, config, "certified")
    assert np.array_equal(pictures_of(output), pictures_of(whole))


def test_what_rotted_since_is_decoded_again(folder: Path, config: TrainingConfig, here: list[str]) -> None:
    output = folder.parent / "data.h5"
    convert(folder, output, config, "certified")
    good = pictures_of(output)
    frame_maps(output, "r+")["ego"][20, 0, 0, 0] ^= 1
    convert(folder, output, config, "certified")
    assert here[4:] == ["episode_001"]
    assert np.array_equal(pictures_of(output), good)


def test_what_is_no_file_of_ours_is_not_looked_for_pictures(folder: Path, config: TrainingConfig) -> None:
    (folder.parent / "data.h5").write_bytes(b"not HDF5")
    (folder.parent / ".data.h5.tmp").write_bytes(b"nor this")
    assert known_in(folder.parent / "data.h5").places == {}
    convert(folder, folder.parent / "data.h5", config, "certified")
    assert FrameStore.open(folder.parent / "data.h5").num_frames == 64


def test_a_conversion_that_fails_leaves_nothing_behind(
    folder: Path, config: TrainingConfig, here: list[str]
) -> None:
    NO_VIDEO.spoil(folder / "episode_000")
    with pytest.raises(JobError, match="episode_000: ego"):
        convert(folder, folder.parent / "data.h5", config, "certified")
    assert [path.name for path in folder.parent.iterdir()] == ["set"]


def begun(unfinished: Path) -> bool:
    """Whether at least one episode is written."""
    try:
        return bool(checksum_map(unfinished).any())
    except (OSError, KeyError, ValueError):  # not there yet, or in the making
        return False


@pytest.mark.slow
def test_a_killed_conversion_goes_on_where_it_was(
    simulated: Path, config: TrainingConfig, here: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    for number in range(32):
        copytree(simulated / f"episode_{number % 4:03d}", folder / f"episode_{number:03d}")
    script = (
        "import sys; from pathlib import Path; from protocol.training import TrainingConfig;"
        "from trainer.convert import convert;"
        "config = TrainingConfig.model_validate_json(sys.argv[3]);"
        "convert(Path(sys.argv[1]), Path(sys.argv[2]), config, 'certified')"
    )
    output = tmp_path / "data.h5"
    command = [sys.executable, "-c", script, folder, output, config.model_dump_json()]
    with Popen(command, cwd=Path(__file__).parents[3]) as process:
        while not begun(tmp_path / ".data.h5.tmp") and process.poll() is None:
            with suppress(TimeoutExpired):
                process.wait(0.01)
        process.kill()
    convert(folder, output, config, "certified")
    assert len(here) < 32
    four = convert(simulated, tmp_path / "four.h5", config, "certified")
    assert np.array_equal(pictures_of(output), np.tile(pictures_of(four.output), (8, 1, 1, 1)))
