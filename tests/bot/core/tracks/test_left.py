"""A machine is lost with its disk; another goes on from what the bucket has of the cycle."""

import pytest

from bot.core.events import BroughtBack, TermsRead
from bot.core.state import LeftBehind
from protocol.messages import Lesson
from protocol.training import TrainingConfig

LOST = "cycle01-20260228T010000"
CERTIFICATE = "c" * 64


def left(certificate: str = CERTIFICATE, config: str = "") -> LeftBehind:
    config = config or TrainingConfig().hash
    return LeftBehind(run=LOST, epoch=150, certificate=certificate, config=config)


def hand_over(play, found: LeftBehind | None) -> None:
    play.watcher_hands_over()
    play.developer_hands_over(episodes=85)
    read = TermsRead(at=play.later(), cycle=1, plan=None, files=(), left=found)
    play.happened(read)
    play.data_is_admitted()


def trainings(play) -> list[int]:
    return [job.attempt for job in play.ordered("start_job") if job.work == "train"]


@pytest.fixture
def bringing(play):
    hand_over(play, left())
    return play


class TestWhatALostMachineLeft:
    def test_is_brought_back_before_the_run_goes_on(self, bringing):
        (order,) = bringing.ordered("bring_back")
        assert (order.of, order.epoch, order.run) == (LOST, 150, bringing.cycle.run_name)
        assert trainings(bringing) == []
        bringing.happened(BroughtBack(at=bringing.later(), cycle=1, epoch=150, whole=True))
        assert len(trainings(bringing)) == 1

    def test_is_what_the_report_waits_for_meanwhile(self, bringing):
        since = bringing.cycle.left.since
        bringing.ticks()
        report = bringing.posted("phase_report")[-1]
        assert (report.phase, report.since) == ("fetching", since)
        assert report.waiting_for == "이전 실행의 checkpoint (epoch 150) 다운로드"

    def test_is_told_once_the_run_goes_on_from_it(self, bringing):
        bringing.happened(BroughtBack(at=bringing.later(), cycle=1, epoch=150, whole=True))
        bringing.training_starts(epoch=150, resumed_from="epoch_150")
        start, notice = bringing.posted()[-2:]
        assert start.kind == "start_report"
        assert LOST in notice.cause
        assert notice.checkpoint == "epoch_150"

    def test_stays_on_the_shelf_until_three_newer_ones_are_safe(self, bringing):
        back = BroughtBack(at=bringing.later(), cycle=1, epoch=150, whole=True, epochs=(50, 100, 150))
        bringing.happened(back)
        bringing.training_starts(epoch=150, resumed_from="epoch_150")
        assert bringing.posted()[-1].notes[-1].endswith("epoch 50, 100, 150")
        bringing.checkpoint_is_saved(150)
        assert bringing.ordered("publish_checkpoint") == [], "it is there"
        for epoch in (200, 250):
            bringing.checkpoint_is_saved(epoch)
            bringing.checkpoint_is_published(epoch)
        assert [one.epoch for one in bringing.ordered("forget_checkpoint")] == [50, 100]
        assert [one.run for one in bringing.ordered("forget_checkpoint")] == [bringing.cycle.run_name] * 2

    def test_that_cannot_be_had_is_not_waited_for(self, bringing):
        bringing.happened(BroughtBack(at=bringing.later(), cycle=1, epoch=150, whole=False))
        assert len(trainings(bringing)) == 1
        assert bringing.cycle.left.phase == "nothing"

    def test_of_another_epoch_than_asked_for_means_nothing(self, bringing):
        bringing.happened(BroughtBack(at=bringing.later(), cycle=1, epoch=100, whole=True))
        assert bringing.cycle.left.phase == "bringing"

    @pytest.mark.parametrize("other", [{"certificate": "d" * 64}, {"config": "elsewhere"}])
    def test_with_another_config_or_from_other_data_is_superseded(self, play, other):
        hand_over(play, left(**other))
        assert play.ordered("bring_back") == []
        assert len(trainings(play)) == 1

    def test_is_looked_at_once_the_config_is_settled(self, play):
        play.watcher_hands_over(Lesson(category="학습", text="→ 적용: epochs=300"))
        play.developer_hands_over(episodes=85)
        config = TrainingConfig().with_changes({"training.epochs": 300})
        found = left(config=config.hash)
        play.happened(TermsRead(at=play.later(), cycle=1, plan=None, files=(), left=found))
        assert play.ordered("bring_back") == []
        play.data_is_admitted()
        assert play.cycle.terms.config.training.epochs == 300
        assert len(play.ordered("bring_back")) == 1


def test_a_crash_later_on_is_told_as_a_crash(bringing):
    bringing.happened(BroughtBack(at=bringing.later(), cycle=1, epoch=150, whole=True))
    bringing.training_starts(epoch=150, resumed_from="epoch_150")
    bringing.job_ends(None, "SIGKILL")
    bringing.ticks()
    bringing.training_starts(epoch=150, resumed_from="epoch_150")
    assert LOST not in bringing.posted("restart_notice")[-1].cause


def test_nothing_left_is_nothing_to_wait_for(play):
    hand_over(play, None)
    assert len(trainings(play)) == 1
