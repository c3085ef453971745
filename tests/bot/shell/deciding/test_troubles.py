"""What operators are told of an order that does not work."""

from typing import get_args

import pytest

from bot.core.effects import Effect, HandOn, PublishBest, TellArrived
from bot.shell.deciding.troubles import alert, named

BEST = PublishBest(cycle=7, run="cycle07", epoch=50, folder="checkpoints/best/epoch_050", meta={})


def test_it_is_told_what_it_is_why_where_and_what_to_do() -> None:
    told = alert(BEST, "/s/epoch_050 holds no files", "/s/epoch_050 → gs://b/act_best/", "되돌려 놓기")
    assert told == (
        "도움이 필요함: best 업로드 (cycle 7, epoch 50)\n"
        "이유: /s/epoch_050 holds no files\n"
        "위치: /s/epoch_050 → gs://b/act_best/\n"
        "다음 단계: 되돌려 놓기\n"
        "포기하지 않고 1분 안에 한 번씩 다시 시도합니다. 남은 일은 `!status`에 표시됩니다."
    )


def test_where_nobody_knows_a_remedy_the_log_is_named() -> None:
    told = alert(HandOn(cycle=7, run="cycle07"), "why", "", "")
    assert "위치" not in told
    assert "다음 단계: `journalctl -u training-claw -p warning`에서 원인 확인" in told


OF_THE_BUCKET = (
    *("read_terms", "fetch_data", "fetch_weights", "bring_back"),
    *("publish_checkpoint", "publish_best", "publish_curve", "hand_on", "forget_checkpoint"),
    "verify_checkpoint",
)


@pytest.mark.parametrize("kind", OF_THE_BUCKET)
def test_every_errand_to_the_bucket_has_a_name_for_people(kind: str) -> None:
    fields = {"cycle": 7, "run": "r", "of": "r", "epoch": 50, "asked": 1, "source": "dataset/"}
    fields |= {"path": "checkpoints/act_best/", "folder": "f", "meta": {}}
    (of_kind,) = [one for one in get_args(get_args(Effect)[0]) if one.model_fields["kind"].default == kind]
    order = of_kind(**{name: value for name, value in fields.items() if name in of_kind.model_fields})
    assert kind not in named(order)
    assert any("가" <= letter <= "힣" for letter in named(order))


def test_what_has_no_other_name_goes_by_its_key() -> None:
    assert named(TellArrived(run="cycle07", attempt=2)) == "tell_arrived/cycle07/2"
