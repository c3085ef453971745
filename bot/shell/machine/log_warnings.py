"""What the log has complained of lately, in words that an operator understands (`!logs`).

`LATELY` is the one global here: logging itself is one, and it is filled by whatever speaks up, libraries too.
"""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, cast

MOST = 50
WARNING, ERROR = "⚠ ", "❌ "

TOLD_ELSEWHERE = frozenset(
    {
        "the clock jumped",
        "silent",
        "ended",
        "a command of somebody who is no operator",
        "the channel knows of a cycle that we do not",
        "a new client after a pause",
        "told",
    }
)
"""The chronicle of events has it, or the line before."""

IN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        # what is owed
        "later": "{what} 미룸: {why}",
        "cannot send now": "Discord로 보내지 못함: {why}",
        "a message was refused": "보내지 않은 메시지 ({ref}): {why}",
        "a message was parked": "Discord가 거부한 메시지 ({kind}): {why}",
        "a recipient was not notified": "알림이 전달되지 않은 메시지 ({ref})",
        "what was enclosed was refused, the text goes alone": "첨부가 거부되어 글만 보냄",
        "refused, and not said again": "Discord가 거부한 메시지 ({kind}): {why}",
        "nobody could be told yet": "Discord에 알리지 못함: {why}",
        "what was enclosed does not get there, the text goes alone": "첨부가 전달되지 않아 글만 보냄",
        # what is heard
        "cannot listen now": "Discord에서 읽지 못함: {why}",
        "what was missed cannot be read": "놓친 메시지를 읽지 못함: {why}",
        "the history cannot be read: peers wait": "채널 기록을 읽지 못해 peer의 답은 대기: {why}",
        "the channel's past cannot be read": "채널의 지난 기록을 읽지 못함: {why}",
        "an attachment is gone": "첨부가 사라짐: {name}",
        "attachment left out": "첨부가 너무 커서 읽지 않음: {name}",
        # Discord
        "the session ended": "Discord 연결이 끊김 {why}{code}",
        "disconnected again and again": "Discord 연결이 자꾸 끊김: 새로 연결",
        "cut off for too long": "Discord 연결이 {down_s}초 동안 끊김: 새로 연결",
        "heartbeats go unanswered: resuming on another connection": "Discord가 응답하지 않음: 다시 연결",
        "a handler failed": "Discord 이벤트 처리 실패: {handler}",
        "permissions are missing in the channel": "채널 권한이 없음: {missing}",
        "the bot may mention everyone; withhold that permission": "봇에 @everyone 권한이 있음: 회수 필요",
        "slash commands could not be registered": "슬래시 명령을 등록하지 못함: {why}",
        # the machine and what runs on it
        "no room to save anything: waiting": "디스크 가득: 공간이 생길 때까지 대기",
        "another program keeps the database locked: waiting": "다른 프로그램이 데이터베이스를 잠금: 대기",
        "room again": "디스크 공간이 다시 생김 ({waited_s}초 대기)",
        "nobody could be told that there is no room": "디스크가 가득 찬 것을 알리지 못함",
        "a part of the daemon ended": "데몬의 일부가 끝남: {part}",
        "the core could not take an event": "내부 오류: {happened} 처리 실패",
        "a line is not ours": "학습 프로세스의 알 수 없는 줄 ({attempt})",
        "no translation": "레슨런 번역 실패: {why}",
        "what was left cannot be had": "이전 기기의 checkpoint를 가져오지 못함: {why}",
        "what is left cannot be looked at": "이전 기기의 checkpoint를 확인하지 못함: {why}",
    }
)


@dataclass(frozen=True, slots=True)
class Complaint:
    at: datetime
    told: str


class Complaints(logging.Handler):
    """Of warnings and worse the newest. It may be asked from any thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.secret = ""
        self._newest: deque[Complaint] = deque(maxlen=MOST)
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        told = worded(record)
        if told is None:
            return
        if self.secret:
            told = told.replace(self.secret, "***")
        complaint = Complaint(datetime.fromtimestamp(record.created, UTC), told)
        with self._guard:
            self._newest.append(complaint)

    def newest(self) -> tuple[Complaint, ...]:
        with self._guard:
            return tuple(self._newest)


def worded(record: logging.LogRecord) -> str | None:
    """One line with its mark; None: it is told elsewhere. What is not ours is told as it stands."""
    mark = WARNING if record.levelno == logging.WARNING else ERROR
    said = cast("str | dict[str, Any]", record.msg)
    if isinstance(said, str):
        return f"{mark}{record.name}: {record.getMessage()}"
    event = str(said.get("event", ""))
    if event in TOLD_ELSEWHERE:
        return None
    return mark + IN_WORDS.get(event, event).format_map(_Blank(said)).strip()


class _Blank(dict[str, Any]):
    """What was not said is left out."""

    def __missing__(self, name: str) -> str:
        return ""


LATELY = Complaints()
