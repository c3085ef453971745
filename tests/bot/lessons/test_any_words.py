"""Whatever a lesson says, it is judged: no words make the remedies fail, and none lead out of bounds."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.lessons.judgement import Remedied, Unclear
from bot.lessons.remedies import LONGEST, judge
from protocol.messages import Lesson
from protocol.training import TrainingConfig, diff

CARD = TrainingConfig()
VOCABULARY = """
batch_size lr 학습률 epochs seed chunk_size n_action_steps image_size dropout 에폭
camera_names backbone dim_model 64 32 0 -1 1e-5 1e999 1,000
99999999999999999999 50 = → 에서 을 를 는 은 으로 로 배 두 절반 % 낮춰 늘려 줄여 적용 변경 설정 프레임 초 첫
마지막 무효 제외 episode_017 에피소드 , – ~ [ego,wrist] [ ( 256x256 이미지 카메라 wrist 추가 OOM
메모리부족 발산 NaN 과적합 정체 checkpoint 마다 저장 every epochs by a factor of lower halve
double the to from None "x" 이미지증강 augmentation 밝기 hue 끄고 하지 마세요 했더니 시 검토 ?
"""
FRAGMENTS = VOCABULARY.split()
words = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=6)), max_size=14).flatmap(
    lambda parts: st.sampled_from((" ".join(parts), "".join(parts)))
)


@settings(max_examples=200, deadline=None)
@given(text=words, remedy=st.none() | words, category=st.sampled_from(("학습", "데이터", "시나리오")))
def test_any_words_are_judged_and_what_they_change_is_a_config(text, remedy, category) -> None:
    lesson = Lesson(category=category, text=text, remedy=remedy)
    judgement = judge(lesson, CARD)
    if isinstance(judgement, Remedied):
        after = CARD.with_changes({change.field: change.after for change in judgement.changes})
        assert diff(CARD, after) == judgement.changes


def test_numbers_too_long_to_be_meant_do_not_hurt() -> None:
    long = "9" * 900
    for text in (
        f"lr={long}",
        f"첫 {long}프레임 무효",
        f"첫 {long}초 무효",
        f"lr을 {long}배로",
        "seed를 1e999배로",
        "첫 1e999초 무효",
        f"이미지 {long}x{long}",
        f"episode_{long} 제외",
        f"batch_size {long}에서 OOM",
        f"프레임 0~{long} 무효",
        "epochs를 1e999% 늘려",
    ):
        judge(Lesson(category="학습", text=text), CARD)
        judge(Lesson(category="학습", text="x", remedy=text), CARD)


@pytest.mark.parametrize(
    "part", [*"19x[", "lr ", "lr 1~", "1e-5 → ", "lr=1e-5, ", "12번, ", "episode_1, ", "epoch 1 이후 "]
)
def test_no_words_take_long_however_often_they_are_repeated(part: str) -> None:
    """Twelve times what the slowest takes on an idle core; a way to look back too often takes hours."""
    lesson = Lesson(category="학습", text=part * (LONGEST // len(part)))
    began = time.process_time()
    judge(lesson, CARD)
    assert time.process_time() - began < 3


def test_a_lesson_longer_than_a_message_is_asked_back() -> None:
    assert isinstance(judge(Lesson(category="학습", text="lr=1e-5 " * 300), CARD), Unclear)
