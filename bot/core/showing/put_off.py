"""What did not work and is tried again."""

from datetime import datetime

from bot.core.events import Gauges
from bot.core.showing.progress import length


def line(gauges: Gauges, at: datetime) -> list[str]:
    """What it is, why, and when it is tried again; of several the one that is owed for longest."""
    if not gauges.put_off:
        return []
    first, more = gauges.put_off[0], len(gauges.put_off) - 1
    when = "데몬이 다시 실행되면 재시도"
    if first.again_at is not None:
        left_s = (first.again_at - at).total_seconds()
        when = f"{length(left_s)} 후 재시도" if left_s > 0 else "곧 재시도"
    rest = f" (외 {more}건)" if more else ""
    return [f"미룬 작업: {first.what}{rest}, {when}. 이유: {first.why}"]
