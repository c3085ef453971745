"""No picture is decoded twice: a killed conversion goes on, a changed set costs what changed in it."""

import sys
from contextlib import suppress
from pathlib import Path
from shutil import copytree, rmtree
from subprocess import Popen, TimeoutExpired

import numpy as np
import pytest

from protocol.job import Converted
from protocol.training import TrainingConfig
from trainer.checking.check import judge
from trainer.checking.keeping import Keeping
from trainer.checking.surveys import Surveys, survey_key
from trainer.converting.convert import convert
from trainer.converting.draft import draft_of
from trainer.converting.reuse import known_in
from trainer.data.store import FrameStore, checksum_map, frame_maps
from trainer.process.attempt import JobError, Stop
from trainer.simulation.faults import Fault

from .desk import Desk, pictures_of

NO_VIDEO = Fault("missing_video", 0)


EACH_ONCE = ["episode_000", "episode_001", "episode_002", "episode_003"]


class TestWhatIsCheckedIsDecodedOnce:
    def test_the_conversion_finds_all_pictures_there(
        self, folder: Path, desk: Desk, plain: np.ndarray, here: list[str]
    ) -> None:
        verdict = desk.check(folder).verdict
        assert verdict.ok
        assert not desk.output.exists()
        assert np.array_equal(desk.convert(folder, verdict), plain)
        assert here == EACH_ONCE

    def test_a_set_handed_over_again_costs_what_changed_in_it(
        self, folder: Path, desk: Desk, here: list[str]
    ) -> None:
        good = (folder / "episode_001" / "ego.mp4").read_bytes()
        Fault("damaged_video", 1).spoil(folder / "episode_001")
        assert not desk.check(folder).verdict.ok
        here.clear()
        (folder / "episode_001" / "ego.mp4").write_bytes(good)
        verdict = desk.check(folder).verdict
        assert verdict.ok
        desk.convert(folder, verdict)
        assert here == ["episode_001"]

    @pytest.mark.usefixtures("here")
    def test_a_verdict_is_the_same_whether_seen_now_or_remembered(self, folder: Path, desk: Desk) -> None:
        Fault("black_frames", 2).spoil(folder / "episode_002")
        Fault("wrong_fps", 3).spoil(folder / "episode_003")
        first = desk.check(folder).verdict
        assert {each.check for each in first.problems} >= {"blank", "fps"}
        assert desk.check(folder).verdict == first == judge(folder, desk.config).verdict

    def test_damage_is_looked_at_every_time(self, folder: Path, desk: Desk, here: list[str]) -> None:
        Fault("flipped_bit", 1).spoil(folder / "episode_001")
        first = desk.check(folder).verdict
        here.clear()
        assert desk.check(folder).verdict == first
        assert here == ["episode_001"]

    def test_a_lesson_s_cut_and_exclusion_cost_no_decoding(
        self, folder: Path, desk: Desk, plain: np.ndarray, here: list[str]
    ) -> None:
        desk.convert(folder, desk.check(folder).verdict)
        lesson = {"dataset.skip_first_frames": 3, "dataset.exclude_episodes": ("episode_001",)}
        after = Desk(desk.path, desk.config.with_changes({**lesson, "dataset.min_episodes": 3}))
        here.clear()
        pictures = after.convert(folder, after.check(folder).verdict)
        assert here == []
        assert np.array_equal(pictures, np.concatenate([plain[at + 3 : at + 16] for at in (0, 32, 48)]))

    def test_what_stands_already_is_neither_made_nor_copied_again(
        self, folder: Path, desk: Desk, here: list[str]
    ) -> None:
        desk.convert(folder, desk.check(folder).verdict)
        written = desk.output.stat().st_ino
        verdict = desk.check(folder).verdict
        assert not draft_of(desk.output).exists()
        desk.convert(folder, verdict)
        assert (desk.output.stat().st_ino, here) == (written, EACH_ONCE)

    def test_what_a_lesson_gives_back_is_decoded_again(
        self, folder: Path, desk: Desk, plain: np.ndarray, here: list[str]
    ) -> None:
        cut = Desk(desk.path, desk.config.with_changes({"dataset.skip_last_frames": 5}))
        cut.convert(folder, cut.check(folder).verdict)
        here.clear()
        assert np.array_equal(desk.convert(folder, desk.check(folder).verdict), plain)
        assert here == EACH_ONCE

    def test_a_stopped_check_goes_on_where_it_was(
        self, folder: Path, desk: Desk, plain: np.ndarray, here: list[str]
    ) -> None:
        stop = Stop()

        def stop_after_two(done: int, total: int) -> None:
            stop.asked = done == 2

        with pytest.raises(JobError, match="stopped"):
            desk.check(folder, stop, told=stop_after_two)
        assert np.array_equal(desk.convert(folder, desk.check(folder).verdict), plain)
        assert here == EACH_ONCE

    def test_an_earlier_run_s_pictures_are_taken_over(
        self, folder: Path, desk: Desk, plain: np.ndarray, here: list[str]
    ) -> None:
        desk.convert(folder, desk.check(folder).verdict)
        here.clear()
        later = Desk(folder.parent / "next", desk.config)
        verdict = later.check(folder, earlier=(desk.output,)).verdict
        assert np.array_equal(later.convert(folder, verdict), plain)
        assert here == []

    @pytest.mark.usefixtures("here")
    def test_an_episode_that_does_not_fit_takes_nobody_s_place(self, folder: Path, desk: Desk) -> None:
        for number, fault in enumerate(("frame_count", "missing_actions", "nan")):
            Fault(fault, number).spoil(folder / f"episode_{number:03d}")
        verdict = desk.check(folder).verdict
        assert {each.check for each in verdict.problems if each.severity == "refuse"} == {
            *("frame_count", "readable", "finite")
        }
        draft = draft_of(desk.output)
        assert [bool(each) for each in checksum_map(draft)[:, 0]] == [False, True, True]
        assert [path.name for path in desk.path.iterdir() if path.suffix == ".h5"] == []

    @pytest.mark.usefixtures("here")
    def test_without_room_for_it_the_verdict_still_comes(self, folder: Path, desk: Desk) -> None:
        desk.path.write_text("no folder")
        assert judge(folder, desk.config, keeping=Keeping(desk.output)).verdict.ok


def test_no_survey_is_taken_for_that_of_another_part_of_a_file(tmp_path: Path) -> None:
    assert len({survey_key("content", *more) for more in (("ego", "", 30), ("ego", "episode_001", 30))}) == 2
    assert survey_key("", "ego", "", 30) == ""
    assert Surveys(tmp_path).find("nothing") is None
    (tmp_path / "half.json").write_text('{"name": ')
    assert Surveys(tmp_path).find("half") is None


def test_only_what_is_still_looked_for_is_remembered(folder: Path, desk: Desk, here: list[str]) -> None:
    desk.check(folder)
    rmtree(folder / "episode_003")
    desk.check(folder)
    assert len(list((desk.path / "surveys").iterdir())) == 3
    assert here == EACH_ONCE


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


def test_other_sizes_are_other_pictures(folder: Path, config: TrainingConfig, here: list[str]) -> None:
    output = folder.parent / "data.h5"
    convert(folder, output, config, "certified")
    convert(folder, output, config.with_changes({"dataset.skip_first_frames": 2}), "certified")
    assert len(here) == 4
    convert(folder, output, config.with_changes({"dataset.image_size": (32, 32)}), "certified")
    assert len(here) == 8


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
        "from trainer.converting.convert import convert;"
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
