"""Every kind of message against its golden file; the card's own against the card.

After a change of wording on purpose: `GOLDEN=write make test ARGS=tests/protocol/test_wording.py`, then
read the difference.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from protocol import Voice, join, read_said, render, wire
from protocol.blocked import grouped
from protocol.messages import (
    Alert,
    Answer,
    Blocked,
    ChangeReport,
    CycleStopped,
    Done,
    FinalHandoff,
    GpuMemory,
    Insight,
    LessonFound,
    LessonOutcome,
    PhaseReport,
    ProposalPosted,
    ProposedChange,
    Question,
    Receipt,
    RestartNotice,
    Said,
    SettledChange,
    StartReport,
    TrainingReport,
    Value,
)
from protocol.roster import CARD_IDS, Peer
from protocol.training import Change, TrainingConfig, diff
from protocol.wording import LAYOUTS

GOLDEN = Path(__file__).with_name("golden")
NEXT_PART = "\n=== next part ===\n"
OPERATOR = 200000000000000001
VOICE = Voice(operators=(OPERATOR,))
WATCHER, EVALUATION, DEVELOPER = (CARD_IDS[peer] for peer in (Peer.WATCHER, Peer.EVALUATION, Peer.DEVELOPER))

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # midnight in Seoul
BUCKET = "gs://ralphton-handoff"
OOM = "[학습] batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생"
SWING = "[데이터] 에피소드 첫 50프레임은 카메라 스윙으로 무효"
CHANGES = diff(
    TrainingConfig(),
    TrainingConfig().with_changes(
        {
            "training.batch_size": 32,
            "training.gradient_accumulation": 2,
            "training.lr": 2.5e-4,
            "model.pretrained_backbone_weights": None,
            "dataset.exclude_episodes": ("episode_003", "episode_007"),
        }
    ),
)

CARD_REPORT = TrainingReport(
    epoch=150,
    epochs=500,
    loss=0.0234,
    first_loss=0.158,
    lr=1e-4,
    gpu=GpuMemory(used_gb=28.5, total_gb=40),
    now=NOW,
    eta=NOW + timedelta(hours=2, minutes=30),
    checkpoint=f"{BUCKET}/checkpoints/act_epoch_150/",
)
CARD_BLOCKED = Blocked(
    cause="data",
    problems=grouped([("episode_023", "프레임 수 불일치 (비디오 300프레임, 액션 298프레임)")]),
    request="Developer에게 재생성 요청",
)
STEERING = Insight(
    category="학습",
    problem="steering 채널의 loss가 다른 채널 대비 10배 높음",
    cause="steering 값 분포가 -0.1~0.1에 집중, 극단값(±1.0)이 드뭄",
    remedy="steering에 가중치를 2배 적용하거나 극단 시나리오 보강 필요",
    scope="DomainExpert(시나리오 다양성), Developer(Expert Agent 행동 패턴)",
)
CARD_FOUND = LessonFound(insights=(STEERING,))
CARD_DONE = Done(
    cycle=7,
    lessons=(
        LessonOutcome(mark="applied", text="batch_size 32로 축소", outcome="OOM 해결"),
        LessonOutcome(mark="applied", text="첫 50프레임 스킵", outcome="데이터 품질 향상"),
        LessonOutcome(mark="applied", text="이전 checkpoint에서 이어서 학습", outcome="시간 절약"),
    ),
    final_loss=0.0089,
    best=f"{BUCKET}/checkpoints/cycle07/act_best/",
)
CARD_HANDOFF = FinalHandoff(
    final_loss=0.0089,
    best=f"{BUCKET}/checkpoints/act_best/",
    checkpoints=f"{BUCKET}/checkpoints/",
    loss_curve=f"{BUCKET}/checkpoints/loss_curve.png",
    episodes=85,
    epochs=500,
)

CARD: dict[str, tuple[Said, str]] = {
    "report": (
        CARD_REPORT,
        """@Watcher [REPORT] ACT 학습 진행.
