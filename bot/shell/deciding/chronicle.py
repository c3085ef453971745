"""What happened lately, for people: a short sentence in Korean for each event that is worth one.

An event without a sentence is in the log all the same. What the log complained of stands in between.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from bot.core.events import (
    BestLost,
    BestPublished,
    BroughtBack,
    CheckpointForgotten,
    CheckpointLost,
    CheckpointPublished,
    CheckpointVerified,
    ClockJumped,
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
    Reacted,
    RowsFetched,
    Sighted,
    Spoke,
    StrangerCommanded,
    TermsRead,
    TermsUnreadable,
    WeightsFetched,
    WeightsRefused,
)
from bot.core.policy import Policy
from bot.core.showing.clock import clock
from bot.core.showing.people import sighted
from bot.shell.machine.log_warnings import ERROR, WARNING
from bot.shell.remembering.rows import JournalLine
from protocol.job import Checked, Converted, Failed, Outcome, Probed, Trained
from protocol.messages import Command
from protocol.progress import Found, Saved, Started
from protocol.roster import MENTION, Roster

MOST_LINES = 50
"""So many lines are at hand for who asks."""
MOST_CHARACTERS = 90
"""Two lines of a telephone."""

PROCESSES = {"absent": "없음", "alive": "실행 중", "dead": "종료됨", "unknown": "확인 불가"}


class Chronicle:
    """`earlier` is what happened before the daemon was started, `complaints` what its log complained of."""

    def __init__(
        self,
        policy: Policy,
        earlier: Sequence[JournalLine] = (),
        complaints: Callable[[], Iterable[JournalLine]] = lambda: (),
    ) -> None:
        self._policy = policy
        self._lately = deque(earlier, maxlen=MOST_LINES)
        self._complaints = complaints

    def line(self, event: Event) -> JournalLine | None:
        """What is worth remembering of it."""
        told = sentence(event, self._policy)
        return JournalLine(at=event.at, event=type(event).__name__, headline=told) if told else None

    def add(self, line: JournalLine) -> None:
        self._lately.append(line)

    def lines(self, now: datetime) -> tuple[str, ...]:
        """The newest, the oldest of them first, in the people's time zone; of one trouble the last time."""
        merged = sorted((*self._lately, *self._complaints()), key=lambda one: one.at)
        times = Counter(one.headline for one in merged)
        last = {one.headline: one for one in merged}
        kept = [one for one in merged if not _is_trouble(one) or last[one.headline] is one]
        return tuple(
            self._worded(one, times[one.headline] if _is_trouble(one) else 1, now)
            for one in kept[-MOST_LINES:]
        )

    def _worded(self, line: JournalLine, times: int, now: datetime) -> str:
        often = f" (×{times})" if times > 1 else ""
        return f"{clock(line.at, now, self._policy)} {short(line.headline)}{often}"


def _is_trouble(line: JournalLine) -> bool:
    return line.headline.startswith((WARNING, ERROR))


def short(text: str) -> str:
    """One line that a telephone shows.

    >>> short("a\\nb"), len(short("x" * 200))
    ('a b', 90)
    """
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def sentence(event: Event, policy: Policy) -> str:
    """Empty: not worth telling."""
    match event:
        case DaemonWoke(job=job):
            return f"데몬 시작 (학습 프로세스: {PROCESSES[job]})"
        case ClockJumped(by_s=by_s):
            return f"{WARNING}시계가 {by_s:+.0f}초 바뀜"
        case CycleForgotten(cycle=cycle):
            return f"{WARNING}Cycle {cycle}의 기록이 여기에 없음: Watcher에게 확인"
        case JobSpoke() | JobEnded() | JobFellSilent():
            return _of_a_process(event)
        case Spoke() | Edited() | Heard() | Garbled() | Reacted() | Sighted() | StrangerCommanded():
            return _of_the_channel(event, policy.roster)
        case _:
            return _of_the_bucket(event) or _of_what_comes_in(event)


def _of_the_channel(
    event: Spoke | Edited | Heard | Garbled | Reacted | Sighted | StrangerCommanded, roster: Roster
) -> str:
    match event:
        case Spoke(author=author, text=text):
            return f"{_who(author, roster)}: {MENTION.sub('', text).strip()}"
        case Edited(author=author, text=text):
            return f"{_who(author, roster)} 수정: {MENTION.sub('', text).strip()}"
        case Heard(author=author, message=Command(name=name)):
            return f"{_who(author, roster)}: !{name}"
        case Heard(author=author, message=message):
            return f"{_who(author, roster)}: {message.kind}"
        case Garbled(author=author, what=what):
            return f"{WARNING}{_who(author, roster)}의 메시지를 이해하지 못함: {what}"
        case Reacted(author=author, yes=yes):
            return f"{_who(author, roster)}: {'✅' if yes else '❌'}"
        case Sighted(sightings=seen):
            return WARNING + sighted(seen[-1])
        case StrangerCommanded(author=author, command=command):
            return f"{WARNING}운영자 아닌 {author}의 명령 `!{command}` (무시함)"


