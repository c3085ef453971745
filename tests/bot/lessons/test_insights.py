"""Each fact the trainer can state has the card's five lines."""

import pytest

from bot.lessons.insights import INSIGHTS, insight
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
    assert told.category == "학습"
    assert all((told.problem, told.cause, told.remedy, told.scope))


def test_every_insight_is_tried_here() -> None:
    assert {fact.partition(":")[0] for fact in FIGURES} == set(INSIGHTS)


def test_the_card_s_example_is_nearly_word_for_word() -> None:
    told = insight(found("channel_l1_high:steering", FIGURES["channel_l1_high:steering"]))
    assert told is not None
    assert told.problem == "steering 채널의 L1이 다른 채널 대비 10.0배 높음"


def test_a_fact_without_words_stays_untold() -> None:
    assert insight(found("unheard_of", {})) is None
