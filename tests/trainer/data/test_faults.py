"""Every fault of the catalogue is found, at its episode, in words its owner understands."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from protocol.job import Checked, Problem
from protocol.training import TrainingConfig
from trainer.checking.check import check
from trainer.simulation.faults import FAULTS, Fault, catalogue

FOUND = {
    "frame_count": ("frame_count", "프레임 수 불일치 (비디오 16프레임, 액션 14프레임)"),
    "extra_actions": ("frame_count", "프레임 수 불일치 (비디오 16프레임, 액션 18프레임)"),
    "frame_gap": ("frame_numbers", "프레임 번호 불연속 (프레임 7 다음 9)"),
    "frame_from_one": ("frame_numbers", "프레임 번호가 0부터 시작하지 않음 (1부터)"),
    "frame_repeated": ("frame_numbers", "프레임 번호 불연속 (프레임 7 다음 7)"),
    "frames_swapped": ("frame_numbers", "프레임 번호 불연속 (프레임 7 다음 9)"),
    "wrong_log_fps": ("fps", "fps 불일치 (actions.jsonl 25fps, 기준 30fps)"),
    "uneven_log": ("timestamps", "프레임 간격 불균일 (actions.jsonl, 프레임 8)"),
    "wandering_log": ("synchrony", "ego.mp4와 actions.jsonl의 시각이 어긋남 (프레임 9, -0.020초)"),
    "backward_log": ("fps", "fps 불일치 (actions.jsonl 45fps, 기준 30fps)"),
    "nan": ("finite", "NaN/Inf 값 (steering, 프레임 8)"),
    "inf": ("finite", "NaN/Inf 값 (loader_x, 프레임 8)"),
    "huge_number": ("finite", "NaN/Inf 값 (loader_z, 프레임 8)"),
    "out_of_range": ("action_range", "액션 값 범위 초과 (throttle 1.5, 프레임 8)"),
    "below_range": ("action_range", "액션 값 범위 초과 (lift -1.001, 프레임 8)"),
    "text_value": ("numbers", "숫자가 아닌 값 (steering 'left', 프레임 8)"),
    "quoted_number": ("numbers", "숫자가 아닌 값 (bucket '0.5', 프레임 8)"),
    "null_value": ("numbers", "숫자가 아닌 값 (loader_rotation None, 프레임 8)"),
    "true_value": ("numbers", "숫자가 아닌 값 (lift True, 프레임 8)"),
    "missing_field": ("row_form", "actions.jsonl 형식을 알 수 없음 (9번째 줄에 lift 없음, 예: "),
    "unknown_row": ("row_form", "actions.jsonl 형식을 알 수 없음 (1번째 줄에 steering, "),
    "list_row": ("row_form", "actions.jsonl 형식을 알 수 없음 (9번째 줄에 steering, "),
    "broken_row": ("readable", "actions.jsonl 읽기 불가 (16번째 줄: 중간에 끊김)"),
    "broken_middle_row": ("readable", "actions.jsonl 읽기 불가 (9번째 줄: JSON이 아님)"),
    "merged_rows": ("readable", "actions.jsonl 읽기 불가 (9번째 줄: JSON이 아님)"),
    "duplicate_key": ("readable", "actions.jsonl 읽기 불가 (9번째 줄: 키 중복 (steering))"),
    "huge_line": ("readable", "actions.jsonl 읽기 불가 (9번째 줄: 너무 긺, 100"),
    "deep_row": ("readable", "actions.jsonl 읽기 불가 (9번째 줄: JSON이 아님)"),
    "not_utf8": ("readable", "actions.jsonl 읽기 불가 (9번째 줄: UTF-8이 아님)"),
    "zero_bytes": ("readable", "actions.jsonl 읽기 불가 (9번째 줄: JSON이 아님)"),
    "bom": ("readable", "actions.jsonl 읽기 불가 (1번째 줄: UTF-8 BOM으로 시작함)"),
    "empty_actions": ("frame_count", "프레임 수 불일치 (비디오 16프레임, 액션 0프레임)"),
    "missing_actions": ("readable", "actions.jsonl 없음"),
    "pipe_actions": ("astray", "일반 파일이 아님 (actions.jsonl)"),
    "wrong_size": ("resolution", "이미지 해상도 불일치 (ego.mp4 320x240, 기준 640x480)"),
    "huge_picture": ("readable", "ego.mp4 너무 큼 (8192x4320), 디코딩하지 않음"),
    "wrong_fps": ("fps", "fps 불일치 (ego.mp4 25fps, 기준 30fps)"),
    "lost_frames": ("frame_count", "프레임 수 불일치 (비디오 13프레임, 액션 16프레임)"),
    "frozen_video": ("frozen", "정지 화면 (ego.mp4, 프레임 5–15, 그동안 state는 변함)"),
    "repeated_frames": ("repeated", "같은 화면 반복 (ego.mp4, 움직이는 프레임의 "),
    "black_frames": ("blank", "단색 화면 (ego.mp4, 프레임 8 외 2개)"),
    "late_frame": ("timestamps", "프레임 간격 불균일 (ego.mp4, 프레임 8)"),
    "truncated_video": ("readable", "ego.mp4 손상 (프레임 "),
    "last_byte_lost": ("readable", "ego.mp4 손상 (프레임 15부터 디코딩 불가)"),
    "no_index": ("readable", "ego.mp4 손상 (프레임 0부터 디코딩 불가)"),
    "damaged_video": ("readable", "ego.mp4 손상 (프레임 "),
    "noisy_video": ("readable", "ego.mp4 손상 (프레임 "),
    "flipped_bit": ("readable", "ego.mp4 손상 (프레임 0부터 디코딩 불가)"),
    "empty_video": ("readable", "ego.mp4 손상 (프레임 0부터 디코딩 불가)"),
    "text_video": ("readable", "ego.mp4 손상 (프레임 0부터 디코딩 불가)"),
    "playlist_video": ("readable", "ego.mp4 손상 (프레임 0부터 디코딩 불가)"),
    "missing_video": ("readable", "ego.mp4 없음"),
    "missing_metadata": ("readable", "metadata.json 없음"),
    "empty_metadata": ("readable", "metadata.json 읽기 불가 (JSON이 아님)"),
    "broken_metadata": ("readable", "metadata.json 읽기 불가 (JSON이 아님)"),
    "list_metadata": ("readable", "metadata.json 읽기 불가 (객체가 아님)"),
    "bom_metadata": ("readable", "metadata.json 읽기 불가 (UTF-8 BOM으로 시작함)"),
    "double_metadata": ("readable", "metadata.json 읽기 불가 (키 중복 (success))"),
    "huge_metadata": ("readable", "metadata.json 읽기 불가 (너무 큼, 8000"),
    "no_criteria": ("success_criteria", "success_criteria 없음"),
    "no_success": ("success_criteria", "success_criteria 미충족"),
    "one_unmet": ("success_criteria", "success_criteria 미충족 (loaded)"),
    "unknown_criteria": ("success_criteria", "success_criteria 형식을 알 수 없음 (모두 수거)"),
    "metadata_frames": ("metadata_frames", "metadata의 프레임 수가 다름 (metadata 17프레임, 액션 16프레임)"),
    "metadata_fps": ("metadata_fps", "metadata의 fps가 다름 (60fps, 기준 30fps)"),
    "other_metadata": ("metadata_episode", "metadata가 다른 에피소드의 것 (episode_999)"),
    "outside_link": ("astray", "데이터 폴더 밖을 가리키는 링크 (actions.jsonl)"),
    "broken_link": ("astray", "끊긴 링크 (ego.mp4)"),
    "odd_name": ("astray", "쓸 수 없는 이름 (notes\\n@everyone.txt)"),
    "copied_episode": ("duplicates", "episode_000와 내용이 같음 (ego.mp4, actions.jsonl)"),
    "copied_actions": ("duplicates", "episode_000와 내용이 같음 (actions.jsonl)"),
    "recoded_episode": ("duplicates", "episode_000와 영상이 거의 같음 (ego.mp4, 밝기 차이 평균 0."),
}

ONLY_WARNED_OF = {
    *("frozen_video", "repeated_frames", "black_frames", "unknown_criteria", "metadata_frames"),
    *("metadata_fps", "other_metadata", "copied_episode", "copied_actions"),
    "recoded_episode",
}


FOLLOWS = {"empty_actions": ("cuts",), "frames_swapped": ("timestamps", "fps")}
"""What else is wrong with an episode then."""


def episode_of(fault: str) -> str:
    return f"episode_{list(FAULTS).index(fault) + 1:03d}"


@pytest.fixture(scope="session")
def verdict(simulated: Path, config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """Of a set in which each episode but the first has another fault."""
    folder = tmp_path_factory.mktemp("faulty")
    copytree(simulated / "episode_000", folder / "episode_000")
    for number, name in enumerate(FAULTS, start=1):
        episode = copytree(simulated / f"episode_{1 + number % 3:03d}", folder / f"episode_{number:03d}")
        metadata = episode / "metadata.json"
        metadata.write_text(metadata.read_text().replace(f"_{1 + number % 3:03d}", f"_{number:03d}"))
        Fault(name, number).spoil(episode)
    return check(folder, config)


def problems_at(verdict: Checked, episode: str) -> list[Problem]:
    """Those of the fault: all the good files here are copies of three episodes, which is found, too."""
    here = [each for each in verdict.problems if each.episode == episode]
    return [each for each in here if each.check != "duplicates" or each.message.startswith("episode_000")]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_at_its_episode(verdict: Checked, fault: str) -> None:
    check_name, message = FOUND[fault]
    here = problems_at(verdict, episode_of(fault))
    severity = "warn" if fault in ONLY_WARNED_OF else "refuse"
    said = [each.message for each in here if (each.check, each.severity) == (check_name, severity)]
    assert len(said) == 1, here
    assert said[0].startswith(message)


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_else_is_refused_for_it(verdict: Checked, fault: str) -> None:
    refused = [each for each in problems_at(verdict, episode_of(fault)) if each.severity == "refuse"]
    assert {each.check for each in refused} <= {FOUND[fault][0], *FOLLOWS.get(fault, ())}


def test_a_good_episode_among_faulty_ones_has_no_problem(verdict: Checked) -> None:
    assert not verdict.ok
    assert "episode_000" not in {problem.episode for problem in verdict.problems}


def test_every_fault_is_listed_with_what_it_does() -> None:
    assert len(FAULTS) >= 40
    listed = [line.split(maxsplit=1) for line in catalogue().splitlines()]
    assert [name for name, _ in listed] == list(FAULTS)
    assert all(what.endswith(".") for _, what in listed)


@pytest.mark.parametrize("fault", ["frozen_video", "copied_actions"])
def test_a_finding_refuses_where_the_config_says_so(
    spoiled: Callable[[str], Path], config: TrainingConfig, fault: str
) -> None:
    folder = spoiled(fault)
    assert check(folder, config).ok
    strict = config.with_changes({"dataset.refuse_on": ("frozen", "duplicates")})
    verdict = check(folder, strict)
    assert [each.episode for each in verdict.problems if each.severity == "refuse"] == ["episode_002"]