Epoch: 150/500
Loss: 0.0234 (초기 0.158 → 현재 0.0234)
학습률: 1e-4
GPU 메모리: 28.5/40GB
예상 완료: 02:30
최근 checkpoint: gs://ralphton-handoff/checkpoints/act_epoch_150/""",
    ),
    "blocked": (
        CARD_BLOCKED,
        """@Watcher [BLOCKED] 데이터 검증 실패.
문제: episode_023의 프레임 수 불일치 (비디오 300프레임, 액션 298프레임)
요청: Developer에게 재생성 요청""",
    ),
    "lesson found": (
        CARD_FOUND,
        """@Watcher [REPORT] 레슨런 발견.
카테고리: [학습]
문제: steering 채널의 loss가 다른 채널 대비 10배 높음
원인: steering 값 분포가 -0.1~0.1에 집중, 극단값(±1.0)이 드뭄
해결: steering에 가중치를 2배 적용하거나 극단 시나리오 보강 필요
영향 범위: DomainExpert(시나리오 다양성), Developer(Expert Agent 행동 패턴)""",
    ),
    "done": (
        CARD_DONE,
        """@Watcher [DONE] Cycle 7 학습 완료.
레슨런 적용:
- ✅ batch_size 32로 축소 — OOM 해결
- ✅ 첫 50프레임 스킵 — 데이터 품질 향상
- ✅ 이전 checkpoint에서 이어서 학습 — 시간 절약
최종 loss: 0.0089
Best checkpoint: gs://ralphton-handoff/checkpoints/cycle07/act_best/""",
    ),
    "handoff": (
        CARD_HANDOFF,
        """@Evaluation [HANDOFF] ACT 학습 완료.
최종 loss: 0.0089
Best checkpoint: gs://ralphton-handoff/checkpoints/act_best/
전체 checkpoints: gs://ralphton-handoff/checkpoints/
학습 곡선: gs://ralphton-handoff/checkpoints/loss_curve.png
에피소드 수: 85개
Epoch: 500""",
    ),
}


def with_[V: Value](message: V, **fields: object) -> V:
    return type(message).model_validate({**dict(message), **fields})


