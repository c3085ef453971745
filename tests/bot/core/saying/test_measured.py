"""What DONE says a lesson has demonstrably done."""

import pytest

from protocol.messages import Approval, Lesson
from protocol.progress import Gpu

GIB = 2**30


def outcomes(play, *lessons: Lesson, trained) -> list[str]:
    """Beside each lesson's mark, at the end of a cycle that heard these."""
    play.watcher_hands_over(*lessons)
    play.terms_are_read()
    if play.cycle.proposal:
        play.says(play.watcher, Approval())
    play.developer_hands_over()
    play.data_is_admitted()
    play.training_starts()
    play.trainer_says(play.saved("best", 500))
    play.job_ends(trained)
    play.best_is_published(500)
    play.is_handed_on()
    (done,) = play.posted("done")
    return [one.outcome for one in done.lessons]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("에피소드 첫 50프레임은 무효", "4,250프레임 제외 (29,750 → 25,500), 동기화 확인"),
        (
            "첫 50프레임과 마지막 10프레임은 무효",
            "5,100프레임 제외 (30,600 → 25,500), 동기화 확인",
        ),
        ("episode_017 제외", "에피소드 1개 제외 (85개로 학습), 동기화 확인"),
    ],
)
def test_what_was_left_out_is_counted(play, trained, text: str, outcome: str) -> None:
    assert outcomes(play, Lesson(category="데이터", text=text), trained=trained) == [outcome]


@pytest.mark.parametrize(
    ("peak", "outcome"),
    [
        (None, "OOM 없이 완료"),
        (Gpu(used_bytes=int(24.1 * GIB), total_bytes=40 * GIB), "OOM 없이 완료 (최대 24.1/40GB)"),
    ],
)
def test_a_smaller_batch_names_the_memory_it_took(play, trained, peak: Gpu | None, outcome: str) -> None:
    oom = Lesson(category="학습", text="batch_size 64에서 GPU 메모리 부족")
    assert outcomes(play, oom, trained=trained.model_copy(update={"peak_gpu": peak})) == [outcome]
