"""What waits for somebody is the first line of status, with the way out."""

from bot.core.events import FetchFailed, Gauges, TermsUnreadable, WeightsRefused
from bot.core.policy import Policy
from bot.core.showing import phases
from bot.core.showing.halted import halted
from bot.core.showing.headline import headline
from bot.core.showing.status import status
from bot.core.state import Settled, WeightsMissing
from protocol import render
from protocol.job import Failed, Problem
from protocol.messages import Lesson, Order


def first_line(play) -> str:
    return status(play.state, Gauges(), play.at, play.policy).splitlines()[0]


def plan_is_broken(play, *errors: str) -> None:
    play.happened(TermsUnreadable(at=play.later(), cycle=play.cycle.number, errors=errors))


class TestBlocked:
    def test_a_broken_plan_until_somebody_says_retry(self, play) -> None:
        play.watcher_hands_over()
        assert first_line(play).startswith("Cycle 1: ")
        plan_is_broken(play, "PLAN.md 3행: epochs는 정수", "PLAN.md 4행: lr은 수")
        told = "BLOCKED: PLAN.md 오류: PLAN.md 3행: epochs는 정수 (외 1건) → 고친 뒤 `!retry`"
        assert first_line(play) == f"{told} (Cycle 1)"
        assert headline(play.state, Gauges()) == told
        play.developer_hands_over()
        play.data_is_fetched()
        assert phases.waiting(play.cycle)[0] == "held"
        play.operator_asks("retry")
        assert first_line(play).startswith("Cycle 1: ")

    def test_refused_data_by_its_first_problem(self, play) -> None:
        play.watcher_hands_over()
        play.developer_hands_over()
        play.terms_are_read()
        play.data_is_fetched()
        nan = Problem(severity="refuse", check="nan", episode="episode_003", message="NaN 값")
        play.data_is_checked(ok=False, problems=(nan,))
        assert first_line(play).startswith("BLOCKED: episode_003의 NaN 값 → 새 데이터 HANDOFF")

    def test_data_refused_before_reasons_were_kept(self, play) -> None:
        play.developer_hands_over()
        play.happened(FetchFailed(at=play.later(), cycle=1, cause="no_data", problem="없음"))
        data = play.cycle.data.model_copy(update={"why": ()})
        assert "데이터 검증 실패" in (halted(play.cycle.model_copy(update={"data": data})) or "")

    def test_no_device(self, stage_class) -> None:
        play = stage_class(Policy(device="cuda"))
        play.developer_hands_over()
        play.job_ends(Failed(failure="no_device", message="CUDA driver 535 is too old"))
        assert first_line(play).startswith("BLOCKED: CUDA driver 535 is too old → 조치 후 `!retry`")

    def test_a_run_that_failed(self, training) -> None:
        training.job_ends(Failed(failure="no_space", message="disk full"))
        assert first_line(training).startswith("BLOCKED: disk full → 조치 후 `!retry`")
        assert phases.waiting(training.cycle)[:2] == ("held", "disk full"), "as its REPORTs have it"

    def test_imagenet_s_weights_by_the_command_that_fetches_them(self, training) -> None:
        fetch = "`sudo -u training-claw env TORCH_HOME=/t python -m trainer weights --backbone resnet34`"
        training.job_ends(Failed(failure="no_weights", message=f"/t: are not there; run {fetch}"))
        said = training.posted("blocked")[-1]
        assert (said.cause, said.problems) == ("weights", (f"/t: are not there; run {fetch}",))
        assert said.request == "운영자에게 위 명령으로 사전학습 가중치 설치 요청, 이후 `retry`"
        assert fetch in "".join(render(said)), "whole, on its way through Discord"

    def test_no_weights_to_start_from(self, play) -> None:
        lesson = Lesson(category="학습", text="이어서", remedy="start_from=checkpoints/cycle01/act_best")
        play.watcher_hands_over(lesson)
        play.terms_are_read()
        assert isinstance(play.cycle.terms, Settled)
        play.developer_hands_over()
        play.data_is_admitted()
        path = "checkpoints/cycle01/act_best"
        assert halted(play.cycle) is None, "they are being fetched"
        play.happened(WeightsRefused(at=play.later(), cycle=1, path=path, problem="checkpoint가 없음"))
        assert isinstance(play.cycle.weights, WeightsMissing)
        assert first_line(play).startswith("BLOCKED: checkpoint가 없음 → 다른 start_from")


class TestStopped:
    def test_by_whom_since_when_and_how_to_go_on(self, training) -> None:
        training.operator_asks("stop")
        assert first_line(training).startswith("중지하는 중 (operator, 12:")
        training.job_ends(Failed(failure="stopped", message="stopped"))
        assert first_line(training).startswith("중지됨 (operator, 12:")
        assert "`!resume`" in first_line(training)
        assert headline(training.state, Gauges()) == "중지됨 (operator): `!resume`으로 재개"

    def test_the_operator_who_asked_hears_that_it_is_done(self, training) -> None:
        training.operator_asks("stop")
        training.job_ends(Failed(failure="stopped", message="stopped"))
        answer, report = training.posted()[-2:]
        assert (answer.kind, answer.to) == ("answer", (300000000000000001,))
        assert "저장하고 멈췄습니다" in answer.body
        assert report.kind == "cycle_stopped"

    def test_watcher_s_own_stop_is_reported_once(self, training) -> None:
        training.says(training.watcher, Order(verb="stop"))
        training.job_ends(Failed(failure="stopped", message="stopped"))
        assert training.kinds()[-2:] != ["answer", "cycle_stopped"]
        assert first_line(training).startswith("중지됨 (Watcher")

    def test_before_the_start(self, play) -> None:
        play.watcher_hands_over()
        play.operator_asks("stop")
        assert first_line(play).startswith("Cycle 1: "), "the data work goes on"
        play.terms_are_read()
        play.developer_hands_over()
        play.data_is_admitted()
        assert first_line(play) == "중지됨 (operator): `!resume`으로 시작 (Cycle 1)"
