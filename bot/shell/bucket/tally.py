"""Progress of many transfers as one."""

from bot.shell.bucket.store import Progress


class Tally:
    """Adds up the bytes of several transfers and reports them out of `total_bytes`."""

    def __init__(self, total_bytes: int, progress: Progress) -> None:
        self._total = total_bytes
        self._progress = progress
        self._done: dict[str, int] = {}
        progress(0, total_bytes)

    def of(self, name: str) -> Progress:
        """The progress to hand to the transfer called `name`."""

        def report(done_bytes: int, _total_bytes: int) -> None:
            self._done[name] = done_bytes
            self._progress(sum(self._done.values()), self._total)

        return report

    def settled(self, name: str, size: int) -> None:
        """`name` needed no transfer."""
        self.of(name)(size, size)
