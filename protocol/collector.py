"""Whole messages out of texts as they come. Discord brings a long one in parts, each a message of its own."""

from protocol.parts import join, reference

MOST_OPEN = 64


class Collector:
    """Feed it every text of one author. A part of a message waits for the others, in any order.

    What is left incomplete longest is forgotten when too much waits.

    >>> collector = Collector()
    >>> collector.feed("<@1> [REPORT] (계속)\\nand its end\\n-# c7.1 · 2/2")
    >>> print(collector.feed("<@1> [REPORT] a beginning\\n-# c7.1 · 1/2"))
    <@1> [REPORT] a beginning
    and its end
    -# c7.1
    """

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], dict[int, str]] = {}

    def feed(self, text: str) -> str | None:
        """The whole text, for `parse`, that `text` is or completes; None while parts of it are missing."""
        said = reference(text)
        if said is None or said.parts == 1:
            return text
        name = (said.ref, said.parts)
        parts = self._open.setdefault(name, {})
        parts[said.part] = text.rstrip()
        if len(parts) < said.parts:
            self._forget()
            return None
        del self._open[name]
        return join([parts[number] for number in sorted(parts)])

    def _forget(self) -> None:
        while len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]
