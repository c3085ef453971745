"""Write what docs/ shows of the code from the code itself: `python docs/draw.py`."""

import re
from pathlib import Path
from typing import Any, get_args

from bot.core import state
from bot.core.joins import JOINS
from protocol import CARD_VOICE, Voice, join, read_said, recipients_of
from protocol.messages import Said
from protocol.wording import LAYOUTS

ARCHITECTURE = Path(__file__).with_name("architecture.md")
LANGUAGE = Path(__file__).with_name("protocol.md")
GOLDEN = Path(__file__).parents[1] / "tests" / "protocol" / "golden"
VOICE = Voice(operators=(200000000000000001,))
TRACKS = {"device": state.Device, "data": state.Data, "terms": state.Terms, "run": state.Run}


def tracks() -> str:
    rows = [f"| `{name}` | {' · '.join(_phases(track))} |" for name, track in TRACKS.items()]
    shelf = "per checkpoint: saved · safe · forgetting; and the best"
    return _table("track", "phases", [*rows, f"| `shelf` | {shelf} |"])


def joins() -> str:
    return _table("when", "then", [f"| {join.when} | {join.then} |" for join in JOINS])


def kinds() -> str:
    """Each kind of message, and the first of its golden files."""
    return "\n\n".join(_kind(layout.kind) for layout in LAYOUTS)


def _kind(kind: type[Said]) -> str:
    said, text = next((said, text) for said, text in _golden() if isinstance(said, kind))
    asked = "to" in kind.model_fields
    to = "whoever asked" if asked else str(CARD_VOICE.roster.peer_of(*recipients_of(said)))
    return f"### {kind.__name__}\n\nTo {to}.\n\n````text\n{text}\n````"


def _golden() -> list[tuple[Said | None, str]]:
    """Each golden file as read, and its text; what is no number is not read back."""
    texts = [path.read_text(encoding="utf-8").rstrip() for path in sorted(GOLDEN.glob("*.txt"))]
    return [(read_said(join(text.split("\n=== next part ===\n")), VOICE), text) for text in texts]


DRAWN = {ARCHITECTURE: {"tracks": tracks, "joins": joins}, LANGUAGE: {"kinds": kinds}}


def drawn(path: Path) -> str:
    """The page with its drawn parts as the code would have them."""
    page = path.read_text(encoding="utf-8")
    for name, draw in DRAWN[path].items():
        start, end = f"<!-- {name}: written by docs/draw.py -->", f"<!-- end of {name} -->"
        text = f"{start}\n{draw()}\n{end}"
        pattern = f"{re.escape(start)}\n.*{re.escape(end)}"
        page = re.sub(pattern, lambda _, text=text: text, page, flags=re.DOTALL)
    return page


def _table(left: str, right: str, rows: list[str]) -> str:
    return "\n".join([f"| {left} | {right} |", "|---|---|", *rows])


def _phases(track: Any) -> list[str]:
    union = get_args(track)[0]
    return [phase.__name__ for phase in get_args(union)]


if __name__ == "__main__":
    for each in DRAWN:
        each.write_text(drawn(each), encoding="utf-8")
