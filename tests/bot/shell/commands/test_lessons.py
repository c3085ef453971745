"""`training-claw lessons`, as a person at a terminal has it."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.core.state import State
from bot.shell.machine.places import Places
from bot.shell.remembering import tables
from bot.shell.remembering.rows import Part
from bot.shell.remembering.store import Store
from protocol.messages import ChangeReport, SettledChange
from protocol.text import render
from protocol.training import Change

LESSONS = """\
- [학습] batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생
- [데이터] 에피소드 첫 50프레임은 카메라 스윙으로 무효
- [학습] 무언가 이상함
- [시나리오] 장애물이 부족함
"""
CARD = """\
Watcher 레슨런: "[학습] batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생"
→ 적용: batch_size를 64 → 32로 축소, gradient accumulation 2 적용
→ Watcher에게 사전 보고 후 학습 시작

Watcher 레슨런: "[데이터] 에피소드 첫 50프레임은 카메라 스윙으로 무효"
→ 적용: 데이터 로드 시 각 에피소드 첫 50프레임 스킵 처리
→ 검증: 스킵 후 프레임-액션 동기화 재확인

카테고리: [학습]
문제: steering 채널의 loss가 다른 채널 대비 10배 높음
원인: steering 값 분포가 -0.1~0.1에 집중, 극단값(±1.0)이 드뭄
해결: steering에 가중치를 2배 적용하거나 극단 시나리오 보강 필요
영향 범위: DomainExpert(시나리오 다양성), Developer(Expert Agent 행동 패턴)

