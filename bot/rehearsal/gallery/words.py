"""The four tracks' states in words, for somebody who sees them for the first time. Pure."""

from bot.core import state as known
from bot.core.state import Cycle, State

type Words = dict[str, str]
"""By language: `en` and `ko`."""

TRACKS = ("data", "device", "terms", "run")

SAID: dict[type, Words] = {
    known.Awaited: {"en": "waiting for Developer's HANDOFF", "ko": "Developer의 HANDOFF를 기다림"},
    known.Named: {"en": "its place is known", "ko": "위치를 알게 됨"},
    known.Fetching: {"en": "being fetched from the bucket", "ko": "버킷에서 내려받는 중"},
    known.Arriving: {"en": "its rows are here, its videos are coming", "ko": "행은 도착, 영상을 내려받는 중"},
    known.CheckingAhead: {
        "en": "being fetched, and checked as it lands",
        "ko": "내려받으며 도착한 만큼 검증 중",
    },
    known.Abandoning: {"en": "will not come; its check is leaving", "ko": "다운로드 실패, 검증을 끝내는 중"},
    known.Fetched: {"en": "fetched", "ko": "내려받음"},
    known.Checking: {"en": "being checked, episode by episode", "ko": "에피소드별 검증 중"},
    known.Converting: {"en": "admitted; being converted to one HDF5 file", "ko": "통과, HDF5로 변환 중"},
    known.Admitted: {"en": "admitted and ready", "ko": "통과, 준비 완료"},
    known.Refused: {"en": "refused; Watcher was told why", "ko": "거부됨, Watcher에게 이유를 알림"},
    known.Unproven: {"en": "not tried yet", "ko": "아직 확인 전"},
    known.Probing: {"en": "one step is being tried on it", "ko": "한 step을 시험하는 중"},
    known.Proven: {"en": "works", "ko": "사용 가능"},
    known.Absent: {"en": "cannot be used", "ko": "사용할 수 없음"},
    known.Unread: {"en": "PLAN.md and lessons are being read", "ko": "PLAN.md와 레슨런을 읽는 중"},
    known.Judged: {"en": "a proposal waits for Watcher's yes or no", "ko": "제안이 Watcher의 답을 기다림"},
    known.Settled: {"en": "settled: every change has somebody's word", "ko": "확정: 모든 변경에 승인이 있음"},
    known.Unstarted: {"en": "not started", "ko": "시작 전"},
    known.Starting: {"en": "the trainer is starting", "ko": "학습 프로세스 시작 중"},
    known.Training: {"en": "learning", "ko": "학습 중"},
    known.Stalled: {
        "en": "silent for too long; asked to save and leave",
        "ko": "소식이 없어 저장 후 종료를 요청함",
    },
    known.Stopping: {"en": "saving, then leaving", "ko": "저장 후 종료하는 중"},
    known.Cooling: {"en": "crashed; it goes on after a pause", "ko": "중단됨, 잠시 뒤 재개"},
    known.Held: {"en": "held until somebody says resume", "ko": "보류, resume을 기다림"},
    known.Ended: {"en": "done; checkpoints are on their way", "ko": "완료, checkpoint 업로드 중"},
}

IDLE: Words = {"en": "no cycle is open", "ko": "열린 cycle 없음"}


def tracks(state: State) -> dict[str, Words]:
    """Each track's state; nothing where no cycle is open."""
    cycle = state.cycle
    return {} if cycle is None else {name: SAID[type(getattr(cycle, name))] for name in TRACKS}


def title(cycle: Cycle | None) -> Words:
    return IDLE if cycle is None else {"en": f"Cycle {cycle.number}", "ko": f"Cycle {cycle.number}"}