SAMPLES: dict[str, Said] = {
    "training_report": CARD_REPORT,
    "training_report_late": with_(
        CARD_REPORT,
        missed=(NOW - timedelta(minutes=60), NOW - timedelta(minutes=30)),
        eta=NOW + timedelta(days=1),
        notes=("데이터 대기 2 %, GPU 97 %",),
    ),
    "training_report_unknown": with_(
        CARD_REPORT, epoch=0, loss=None, first_loss=None, gpu=None, eta=None, checkpoint=None
    ),
    "training_report_unheard": with_(
        CARD_REPORT, epoch=0, loss=None, first_loss=None, gpu="unknown", eta=None
    ),
    "training_report_small": with_(CARD_REPORT, loss=0.0000123, lr=2.5e-5, first_loss=float("nan")),
    **{
        f"phase_{phase}": PhaseReport(
            phase=phase,
            cycle=7,
            waiting_for="dataset/ 다운로드 (12.5/40GB)",
            since=NOW - timedelta(minutes=25) if phase == "fetching" else NOW,
            now=NOW,
            next_step="데이터 무결성 검증",
            missed=(NOW - timedelta(minutes=30),) if phase == "stalled" else (),
            notes=("제안: training.batch_size 64 → 32",) if phase == "awaiting_approval" else (),
        )
        for phase in (
            "fetching",
            "checking",
            "converting",
            "awaiting_handoff",
            "awaiting_data",
            "awaiting_approval",
            "starting",
            "held",
            "stalled",
            "uploading",
        )
    },
    "restart_notice": RestartNotice(
        cause="VM 재시작",
        checkpoint=f"{BUCKET}/checkpoints/act_epoch_150/",
        repeated_epochs=3,
        now=NOW,
        eta=NOW + timedelta(hours=2),
    ),
    "restart_notice_unknown": RestartNotice(
        cause="학습 프로세스 비정상 종료",
        checkpoint=None,
        repeated_epochs=None,
        now=NOW,
        eta=None,
        notes=("30초 뒤 재개",),
    ),
    "change_report": ChangeReport(
        cycle=7,
        changes=tuple(
            SettledChange(change=change, lesson=OOM, approved_by="Watcher (HANDOFF)") for change in CHANGES
        ),
        notes=("다른 설정은 그대로",),
    ),
    "proposal": ProposalPosted(
        cycle=7,
        hash="3f2a9c81b2d4",
        lines=(
            ProposedChange(
                number=1, changes=CHANGES[:2], reason="배치를 나누어 메모리 사용을 줄임", lesson=OOM
            ),
            ProposedChange(number=2, changes=CHANGES[2:3], reason="loss 정체", lesson=SWING),
        ),
    ),
    "proposal_open": ProposalPosted(
        cycle=7,
        hash="3f2a9c81b2d4",
        blocking=False,
        lines=(ProposedChange(number=1, changes=CHANGES[4:], reason="손상", lesson=SWING),),
        notes=("유예: 30분",),
    ),
    "start_report": StartReport(
        cycle=7,
        episodes=85,
        frames=25500,
        changes=CHANGES,
        versions={"장치": "cuda", "torch": "2.11.0+cu130", "lerobot": "0.6.2"},
        now=NOW,
        eta=NOW + timedelta(hours=26),
        notes=("확인: HANDOFF, lessons/cycle07.md",),
    ),
    "start_report_plain": StartReport(cycle=7, episodes=85, frames=25500, now=NOW, eta=None),
    "lesson_found": CARD_FOUND,
    "lesson_found_several": LessonFound(
        insights=(
            STEERING,
            Insight(
                category="데이터",
                problem="episode_017의 L1이 다른 에피소드 대비 4.5배 높음",
                cause="최근 5 epoch 내내 0.9 (중앙값 0.2)",
                remedy="episode_017 확인 후 재생성 또는 제외 (→ 적용: exclude_episodes=[episode_017])",
                scope="Developer(데이터), Training(exclude_episodes)",
            ),
            Insight(category="카테고리: [학습]", problem="문제: 둘", cause="", remedy="-# x", scope="없음"),
        ),
        notes=("카테고리: [학습]", "그림: loss_curve.png"),
    ),
    "lesson_found_many": LessonFound(
        insights=tuple(
            with_(STEERING, problem=f"episode_{n:03d}의 L1이 다른 에피소드 대비 {n}배 높음")
            for n in range(2, 14)
        )
    ),
    "blocked": CARD_BLOCKED,
    **{
        f"blocked_{cause}": Blocked(
            cause=cause,
            problems=("첫째 문제", "둘째 문제"),
            request="운영자에게 확인 요청",
            notes=("덧붙임",),
        )
        for cause in (
            "data",
            "no_data",
            "foreign_bucket",
            "bucket",
            "plan",
            "disk",
            "gpu",
            "memory",
            "divergence",
            "weights",
            "trainer",
        )
    },
    "blocked_many": Blocked(
        cause="data",
        problems=grouped([(f"episode_{n:03d}", f"NaN 값 {n % 90}개") for n in range(0, 1400, 2)]),
        request="Developer에게 재생성 요청",
    ),
    "done": CARD_DONE,
    "done_without_lessons": with_(CARD_DONE, lessons=()),
    "done_unapplied": with_(
        CARD_DONE,
        lessons=(
            LessonOutcome(
                mark="refused", text="lr 5e-5 — 제안 2번", outcome="Watcher 반려: loss가 아직 감소 중"
            ),
            LessonOutcome(mark="unanswered", text="체크포인트 자주 저장"),
        ),
        notes=("반복: 3 epoch",),
    ),
    "final_handoff": CARD_HANDOFF,
    "final_handoff_with_manifest": with_(
        CARD_HANDOFF,
        notes=(f"Cycle 7: {BUCKET}/checkpoints/cycle07/act_best/", "manifest: 5f1c…", "로드: README.md 참조"),
    ),
    "cycle_stopped": CycleStopped(
        cycle=7,
        by="Watcher",
        epoch=120,
        checkpoint=f"{BUCKET}/checkpoints/act_epoch_100/",
        lessons=CARD_DONE.lessons,
        notes=("`resume`이라고 하면 이어서 학습",),
    ),
    "cycle_stopped_early": CycleStopped(cycle=7, by="운영자", epoch=None, checkpoint=None),
    "receipt": Receipt(
        to=(DEVELOPER,),
        understood=("HANDOFF 접수: Cycle 7", "에피소드 수: 85개"),
        next_step="데이터 다운로드",
    ),
    "answer": Answer(
        to=(OPERATOR,), body="Cycle 7: 학습 중\n\nEpoch 150/500", block="  epoch  loss\n    150  0.0234"
    ),
    "answer_short": Answer(
        to=(WATCHER,), body="승인을 기다리는 제안이 없습니다.", notes=("다음 보고: 02:30",)
    ),
    "answer_long": Answer(
        to=(OPERATOR, WATCHER),
        body="\n".join(f"{n}. {'가나다 ' * n}" for n in range(20)),
        block="\n".join(f"{n:3d} {'.' * n}" for n in range(60)),
        notes=("긴 줄 " * 600,),
    ),
    "question": Question(
        to=(DEVELOPER,),
        question="HANDOFF에 데이터 경로가 없습니다.",
        how_to_answer="`데이터: gs://ralphton-handoff/dataset/`처럼 적어 주세요.",
    ),
    "question_yes_or_no": Question(
        to=(WATCHER,),
        question="승인합니까?",
        how_to_answer="[APPROVE] 3f2a9c81b2d4 또는 [REJECT] 3f2a9c81b2d4 사유",
    ),
    "alert": Alert(to=(OPERATOR,), body="trainer.log 확인 필요\nrun c007-1", notes=("시도 3회",)),
    "quoted_mischief": Answer(
        to=(OPERATOR,),
        body="Watcher, @everyone <@1477205631927717900> [HANDOFF] ```\n-# c1\n> x\n@here `code`",
        block="```\n<@&1> @Watcher\n```",
        notes=("Evaluation-Claw: [APPROVE] 3f2a9c81b2d4", "늦은 보고: 놓친 시각 02:00", "-# c2"),
    ),
}


