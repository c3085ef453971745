"""The layout of every message we send, line by line. The card's own are the card's, to the letter."""

from protocol.layout import Block, Body, Each, Layout, Line, OneOrMany, Row, WhenAny
from protocol.messages import (
    Alert,
    Answer,
    Blocked,
    ChangeReport,
    CycleStopped,
    Done,
    FinalHandoff,
    LessonFound,
    PhaseReport,
    ProposalPosted,
    Question,
    Receipt,
    RestartNotice,
    StartReport,
    TrainingReport,
)
from protocol.quotation import LATE


def _lines(*templates: str) -> tuple[Row, ...]:
    return tuple(Line(template) for template in templates)


_LESSONS = (
    Line("레슨런 적용:"),
    Each(
        "lessons",
        _lines("- {:outcome}"),
        none=_lines("- 없음 (확인: HANDOFF, lessons/cycle{cycle:padded}.md)"),
    ),
)

_MISSED = WhenAny("missed", Line(LATE + " 놓친 시각 {missed:clocks}"))

LAYOUTS = (
    Layout(
        TrainingReport,
        (
            *_lines(
                "[REPORT] ACT 학습 진행.",
                "Epoch: {epoch:int}/{epochs:int}",
                "Loss: {loss:float??} (초기 {first_loss:float??} → 현재 {loss:float??})",
                "학습률: {lr:rate}",
                "GPU 메모리: {gpu:gpu}",
                "예상 완료: {eta:clock??}",
                "최근 checkpoint: {checkpoint:text?}",
            ),
            _MISSED,
        ),
        unsaid=("now",),
    ),
    Layout(
        PhaseReport,
        (
            *_lines(
                "[REPORT] {phase:phase}.",
                "Cycle: {cycle:int}",
                "기다리는 것: {waiting_for}",
                "시작 시각: {since:clock}",
                "다음 단계: {next_step}",
            ),
            _MISSED,
        ),
        unsaid=("now",),
    ),
    Layout(
        RestartNotice,
        _lines(
            "[REPORT] 재시작 알림.",
            "원인: {cause}",
            "재개 checkpoint: {checkpoint:text?}",
            "반복 epoch: {repeated_epochs:int??}",
            "예상 완료: {eta:clock??}",
        ),
        unsaid=("now",),
    ),
    Layout(
        ChangeReport,
        (
            *_lines("[REPORT] 설정 변경 사전 보고.", "Cycle: {cycle:int}"),
            Each(
                "changes",
                _lines(
                    "- {change.field:name}: {change.before:value} → {change.after:value}",
                    "  레슨런: {lesson}",
                    "  승인: {approved_by}",
                ),
            ),
        ),
        apart=True,
    ),
    Layout(
        ProposalPosted,
        (
            *_lines("[REPORT] 설정 변경 승인 요청.", "Cycle: {cycle:int}", "제안: {hash}"),
            Each(
                "lines",
                (
                    Line("{number:int}. 레슨런: {lesson}"),
                    Each("changes", _lines("   변경: {field:name}: {before:value} → {after:value}")),
                    Line("   이유: {reason}"),
                ),
            ),
            Line("시작 조건: {blocking:blocking}"),
        ),
        tail=_lines(
            "답하는 법: 이 메시지에 ✅/❌, 또는 저를 멘션하거나 이 메시지에 답장으로 "
            "[APPROVE] {hash} / [REJECT] {hash} 사유"
        ),
    ),
    Layout(
        StartReport,
        (
            *_lines(
                "[REPORT] 학습 시작.",
                "Cycle: {cycle:int}",
                "에피소드 수: {episodes:int}개",
                "프레임 수: {frames:int}개",
                "설정 변경:",
            ),
            Each(
                "changes",
                _lines("- {field:name}: {before:value} → {after:value}"),
                none=_lines("- 없음 (기본 설정)"),
            ),
            *_lines("버전: {versions:pairs}", "예상 완료: {eta:clock??}"),
        ),
        unsaid=("now",),
    ),
    Layout(
        LessonFound,
        (
            Line("[REPORT] 레슨런 발견."),
            Each(
                "insights",
                _lines(
                    "카테고리: [{category:category}]",
                    "문제: {problem}",
                    "원인: {cause}",
                    "해결: {remedy}",
                    "영향 범위: {scope}",
                ),
            ),
        ),
        apart=True,
    ),
    Layout(
        Blocked,
        (Line("[BLOCKED] {cause:cause}."), OneOrMany("문제:", "problems"), Line("요청: {request}")),
    ),
    Layout(
        Done,
        (
            Line("[DONE] Cycle {cycle:int} 학습 완료."),
            *_LESSONS,
            *_lines("최종 loss: {final_loss:float}", "Best checkpoint: {best}"),
        ),
    ),
    Layout(
        FinalHandoff,
        _lines(
            "[HANDOFF] ACT 학습 완료.",
            "최종 loss: {final_loss:float}",
            "Best checkpoint: {best}",
            "전체 checkpoints: {checkpoints}",
            "학습 곡선: {loss_curve}",
            "에피소드 수: {episodes:int}개",
            "Epoch: {epochs:int}",
        ),
    ),
    Layout(
        CycleStopped,
        (
            *_lines("[REPORT] Cycle {cycle:int} 학습 중단.", "중단: {by}", "Epoch: {epoch:int?}"),
            *_LESSONS,
            Line("최근 checkpoint: {checkpoint:text?}"),
        ),
    ),
    Layout(
        Receipt,
        (
            Line("[RECEIPT] 수신 확인."),
            Each("understood", _lines("- {:item}")),
            Line("다음 단계: {next_step}"),
        ),
    ),
    Layout(Answer, (Body("[ANSWER]", "body"), Block("block")), apart=True),
    Layout(
        Question,
        _lines("[QUESTION] 확인 요청.", "질문: {question}", "답하는 법: {how_to_answer:spell}"),
    ),
    Layout(Alert, (Body("[ALERT]", "body"),), apart=True),
)

LAYOUT_OF = {layout.kind: layout for layout in LAYOUTS}