[학습] 이전 checkpoint에서 이어서 학습 — 시간 절약
"""
AT = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def lessons(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["lessons", *arguments], input=stdin)


def test_each_lesson_has_its_verdict_its_diff_or_its_question() -> None:
    told = lessons("explain", "-", stdin=LESSONS)
    assert told.exit_code == 0
    assert "waits for Watcher's approval: batch_size 32로 축소" in told.output
    assert "training.batch_size: 64 → 32" in told.output
    assert "applied, reported before the start: 첫 50프레임 스킵" in told.output
    assert "asked back: 무엇을 바꿀지 이해하지 못함, 예: → 적용: batch_size=32" in told.output
    assert "not ours, kept" in told.output


def test_of_the_card_s_four_two_are_orders_and_two_are_proposed() -> None:
    told = json.loads(lessons("explain", "-", "--cycle", "2", "--json", stdin=CARD).output)["lessons"]
    assert [one["verdict"] for one in told] == ["applied", "applied", "proposed", "proposed"]
    changes = {change["field"]: change["after"] for one in told for change in one["changes"]}
    assert changes == {
        "training.batch_size": 32,
        "training.gradient_accumulation": 2,
        "dataset.skip_first_frames": 50,
        "training.action_weights": {"steering": 2.0},
        "training.start_from": "checkpoints/cycle01/act_best",
    }


def test_what_a_file_of_the_bucket_says_is_a_hint(tmp_path: Path) -> None:
    file, plan = tmp_path / "cycle03.md", tmp_path / "PLAN.md"
    file.write_text(LESSONS, encoding="utf-8")
    plan.write_text("```yaml\ntraining:\n  batch_size: 32\n```\n", encoding="utf-8")
    told = json.loads(lessons("explain", str(file), "--hints", "--plan", str(plan), "--json").output)
    assert [one["verdict"] for one in told["lessons"]] == ["satisfied", "proposed", "unclear", "not_ours"]
    assert told["lessons"][1]["changes"][0]["after"] == 50
    assert told["config"] != told["if_approved"]


def test_what_asks_for_the_same_is_said_to_be_the_same() -> None:
    twice = LESSONS + "- [학습] GPU OOM\n"
    told = lessons("explain", "-", stdin=twice)
    assert "the same as 1, waits with it: batch_size 32로 축소" in told.output
    assert told.output.count("training.batch_size: 64 → 32") == 1
    objects = json.loads(lessons("explain", "-", "--json", stdin=twice).output)["lessons"]
    assert [one.get("same_as") for one in objects] == [None, None, None, None, 1]


def test_after_the_first_cycle_there_is_a_checkpoint_to_go_on_from() -> None:
    again = "[학습] 이전 checkpoint에서 이어서 학습"
    assert "asked back" in lessons("explain", "-", stdin=again).output
    told = lessons("explain", "-", "--cycle", "3", stdin=again)
    assert "training.start_from: 없음 → checkpoints/cycle02/act_best" in told.output


def test_a_text_without_lessons_says_how_to_write_one() -> None:
    told = lessons("explain", "-", stdin="안녕하세요.\n")
    assert told.exit_code == 2
    assert "no lesson in it" in told.output


def test_a_broken_plan_is_named(tmp_path: Path) -> None:
    plan = tmp_path / "PLAN.md"
    plan.write_text("```yaml\ntraining:\n  batch_size: many\n```\n", encoding="utf-8")
    told = lessons("explain", "-", "--plan", str(plan), stdin=LESSONS)
    assert (told.exit_code, f"{plan}: 3행 training.batch_size" in told.stderr) == (1, True)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """Of a daemon that has reported two changes."""
    changes = tuple(
        SettledChange(
            change=Change(field=field, before=before, after=after),
            lesson="GPU 메모리 부족",
            approved_by="Watcher (제안 0a1b2c)",
        )
        for field, before, after in (
            ("training.batch_size", 64, 32),
            ("training.gradient_accumulation", 1, 2),
        )
    )
    (content,) = render(ChangeReport(ref="h0-1", cycle=3, changes=changes))
    part = Part(ref="h0-1", part=1, parts=1, kind="change_report", recipients=(1,), content=content)

    async def keep() -> None:
        store = await Store.open(Places(tmp_path).database)
        await store.ask(tables.record, tables.Record(at=AT, state=State(), parts=[part]))
        await store.close()

    asyncio.run(keep())
    return tmp_path


@pytest.mark.parametrize("role", ["file", "plan"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory; name a file that can be read"),
        ("[학습] OOM".encode("cp949"), "is not UTF-8 (byte 1); save it as UTF-8"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_its_file(
    tmp_path: Path, role: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / "말.md"
    if content is not None:
        path.write_bytes(content)
    named = (str(path),) if role == "file" else ("-", "--plan", str(path))
    told = lessons("explain", *named, stdin=LESSONS)
    assert (told.exit_code, told.stderr) == (1, f"training-claw lessons: {path}: {said}\n")


def test_a_list_of_something_else_is_not_weighed_for_minutes() -> None:
    told = lessons("explain", "-", stdin="## 레슨런\n" + "".join(f"- a {number}\n" for number in range(501)))
    said = "training-claw lessons: -: 501 lessons, more than the 500 of a file; name the right one\n"
    assert (told.exit_code, told.stderr) == (1, said)


def test_standard_input_is_read_as_a_file_is() -> None:
    told = CliRunner().invoke(main, ["lessons", "explain", "-"], input=b"\xc7\xd0")
    assert (told.exit_code, "-: is not UTF-8 (byte 0)" in told.stderr) == (1, True)


def test_the_log_says_when_what_why_and_on_whose_word(state_dir: Path) -> None:
    told = lessons("log", "--state-dir", str(state_dir))
    assert told.exit_code == 0
    assert "2026-03-01T03:00:00Z  cycle 3  training.batch_size: 64 → 32" in told.output
    assert "GPU 메모리 부족 — Watcher (제안 0a1b2c)" in told.output
    entries = json.loads(lessons("log", "--state-dir", str(state_dir), "--json").output)
    assert [one["field"] for one in entries] == ["training.batch_size", "training.gradient_accumulation"]


def test_without_a_database_there_is_nothing_to_read(tmp_path: Path) -> None:
    told = lessons("log", "--state-dir", str(tmp_path))
    assert told.exit_code == 1
    assert "does not exist" in told.output


def test_a_damaged_database_is_one_line(tmp_path: Path) -> None:
    Places(tmp_path).database.write_bytes(b"not a database" * 100)
    told = lessons("log", "--state-dir", str(tmp_path))
    assert told.exit_code == 1
    assert "Traceback" not in told.output
