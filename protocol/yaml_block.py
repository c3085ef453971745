"""The YAML of a markdown page: its fenced blocks, and each as a tree of plain data.

Nothing in it is executed, an alias is refused (it is how YAML bombs are built), and so is a number that YAML
takes for another than a person reads: `0500` is 320 to it, `1:30` is 90.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

MAX_DEPTH = 32

_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[\w+-]*)")
_EXPONENT = re.compile(r"[-+]?\d+(?:\.\d*)?[eE][-+]?\d+")
ODD_NUMBER = re.compile(r"[-+]?(?:0[\da-z_]|[\d_]+:)", re.IGNORECASE)
"""Octal, hexadecimal, sexagesimal: YAML reads another number than a person."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Fenced:
    """The inside of a fence. `line` is the number of its first line in the file."""

    line: int
    info: str
    text: str


def fenced(text: str) -> Iterator[Fenced]:
    """The fenced blocks of a markdown text; one that is never closed ends with the text."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        opened = _FENCE.match(lines[at])
        at += 1
        if opened is None:
            continue
        start, fence = at, opened["fence"]
        closing = re.compile(rf"[ \t]*{fence[0]}{{{len(fence)},}}[ \t]*")
        while at < len(lines) and not closing.fullmatch(lines[at]):
            at += 1
        inside = [line.removeprefix(opened["indent"]) for line in lines[start:at]]
        yield Fenced(start + 1, opened["info"].lower(), "\n".join(inside))
        at += 1


class Unreadable(Exception):
    """`line` counts from 0 in the block."""

    def __init__(self, problem: object, mark: Any) -> None:
        super().__init__(" ".join(str(problem).split()))
        self.line: int = mark.line if mark else 0


def composed(text: str) -> yaml.Node | None:
    """The block's tree, looked through for aliases and depth before it is built. Raises Unreadable."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.AliasEvent):
                raise Unreadable("별칭(*)은 쓸 수 없습니다", event.start_mark)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise Unreadable("너무 깊이 겹쳐 있습니다", event.start_mark)
        return yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as wrong:
        problem = getattr(wrong, "problem", None) or wrong
        raise Unreadable(problem, getattr(wrong, "problem_mark", None)) from wrong


def value_of(node: yaml.Node) -> Any:
    """The data of a node. Raises yaml.YAMLError, ValueError or TypeError."""
    for number in _scalars(node):
        if ODD_NUMBER.match(number):
            raise ValueError(number)
    return _with_exponents(_LOADER("").construct_document(node))


def _scalars(node: yaml.Node) -> Iterator[str]:
    """Every number in it, as it is written."""
    match node:
        case yaml.ScalarNode(tag="tag:yaml.org,2002:int" | "tag:yaml.org,2002:float", value=text):
            yield text
        case yaml.SequenceNode(value=items):
            for item in items:
                yield from _scalars(item)
        case yaml.MappingNode(value=entries):
            for _, item in entries:
                yield from _scalars(item)
        case _:
            return


def _with_exponents(value: Any) -> Any:
    """YAML 1.1 takes the card's `1e-4` for a word; the card means the number."""
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value
