"""Each fact the trainer can state has the card's five lines."""

import pytest

from bot.lessons.insights import INSIGHTS, insight, picture_of
from bot.lessons.remedies import OUR_CATEGORIES
from protocol.progress import Found

FIGURES = {
    "channel_l1_high:steering": {
        "channel": "steering",
        "l1": 0.5,
        "ratio": 10.02,
        "std": 0.08,
        "min": -1.0,
        "max": 1.0,
        "extreme_share": 0.004,
    },
    "thin_extremes:lift": {
        "channel": "lift",
        "support": 0.05,
        "rare_share": 0.003,
        "std": 0.1,
        "min": -1.0,
        "max": 1.0,
    },
    "episode_l1_high:episode_017": {
        "episode": "episode_017",
        "l1": 0.9,
        "ratio": 4.5,
        "median": 0.2,
        "epochs": 5,
        "disagreement": 1.62,
    },
    "overfitting": {"held_out": 0.4, "best": 0.3, "best_epoch": 20, "l1_then": 0.2, "l1_now": 0.1},
    "validation_frozen": {"held_out": 0.4, "evaluations": 4},
    "memory_growing": {
        "bytes_per_hour": 2**31,
        "used_bytes": 30 * 2**30,
        "total_bytes": 40 * 2**30,
        "full_in_s": 18000.0,
    },
    "device_idle": {"busy_share": 0.31},
    "feed_starving": {"waiting_share": 0.42},
    "gradient_clipped": {"clipped_share": 0.97, "grad_norm": 31.0, "epoch": 12},
    "diverging": {"loss": 0.5, "best": 0.1, "best_epoch": 40, "epoch": 60},
    "best_long_past": {"loss": 0.12, "best": 0.1, "best_epoch": 40, "epoch": 160},
    "loss_jump_after_resume": {"before": 0.1, "after": 0.4, "epoch": 50},
    "plateau": {"epochs": 50, "best_before": 0.0231, "best_since": 0.02309, "epoch": 400},
}
AT = "2026-03-01T03:00:00Z"


def found(fact: str, figures: dict) -> Found:
    return Found.model_validate({"at": AT, "fact": fact, "figures": figures})


@pytest.mark.parametrize("fact", FIGURES)
def test_a_fact_becomes_an_insight(fact: str) -> None:
    told = insight(found(fact, FIGURES[fact]))
    assert told is not None
    assert told.category in OUR_CATEGORIES
    assert all((told.problem, told.cause, told.remedy, told.scope))


def test_every_insight_is_tried_here() -> None:
    assert {fact.partition(":")[0] for fact in FIGURES} == set(INSIGHTS)


def test_the_card_s_example_is_nearly_word_for_word() -> None:
    told = insight(found("channel_l1_high:steering", FIGURES["channel_l1_high:steering"]))
    assert told is not None
    assert told.problem == "steering 채널의 L1이 다른 채널 대비 10.0배 높음"


def test_an_episode_is_told_with_how_far_it_contradicts_the_others_if_the_trainer_says_so() -> None:
    figures = FIGURES["episode_l1_high:episode_017"]
    told = insight(found("episode_l1_high:episode_017", figures))
    assert told is not None
    assert told.cause.endswith("비슷한 화면에서 다른 에피소드들의 액션과 평균 1.6 표준편차 차이")
    of_an_older = {name: value for name, value in figures.items() if name != "disagreement"}
    told = insight(found("episode_l1_high:episode_017", of_an_older))
    assert told is not None
    assert told.cause.endswith("액션 라벨이나 영상이 다른 에피소드와 다를 수 있음")


def test_a_fact_without_words_stays_untold() -> None:
    assert insight(found("unheard_of", {})) is None


def test_the_hour_of_the_out_of_memory_is_named() -> None:
    told = insight(found("memory_growing", FIGURES["memory_growing"]))
    assert told is not None
    assert told.problem == "GPU 메모리 증가 추세: 약 5.0시간 뒤 OOM 예상"


def test_a_fact_comes_with_its_own_picture_or_the_curve_where_that_shows_it() -> None:
    drawn = found("episode_l1_high:episode_017", {}).model_copy(update={"picture": "findings/x.png"})
    assert picture_of(drawn) == "findings/x.png"
    assert picture_of(found("plateau", {})) == "loss_curve"
    assert picture_of(found("feed_starving", {})) is None
