"""Who is not whom the roster knows, and who commands without being an operator, in words."""

from datetime import datetime

from bot.core.state import Sighting, State

SIGHTINGS_SHOWN = 5
STRANGERS_SHOWN = 3


def lines(state: State, at: datetime) -> list[str]:
    """The newest few of each, a line each: a message must remain readable."""
    return [*_sighting_lines(state), *_stranger_lines(state, at)]


def _sighting_lines(state: State) -> list[str]:
    shown, left = state.sightings[-SIGHTINGS_SHOWN:], len(state.sightings) - SIGHTINGS_SHOWN
    return [sighted(one) for one in shown] + ([f"… 그 밖에 {left}건"] if left > 0 else [])


def sighted(one: Sighting) -> str:
    """What contradicts the roster, and what to do about it."""
    if one.peer is None:
        what = f"명부에 없는 계정 {one.user_id}에게 HANDOFF를 보냄"
    elif one.why == "name":
        what = f"{one.peer}의 이름으로 다른 계정 {one.user_id}이 말함"
    else:
        what = f"다른 계정 {one.user_id}을 {one.peer} 역할로 씀"
    setting = f"설정의 {one.peer.name}_ID" if one.peer else "설정의 봇 ID"
    return (
        f"명부와 다른 신원: {what} (메시지 {one.message_id}). 명부는 그대로 둠: "
        f"운영자 확인 필요, 봇이 바뀌었으면 {setting} 수정 후 재시작"
    )


def _stranger_lines(state: State, at: datetime) -> list[str]:
    return [
        f"운영자 아닌 {one.author}의 명령: `!{one.command}` ({_ago(one.at, at)} 전, {one.times}회, 무시함)"
        for one in reversed(state.strangers[-STRANGERS_SHOWN:])
    ]


def _ago(moment: datetime, at: datetime) -> str:
    minutes = max(0, round((at - moment).total_seconds() / 60))
    return f"{minutes // 60}시간 {minutes % 60}분" if minutes >= 60 else f"{minutes}분"
