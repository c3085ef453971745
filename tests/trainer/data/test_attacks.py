"""Damage of any strength at any place is found there; data that is only unusual is let through."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benches.false_alarms import encode
from protocol.job import Checked
from protocol.training import TrainingConfig
from trainer.checking.check import check
from trainer.checking.checks import problems_of
from trainer.checking.examine import Subject, examine
from trainer.checking.findings import duplicates, held, saturated
from trainer.checking.likeness import lookalikes, motion
from trainer.checking.reading import Part, read_part
from trainer.checking.surveys import Surveys
from trainer.checking.tally import tally
from trainer.data.episode import Episode
from trainer.data.episodes import find_episodes
from trainer.data.looks import Looks
from trainer.data.rows import RowError, Table, read_table
from trainer.data.tree import look_through, shown
from trainer.data.video import Footage, VideoError, survey
from trainer.simulation.video_faults import planes_of

from .desk import hash_folder

CARD = TrainingConfig()
FRAMES = 40
SIZE = (640, 480)
FRAME = st.integers(0, FRAMES - 1)
LARGEST = float(np.finfo(np.float32).max)
"""Above it a value is not finite where it is learned from, and another check's."""
CHANNEL = st.integers(0, 7)
NAMES = (*CARD.action_names, *CARD.state_names)


def good_episode() -> Episode:
    rng = np.random.default_rng(5)
    clock = np.array([frame / 30 for frame in range(FRAMES)])
    table = Table(
        np.array(range(FRAMES), np.float64),
        clock,
        rng.uniform(-1, 1, (FRAMES, 4)),
        rng.normal(size=(FRAMES, 4)),
    )
    looks = Looks(np.r_[np.inf, np.full(FRAMES - 1, 3.0)], np.full(FRAMES, 40.0), np.full(FRAMES, 0.1))
    video = Footage("ego.mp4", clock, ((640, 480),), 30.0, FRAMES, FRAMES, looks)
    return Episode("episode_000", {"success_criteria": True}, table, (video,))


GOOD = good_episode()


def with_value(episode: Episode, frame: int, channel: int, value: float) -> Episode:
    assert episode.table is not None
    action, state = episode.table.action.copy(), episode.table.state.copy()
    (action if channel < 4 else state)[frame, channel % 4] = value
    return replace(episode, table=replace(episode.table, action=action, state=state))


def found(episode: Episode, config: TrainingConfig = CARD) -> list[tuple[str, int | None]]:
    return [(problem.check, problem.frame) for problem in problems_of(episode, config)]


def test_a_good_episode_has_no_problem() -> None:
    assert found(GOOD) == []


@given(FRAME, CHANNEL, st.sampled_from([np.nan, np.inf, -np.inf]))
def test_what_is_not_finite_is_found_where_it_is(frame: int, channel: int, value: float) -> None:
    assert found(with_value(GOOD, frame, channel, value)) == [("finite", frame)]


@given(FRAME, st.integers(0, 3), st.floats(1, LARGEST, exclude_min=True), st.sampled_from([-1, 1]))
def test_the_least_step_out_of_range_is_found_where_it_is(
    frame: int, channel: int, value: float, sign: int
) -> None:
    assert found(with_value(GOOD, frame, channel, sign * value)) == [("action_range", frame)]


@given(FRAME, CHANNEL, st.integers(0, 30), st.integers(0, 30))
def test_what_a_cut_removes_is_nobody_s_problem(frame: int, channel: int, first: int, last: int) -> None:
    config = CARD.with_changes({"dataset.skip_first_frames": first, "dataset.skip_last_frames": last})
    remains = first <= frame < FRAMES - last
    checks = found(with_value(GOOD, frame, channel, np.nan), config)
    assert (("finite", frame) in checks) is remains


@given(FRAME, st.integers(10, FRAMES))
def test_a_picture_that_stands_still_is_found_where_it_begins(start: int, length: int) -> None:
    end = min(start + length, FRAMES)
    looks = GOOD.footage[0].looks
    change, stirred = looks.change.copy(), looks.stirred.copy()
    change[start + 1 : end], stirred[start + 1 : end] = 0.0, 0.0
    video = replace(GOOD.footage[0], looks=replace(looks, change=change, stirred=stirred))
    checks = found(replace(GOOD, footage=(video,)))
    assert (("frozen", start + 1) in checks) is (end - start - 1 >= CARD.dataset.frozen_frames)