def _who(author: int, roster: Roster) -> str:
    return roster.peer_of(author) or "operator"


def _of_what_comes_in(event: Event) -> str:
    match event:
        case TermsRead(cycle=cycle, plan=plan):
            return f"Cycle {cycle}: {'PLAN.md' if plan else 'PLAN.md 없음'}, 레슨런 확인"
        case TermsUnreadable(errors=errors):
            return f"{ERROR}PLAN.md 오류: {errors[0]}"
        case RowsFetched(coming_bytes=size):
            return f"데이터의 행 도착, 영상 {size / 1e6:.0f}MB 다운로드 중"
        case LessonTranslated(changes=changes):
            return f"레슨런 번역: {', '.join(changes) or '알 수 없음'}"
        case DataFetched(files=files, size_bytes=size):
            return f"데이터 다운로드 완료: {files}개 파일, {size / 1e6:.0f}MB"
        case FetchFailed(problem=problem):
            return f"{ERROR}데이터 다운로드 실패: {problem}"
        case WeightsFetched(path=path):
            return f"시작 가중치 다운로드 완료: {path}"
        case WeightsRefused(problem=problem):
            return f"{ERROR}시작 가중치를 쓸 수 없음: {problem}"
        case BroughtBack(epoch=epoch, whole=whole):
            return (
                f"이전 기기의 epoch {epoch}에서 재개" if whole else f"{WARNING}이전 checkpoint를 쓸 수 없음"
            )
        case _:
            return ""


def _of_the_bucket(event: Event) -> str:
    match event:
        case CheckpointPublished(epoch=epoch):
            return f"checkpoint 업로드 완료: epoch {epoch}"
        case BestPublished(epoch=epoch):
            return f"best 업로드 완료: epoch {epoch}"
        case CheckpointLost(epoch=epoch):
            return f"{WARNING}checkpoint 포기: epoch {epoch} (파일이 온전하지 않음)"
        case BestLost(epoch=epoch):
            return f"{WARNING}best 포기: epoch {epoch} (파일이 온전하지 않음)"
        case CheckpointForgotten(epoch=epoch):
            return f"지난 checkpoint 삭제: epoch {epoch}"
        case CheckpointVerified(path=path, faults=faults):
            return f"{ERROR}{path} 손상: {faults[0]}" if faults else f"{path} 검증: 온전함"
        case HandedOn(cycle=cycle):
            return f"Cycle {cycle}: Evaluation에 넘길 best 준비 완료"
        case _:
            return ""


def _of_a_process(event: JobSpoke | JobEnded | JobFellSilent) -> str:
    match event:
        case JobSpoke(line=Started(epoch=epoch, epochs=epochs, device=device, resumed_from=resumed)):
            begun = "학습 재개" if resumed else "학습 시작"
            return f"{begun}: epoch {epoch}/{epochs} ({device})"
        case JobSpoke(line=Saved(what="checkpoint", epoch=epoch)):
            return f"checkpoint 저장: epoch {epoch}"
        case JobSpoke(line=Found(fact=fact)):
            return f"{WARNING}학습 중 발견: {fact}"
        case JobSpoke():
            return ""
        case JobEnded(outcome=outcome, detail=detail):
            return _came_to(outcome, detail)
        case JobFellSilent():
            return f"{WARNING}학습 프로세스의 소식이 없음"


def _came_to(outcome: Outcome | None, detail: str) -> str:
    match outcome:
        case None:
            return f"{ERROR}프로세스 비정상 종료{f': {detail}' if detail else ''}"
        case Probed(device=device):
            return f"학습 장치 확인: {device}"
        case Checked(ok=True, episodes=episodes):
            return f"데이터 검증 통과: 에피소드 {episodes}개"
        case Checked(problems=problems):
            return f"{ERROR}데이터 검증 실패: 문제 {len(problems)}건"
        case Converted(episodes=episodes):
            return f"HDF5 변환 완료: 에피소드 {episodes}개"
        case Trained(epochs=epochs, last_loss=loss):
            return f"학습 완료: epoch {epochs}, loss {loss:.4g}"
        case Failed(failure="stopped", epoch=None):
            return "프로세스가 요청대로 종료됨"
        case Failed(failure="stopped", epoch=epoch):
            return f"프로세스가 저장 후 종료됨: epoch {epoch}"
        case Failed(message=message):
            return f"{ERROR}{message}"
