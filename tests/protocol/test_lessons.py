"""Lessons as they are written in messages and in `lessons/cycle{NN}.md`."""

from pathlib import Path

import pytest

from protocol.lessons import gathered, read_lessons
from protocol.lines import lines_of
from protocol.messages import Lesson

OOM = "batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생"
CARD_OOM = f"""Watcher 레슨런: "[학습] {OOM}"
→ 적용: batch_size를 64 → 32로 축소, gradient accumulation 2 적용
→ Watcher에게 사전 보고 후 학습 시작"""
CARD_SWING = """Watcher 레슨런: "[데이터] 에피소드 첫 50프레임은 카메라 스윙으로 무효"
→ 적용: 데이터 로드 시 각 에피소드 첫 50프레임 스킵 처리
→ 검증: 스킵 후 프레임-액션 동기화 재확인"""


def said(text: str) -> tuple[Lesson, ...]:
    return gathered(lines_of(text))


def test_the_card_s_examples_are_lessons_with_their_remedies() -> None:
    assert said(CARD_OOM) == (
        Lesson(category="학습", text=OOM, remedy="batch_size를 64 → 32로 축소, gradient accumulation 2 적용"),
    )
    (swing,) = said(CARD_SWING)
    assert (swing.category, swing.remedy) == ("데이터", "데이터 로드 시 각 에피소드 첫 50프레임 스킵 처리")


@pytest.mark.parametrize(
    "text",
    [
        "→ 적용: seed=7",
        "→ 적용: seed=7\n감사합니다.",
        "`→ 적용: seed=7`",
        "적용: seed=7",
        "[학습] → 적용: seed=7",
        "Cycle 3\n→ 적용: seed=7",
    ],
)
def test_a_remedy_by_itself_as_our_questions_ask_for_is_a_lesson(text: str) -> None:
    assert said(text) == (Lesson(category="학습", text="seed=7", remedy="seed=7"),)


@pytest.mark.parametrize("text", ["> → 적용: seed=7\n무슨 뜻입니까?", "→ 적용:", "적용: 완료했습니다"])
def test_but_not_a_quoted_one_nor_an_empty_one(text: str) -> None:
    assert said(text) == ()


@pytest.mark.parametrize("before", ["", "- ", "1. ", "> ", "!", "📎 "])
@pytest.mark.parametrize(
    "link",
    [
        "[README](https://x)",
        "[Apache-2.0](LICENSE)",
        "[학습](docs/training.md)",
        "[데이터](#data)",
        "[model](./act_best)",
        "[ 학습 기록 ](https://x/y?z=1)",
    ],
)
def test_a_link_is_no_category(before: str, link: str) -> None:
    line = f"{before}{link} 참고: batch_size=32로"
    assert said(line) == ()
    assert {lesson.category for text in (line, f"레슨런:\n{line}") for lesson in read_lessons(text)} <= {""}


def test_but_a_category_may_have_a_remark_beside_it() -> None:
    assert [lesson.category for lesson in said(f"[학습](cycle 2) {OOM}\n[학습] (중요) {OOM}")] == ["학습"] * 2
    (lesson,) = said(f"레슨런:\n- [README](https://x) 참고: {OOM}")
    assert lesson == Lesson(category="", text=f"[README](https://x) 참고: {OOM}")


def test_a_page_s_links_are_no_lessons() -> None:
    page = Path(__file__).parents[2] / "README.md"
    assert {lesson.category for lesson in read_lessons(page.read_text(encoding="utf-8"))} <= {""}
    assert read_lessons("[한국어](README.ko.md)\n\n[Apache-2.0](LICENSE).\n") == ()


def test_a_quoted_remedy_is_nobody_s_order() -> None:
    (lesson,) = said(f"> [학습] {OOM}\n> → 적용: batch_size=32")
    assert lesson == Lesson(category="학습", text=OOM)
    (inline,) = said(f"> [학습] {OOM} → 적용: batch_size=32")
    assert inline == Lesson(category="학습", text=OOM)


TABLE = """레슨런:
| 카테고리 | 내용 | 적용 |
|---|---|---|
| 학습 | OOM | batch_size=32 |
| 데이터 | 첫 50프레임 무효 | - |"""


