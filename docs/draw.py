"""Write what docs/ shows of the code from the code itself: `python docs/draw.py`."""

import ast
import doctest
import inspect
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from benches.histories.table import rows, table
from bot.core import state
from bot.core.joins import JOINS
from bot.core.showing.commands import DELEGATED, WHAT_COMMANDS_DO
from bot.lessons.insights import INSIGHTS
from bot.lessons.judgement import Impossible, Judgement, NotOurs, Remedied, Satisfied, Unclear
from bot.lessons.remedies import BENEATH, INFERRED, STATED, Remedy
from protocol import CARD_VOICE, Voice, join, read_said, recipients_of
from protocol.messages import Said
from protocol.training import TrainingConfig
from protocol.wording import LAYOUTS
from trainer.checking.checks import EPISODE_CHECKS, episode_count, excluded_names
from trainer.checking.findings import constant_channels, duplicates, held, saturated
from trainer.checking.likeness import lookalikes
from trainer.watching.detectors import DETECTORS

HOUSE = Path(__file__).parents[1]
ARCHITECTURE = Path(__file__).with_name("architecture.md")
LANGUAGE = Path(__file__).with_name("protocol.md")
OPERATING = Path(__file__).with_name("operating.md")
JUDGING = Path(__file__).with_name("judging.md")
SET_CHECKS = (episode_count, excluded_names, constant_channels, saturated, held, duplicates, lookalikes)
GOLDEN = HOUSE / "tests" / "protocol" / "golden"
VOICE = Voice(operators=(200000000000000001,))
TRACKS = {
    "device": state.Device,
    "data": state.Data,
    "terms": state.Terms,
    "weights": state.Weights,
    "left": state.Left,
    "run": state.Run,
}


def tracks() -> str:
    rows = [f"| `{name}` | {' · '.join(_phases(track))} |" for name, track in TRACKS.items()]
    shelf = "per checkpoint: saved · safe · forgetting; and the best"
    return _table("track", "phases", [*rows, f"| `shelf` | {shelf} |"])


def joins() -> str:
    return _table("when", "then", [f"| {join.when} | {join.then} |" for join in JOINS])


def rooms(package: str) -> Callable[[], str]:
    """The rooms of a package and what each is, in the words of its own first line; the ground floor first."""

    def draw() -> str:
        house = HOUSE.joinpath(*package.split("."))
        docs = {path.parent.name: ast.get_docstring(_parsed(path)) for path in house.glob("*/__init__.py")}
        lines = {room: (doc or "").split("\n\n")[0].replace("\n", " ") for room, doc in docs.items()}
        folder = package.replace(".", "/")
        return _table(
            "folder",
            "what it is",
            [f"| `{folder}/{room}/` | {lines[room]} |" for room in _storeys(package, lines)],
        )

    return draw


def _storeys(package: str, found: Iterable[str]) -> list[str]:
    """As the layers contract of `package` has them from below; those without a storey by their names."""
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next((one["layers"] for one in contracts if one.get("containers") == [package]), [])
    order = [room for layer in reversed(layers) for room in layer.split(" | ")]
    return sorted(found, key=lambda room: (order.index(room) if room in order else len(order), room))


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


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


def checks() -> str:
    """Every check of an episode or of the whole set: what it asks, and what follows."""
    rows = [
        f"| {_reported(check)} | {_first_line(check)} | {_verdict(check)} |"
        for check in (*EPISODE_CHECKS, *SET_CHECKS)
    ]
    return _table("reported as", "what is asked", rows, "else")


def _reported(check: Callable[..., Any]) -> str:
    called = re.findall(r"\b(?:refuse|warn|finding)\(\s*\"(\w+)\"", inspect.getsource(check))
    return ", ".join(dict.fromkeys(f"`{name}`" for name in called))


def _verdict(check: Callable[..., Any]) -> str:
    """As its source has it: a finding follows the config's `refuse_on`."""
    source = inspect.getsource(check)
    words = {"refuse(": "refused", "warn(": "warned", "finding(": "warned; refused if `refuse_on` names it"}
    return ", or ".join(word for call, word in words.items() if re.search(rf"\b{re.escape(call)}", source))


