"""PLAN.md, Watcher's own word on the config: fenced YAML blocks with the card's sections.

Every block with one of our sections is ours, all others are left alone. Nothing in it is executed, an alias
is refused (it is how YAML bombs are built), and everything that is wrong is said at once, with its line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, cast

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from protocol.training import TrainingConfig

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32

FIELDS: dict[str, tuple[str, ...]] = {
    section: tuple(fields) for section, fields in TrainingConfig().model_dump().items()
}
"""The names of the card's sections, and of the fields in each."""

IMAGES = "observation.images"
"""The card writes it out, but it follows from camera_names and image_size: it is checked, not set."""

_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[\w+-]*)")
_OUR_SECTION = re.compile(rf"^(?:{'|'.join(FIELDS)})[ \t]*:", re.MULTILINE)
_EXPONENT = re.compile(r"[-+]?\d+(?:\.\d*)?[eE][-+]?\d+")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WRONG: dict[str, str] = {
    "greater_than_equal": "{ge} 이상이어야 합니다",
    "greater_than": "{gt}보다 커야 합니다",
    "less_than_equal": "{le} 이하여야 합니다",
    "less_than": "{lt}보다 작아야 합니다",
    "int_parsing": "정수여야 합니다",
    "int_type": "정수여야 합니다",
    "int_from_float": "정수여야 합니다",
    "float_parsing": "숫자여야 합니다",
    "float_type": "숫자여야 합니다",
    "finite_number": "유한한 숫자여야 합니다",
    "string_type": "문자열이어야 합니다",
    "literal_error": "{expected} 중 하나여야 합니다",
    "tuple_type": "목록이어야 합니다",
    "dict_type": "이름과 값의 묶음이어야 합니다",
    "too_short": "값이 {min_length}개 이상이어야 합니다",
    "too_long": "값이 {max_length}개 이하여야 합니다",
    "missing": "값이 부족합니다",
}
"""pydantic's error types in the channel's words. https://docs.pydantic.dev/latest/errors/validation_errors/"""


class Plan(BaseModel):
    """`overrides` maps `section.field` to the value PLAN.md gives it; `config` is the defaults with them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    overrides: dict[str, Any]
    config: TrainingConfig


class PlanBroken(ValueError):
    """Everything that is wrong with it, each error one line with its place."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Fenced:
    """The inside of a fence. `line` is the number of its first line in the file."""

    line: int
    info: str
    text: str


@dataclass(frozen=True, slots=True)
class Setting:
    value: Any
    line: int


@dataclass(slots=True)
class _Settings:
    """What the blocks say so far, and what is wrong with it."""

    found: dict[str, Setting] = field(default_factory=dict[str, Setting])
    errors: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    def wrong(self, line: int, what: str) -> None:
        self.errors.append((line, f"{line}행 {what}"))

    def sorted_errors(self) -> tuple[str, ...]:
        return tuple(error for _, error in sorted(self.errors))


def read_plan(text: str) -> Plan:
    """
    Raises:
        PlanBroken: with every error at once.
    """
    encoded = text.encode("utf-8", "replace")
    if len(encoded) > MAX_BYTES:
        raise PlanBroken((f"파일이 {MAX_BYTES // 1024} KB를 넘습니다. YAML 블록만 남기고 줄여 주세요",))
    settings = _Settings()
    for block in fenced(encoded.decode()):
        _read_block(block, settings)
    config = _config(settings)
    if config is None or settings.errors:
        raise PlanBroken(settings.sorted_errors())
    values = config.model_dump(mode="json")
    named = (name.partition(".") for name in settings.found if name != IMAGES)
    return Plan(
        overrides={f"{section}.{name}": values[section][name] for section, _, name in named}, config=config
    )


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


def _read_block(block: Fenced, settings: _Settings) -> None:
    says_ours = _OUR_SECTION.search(block.text) is not None
    if block.info not in ("yaml", "yml", "") or (not block.info and not says_ours):
        return
    try:
        root = _composed(block.text)
    except _Unreadable as wrong:
        if says_ours:
            settings.wrong(block.line + wrong.line, f"YAML을 읽지 못했습니다: {wrong}")
        return
    if isinstance(root, yaml.MappingNode):
        _read_sections(root, block.line, settings)


class _Unreadable(Exception):
    """`line` counts from 0 in the block."""

    def __init__(self, problem: object, mark: Any) -> None:
        super().__init__(" ".join(str(problem).split()))
        self.line: int = mark.line if mark else 0


