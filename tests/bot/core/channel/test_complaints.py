"""A complaint about a checkpoint is never answered from memory: it is read again first."""

import pytest

from bot.core.channel import complaints
from bot.core.events import CheckpointVerified
from protocol.messages import Talk

OPERATOR = 300000000000000001
BEST = "checkpoints/act_best/"
COMPLAINT = Talk(about="complaint", text="act_best 체크포인트가 안 열려요")


def is_verified(play, path: str = BEST, **fields):
    return play.happened(CheckpointVerified(at=play.later(), path=path, **fields))


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("act_best가 안 열려요", (BEST,)),
        ("gs://ralphton-handoff/checkpoints/act_epoch_150/ 손상", ("checkpoints/act_epoch_150/",)),
        ("cycle03/act_best와 act_best 둘 다 오류", ("checkpoints/cycle03/act_best/", BEST)),
        ("checkpoint 로드 실패", (BEST,)),
        ("my_act_best_copy 오류", (BEST,)),
        (
            "act_epoch_1 act_epoch_2 act_epoch_3 act_epoch_4",
            tuple(f"checkpoints/act_epoch_{n}/" for n in (1, 2, 3)),
        ),
    ],
)
def test_the_checkpoints_it_names_are_found(text: str, places: tuple[str, ...]) -> None:
    assert complaints.named(text) == places


def test_it_is_acknowledged_read_again_and_answered_with_the_result(play) -> None:
    evaluation = play.policy.roster.evaluation
    play.says(evaluation, COMPLAINT)
    assert play.posted("receipt")[-1].to == (evaluation,)
    (order,) = play.ordered("verify_checkpoint")
    assert order.path == BEST
    is_verified(play, what="cycle 7, epoch 500")
    answer = play.posted("answer")[-1]
    assert answer.to == (evaluation,)
    assert "이상 없음 (cycle 7, epoch 500)" in answer.body
    assert play.state.verifying == ()


def test_damage_is_told_to_watcher_and_the_operators_too(play) -> None:
    play.says(play.developer, COMPLAINT)
    is_verified(play, what="epoch 500", faults=tuple(f"file {number} is missing" for number in range(5)))
    assert "손상 5건" in play.posted("answer")[-1].body
    assert "… 그 밖에 2건" in play.posted("answer")[-1].body
    assert play.posted("alert")[-1].to == (play.watcher, OPERATOR)


def test_what_is_not_published_is_said_to_be_so(play) -> None:
    play.says(play.developer, COMPLAINT)
    is_verified(play, what="")
    assert "게시된 checkpoint가 아님" in play.posted("answer")[-1].body


def test_two_who_complain_of_one_checkpoint_have_it_read_once_and_both_hear(play) -> None:
    play.says(play.developer, Talk(about="complaint", text="act_epoch_050, act_best 손상"))
    play.says(play.watcher, COMPLAINT)
    assert [one.path for one in play.ordered("verify_checkpoint")] == ["checkpoints/act_epoch_050/", BEST]
    is_verified(play, what="epoch 500")
    assert play.posted("answer")[-1].to == (play.developer, play.watcher)
    play.says(play.watcher, COMPLAINT)
    assert len({one.key for one in play.ordered("verify_checkpoint")}) == 3


def test_an_operator_is_answered_as_operators_are(play) -> None:
    play.says(OPERATOR, COMPLAINT)
    assert play.posted("answer")[-1].to == (OPERATOR,)
    assert play.ordered("verify_checkpoint")


def test_a_result_nobody_waits_for_is_kept_to_ourselves(play) -> None:
    is_verified(play, what="epoch 500")
    assert play.kinds() == []