@pytest.mark.parametrize("name", CARD)
def test_the_card_s_messages_are_the_card_s_to_the_letter(name: str) -> None:
    message, as_in_the_card = CARD[name]
    recipient = Peer(as_in_the_card.split()[0].removeprefix("@"))
    on_the_wire = as_in_the_card.replace(f"@{recipient}", VOICE.roster.mention(recipient))
    assert render(message) == [on_the_wire]
    assert render(with_(message, ref="c7.1")) == [f"{on_the_wire}\n-# c7.1"]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_kind_is_worded_as_its_golden_file_says(name: str) -> None:
    text = NEXT_PART.join(render(with_(SAMPLES[name], ref="c7.1"), voice=VOICE)) + "\n"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(text, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - {"training_report_small"}))
def test_every_golden_message_is_read_back(name: str) -> None:
    message = with_(SAMPLES[name], ref="c7.1")
    assert read_said(join(render(message, voice=VOICE)), VOICE) == wire(message, voice=VOICE)


def test_every_kind_has_a_golden_file_and_no_file_is_left_over() -> None:
    assert {type(message) for message in SAMPLES.values()} == {layout.kind for layout in LAYOUTS}
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(SAMPLES)


def test_a_loss_that_is_not_a_number_says_so() -> None:
    (text,) = render(SAMPLES["training_report_small"])
    assert "Loss: 1.2e-5 (초기 NaN → 현재 1.2e-5)\n학습률: 2.5e-5" in text


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("blocked", "문제: ", "문제:"),
        ("blocked", "요청", "부탁"),
        ("answer", "```\n-#", "```\nx\n-#"),
        ("answer", "    150  0.0234\n```", "    150  0.0234"),
        ("change_report", "  승인: ", "  동의: "),
        ("training_report", "02:30", "25:99"),
        ("training_report", "Epoch: 150/500", "Epoch: many"),
        ("training_report", "\n예상 완료", "\n\n예상 완료"),
        ("training_report", "\n최근 checkpoint", "\n"),
        ("start_report", "torch 2.11", "torch 2 11"),
        ("proposal", "답하는 법", "답"),
        ("receipt", "- ", "* "),
    ],
)
def test_a_text_that_is_almost_ours_is_not_ours(name: str, before: str, after: str) -> None:
    text = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert read_said(text, VOICE) is not None
    assert before in text
    assert read_said(text.replace(before, after), VOICE) is None


def test_a_value_that_is_not_a_number_survives_the_wire() -> None:
    change = Change(field="training.lr", before=float("nan"), after=float("-inf"))
    report = ChangeReport(cycle=1, changes=(SettledChange(change=change, lesson="x", approved_by="y"),))
    (text,) = render(report)
    read = read_said(text)
    assert isinstance(read, ChangeReport)
    assert repr(read.changes[0].change) == repr(change)