def _composed(text: str) -> yaml.Node | None:
    """The block's tree, looked through for aliases and depth before it is built. Raises _Unreadable."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.AliasEvent):
                raise _Unreadable("별칭(*)은 쓸 수 없습니다", event.start_mark)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise _Unreadable("너무 깊이 겹쳐 있습니다", event.start_mark)
        return yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as wrong:
        problem = getattr(wrong, "problem", None) or wrong
        raise _Unreadable(problem, getattr(wrong, "problem_mark", None)) from wrong


def _read_sections(root: yaml.MappingNode, first_line: int, settings: _Settings) -> None:
    entries = list(_entries(root, first_line, "", settings))
    ours = any(name in FIELDS for name, _, _ in entries)
    for section, line, node in entries:
        if section in FIELDS:
            _read_fields(section, line, node, first_line, settings)
        elif near := get_close_matches(section, FIELDS, 1, 0.8 if ours else 0.75):
            settings.wrong(line, f"{section}: 없는 구역입니다 ({near[0]}?)")


def _read_fields(section: str, line: int, node: yaml.Node, first_line: int, settings: _Settings) -> None:
    if isinstance(node, yaml.ScalarNode) and node.value in ("", "~", "null"):
        return
    if not isinstance(node, yaml.MappingNode):
        settings.wrong(line, f"{section}: 이름과 값의 묶음이어야 합니다")
        return
    for name, at, value in _entries(node, first_line, f"{section}.", settings):
        if name in FIELDS[section]:
            _set(f"{section}.{name}", at, value, settings)
        else:
            settings.wrong(at, f"{section}.{name}: 없는 항목입니다{_suggestion(section, name)}")


def _entries(
    node: yaml.MappingNode, first_line: int, prefix: str, settings: _Settings
) -> Iterator[tuple[str, int, yaml.Node]]:
    """Name, line and value of each entry; a name said twice is an error."""
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = first_line + key.start_mark.line
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
        if name in seen:
            settings.wrong(line, f"{prefix}{name}: {seen[name]}행에 이미 있습니다")
        seen.setdefault(name, line)
        yield name, line, value


def _set(name: str, line: int, node: yaml.Node, settings: _Settings) -> None:
    try:
        value = _with_exponents(_LOADER("").construct_document(node))
    except (yaml.YAMLError, ValueError, TypeError):
        settings.wrong(line, f"{name}: 값을 읽지 못했습니다")
        return
    before = settings.found.setdefault(name, Setting(value, line))
    if before.value != value:
        settings.wrong(line, f"{name}: {before.line}행과 값이 다릅니다 ({before.value} / {value})")
    if _is_truth(value):
        settings.wrong(line, f"{name}: 참/거짓을 쓰는 항목이 아닙니다")


def _is_truth(value: Any) -> bool:
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    return any(isinstance(item, bool) for item in items)


def _with_exponents(value: Any) -> Any:
    """YAML 1.1 takes the card's `1e-4` for a word; the card means the number."""
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


def _suggestion(section: str, name: str) -> str:
    elsewhere = [f"{other}.{name}" for other, names in FIELDS.items() if name in names]
    near = elsewhere or get_close_matches(name, FIELDS[section], 1, 0.6)
    return f" ({near[0]}?)" if near else ""


def _config(settings: _Settings) -> TrainingConfig | None:
    tree = TrainingConfig().model_dump()
    for name, setting in settings.found.items():
        section, _, entry = name.partition(".")
        tree[section][entry] = setting.value
    try:
        return TrainingConfig.model_validate(tree).with_changes({IMAGES: {}})
    except ValidationError as wrong:
        for error in wrong.errors():
            line = _line_of(error, settings)
            settings.wrong(line, _in_words(error))
        return None


def _line_of(error: ErrorDetails, settings: _Settings) -> int:
    """Of the field, or, when fields contradict each other, of the last one named that PLAN.md sets."""
    field_name = ".".join(map(str, error["loc"][:2]))
    if field_name in settings.found:
        return settings.found[field_name].line
    named = [one.line for name, one in settings.found.items() if name.partition(".")[2] in error["msg"]]
    return max(named or [one.line for one in settings.found.values()], default=1)


def _in_words(error: ErrorDetails) -> str:
    where = ".".join(map(str, error["loc"]))
    wording = _WRONG.get(error["type"])
    what = wording.format(**error.get("ctx", {})) if wording else error["msg"].removeprefix("Value error, ")
    given = f" (지금 {error['input']!r})" if wording and where else ""
    return f"{where}: {what}{given}" if where else what
