"""What people read of what happened: sentences, in their time, troubles marked and told once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from bot.core.events import (
    BestLost,
    BestPublished,
    BroughtBack,
    CheckpointForgotten,
    CheckpointLost,
    CheckpointPublished,
    CheckpointVerified,
    ClockJumped,
    CurvePublished,
    CycleForgotten,
    DaemonWoke,
    DataFetched,
    Edited,
    Event,
    FetchFailed,
    Garbled,
    HandedOn,
    Heard,
    JobEnded,
    JobFellSilent,
    JobSpoke,
    LessonTranslated,
    PlanSeen,
    Reacted,
    RowsFetched,
    Sighted,
    Spoke,
    StrangerCommanded,
    TermsRead,
    TermsUnreadable,
    Ticked,
    WeightsFetched,
    WeightsRefused,
)
from bot.core.policy import Policy
from bot.core.state import Sighting
from bot.shell.deciding.chronicle import MOST_CHARACTERS, MOST_LINES, Chronicle, sentence
from bot.shell.remembering.rows import JournalLine
from protocol.job import Checked, Converted, Failed, Probed, Trained
from protocol.messages import Command, Talk
from protocol.plan import read_plan
from protocol.progress import Found, Saved, Started

AT = datetime(2026, 3, 1, 3, 4, tzinfo=UTC)
POLICY = Policy(operators=(300000000000000001,))
WATCHER = POLICY.roster.watcher
OPERATOR = POLICY.operators[0]


def saved(what: Any) -> Saved:
    return Saved(at=AT, what=what, epoch=50, step=9, folder="f", loss=None, size_bytes=1)


def started(resumed: str | None) -> Started:
    return Started(
        at=AT,
        device="A100",
        precision="bf16",
        parameters=1,
        episodes=60,
        frames=9,
        steps_per_epoch=3,
        epoch=50,
        epochs=500,
        resumed_from=resumed,
    )


def spoke(line: Any) -> JobSpoke:
    return JobSpoke(at=AT, run="r", attempt=1, line=line)


def ended(outcome: Any, detail: str = "") -> JobEnded:
    return JobEnded(at=AT, run="r", attempt=1, outcome=outcome, detail=detail)


TRAINED = Trained(
    epochs=500,
    first_loss=1,
    last_loss=0.0089,
    best_loss=0.0089,
    best_epoch=499,
    first_l1=1,
    last_l1=0.1,
    episodes=60,
    frames=9,
)
STRAY = Sighting(user_id=7, why="name", peer=POLICY.roster.peer_of(WATCHER), message_id=9)

STORY: tuple[tuple[Event, str], ...] = (
    (DaemonWoke(at=AT, house="h", job="alive"), "데몬 시작 (학습 프로세스: 실행 중)"),
    (Ticked(at=AT), ""),
    (ClockJumped(at=AT, by_s=-3600), "⚠ 시계가 -3600초 바뀜"),
    (CycleForgotten(at=AT, cycle=7), "⚠ Cycle 7의 기록이 여기에 없음: Watcher에게 확인"),
    (
        Spoke(
            at=AT, author=WATCHER, message_id=1, text="<@1477243247956066414> [HANDOFF]\nCycle 7", said_at=AT
        ),
        "Watcher: [HANDOFF]\nCycle 7",
    ),
    (Edited(at=AT, author=WATCHER, message_id=1, text="anew"), "Watcher 수정: anew"),
    (Heard(at=AT, author=OPERATOR, message=Command(name="stop")), "operator: !stop"),
    (Heard(at=AT, author=WATCHER, message=Talk(about="status")), "Watcher: talk"),
    (Garbled(at=AT, author=WATCHER, what="no path"), "⚠ Watcher의 메시지를 이해하지 못함: no path"),
    (Reacted(at=AT, author=WATCHER, ref="h-1", yes=True), "Watcher: ✅"),
    (Reacted(at=AT, author=WATCHER, ref="h-1", yes=False), "Watcher: ❌"),
    (StrangerCommanded(at=AT, author=7, command="stop"), "⚠ 운영자 아닌 7의 명령 `!stop` (무시함)"),
    (TermsRead(at=AT, cycle=7, plan=None, files=()), "Cycle 7: PLAN.md 없음, 레슨런 확인"),
    (
        TermsRead(at=AT, cycle=7, plan=read_plan("# PLAN\n"), files=()),
        "Cycle 7: PLAN.md, 레슨런 확인",
    ),
    (TermsUnreadable(at=AT, cycle=7, errors=("line 3: no number",)), "❌ PLAN.md 오류: line 3: no number"),
    (PlanSeen(at=AT, cycle=7, plan=None), ""),
    (RowsFetched(at=AT, cycle=7, coming_bytes=5_000_000), "데이터의 행 도착, 영상 5MB 다운로드 중"),
    (LessonTranslated(at=AT, cycle=7, entry=0, changes={}), "레슨런 번역: 알 수 없음"),
    (LessonTranslated(at=AT, cycle=7, entry=0, changes={"training.lr": 1}), "레슨런 번역: training.lr"),
    (
        DataFetched(at=AT, cycle=7, files=9, size_bytes=5_000_000),
        "데이터 다운로드 완료: 9개 파일, 5MB",
    ),
    (FetchFailed(at=AT, cycle=7, cause="no_data", problem="없음"), "❌ 데이터 다운로드 실패: 없음"),
    (WeightsFetched(at=AT, cycle=7, path="checkpoints/old"), "시작 가중치 다운로드 완료: checkpoints/old"),
    (WeightsRefused(at=AT, cycle=7, path="p", problem="없음"), "❌ 시작 가중치를 쓸 수 없음: 없음"),
    (BroughtBack(at=AT, cycle=7, epoch=50, whole=True), "이전 기기의 epoch 50에서 재개"),
    (BroughtBack(at=AT, cycle=7, epoch=50, whole=False), "⚠ 이전 checkpoint를 쓸 수 없음"),
    (CheckpointPublished(at=AT, cycle=7, epoch=50), "checkpoint 업로드 완료: epoch 50"),
    (BestPublished(at=AT, cycle=7, epoch=47), "best 업로드 완료: epoch 47"),
    (CurvePublished(at=AT, cycle=7), ""),
    (CheckpointForgotten(at=AT, cycle=7, epoch=50), "지난 checkpoint 삭제: epoch 50"),
    (
        BestLost(at=AT, cycle=7, epoch=48, damage="epoch_048/manifest.json: gone"),
        "⚠ best 포기: epoch 48 (파일이 온전하지 않음)",
    ),
    (
        CheckpointLost(at=AT, cycle=7, epoch=50, damage="epoch_050/manifest.json: gone"),
        "⚠ checkpoint 포기: epoch 50 (파일이 온전하지 않음)",
    ),
    (CheckpointVerified(at=AT, path="act_best/", what="x"), "act_best/ 검증: 온전함"),
    (CheckpointVerified(at=AT, path="act_best/", what="x", faults=("a.bin",)), "❌ act_best/ 손상: a.bin"),
    (HandedOn(at=AT, cycle=7, manifest="abc"), "Cycle 7: Evaluation에 넘길 best 준비 완료"),
    (spoke(started(None)), "학습 시작: epoch 50/500 (A100)"),
    (spoke(started("resume/9")), "학습 재개: epoch 50/500 (A100)"),
    (spoke(saved("checkpoint")), "checkpoint 저장: epoch 50"),
    (spoke(saved("resume")), ""),
    (spoke(Found(at=AT, fact="plateau")), "⚠ 학습 중 발견: plateau"),
    (JobFellSilent(at=AT, run="r", attempt=1, heard_at=AT, promised_s=9), "⚠ 학습 프로세스의 소식이 없음"),
    (ended(None, "SIGKILL"), "❌ 프로세스 비정상 종료: SIGKILL"),
    (ended(None), "❌ 프로세스 비정상 종료"),
    (ended(Probed(device="A100")), "학습 장치 확인: A100"),
    (ended(Checked(ok=True, episodes=60, frames=9, hash="h")), "데이터 검증 통과: 에피소드 60개"),
    (ended(Checked(ok=False, episodes=60, frames=9, hash="h")), "❌ 데이터 검증 실패: 문제 0건"),
    (ended(Converted(episodes=60, frames=9, output=Path("d"))), "HDF5 변환 완료: 에피소드 60개"),
    (ended(TRAINED), "학습 완료: epoch 500, loss 0.0089"),
    (ended(Failed(failure="stopped", message="m")), "프로세스가 요청대로 종료됨"),
    (ended(Failed(failure="stopped", message="m", epoch=7)), "프로세스가 저장 후 종료됨: epoch 7"),
    (ended(Failed(failure="diverged", message="loss가 NaN")), "❌ loss가 NaN"),
)


@pytest.mark.parametrize(("event", "told"), STORY, ids=lambda one: type(one).__name__)
def test_an_event_is_a_sentence_or_not_worth_one(event: Event, told: str) -> None:
    assert sentence(event, POLICY) == told


def test_an_account_that_is_not_in_the_roster_is_told_with_what_to_do() -> None:
    assert sentence(Sighted(at=AT, sightings=(STRAY,)), POLICY).startswith("⚠ 명부와 다른 신원: ")


def test_every_kind_of_event_was_thought_of() -> None:
    assert {type(event) for event, _ in STORY} | {Sighted} == {*get_args(Event)}


def test_what_is_read_is_in_the_peoples_time_and_the_newest_comes_last() -> None:
    chronicle = Chronicle(POLICY, [line("yesterday", hours=-24)])
    chronicle.add(line("now"))
    assert chronicle.lines(AT) == ("02-28 12:04 yesterday", "12:04 now")


def test_a_trouble_that_comes_again_and_again_is_one_line() -> None:
    trouble = [line("⚠ no Discord", hours=-1), line("⚠ no Discord"), line("❌ no room", hours=-2)]
    chronicle = Chronicle(POLICY, complaints=lambda: trouble)
    for hours in (-1, 0):
        chronicle.add(line("operator: !status", hours=hours))
    assert chronicle.lines(AT) == (
        "10:04 ❌ no room",
        "11:04 operator: !status",
        "12:04 operator: !status",
        "12:04 ⚠ no Discord (×2)",
    )


def test_a_line_fits_a_telephone_and_there_are_only_so_many() -> None:
    chronicle = Chronicle(POLICY, [line(f"{n} " + "가" * 200) for n in range(200)])
    lines = chronicle.lines(AT)
    assert len(lines) == MOST_LINES
    assert max(map(len, lines)) == len("12:04 ") + MOST_CHARACTERS
    assert "\n" not in "".join(Chronicle(POLICY, [line("a\nb")]).lines(AT))


def line(told: str, hours: int = 0) -> JournalLine:
    return JournalLine(at=AT + timedelta(hours=hours), event="log", headline=told)
