"""A process that is there and says nothing."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.events import DaemonWoke, Gauges, JobEnded, JobFellSilent
from bot.core.policy import Policy
from bot.core.showing import liveness
from bot.core.state import Probing, expected_job
from protocol.job import Failed
from protocol.progress import Found, Started, Stepped

POLICY = Policy(device="cpu")
seconds = st.floats(0, 10**6)


def falls_silent(
    play: Any, attempt: int | None = None, *, gpu: Any = "unknown", heard_at: Any = None
) -> tuple[Any, ...]:
    heard_at = heard_at or play.at
    return play.happened(
        JobFellSilent(
            at=play.later(600),
            run=play.cycle.run_name,
            attempt=attempt or play.cycle.attempts,
            heard_at=heard_at,
            promised_s=120,
            gpu=gpu,
        )
    )


def orders(effects: tuple[Any, ...]) -> list[str]:
    return [one.kind for one in effects]


class TestTheVerdict:
    @given(silent_s=seconds, promised_s=seconds)
    def test_who_has_let_go_of_the_lock_is_dead_however_lately_it_spoke(self, silent_s, promised_s) -> None:
        assert liveness.verdict(False, silent_s, promised_s, POLICY) == "dead"

    @given(silent_s=seconds, promised_s=seconds)
    def test_unknown_is_never_taken_for_dead_nor_for_alive(self, silent_s, promised_s) -> None:
        assert liveness.verdict(None, silent_s, promised_s, POLICY) == "unknown"

    @given(silent_s=seconds, promised_s=seconds)
    def test_a_kept_promise_is_never_a_stall(self, silent_s, promised_s) -> None:
        believed = liveness.verdict(True, silent_s, promised_s, POLICY)
        assert believed == ("stalled" if silent_s > POLICY.patience_s(promised_s) else "alive")
        if silent_s <= max(promised_s, POLICY.stall_floor_s):
            assert believed == "alive"

    @given(silent_s=seconds, promised_s=seconds)
    def test_a_busy_gpu_doubles_the_patience_and_no_more(self, silent_s, promised_s) -> None:
        believed = liveness.verdict(True, silent_s, promised_s, POLICY, "busy")
        half = liveness.verdict(True, silent_s / 2, promised_s, POLICY)
        assert believed == half

    @given(silent_s=seconds, promised_s=seconds, held=st.sampled_from([True, False, None]))
    def test_who_saw_nothing_or_cannot_tell_changes_nothing(self, silent_s, promised_s, held) -> None:
        alone = liveness.verdict(held, silent_s, promised_s, POLICY)
        assert liveness.verdict(held, silent_s, promised_s, POLICY, "idle") == alone
        assert liveness.verdict(held, silent_s, promised_s, POLICY, "unknown") == alone

    @given(silent_s=seconds, promised_s=seconds, held=st.sampled_from([False, None]))
    def test_no_gpu_brings_the_dead_to_life(self, silent_s, promised_s, held) -> None:
        believed = liveness.verdict(held, silent_s, promised_s, POLICY, "busy")
        assert believed == ("dead" if held is False else "unknown")


class TestTheSecondWitness:
    def test_a_process_whose_gpu_works_is_waited_for_once_more(self, training) -> None:
        silent_since = training.at
        assert falls_silent(training, gpu="busy", heard_at=silent_since) == ()
        assert training.cycle.run.phase == "training"
        assert orders(falls_silent(training, gpu="busy", heard_at=silent_since)) == ["stop_job", "post"]
        (notice,) = training.posted("restart_notice")
        assert notice.notes[0] == "GPU는 사용 중: 한 번 더 기다렸으나 소식 없음"

    def test_one_that_has_spoken_meanwhile_may_be_silent_once_more(self, training) -> None:
        assert falls_silent(training, gpu="busy") == ()
        training.later(60)
        assert falls_silent(training, gpu="busy") == ()

    def test_a_restart_of_ours_does_not_make_it_wait_anew(self, training) -> None:
        silent_since = training.at
        falls_silent(training, gpu="busy", heard_at=silent_since)
        training.happened(DaemonWoke(at=training.later(), house="h1", job="alive"))
        assert "stop_job" in orders(falls_silent(training, gpu="busy", heard_at=silent_since))

    def test_an_idle_gpu_confirms_it(self, training) -> None:
        assert "stop_job" in orders(falls_silent(training, gpu="idle"))
        assert training.posted("restart_notice")[0].notes[0] == "GPU도 쉬는 중 (사용률 0%)"

    def test_where_nobody_can_tell_silence_alone_decides(self, training) -> None:
        assert "stop_job" in orders(falls_silent(training, gpu="unknown"))
        assert not any("GPU" in note for note in training.posted("restart_notice")[0].notes)

    def test_one_that_never_said_a_word_is_waited_for_as_well(self, play) -> None:
        play.watcher_hands_over()
        play.developer_hands_over(episodes=85)
        play.terms_are_read()
        play.data_is_admitted()
        assert falls_silent(play, gpu="busy") == ()
        assert play.cycle.run.phase == "starting"

    @pytest.mark.parametrize(
        ("gpu", "said"),
        [
            ("busy", "GPU는 사용 중이므로 한 번 더 기다린 뒤 종료 후 마지막 저장 지점에서 재개"),
            (None, "종료 후 마지막 저장 지점에서 재개"),
        ],
    )
    def test_the_report_says_why_it_is_waited_for(self, training, gpu, said, stepped) -> None:
        old = stepped(training.at)
        if gpu:
            falls_silent(training, gpu=gpu)
        training.ticks(1800, Gauges(stepped=old))
        report = training.posted("phase_report")[-1]
        assert (report.phase, report.next_step) == ("stalled", said)


class TestAStalledTraining:
    def test_it_is_asked_to_save_and_leave_and_watcher_hears_why(self, training) -> None:
        assert orders(falls_silent(training)) == ["stop_job", "post"]
        assert training.cycle.run.phase == "stalled"
        (notice,) = training.posted("restart_notice")
        assert notice.cause == "학습 정체: 120초 안에 오기로 한 소식이 600초째 없음"

    def test_whom_we_ended_did_not_end_by_itself(self, training) -> None:
        falls_silent(training)
        falls_silent(training)
        training.job_ends(None, "SIGKILL")
        cause = training.posted("restart_notice")[-1].cause
        assert "종료시킴" in cause
        assert "비정상 종료" not in cause

    def test_what_stays_silent_is_killed_and_the_run_goes_on_from_its_save(self, training) -> None:
        falls_silent(training)
        assert orders(falls_silent(training)) == ["kill_job"]
        (order,) = training.ordered("kill_job")
        assert order.key == f"kill_job/{training.cycle.run_name}/{training.cycle.attempts}"
        training.job_ends(None, "SIGKILL")
        assert training.cycle.run.phase == "cooling"
        training.ticks(60)
        assert training.cycle.run.phase == "starting"
        assert training.ordered("start_job")[-1].attempt == training.cycle.attempts

    def test_one_that_saves_and_leaves_goes_on_too(self, training) -> None:
        falls_silent(training)
        training.job_ends(Failed(failure="stopped", message="SIGTERM"))
        assert training.cycle.run.phase == "cooling"
        assert not training.ordered("kill_job")

    def test_one_that_comes_to_its_end_after_all_has_ended(self, training, trained) -> None:
        falls_silent(training)
        training.job_ends(trained)
        assert training.cycle.run.phase == "ended"

    def test_one_that_never_said_a_word_is_stalled_too(self, play) -> None:
        play.watcher_hands_over()
        play.developer_hands_over(episodes=85)
        play.terms_are_read()
        play.data_is_admitted()
        assert play.cycle.run.phase == "starting"
        falls_silent(play)
        play.job_ends(None)
        assert play.cycle.run.phase == "cooling"

    def test_three_stalls_without_progress_are_blocked(self, training) -> None:
        for _ in range(2):
            falls_silent(training)
            training.job_ends(None)
            training.ticks(600)
            training.training_starts(resumed_from="checkpoints/resume")
        falls_silent(training)
        training.job_ends(None)
        assert training.cycle.run.phase == "held"
        assert training.kinds()[-1] == "blocked"

    def test_a_stop_is_still_a_stop(self, training) -> None:
        falls_silent(training)
        training.operator_asks("stop")
        assert training.cycle.run.phase == "stopping"
        assert orders(falls_silent(training)) == ["kill_job"]
        training.job_ends(None)
        assert training.cycle.run.phase == "held"

    def test_what_it_finds_while_it_leaves_is_still_told(self, training) -> None:
        falls_silent(training)
        fact = Found(at=training.later(), fact="loss_plateau", figures={"epochs": 50, "loss": 0.1})
        training.trainer_says(fact)
        assert training.cycle.run.phase == "stalled"

    def test_another_process_s_silence_is_nothing_to_us(self, training) -> None:
        assert falls_silent(training, attempt=99) == ()
        run = JobFellSilent(at=training.later(), run="other", attempt=1, heard_at=training.at, promised_s=1)
        assert training.happened(run) == ()


class TestAStalledCheck:
    def test_it_has_nothing_to_save_and_is_begun_anew(self, play) -> None:
        play.watcher_hands_over()
        play.developer_hands_over(episodes=85)
        play.terms_are_read()
        play.data_is_fetched()
        assert orders(falls_silent(play)) == ["kill_job"]
        play.job_ends(None, "SIGKILL")
        assert play.cycle.data.phase == "checking"
        assert play.ordered("start_job")[-1].attempt == 2


class TestAStalledProbe:
    def test_a_driver_that_hangs_is_not_waited_for(self, play) -> None:
        play.watcher_hands_over()
        probing = Probing(attempt=1, tries=1, since=play.at)
        cycle = play.cycle.model_copy(update={"device": probing, "attempts": 1})
        play.state = play.state.model_copy(update={"cycle": cycle})
        assert orders(falls_silent(play)) == ["kill_job"]


class TestReports:
    def test_a_stalled_run_is_reported_as_what_it_is(self, training) -> None:
        heard_at = training.at
        falls_silent(training)
        training.ticks(1800)
        report = training.posted("phase_report")[-1]
        assert (report.phase, report.since) == ("stalled", heard_at)
        assert not training.posted("training_report")
        assert expected_job(training.state) == (training.cycle.run_name, training.cycle.attempts)

    @given(age_s=st.integers(0, 10**5), promised_s=st.floats(1, 10**4))
    def test_no_report_looks_more_alive_than_the_newest_step(
        self, stage_class, age_s, promised_s, stepped
    ) -> None:
        play = stage_class(POLICY)
        play.watcher_hands_over()
        play.developer_hands_over(episodes=85)
        play.terms_are_read()
        play.data_is_admitted()
        play.training_starts()
        old = stepped(play.at + timedelta(seconds=1800 - age_s), next_within_s=promised_s)
        play.ticks(1800, Gauges(stepped=old))
        believed_alive = bool(play.posted("training_report"))
        assert believed_alive == (age_s <= POLICY.patience_s(promised_s))


@pytest.mark.parametrize("line", [Started, Stepped])
def test_every_line_of_a_training_carries_a_promise(line: type[Started | Stepped]) -> None:
    assert line.model_fields["next_within_s"].default > 0


def test_the_end_of_a_process_nobody_waits_for_changes_nothing(training) -> None:
    falls_silent(training)
    before = training.state
    gone = JobEnded(at=training.later(), run=training.cycle.run_name, attempt=99, outcome=None)
    assert training.happened(gone) == ()
    assert training.state == before