def test_a_table_may_have_a_column_of_remedies() -> None:
    oom = Lesson(category="학습", text="OOM")
    swing = Lesson(category="데이터", text="첫 50프레임 무효")
    assert said(TABLE) == (oom.model_copy(update={"remedy": "batch_size=32"}), swing)
    assert said(TABLE.replace("적용", "비고")) == (oom, swing)
    assert said("> " + TABLE.replace("\n", "\n> ")) == (oom, swing)


def test_emoji_do_not_hide_a_heading_nor_a_category() -> None:
    oom = Lesson(category="학습", text="OOM")
    assert said("💡 레슨런\n🔹 학습: OOM") == said("💡 레슨런\n### 📚 학습\n- OOM") == (oom,)


def test_several_remedies_of_one_lesson_are_kept() -> None:
    (lesson,) = said("[학습] 느림\n→ 적용: lr=1e-5\n- 적용: epochs=100")
    assert lesson.remedy == "lr=1e-5\nepochs=100"


@pytest.mark.parametrize(
    "text",
    [
        "레슨런: 없음",
        "레슨런 목록은 gs://ralphton-handoff/lessons/cycle07.md에 있습니다",
        "레슨런: gs://ralphton-handoff/lessons/cycle07.md",
        "레슨런: lessons/cycle07.md",
        "레슨런: lessons/cycle07.md 참고",
        "레슨런 3건: 아래와 같습니다.",
        "레슨런:\n\n",
        "[학습]",
        "[HANDOFF] 데이터 생성 완료",
        "[공지] 점검",
        "→ 다음 단계: 학습",
        "원인: 모름",
    ],
)
def test_what_is_no_lesson_is_not_taken_for_one(text: str) -> None:
    assert said(text) == ()


def test_under_a_heading_every_entry_is_a_lesson() -> None:
    assert said("## 레슨런 (3건)\n1. [학습] 하나\n2. 평가: 둘\n3. 셋은\n   두 줄\n\n이상입니다.") == (
        Lesson(category="학습", text="하나"),
        Lesson(category="평가", text="둘"),
        Lesson(category="", text="셋은 두 줄"),
    )
    assert said("레슨런: lr을 낮추기") == (Lesson(category="", text="lr을 낮추기"),)
    assert said("레슨런:\n하나\n둘") == (Lesson(category="", text="하나"), Lesson(category="", text="둘"))
    assert said("[학습]\n- 하나\n- 둘") == (
        Lesson(category="학습", text="하나"),
        Lesson(category="학습", text="둘"),
    )


def test_lessons_may_stand_in_a_table() -> None:
    assert said("레슨런:\n| 카테고리 | 내용 |\n|---|---|\n| [학습] | OOM |\n| 데이터 | 무효 |") == (
        Lesson(category="학습", text="OOM"),
        Lesson(category="데이터", text="무효"),
    )


def test_the_five_lines_of_an_insight_are_one_lesson() -> None:
    (lesson,) = said("카테고리: [학습]\n문제: loss가 높음\n원인: 분포\n해결: 가중치\n영향 범위: Developer")
    assert lesson == Lesson(category="학습", text="loss가 높음 (원인: 분포; 해결: 가중치)")


def test_a_lessons_file_is_read_in_its_order() -> None:
    text = f"""# Cycle 7 레슨런
작성: Watcher
- 날짜: 2026-11-22

## [학습]
- {OOM}
  - 적용: batch_size=32
- 둘째

## 데이터
* 첫 50프레임 무효
> → 적용: 스킵
- 평가: 느림

## 기타
[인프라] 디스크 부족
카테고리: [시나리오]
문제: 극단값 부족
카테고리: [시나리오]
"""
    assert read_lessons(text) == (
        Lesson(category="학습", text=OOM, remedy="batch_size=32"),
        Lesson(category="학습", text="둘째"),
        Lesson(category="데이터", text="첫 50프레임 무효", remedy="스킵"),
        Lesson(category="데이터", text="평가: 느림"),
        Lesson(category="인프라", text="디스크 부족"),
        Lesson(category="시나리오", text="극단값 부족"),
    )


def test_a_file_without_lessons_has_none() -> None:
    assert read_lessons("") == read_lessons("# Cycle 3\n\n아직 없음") == ()
