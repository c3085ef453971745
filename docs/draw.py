"""Write the tables of docs/architecture.md from the code they describe: `python docs/draw.py`."""

import re
from pathlib import Path
from typing import Any, get_args

from bot.core import state
from bot.core.joins import JOINS

PAGE = Path(__file__).with_name("architecture.md")
TRACKS = {"device": state.Device, "data": state.Data, "terms": state.Terms, "run": state.Run}


def tracks() -> str:
    rows = [f"| `{name}` | {' · '.join(_phases(track))} |" for name, track in TRACKS.items()]
    shelf = "per checkpoint: saved · safe · forgetting; and the best"
    return _table("track", "phases", [*rows, f"| `shelf` | {shelf} |"])


def joins() -> str:
    return _table("when", "then", [f"| {join.when} | {join.then} |" for join in JOINS])


def drawn(page: str) -> str:
    """The page with its tables as the code would have them."""
    for name, table in (("tracks", tracks()), ("joins", joins())):
        start, end = f"<!-- {name}: written by docs/draw.py -->", f"<!-- end of {name} -->"
        page = re.sub(
            f"({re.escape(start)}\n).*({re.escape(end)})", rf"\g<1>{table}\n\g<2>", page, flags=re.DOTALL
        )
    return page


def _table(left: str, right: str, rows: list[str]) -> str:
    return "\n".join([f"| {left} | {right} |", "|---|---|", *rows])


def _phases(track: Any) -> list[str]:
    union = get_args(track)[0]
    return [phase.__name__ for phase in get_args(union)]


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
