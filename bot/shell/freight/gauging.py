"""How far a transfer is, for whoever asks meanwhile."""

from dataclasses import replace

from bot.shell.bucket import Progress
from bot.shell.deciding.desk import Desk


def gauge(desk: Desk, what: str) -> Progress:
    def show(done_bytes: int, total_bytes: int) -> None:
        desk.gauges = replace(desk.gauges, transfer=(what, done_bytes, total_bytes))

    return show
