"""The remedies' examples stand in their docstrings; here is what lies between them."""

import doctest

import pytest

from bot.core import retention
from bot.lessons import remedies
from bot.lessons.judgement import Impossible, NotOurs, Remedied, Satisfied, Unclear
from bot.lessons.remedies import judge
from protocol import blocked, paths
from protocol.messages import Lesson
from protocol.training import TrainingConfig

CARD = TrainingConfig()


@pytest.mark.parametrize("module", [remedies, retention, blocked, paths], ids=lambda m: m.__name__)
def test_the_examples_in_the_docstrings_are_true(module) -> None:
    ran = doctest.testmod(module)
    assert ran.attempted > 0
    assert ran.failed == 0


def judged(text: str, remedy: str | None = None, category: str = "학습", config: TrainingConfig = CARD):
    return judge(Lesson(category=category, text=text, remedy=remedy), config)


def test_what_the_card_s_oom_lesson_asks_for_is_inferred() -> None:
    judgement = judged("batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생")
    assert isinstance(judgement, Remedied)
    assert not judgement.exact
    assert {change.field: change.after for change in judgement.changes} == {
        "training.batch_size": 32,
        "training.gradient_accumulation": 2,
    }


def test_the_card_s_frames_lesson_says_its_value_itself() -> None:
    judgement = judged("에피소드 첫 50프레임은 카메라 스윙으로 무효", category="데이터")
    assert isinstance(judgement, Remedied)
    assert judgement.exact


def test_the_arrow_is_read_first_and_is_exact() -> None:
    judgement = judged(
        "batch_size 64에서 GPU 메모리 부족", "batch_size를 64 → 32로 축소, gradient accumulation 2 적용"
    )
    assert isinstance(judgement, Remedied)
    assert judgement.exact
    assert judgement.summary == "batch_size 32, gradient_accumulation 2"


@pytest.mark.parametrize(
    ("text", "remedy", "kind"),
    [
        ("첫 0프레임 무효", None, Satisfied),
        ("수렴이 느림", "lr=1e-4", Satisfied),
        ("저장을 뜸하게", "save_checkpoint_every=200", Impossible),
        ("무언가 이상함", None, Unclear),
        ("무언가 이상함", "잘 해 볼 것", Unclear),
        ("batch_size 64는 괜찮았음", None, Unclear),
    ],
)
def test_what_else_a_lesson_can_turn_out_to_be(text: str, remedy: str | None, kind: type) -> None:
    assert isinstance(judged(text, remedy), kind)


def test_at_batch_size_one_there_is_nothing_left_to_halve() -> None:
    one = CARD.with_changes({"training.batch_size": 1})
    assert isinstance(judged("OOM", config=one), Impossible)


def test_another_category_is_not_ours_unless_it_touches_the_config() -> None:
    assert isinstance(judged("장애물이 부족함", category="시나리오"), NotOurs)
    assert isinstance(judged("첫 30프레임은 암전", category="시나리오"), Remedied)


def test_the_particle_fits_the_number() -> None:
    judgement = judged("OOM", config=CARD.with_changes({"training.batch_size": 32}))
    assert isinstance(judgement, Remedied)
    assert judgement.summary.startswith("batch_size 16으로 축소")


def test_frames_at_the_tail_and_episodes_by_name() -> None:
    tail = judged("last 10 frames are frozen", category="데이터")
    assert isinstance(tail, Remedied)
    assert tail.changes[0].field == "dataset.skip_last_frames"
    out = judged("episode_017과 episode_020 제외", category="데이터")
    assert isinstance(out, Remedied)
    assert out.changes[0].after == ["episode_017", "episode_020"]
