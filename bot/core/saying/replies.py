"""What we answer to whoever spoke to us."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.core.policy import Policy
from bot.core.showing.halted import halted
from bot.core.state import Awaited, Cycle, Entry, Named, Proposal, Refused, Unread, Unstarted, is_under_way
from bot.lessons.changes import written
from protocol.messages import Answer, Handoff, Lessons, Question, Receipt
from protocol.talk import Verb
from protocol.training import TrainingConfig, diff


@dataclass(frozen=True, slots=True)
class LessonsGo:
    """Where lessons that were just heard go: so many into the open cycle, so many into the next one, and what
    can be foreseen of the latter."""

    here: int
    later: int
    foreseen: tuple[Entry, ...] = ()

    @property
    def next_step(self) -> str:
        """Empty: there were none."""
        here = "학습 시작 전에 판단해 보고" if self.here else ""
        later = "다음 cycle의 설정에 반영" if self.later else ""
        return f"{self.here}건은 {here}, {self.later}건은 {later}" if here and later else here or later


def handoff_received(cycle: Cycle, handoff: Handoff, go: LessonsGo, author: int) -> Receipt:
    """It may be the first word of a cycle, the other half of it, or come when training has long begun."""
    verdicts = (f"레슨런: {one.heard.lesson.text}{_verdict(one)}" for one in go.foreseen)
    return Receipt(
        to=(author,),
        understood=(*_understood(handoff, cycle.number), *verdicts),
        next_step=", ".join(filter(None, (_terms_come_next(cycle, go), _data_comes_next(cycle)))),
    )


def _terms_come_next(cycle: Cycle, go: LessonsGo) -> str:
    match cycle.terms:
        case Unread(broken=broken) if broken:
            return "PLAN.md 수정 대기"
        case Unread():
            return "PLAN.md와 레슨런 확인"
        case _:
            return f"레슨런은 {go.next_step}" if go.next_step else ""


def _data_comes_next(cycle: Cycle) -> str:
    if not isinstance(cycle.run, Unstarted):
        return "이미 시작한 학습은 그대로 진행"
    match cycle.data:
        case Awaited():
            return "데이터 HANDOFF 대기"
        case Refused():
            return "새 데이터 HANDOFF 대기"
        case Named():
            return "데이터 다운로드와 무결성 검증"
        case _:
            return "이미 받은 데이터로 계속"


def _understood(handoff: Handoff, number: int) -> tuple[str, ...]:
    understood = [f"HANDOFF 접수: Cycle {number}"]
    if handoff.data:
        understood.append(f"데이터: {handoff.data}")
    if handoff.episodes is not None:
        understood.append(f"에피소드 수: {handoff.episodes}개")
    if handoff.lessons:
        understood.append(f"레슨런: {len(handoff.lessons)}건")
    understood += [f"{label}: {value} (참고만 함)" for label, value in handoff.extra.items()]
    return tuple(understood)


def lessons_received(message: Lessons, go: LessonsGo, author: int) -> Receipt:
    verdicts = {entry.heard.lesson: _verdict(entry) for entry in go.foreseen}
    understood = tuple(f"레슨런: {one.text}{verdicts.get(one, '')}" for one in message.lessons)
    return Receipt(
        to=(author,), understood=understood or ("레슨런 없음",), next_step=go.next_step or "레슨런 대기"
    )


def _verdict(entry: Entry) -> str:
    """What the next cycle makes of it, as far as it can be told now."""
    match entry.status:
        case "applied":
            return f" → 다음 cycle에 적용: {entry.note}"
        case "proposed":
            return f" → 다음 cycle에 승인 요청: {entry.note}"
        case "unclear":
            return " → 질문함"
        case _:
            return f" → {entry.note}"


def queued(handoff: Handoff, number: int, place: int, before: Cycle, author: int) -> Receipt:
    return Receipt(
        to=(author,),
        understood=_understood(handoff, number),
        next_step=f"대기열 {place}번째, Cycle {before.number}이 끝나면 시작{_way_out(before)}",
    )


def plan_changed(number: int, before: TrainingConfig, says: TrainingConfig, watcher: int) -> Receipt:
    changes = tuple(
        f"{one.field}: {written(one.before)} → {written(one.after)}" for one in diff(before, says)
    )
    return Receipt(
        to=(watcher,),
        understood=(
            f"Cycle {number}을 시작한 뒤에 PLAN.md가 바뀜",
            *(changes or ("시작할 때의 설정으로 돌아옴",)),
        ),
        next_step="이번 cycle에는 적용하지 않고 다음 cycle을 시작할 때 읽음 (지금 필요하면 레슨런으로 지시)",
    )


def _way_out(before: Cycle) -> str:
    """Of one that stands still it is said why, and how those that wait behind it can begin."""
    stands = "데이터 HANDOFF 대기 중" if isinstance(before.data, Awaited) else halted(before)
    return f" (지금은 {stands}. 운영자가 `!abandon cycle`로 끝낼 수 있음)" if stands else ""


def already_at_work(cycle: Cycle, handoff: Handoff, author: int) -> Answer:
    assert cycle.data.phase != "awaited", "there is work to speak of"
    same = cycle.data.source.rstrip("/") == (handoff.data or "").rstrip("/")
    first = "이미 접수한 HANDOFF입니다." if same else f"이미 {cycle.data.source}(으)로 진행 중입니다."
    return Answer(
        to=(author,), body=f"{first}\nCycle {cycle.number}: data {cycle.data.phase}, run {cycle.run.phase}"
    )


def number_is_taken(number: int, free: int, author: int) -> Question:
    return Question(
        to=(author,),
        question=f"Cycle {number}은 이미 끝났습니다. 새 cycle입니까?",
        how_to_answer=f"새 cycle이면 `Cycle {free}`로 HANDOFF를 다시 보내 주세요.",
    )


def path_missing(author: int) -> Question:
    return Question(
        to=(author,),
        question="HANDOFF에 데이터 경로가 없습니다.",
        how_to_answer="`데이터: gs://ralphton-handoff/dataset/`처럼 경로를 적어 주세요.",
    )


def not_yours(kind: str) -> str:
    return f"이 메시지({kind})는 보낸 분의 권한 밖이라 반영하지 않았습니다."


def edited_too_late(author: int) -> Question:
    return Question(
        to=(author,),
        question="이미 처리한 메시지가 수정되었습니다. 수정한 내용은 아직 반영하지 않았습니다.",
        how_to_answer="반영하려면 수정한 내용 전체를 새 메시지로 보내 주세요.",
    )


def went_on_too_late(author: int) -> Question:
    return Question(
        to=(author,),
        question="이미 처리한 메시지 뒤에 이어진 내용이 도착했습니다. 아직 반영하지 않았습니다.",
        how_to_answer="반영하려면 내용 전체를 멘션과 함께 다시 보내 주세요.",
    )


def too_many_answers(to: int, policy: Policy) -> str:
    whom = policy.roster.peer_of(to) or to
    return (
        f"{whom}에게 보내는 답이 1분에 {policy.answers_a_minute}개를 넘어 잠시 답하지 않습니다. "
        "받은 내용은 모두 처리합니다."
    )


def nothing_to_decide(author: int) -> Answer:
    return Answer(to=(author,), body="승인을 기다리는 제안이 없습니다.")


def another_proposal(proposal: Proposal, named: str, author: int) -> Question:
    return Question(
        to=(author,),
        question=f"지금 기다리는 제안은 {proposal.hash}입니다{f' ({named}이 아님)' if named else ''}.",
        how_to_answer=f"승인: `[APPROVE] {proposal.hash}`, 반려: `[REJECT] {proposal.hash} 사유`",
    )


def not_that_line(proposal: Proposal, author: int) -> Answer:
    return Answer(to=(author,), body=_waiting(proposal))


def _waiting(proposal: Proposal) -> str:
    numbers = ", ".join(f"{line.number}번" for line in proposal.lines)
    return f"제안 {proposal.hash}에서 답을 기다리는 것은 {numbers}입니다."


def another_line(proposal: Proposal, author: int) -> Question:
    return Question(
        to=(author,),
        question=_waiting(proposal),
        how_to_answer=f"승인: `[APPROVE] {proposal.hash}`, 반려: `[REJECT] {proposal.hash} 사유`",
    )


def yes_or_no(proposal: Proposal, author: int) -> Question:
    return Question(
        to=(author,),
        question=f"제안 {proposal.hash}을 승인합니까, 반려합니까?",
        how_to_answer=f"승인: `[APPROVE] {proposal.hash}`, 반려: `[REJECT] {proposal.hash} 사유`",
    )


def not_that_proposal(proposal: Proposal, author: int) -> Answer:
    how = f"`!approve {proposal.hash}` 또는 `!reject {proposal.hash} 사유`"
    return Answer(to=(author,), body=f"지금 기다리는 제안은 {proposal.hash}입니다. {how}")


def which_checkpoint(waiting: tuple[str, ...], author: int) -> Answer:
    if not waiting:
        return Answer(to=(author,), body="업로드를 기다리는 checkpoint가 없습니다. 포기할 것이 없습니다.")
    return Answer(
        to=(author,),
        body=f"업로드를 기다리는 것: {', '.join(waiting)}. 예: `!abandon {waiting[0]}`",
    )


def still_at_work(cycle: Cycle, author: int) -> Answer:
    return Answer(
        to=(author,),
        body=f"Cycle {cycle.number}은 아직 진행 중입니다. 먼저 `!stop`으로 멈춘 뒤 다시 `!abandon cycle`.",
    )


def cycle_ended(cycle: Cycle, waiting: int, author: int) -> Answer:
    next_step = "대기열의 다음 cycle을 시작합니다." if waiting else "다음 HANDOFF를 기다립니다."
    return Answer(to=(author,), body=f"Cycle {cycle.number}을 DONE 없이 끝냈습니다. {next_step}")


def no_other_best(author: int) -> Answer:
    return Answer(
        to=(author,),
        body=(
            "버킷에 이 cycle의 다른 best가 없어 포기할 수 없습니다. ALERT에 적힌 폴더의 파일을 되돌려 놓아야 "
            "합니다."
        ),
    )


def gives_up(what: str, author: int) -> Answer:
    named = "best" if what == "best" else f"epoch {what}의 checkpoint"
    return Answer(
        to=(author,),
        body=(
            f"{named}를 한 번 더 올려 봅니다. 이 기계의 파일이 온전하지 않으면 포기하고 Watcher에게 "
            "알립니다. 온전하면 포기하지 않고 계속 올립니다."
        ),
    )


def not_delegated(name: str, author: int) -> Answer:
    return Answer(
        to=(author,),
        body=f"`!{name}`: 승인과 반려는 Watcher의 권한입니다. 위임은 설정 OPERATORS_MAY_APPROVE로 합니다.",
    )


def no_word(name: str, author: int) -> Answer:
    return Answer(to=(author,), body=f"`!{name}` 뒤에는 제안의 hash, 항목 번호, 사유만 적어 주세요.")


def word_taken(cycle: Cycle, said: str, author: int) -> Receipt:
    return Receipt(to=(author,), understood=(f"제안에 대한 답 접수: {said}",), next_step=_after_a_word(cycle))


def decided(
    kind: str, proposal: Proposal, after: Cycle, by: str, author: int, policy: Policy
) -> tuple[Answer, Receipt]:
    """An operator decided in Watcher's place: he is answered, Watcher is told."""
    what = f"{'승인' if kind == 'approval' else '반려'} ({by}, 위임): 제안 {proposal.hash}"
    next_step = _after_a_word(after)
    watcher = Receipt(to=(policy.roster.watcher,), understood=(what,), next_step=next_step)
    return Answer(to=(author,), body=f"{what}\n다음 단계: {next_step}"), watcher