def remedies() -> str:
    rows = [
        f"| `{remedy.__name__}` | {_first_line(remedy)} | {'<br>'.join(_examples(remedy))} |"
        for remedy in (*BENEATH, *STATED, *INFERRED)
    ]
    return _table("remedy", "what it does", rows, "for example, and what comes of it")


def _examples(remedy: Remedy) -> Iterator[str]:
    """The words of its doctests, and what it makes of them; what is not its business is left out."""
    known = dict(vars(inspect.getmodule(remedy)))
    for one in doctest.DocTestParser().get_examples(remedy.__doc__ or ""):
        calls = [
            node
            for node in ast.walk(ast.parse(one.source))
            if isinstance(node, ast.Call) and ast.unparse(node.func) == remedy.__name__
        ]
        if not calls:
            exec(one.source, known)  # noqa: S102  what our own example begins with
        for call in calls:
            words, ground = (eval(ast.unparse(part), known) for part in call.args)  # noqa: S307  our own, too
            if judgement := remedy(words, ground):
                yield f"{words} ⇒ {_becomes(judgement)}".replace("|", "\\|")


def _becomes(judgement: Judgement) -> str:
    match judgement:
        case Remedied(exact=True, summary=summary):
            return summary
        case Remedied(summary=summary):
            return f"proposed: {summary}"
        case Satisfied(why):
            return f"so already: {why}"
        case Unclear(why) | Impossible(why) | NotOurs(why):
            return f"asked: {why}"


def detectors() -> str:
    rows = [
        f"| `{fact}` | {_first_line(detector)} | {'yes' if fact in INSIGHTS else 'no'} |"
        for fact, detector in DETECTORS.items()
    ]
    return _table("fact", "when it is found", rows, "told to Watcher")


def planted() -> str:
    """What they find in recorded runs that no threshold was chosen by."""
    *lines, healthy, causes = table(rows("counted"))
    return "\n".join((*lines, "", f"{causes}; {healthy}."))


def fields() -> str:
    """The config's fields, as PLAN.md and lessons name them."""
    return _table("field", "default", [*_fields("", TrainingConfig)], "what it is")


def _fields(prefix: str, model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _fields(f"{prefix}{name}.", kind)
        else:
            default = json.dumps(
                field.get_default(call_default_factory=True), ensure_ascii=False, default=str
            )
            yield f"| `{prefix}{name}` | `{default}` | {field.description or ''} |"


def commands() -> str:
    rows = [f"| `!{name}` | {what} |" for name, what in (WHAT_COMMANDS_DO | DELEGATED).items()]
    return _table("command", "what it does", rows)


def _first_line(documented: Callable[..., Any]) -> str:
    return re.split(r"\n\n|>>>", inspect.getdoc(documented) or "")[0].replace("\n", " ").replace("|", "\\|")


PACKAGES = ("bot.core", "bot.shell", "bot.rehearsal", "trainer")
STOREYS = {f"rooms of {package}": rooms(package) for package in PACKAGES}
DRAWN = {ARCHITECTURE: {"tracks": tracks, "joins": joins} | STOREYS, LANGUAGE: {"kinds": kinds}}
DRAWN |= {JUDGING: {"checks": checks, "remedies": remedies, "detectors": detectors}}
DRAWN[JUDGING] |= {"planted": planted, "fields": fields}
DRAWN |= {OPERATING: {"commands": commands}}


def drawn(path: Path) -> str:
    """The page with its drawn parts as the code would have them."""
    page = path.read_text(encoding="utf-8")
    for name, draw in DRAWN[path].items():
        start, end = f"<!-- {name}: written by docs/draw.py -->", f"<!-- end of {name} -->"
        text = f"{start}\n{draw()}\n{end}"
        pattern = f"{re.escape(start)}\n.*{re.escape(end)}"
        page = re.sub(pattern, lambda _, text=text: text, page, flags=re.DOTALL)
    return page


def _table(left: str, right: str, rows: list[str], last: str = "") -> str:
    head = [left, right, *([last] if last else [])]
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *rows])


def _phases(track: Any) -> list[str]:
    union = get_args(track)[0]
    return [phase.__name__ for phase in get_args(union)]


if __name__ == "__main__":
    for each in DRAWN:
        each.write_text(drawn(each), encoding="utf-8")
