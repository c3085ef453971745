"""How much room is left under STATE_DIR."""

from bot.core.events import Gauges

LEAST_FREE_BYTES = 1 << 20


def is_full(disk: tuple[int, int]) -> bool:
    """Not even the database finds room there."""
    return disk[0] < LEAST_FREE_BYTES


def no_room(gauges: Gauges) -> list[str]:
    full = gauges.disk is not None and is_full(gauges.disk)
    return ["디스크 가득: 공간을 확보할 때까지 아무것도 기록할 수 없어 대기 중"] if full else []


def lines(gauges: Gauges) -> list[str]:
    return (
        [f"디스크: {gauges.disk[0] / 2**30:.1f}/{gauges.disk[1] / 2**30:.0f}GB 남음"] if gauges.disk else []
    )
