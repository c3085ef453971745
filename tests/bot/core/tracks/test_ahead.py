"""A data set whose rows are here is checked while its videos arrive; what is said of it does not change."""

from typing import Any

import pytest

from bot.core.events import FetchFailed, Gauges, JobFellSilent
from bot.core.showing.headline import headline
from bot.core.showing.status import status
from bot.core.state import expected_job
from protocol.job import Checked, Failed

LEFT = Failed(failure="stopped", message="stopped on request; start the job again to go on")
GOOD = Checked(ok=True, episodes=85, frames=25500, hash="c" * 64)


@pytest.fixture
def arriving(play: Any) -> Any:
    """The rows are here, and nobody knows yet what to look for in them."""
    play.watcher_hands_over()
    play.developer_hands_over(episodes=85)
    play.rows_are_fetched()
    return play


@pytest.fixture
def ahead(arriving: Any) -> Any:
    arriving.terms_are_read()
    return arriving


def checks(play: Any) -> list[Any]:
    return [order for order in play.ordered("start_job") if order.work == "check"]


def fails(play: Any, problem: str = "디스크 부족") -> None:
    play.happened(FetchFailed(at=play.later(), cycle=play.cycle.number, cause="disk", problem=problem))


class TestItBegins:
    def test_once_the_terms_are_known_and_not_before(self, arriving) -> None:
        assert (arriving.cycle.data.phase, checks(arriving)) == ("arriving", [])
        arriving.terms_are_read()
        (order,) = checks(arriving)
        assert order.coming_bytes == 9 * 10**8
        assert arriving.cycle.data.phase == "checking_ahead"

    def test_at_once_where_they_are_known(self, play) -> None:
        play.watcher_hands_over()
        play.terms_are_read()
        play.developer_hands_over()
        play.rows_are_fetched()
        assert play.cycle.data.phase == "checking_ahead"

    def test_not_at_all_where_all_is_here_before_them(self, arriving) -> None:
        arriving.data_is_fetched()
        arriving.terms_are_read()
        (order,) = checks(arriving)
        assert (order.coming_bytes, arriving.cycle.data.phase) == (0, "checking")

    def test_once_however_often_the_fetch_begins_anew(self, ahead) -> None:
        ahead.rows_are_fetched()
        assert len(checks(ahead)) == 1

    def test_and_people_see_both(self, ahead) -> None:
        gauges = Gauges(counted=(12, 85, "episode"), transfer=("dataset/", 10**8, 10**9))
        shown = status(ahead.state, gauges, ahead.at, ahead.policy)
        assert "다운로드 (도착한 영상부터 검증 중)" in shown
        assert "진행: 에피소드 12/85" in shown
        assert "전송: dataset/ 100/1000MB" in shown
        assert expected_job(ahead.state) == (ahead.cycle.run_name, 1)


class TestAllIsHere:
    def test_the_process_that_began_is_told_and_goes_on_to_its_verdict(self, ahead) -> None:
        ahead.data_is_fetched()
        (told,) = ahead.ordered("tell_arrived")
        assert (told.attempt, len(checks(ahead))) == (1, 1)
        assert ahead.cycle.data.phase == "checking"
        ahead.data_is_checked()
        ahead.data_is_converted()
        assert ahead.cycle.data.phase == "admitted"

    def test_from_then_on_a_crash_is_a_check_s_crash(self, ahead) -> None:
        ahead.data_is_fetched()
        ahead.job_ends(None, "Killed")
        assert [order.coming_bytes for order in checks(ahead)] == [9 * 10**8, 0]
        assert ahead.cycle.data.tries == 2


class TestItLeavesEarly:
    @pytest.mark.parametrize(
        "outcome", [None, LEFT, Failed(failure="no_space", message="디스크 부족"), GOOD], ids=str
    )
    def test_then_the_one_after_the_fetch_says_what_there_is_to_say(self, ahead, outcome) -> None:
        ahead.job_ends(outcome)
        assert (ahead.cycle.data.phase, ahead.posted("blocked")) == ("fetching", [])
        ahead.data_is_fetched()
        assert [order.coming_bytes for order in checks(ahead)] == [9 * 10**8, 0]
        assert ahead.cycle.data.phase == "checking"

    def test_a_fetch_that_begins_anew_begins_it_anew(self, ahead) -> None:
        ahead.job_ends(None)
        ahead.rows_are_fetched()
        assert [order.attempt for order in checks(ahead)] == [1, 2]

    def test_what_falls_silent_is_killed(self, ahead) -> None:
        silent = JobFellSilent(
            at=ahead.later(900), run=ahead.cycle.run_name, attempt=1, heard_at=ahead.at, promised_s=60
        )
        assert [effect.kind for effect in ahead.happened(silent)] == ["kill_job"]


class TestTheRestDoesNotCome:
    def test_before_a_check_began_it_is_refused_at_once(self, arriving) -> None:
        fails(arriving)
        assert arriving.posted("blocked")[-1].problems == ("디스크 부족",)
        assert arriving.ordered("stop_job") == []

    def test_the_check_leaves_first_and_then_watcher_hears_why(self, ahead) -> None:
        fails(ahead)
        assert [order.attempt for order in ahead.ordered("stop_job")] == [1]
        assert (ahead.cycle.data.phase, ahead.posted("blocked")) == ("abandoning", [])
        assert "검증 프로세스 종료 (다운로드 실패)" in headline(ahead.state, Gauges())
        ahead.job_ends(LEFT)
        (blocked,) = ahead.posted("blocked")
        assert (blocked.cause, blocked.problems) == ("disk", ("디스크 부족",))
        assert ahead.cycle.data.phase == "refused"

    def test_a_retry_begins_with_nobody_at_work(self, ahead) -> None:
        fails(ahead)
        assert expected_job(ahead.state) == (ahead.cycle.run_name, 1)
        ahead.job_ends(None, "SIGKILL")
        assert expected_job(ahead.state) is None
        ahead.operator_asks("retry")
        ahead.rows_are_fetched()
        assert [order.attempt for order in checks(ahead)] == [1, 2]
