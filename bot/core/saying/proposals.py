"""What lessons change: what is applied, what waits for Watcher's yes, and what is asked back."""

from bot.core.policy import Policy
from bot.core.state import Admitted, Cycle, Data, Entry, Proposal
from bot.core.state.terms import like
from protocol.messages import ChangeReport, ProposalPosted, ProposedChange, Question, SettledChange
from protocol.training import TrainingConfig

HOW_TO_SAY_A_LESSON = "`→ 적용: batch_size=32`처럼 필드 이름과 값을 적어 주세요."


def changes_applied(cycle: Cycle, fresh: tuple[Entry, ...]) -> tuple[ChangeReport, ...]:
    """The card's report before the start: each change that is in the config from now on."""
    changes = tuple(
        SettledChange(change=change, lesson=entry.heard.lesson.text, approved_by=entry.approved_by)
        for entry in fresh
        if entry.status == "applied"
        for change in entry.changes
    )
    return (ChangeReport(cycle=cycle.number, changes=changes),) if changes else ()


def questions_about(fresh: tuple[Entry, ...], policy: Policy) -> tuple[Question, ...]:
    return tuple(
        Question(
            to=(policy.roster.watcher,),
            question=f"레슨런을 설정에 반영하지 못했습니다: {entry.heard.lesson.text} ({entry.note})",
            how_to_answer=HOW_TO_SAY_A_LESSON,
        )
        for entry in fresh
        if entry.status == "unclear"
    )


def posted(
    cycle: Cycle, proposal: Proposal, leads_to: TrainingConfig, policy: Policy
) -> tuple[ProposalPosted, ...]:
    """`leads_to`: the config as it will be if all of it is approved."""
    terms = cycle.terms
    assert terms.phase != "unread", "a proposal comes from judged lessons"
    lines = tuple(
        ProposedChange(
            number=line.number,
            changes=line.changes,
            reason=line.reason,
            lesson=" / ".join(
                terms.ledger[place].heard.lesson.text
                for place in (line.entry, *like(terms.ledger, line.entry))
            ),
        )
        for line in proposal.lines
    )
    return (
        ProposalPosted(
            cycle=cycle.number,
            hash=proposal.hash,
            lines=lines,
            blocking=policy.approval == "explicit" or any(line.translated for line in proposal.lines),
            notes=what_it_means(terms.config, leads_to, cycle.data),
        ),
    )


def what_it_means(before: TrainingConfig, after: TrainingConfig, data: Data) -> tuple[str, ...]:
    """What the changed config comes to, as far as it is known before the start."""
    was, will = before.training, after.training
    samples = f"step당 샘플: {was.samples_per_step} → {will.samples_per_step}"
    passes = f"batch {will.batch_size} × accumulation {will.gradient_accumulation}"
    steps = "epoch당 step: 계산 중 (데이터 검증 후)"
    if isinstance(data, Admitted):
        old, new = (-(-data.frames // one.samples_per_step) for one in (was, will))
        steps = f"epoch당 step: {old:,} → {new:,} (전체 {new * will.epochs:,})"
    return f"{samples} ({passes})", steps, "GPU 메모리, 예상 완료: 계산 중 (학습 시작 후 측정)"
