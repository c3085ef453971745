"""Every fault is found, at its episode; nothing else is refused."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.job import Checked, Problem
from protocol.training import TrainingConfig
from trainer.checking.agreement import metadata_frames
from trainer.checking.check import check
from trainer.checking.checks import (
    episode_count,
    finite,
    frame_rate,
    success_criteria,
    verdicts_of,
)
from trainer.checking.findings import constant_channels
from trainer.checking.tally import tally
from trainer.data.episode import Episode, kept_frames
from trainer.data.episodes import find_episodes
from trainer.data.rows import Table
from trainer.data.video import Footage
from trainer.process.attempt import JobError, Stop

from .desk import hash_folder

CARD = TrainingConfig()


def refused(verdict: Checked) -> list[Problem]:
    return [problem for problem in verdict.problems if problem.severity == "refuse"]


def test_a_good_set_is_admitted(simulated: Path, config: TrainingConfig) -> None:
    heard: list[tuple[int, int]] = []
    verdict = check(simulated, config, told=lambda done, total: heard.append((done, total)))
    assert verdict == Checked(ok=True, episodes=4, frames=64, hash=hash_folder(simulated))
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_card_s_fifty_episodes_are_asked_for(simulated: Path) -> None:
    assert list(episode_count(50, CARD)) == []
    (problem,) = episode_count(48, CARD)
    assert (problem.message, problem.episode) == ("에피소드 수 부족 (48개, 최소 50개)", None)


def test_checks_hold_for_what_remains(spoiled: Callable[[str], Path], config: TrainingConfig) -> None:
    folder = spoiled("nan")
    without = config.with_changes({"dataset.exclude_episodes": ("episode_002", "episode_077")})
    verdict = check(folder, without)
    assert [problem.message for problem in refused(verdict)] == ["에피소드 수 부족 (3개, 최소 4개)"]
    assert (verdict.episodes, verdict.frames) == (3, 48)
    absent = ("excluded_names", "제외할 에피소드가 없음 (episode_077)")  # the bot counts by the check's name
    assert absent in {(problem.check, problem.message) for problem in verdict.problems}
    behind = check(folder, config.with_changes({"dataset.skip_first_frames": 9}))
    assert (behind.ok, behind.frames) == (True, 4 * 7)


def test_a_value_that_float32_cannot_hold_is_refused_as_what_it_is() -> None:
    state = np.zeros((3, 4))
    state[1:, 0] = 1e39, -1e300  # both would be infinite where they are trained on
    frames = np.array([0.0, 1.0, 2.0])
    table = Table(frames, frames / 30, np.zeros((3, 4)), state)
    (problem,) = finite(Episode("episode_000", table=table), CARD)
    assert (problem.message, problem.frame) == ("너무 큰 값 (loader_x 1e+39, 프레임 1 외 1개)", 1)


def test_a_cut_that_leaves_nothing_is_a_problem(simulated: Path, config: TrainingConfig) -> None:
    verdict = check(simulated, config.with_changes({"dataset.skip_first_frames": 16}))
    assert {problem.message for problem in refused(verdict)} == {
        "남는 프레임 없음 (16프레임, 앞 16 뒤 0프레임 제외)"
    }


def test_a_folder_without_episodes_is_refused(tmp_path: Path) -> None:
    for folder, message in ((tmp_path, "에피소드 없음"), (tmp_path / "nowhere", "데이터 폴더 없음")):
        verdict = check(folder, CARD)
        assert not verdict.ok
        assert [problem.message for problem in verdict.problems] == [message]


def test_a_stop_is_heard_while_checking(simulated: Path, config: TrainingConfig) -> None:
    with pytest.raises(JobError, match="stopped"):
        check(simulated, config, stop=Stop(asked=True))


def test_the_hash_is_of_names_and_contents(simulated: Path, tmp_path: Path) -> None:
    copy = copytree(simulated, tmp_path / "copy")
    assert hash_folder(copy) == hash_folder(simulated)
    (copy / ".listing").write_text("not part of it")
    assert hash_folder(copy) == hash_folder(simulated)
    (copy / "episode_000").rename(copy / "episode_009")
    assert hash_folder(copy) != hash_folder(simulated)


def test_episodes_are_found_at_any_depth_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("a/episode_10", "a/episode_9", "b/episode_9", ".trash/episode_1", "notes"):
        (tmp_path / name).mkdir(parents=True)
    assert [source.name for source in find_episodes(tmp_path)] == ["a/episode_9", "episode_10", "b/episode_9"]


@pytest.mark.parametrize(
    ("recorded", "verdicts"),
    [
        (True, {"": True}),
        ({"description": "all", "met": False}, {"": False}),
        ({"reached": True, "loaded": False}, {"reached": True, "loaded": False}),
        ({"reached": {"passed": True}}, {"reached": True}),
        ([{"name": "loaded", "met": False}, {"met": True}], {"loaded": False, "2": True}),
        ("all blocks collected", {}),
        ({"legos": 12}, {}),
    ],
)
def test_success_is_recorded_in_many_ways(recorded: object, verdicts: dict[str, bool]) -> None:
    assert verdicts_of(recorded) == verdicts


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        (
            {"success_criteria": {"reached": True, "loaded": False}},
            [("refuse", "success_criteria 미충족 (loaded)")],
        ),
        ({"success_criteria": {"met": True}, "success": False}, [("refuse", "success_criteria 미충족")]),
        ({"success_criteria": None}, [("refuse", "success_criteria 없음")]),
        ({}, [("refuse", "success_criteria 없음")]),
        ({"success_criteria": "모두 수거", "success": True}, []),
        ({"success_criteria": "모두 수거"}, [("warn", "success_criteria 형식을 알 수 없음 (모두 수거)")]),
    ],
)
def test_success_that_is_missing_or_unmet_refuses_and_an_unknown_form_warns(
    metadata: dict[str, Any], said: list[tuple[str, str]]
) -> None:
    found = success_criteria(Episode("episode_000", metadata=metadata), CARD)
    assert [(problem.severity, problem.message) for problem in found] == said


def test_a_variable_frame_rate_is_refused() -> None:
    times = np.arange(30) / 30
    times[10] += 0.02
    video = Footage("ego.mp4", times, ((640, 480),), 30.0)
    (problem,) = frame_rate(Episode("episode_000", footage=(video,)), CARD)
    assert problem.message == "프레임 간격 불균일 (ego.mp4, 프레임 10)"


def test_timestamps_rounded_to_milliseconds_are_even() -> None:
    video = Footage("ego.mp4", np.round(np.arange(300) / 30, 3), ((640, 480),), 30.0)
    assert list(frame_rate(Episode("episode_000", footage=(video,)), CARD)) == []


def test_a_channel_that_never_moves_warns_and_refuses_where_the_config_says_so() -> None:
    values = np.random.default_rng(0).uniform(-1, 1, (30, 8))
    values[:, 2] = 0
    (problem,) = constant_channels(tally(values), CARD)
    assert problem.severity == "warn"
    assert problem.message.startswith("bucket 값이 모든 프레임에서 같음 (0)")
    strict = CARD.with_changes({"dataset.refuse_on": ("constant_channels",)})
    assert [each.severity for each in constant_channels(tally(values), strict)] == ["refuse"]


def test_metadata_that_counts_otherwise_warns(simulated: Path, config: TrainingConfig) -> None:
    episode = find_episodes(simulated)[0].read(config)
    told = Episode(episode.name, metadata={"frames": 15}, table=episode.table)
    assert [problem.severity for problem in metadata_frames(told, config)] == ["warn"]


@given(st.integers(0, 500), st.integers(0, 300), st.integers(0, 300))
def test_a_cut_takes_head_and_tail_and_nothing_else(frames: int, first: int, last: int) -> None:
    config = CARD.with_changes({"dataset.skip_first_frames": first, "dataset.skip_last_frames": last})
    remaining = list(kept_frames(frames, config))
    assert remaining == list(range(frames))[first : max(frames - last, 0)]
