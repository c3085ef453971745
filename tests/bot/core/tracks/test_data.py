"""What a check has found goes along with what is said of it; being asked to leave is no fault of the data."""

import pytest

from bot.core.effects import Post, StartJob
from bot.core.events import FetchFailed
from bot.core.showing import phases
from bot.core.tracks.data import rule
from protocol.job import Failed
from protocol.training import TrainingConfig

REFUSED = {
    "severity": "refuse",
    "check": "frame_count",
    "episode": "episode_023",
    "message": "프레임 수 불일치 (비디오 300프레임, 액션 298프레임)",
}


@pytest.fixture
def checking(play):
    play.watcher_hands_over()
    play.terms_are_read()
    play.developer_hands_over()
    play.data_is_fetched()
    return play


def enclosed(play, kind: str) -> tuple[str | None, ...]:
    """What goes along with the last message of that kind, and of which run it is."""
    *_, post = [each for each in play.effects if isinstance(each, Post) and each.message.kind == kind]
    return *post.show, post.run


def test_a_refusal_s_report_goes_along_with_it(checking) -> None:
    attempt = checking.cycle.attempts
    checking.data_is_checked(ok=False, problems=(REFUSED,))
    assert enclosed(checking, "blocked") == (f"attempts/{attempt}/report", checking.cycle.run_name)


def test_an_admission_s_report_goes_along_with_it(checking) -> None:
    attempt = checking.cycle.attempts
    checking.data_is_checked()
    checking.data_is_converted()
    assert "데이터 검증 통과: 에피소드 85개" in checking.posted("receipt")[-1].understood[0]
    assert enclosed(checking, "receipt") == (f"attempts/{attempt}/report", checking.cycle.run_name)


def test_criteria_of_an_unknown_form_are_asked_about_and_hold_nothing_up(checking) -> None:
    unknown = {"severity": "warn", "check": "success_criteria"}
    message = "success_criteria 형식을 알 수 없음 (모두 수거)"
    checking.data_is_checked(
        problems=[unknown | {"episode": f"episode_{number:03d}", "message": message} for number in range(3)]
    )
    checking.data_is_converted()
    question = checking.posted("question")[-1]
    assert question.to == (checking.developer,)
    assert f"episode_000–002의 {message}" in question.question
    assert checking.cycle.run.phase == "starting"


def test_of_many_unknown_forms_a_few_are_shown(checking) -> None:
    unknown = {"severity": "warn", "check": "success_criteria"}
    checking.data_is_checked(
        problems=[unknown | {"episode": f"episode_{n:03d}", "message": f"형식 {n}"} for n in range(9)]
    )
    checking.data_is_converted()
    assert checking.posted("question")[-1].question.endswith("episode_002의 형식 2 (외 6건)")


def test_other_warnings_are_told_and_not_asked_about(checking) -> None:
    still = {"severity": "warn", "check": "frozen", "episode": "episode_023", "message": "정지 화면"}
    checking.data_is_checked(problems=(still,))
    checking.data_is_converted()
    assert "주의: episode_023의 정지 화면" in checking.posted("receipt")[-1].understood
    assert checking.posted("question") == []


@pytest.mark.parametrize("converting", [False, True], ids=["while it is checked", "while it is converted"])
def test_a_job_asked_to_leave_is_begun_again_and_the_data_is_not_refused(checking, converting: bool) -> None:
    if converting:
        checking.data_is_checked()
    (order,) = [each for each in leaves(checking) if isinstance(each, StartJob)]
    assert order.work == "check"
    assert checking.cycle.data.phase == "checking"
    assert checking.posted("blocked") == []


def test_one_that_is_made_to_leave_again_and_again_is_told_of(checking) -> None:
    for _ in range(checking.policy.max_attempts):
        leaves(checking)
    assert checking.posted("blocked")[-1].cause == "trainer"
    assert "stopped on request" in checking.posted("blocked")[-1].problems[0]


def leaves(play):
    return play.job_ends(
        Failed(failure="stopped", message="stopped on request; start the job again to go on")
    )


def test_how_pictures_are_varied_in_training_is_no_rule_of_the_data() -> None:
    card = TrainingConfig()
    assert rule(card.with_changes({"dataset.image_transforms": True})) == rule(card)
    assert rule(card.with_changes({"dataset.skip_first_frames": 5})) != rule(card)


def test_data_that_cannot_be_had_is_blocked_by_cause(play) -> None:
    play.developer_hands_over("gs://elsewhere/dataset/")
    refused = FetchFailed(at=play.later(), cycle=1, cause="foreign_bucket", problem="gs://elsewhere/")
    play.happened(refused)
    assert play.posted("blocked")[0].cause == "foreign_bucket"
    play.happened(refused)
    assert len(play.posted("blocked")) == 1
    play.data_is_fetched()
    assert play.cycle.data.phase == "refused"
    assert phases.waiting(play.cycle)[0] == "awaiting_data"
    play.operator_asks("retry")
    assert play.cycle.data.phase == "fetching"


def test_a_conversion_that_fails_names_why(play) -> None:
    play.watcher_hands_over()
    play.terms_are_read()
    play.developer_hands_over()
    play.data_is_fetched()
    play.data_is_checked()
    play.job_ends(Failed(failure="no_space", message="디스크 부족"))
    assert play.posted("blocked")[0].cause == "disk"


def test_warnings_are_passed_on_with_the_admission(play) -> None:
    play.watcher_hands_over()
    play.terms_are_read()
    play.developer_hands_over()
    play.data_is_fetched()
    warning = {"severity": "warn", "check": "constant", "message": "bucket 채널이 일정"}
    play.data_is_checked(problems=(warning,))
    play.data_is_converted()
    assert "주의: bucket 채널이 일정" in play.posted("receipt")[-1].understood
