"""The answer to `!logs`: what happened lately, as many lines as are asked for."""

from bot.core.events import Heard
from bot.core.policy import Policy
from protocol.messages import Answer, Command

LINES = 10
MOST = 50
LOOK_FURTHER = "더 이전: `journalctl -u training-claw -p warning`"


def answer(command: Command, event: Heard, policy: Policy) -> Answer:
    """`!logs`, `!logs 20`. What is no number of lines is said, with how to ask."""
    wanted = "".join(command.arguments[:1]) or str(LINES)
    if not (wanted.isascii() and wanted.isdigit() and 0 < int(wanted) <= MOST):
        how = f"`!logs {wanted}`: 줄 수를 1부터 {MOST}까지의 숫자로 적어 주세요. 예: `!logs 20`"
        return Answer(to=(event.author,), body=how)
    lines = event.gauges.journal[-int(wanted) :]
    zone = event.at.astimezone(policy.zone()).tzname()
    body = f"최근 기록 {len(lines)}줄 ({zone}, 새것이 아래). {LOOK_FURTHER}"
    return Answer(to=(event.author,), body=body, block="\n".join(lines) or "기록이 없습니다.")