def test_a_picture_may_stand_still_while_the_loader_does() -> None:
    assert GOOD.table is not None
    still = replace(GOOD.footage[0], looks=Looks(np.zeros(FRAMES), np.full(FRAMES, 40.0), np.zeros(FRAMES)))
    parked = replace(GOOD.table, state=np.ones((FRAMES, 4)))
    assert found(replace(GOOD, table=parked, footage=(still,))) == []


@given(st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_rows_cut_at_any_byte_are_fewer_or_unreadable(
    simulated: Path, tmp_path: Path, data: st.DataObject
) -> None:
    whole = (simulated / "episode_000" / "actions.jsonl").read_bytes()
    path = tmp_path / "actions.jsonl"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 2))])
    try:
        rows = len(read_table(path, {}, CARD))
    except RowError as error:
        rows = error.line - 1
    assert rows == path.read_bytes().count(b"}\n") + path.read_bytes().endswith(b"}")


@given(st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_video_cut_at_any_byte_is_refused(simulated: Path, tmp_path: Path, data: st.DataObject) -> None:
    whole = (simulated / "episode_000" / "ego.mp4").read_bytes()
    path = tmp_path / "ego.mp4"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(VideoError):
        survey(path)


# --- the set as a whole -----------------------------------------------------------


def test_a_channel_at_its_bound_or_with_one_value_is_named() -> None:
    values = np.random.default_rng(0).uniform(-0.9, 0.9, (200, 8))
    values[:190, 1], values[:198, 3] = 1.0, 0.25
    assert [each.message for each in saturated(tally(values), CARD)] == [
        "throttle 값이 95% 프레임에서 ±1에 포화됨"
    ]
    assert [each.message for each in held(tally(values), CARD)] == [
        "lift 값이 99.0% 프레임에서 0.25로 고정됨"
    ]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_a_tally_of_parts_is_the_tally_of_the_whole(lengths: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [rng.uniform(-1, 1, (length, 3)) for length in lengths]
    together = tally(parts[0])
    for part in parts[1:]:
        together += tally(part)
    whole = tally(np.concatenate(parts))
    assert together.count == whole.count
    for mine, expected in zip(
        (together.low, together.high, together.mean, together.std, together.histogram),
        (whole.low, whole.high, whole.mean, whole.std, whole.histogram),
        strict=True,
    ):
        np.testing.assert_allclose(mine, expected, atol=1e-12)


def test_episodes_that_share_a_part_are_named_once_each() -> None:
    contents = {
        "a": ["ego.mp4:1", "actions.jsonl:2"],
        "b": ["ego.mp4:3", "actions.jsonl:2"],
        "c": ["ego.mp4:4"],
    }
    (problem,) = duplicates(contents, CARD)
    assert (problem.episode, problem.message) == ("b", "a와 내용이 같음 (actions.jsonl)")


def grows(path: Path) -> None:
    with path.open("a") as file:
        file.write("\n")


@pytest.mark.parametrize(
    "meanwhile", [grows, Path.unlink, Path.touch], ids=["grows", "vanishes", "is saved anew"]
)
def test_a_file_that_changes_while_it_is_read_is_refused(
    simulated: Path, tmp_path: Path, meanwhile: Callable[[Path], None]
) -> None:
    rows = copytree(simulated / "episode_000", tmp_path / "episode_000") / "actions.jsonl"
    (source,) = find_episodes(tmp_path)

    part = Part(source, {"episode_000/actions.jsonl": rows}, {})
    reading = read_part(CARD, part)
    meanwhile(rows)
    assert [each.message for each in examine(CARD, Surveys(), Subject(reading)).problems] == [
        "검증하는 동안 파일이 바뀜 (actions.jsonl)"
    ]


def test_an_episode_that_is_a_link_out_of_the_set_is_refused(
    simulated: Path, config: TrainingConfig, tmp_path: Path
) -> None:
    folder = copytree(simulated, tmp_path / "set")
    (folder / "episode_009").symlink_to(simulated / "episode_000")
    (folder / "round").symlink_to(folder)
    verdict = check(folder, config)
    assert [(each.episode, each.message) for each in verdict.problems] == [
        ("episode_009", "데이터 폴더 밖을 가리키는 링크")
    ]


def test_a_link_within_the_set_is_followed_and_counts_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("same")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    linked = hash_folder(tmp_path)
    (tmp_path / "b").unlink()
    (tmp_path / "b").write_text("same")
    assert hash_folder(tmp_path) == linked


def test_a_name_that_is_no_text_can_be_shown(tmp_path: Path) -> None:
    (tmp_path / "bad\udcff").write_text("")
    tree = look_through(tmp_path)
    assert [(shown(name), why) for name, why in tree.astray.items()] == [("bad\\udcff", "쓸 수 없는 이름")]
    assert len(hash_folder(tmp_path)) == 64


@pytest.mark.parametrize("name", ["bad\udcff", "two\nlines"])
def test_an_episode_whose_folder_s_name_is_no_text_is_refused_in_words_that_can_be_sent(
    simulated: Path, config: TrainingConfig, tmp_path: Path, name: str
) -> None:
    folder = copytree(simulated, tmp_path / "set")
    copytree(simulated / "episode_000", folder / name)
    verdict = check(folder, config)
    assert {each.episode for each in verdict.problems if each.check == "astray"} == {shown(name)}
    assert Checked.model_validate_json(verdict.model_dump_json()) == verdict


# --- no false alarm -----------------------------------------------------------------

ENCODERS = [
    ("libx264", {"preset": "medium", "bf": "3", "g": "12", "crf": "18"}),
    ("libx264", {"preset": "veryfast", "g": "1", "crf": "35"}),
    ("mpeg4", {"q:v": "3", "g": "10", "bf": "2"}),
    ("libsvtav1", {"preset": "12", "crf": "45"}),
]


@pytest.mark.parametrize(("codec", "options"), ENCODERS, ids=lambda value: str(value)[:24])
def test_other_encoders_raise_no_alarm(
    simulated: Path,
    spoiled: Callable[[str], Path],
    config: TrainingConfig,
    tmp_path: Path,
    codec: str,
    options: dict[str, str],
) -> None:
    folder = copytree(simulated, tmp_path / "set")
    for episode in folder.iterdir():
        encode(episode / "ego.mp4", planes_of(episode / "ego.mp4", *SIZE), codec, options, SIZE)
    verdict = check(folder, config)
    assert (verdict.ok, verdict.problems) == (True, ())


# --- one episode, filmed once, handed in twice ----------------------------------------


def test_a_copy_of_other_size_or_bitrate_is_known_again_and_another_episode_is_not(
    simulated: Path, config: TrainingConfig, tmp_path: Path
) -> None:
    folder = copytree(simulated, tmp_path / "set")
    copy = copytree(simulated / "episode_001", folder / "episode_007")
    planes = planes_of(copy / "ego.mp4", *SIZE)
    encode(copy / "ego.mp4", planes, "libx264", {"crf": "38", "preset": "ultrafast"}, SIZE)
    said = [each.message for each in check(folder, config).problems if "영상이" in each.message]
    assert len(said) == 1
    assert said[0].startswith("episode_001와 영상이 거의 같음 (ego.mp4, 밝기 차이 평균 0.")
    strict = config.with_changes({"dataset.alike_levels": 0.0})
    assert not [each for each in check(folder, strict).problems if "영상이" in each.message]


def test_scenes_in_which_nothing_moves_are_not_taken_for_one_another() -> None:
    still = np.random.default_rng(0).uniform(0, 255, 48)[None].repeat(16, axis=0)
    seen = {"a": {"ego.mp4": still}, "b": {"ego.mp4": still + 0.2}}
    assert list(lookalikes(seen, {"a": ["ego.mp4:1"], "b": ["ego.mp4:2"]}, CARD)) == []
    assert motion(np.empty((0, 48))) == 0
