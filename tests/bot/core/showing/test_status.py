"""`!status`, to whoever asks."""

from dataclasses import replace
from datetime import timedelta

from bot.core.events import Gauges, PutOff
from bot.core.showing import progress
from protocol.progress import Gpu


def test_idle(play) -> None:
    assert "열린 cycle이 없습니다" in play.shown("status")


def test_the_disk_is_shown_and_a_full_one_comes_first(play) -> None:
    assert "디스크" not in play.shown("status"), "what is not known is not shown"
    assert "디스크: 3.0/40GB 남음" in play.shown("status", Gauges(disk=(3 << 30, 40 << 30)))
    play.watcher_hands_over()
    shown = play.shown("status", Gauges(disk=(4096, 40 << 30)))
    assert shown.startswith("디스크 가득: ")


def test_what_did_not_work_is_shown_with_why_and_when_it_is_tried_again(training) -> None:
    def shown(*put_off: PutOff) -> str:
        return training.shown("status", Gauges(put_off=put_off))

    soon = training.at + timedelta(seconds=32)
    best = PutOff(what="best 업로드 (cycle 7, epoch 50)", why="/x holds no files", again_at=soon)
    line = "미룬 작업: best 업로드 (cycle 7, epoch 50), 32초 후 재시도. 이유: /x holds no files"
    assert line in shown(best)
    assert "epoch 50) (외 1건), 32초 후" in shown(best, best)
    assert "곧 재시도" in shown(replace(best, again_at=training.at))
    assert "데몬이 다시 실행되면 재시도" in shown(replace(best, again_at=None))
    assert "미룬 작업" not in shown()


def test_in_training_it_shows_what_the_trainer_shows(training, stepped) -> None:
    training.checkpoint_is_saved(100)
    training.checkpoint_is_published(100)
    training.checkpoint_is_saved(150)
    training.operator_asks("status")
    line = stepped(
        training.at,
        last_loss=0.0234,
        first_loss=0.158,
        best_loss=0.0229,
        best_epoch=149,
        gpu=Gpu(used_bytes=int(28.5 * 2**30), total_bytes=40 * 2**30, busy_share=0.97),
        eta_s=5400,
    )
    shown = training.shown("status", Gauges(stepped=line))
    assert "epoch 150/500" in shown
    assert "Loss: 0.0234 (초기 0.158), best 0.0229 (epoch 149)" in shown
    assert "28.5/40GB, 사용률 97%" in shown
    assert "1시간 30분" in shown
    assert "act_epoch_100/" in shown
    assert "업로드 대기: epoch 150" in shown
    assert training.posted("answer")[-1].to == (300000000000000001,)
    assert training.ordered("post")[-1].show == ("loss_curve",)


def test_before_the_first_step_nothing_is_made_up(training, stepped) -> None:
    assert "최근 step: 없음" in progress.age_of(None, training.at)
    assert "학습 중, epoch 0/500" in training.shown("status")
    shown = training.shown("status", Gauges(stepped=stepped(training.at)))
    assert "CPU" in shown
    assert "계산 중" in shown


def test_a_training_that_waits_for_its_data_is_seen_to(training, stepped) -> None:
    def shown(share: float | None) -> str:
        line = stepped(training.at).model_copy(update={"waiting_share": share})
        return training.shown("status", Gauges(stepped=line))

    assert "데이터 대기 12%" in shown(0.12)
    for little in (None, 0.0, 0.04):
        assert "데이터 대기" not in shown(little)