def _after_a_word(cycle: Cycle) -> str:
    if is_under_way(cycle.run):
        return "이번 학습은 지금 설정 그대로, 승인한 변경은 다음 cycle에서 다시 판단"
    left = cycle.proposal
    return f"제안 {left.hash}의 나머지 답을 대기" if left else "데이터가 준비되는 대로 학습 시작"


def how_to_answer(cycle: Cycle) -> tuple[str, ...]:
    """While a proposal waits, each report repeats the difference and how to answer."""
    if cycle.proposal is None:
        return ()
    changes = [change for line in cycle.proposal.lines for change in line.changes]
    return (
        *(f"제안: {one.field} {written(one.before)} → {written(one.after)}" for one in changes),
        f"답: [APPROVE] {cycle.proposal.hash} 또는 [REJECT] {cycle.proposal.hash} 사유",
    )


def unanswered(cycle: Cycle, proposal: Proposal, policy: Policy) -> str:
    after_s = policy.remind_operators_after_s
    waited = f"{after_s / 3600:g}시간" if after_s >= 3600 else f"{after_s:.0f}초"
    until_then = "학습은 승인 전에 시작하지 않습니다."
    if is_under_way(cycle.run):
        until_then = "학습은 지금 설정 그대로 진행 중입니다."
    return f"제안 {proposal.hash}이 {waited} 넘게 Watcher의 답을 기다립니다. {until_then}"


def nothing_runs(author: int) -> Answer:
    return Answer(to=(author,), body="열린 cycle이 없습니다. HANDOFF를 기다립니다.")


def no_such_command(name: str, near: list[str]) -> str:
    return (
        f"`!{name}`은 없는 명령입니다."
        + (f" `!{near[0]}`입니까?" if near else "")
        + " `!help`로 목록을 봅니다."
    )


NEXT_STEP: Mapping[Verb, str] = MappingProxyType(
    {"stop": "저장하고 멈춤", "resume": "저장 지점에서 재개", "retry": "다시 시도"}
)


def order_taken(
    verb: Verb, by: str, cycle: Cycle, author: int, policy: Policy
) -> tuple[Receipt | Answer, ...]:
    """Watcher is told of every order; an operator who gave it gets an answer as well."""
    next_step = NEXT_STEP[verb]
    taken = f"{verb} 접수 ({by}), Cycle {cycle.number}"
    watcher = Receipt(to=(policy.roster.watcher,), understood=(taken,), next_step=next_step)
    operator = Answer(to=(author,), body=f"{taken}\n다음 단계: {next_step}")
    return (watcher,) if author == policy.roster.watcher else (operator, watcher)
