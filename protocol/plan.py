"""PLAN.md, Watcher's own word on the config: fenced YAML blocks with the card's sections.

Every block with one of our sections is ours, all others are left alone. Everything that is wrong is said at
once, with its line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, cast

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from protocol.quotation import plain
from protocol.training import TrainingConfig
from protocol.yaml_block import ODD_NUMBER, Fenced, Unreadable, composed, fenced, value_of

MAX_BYTES = 256 * 1024
MAX_ERRORS = 50
LONGEST_SHOWN = 60

FIELDS: dict[str, tuple[str, ...]] = {
    section: tuple(fields) for section, fields in TrainingConfig().model_dump().items()
}
"""The names of the card's sections, and of the fields in each."""

IMAGES = "observation.images"
"""The card writes it out, but it follows from camera_names and image_size: it is checked, not set."""

SWITCHED = "dataset.image_transforms"
"""LeRobot has one switch for all of them, so true and false are read there."""

_OUR_SECTION = re.compile(rf"^(?P<section>{'|'.join(FIELDS)})[ \t]*(?P<colon>[:：])", re.MULTILINE)
_BLANKS = str.maketrans({"\u00a0": " ", "\u3000": " "})
"""What is pasted from a page where a space is meant."""

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
        """All of them, unless there are more than anybody reads."""
        worded = [error for _, error in sorted(self.errors)]
        left = len(worded) - MAX_ERRORS
        return (*worded[:MAX_ERRORS], *([f"… 그 밖에 {left}건"] if left > 0 else []))


def read_plan(text: str) -> Plan:
    """
    Raises:
        PlanBroken: with every error at once.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise PlanBroken((f"파일이 {MAX_BYTES // 1024} KB를 넘습니다. YAML 블록만 남기고 줄여 주세요",))
    settings = _Settings()
    for block in fenced(plain(text).translate(_BLANKS)):
        _read_block(block, settings)
    config = _config(settings)
    if config is None or settings.errors:
        raise PlanBroken(settings.sorted_errors())
    values = config.model_dump(mode="json")
    named = (name.partition(".") for name in settings.found if name != IMAGES)
    return Plan(
        overrides={f"{section}.{name}": values[section][name] for section, _, name in named}, config=config
    )


def _read_block(block: Fenced, settings: _Settings) -> None:
    says_ours = list(_OUR_SECTION.finditer(block.text))
    if block.info not in ("yaml", "yml", "") or (not block.info and not says_ours):
        return
    if wide := next((found for found in says_ours if found["colon"] != ":"), None):
        line = block.line + block.text.count("\n", 0, wide.start())
        settings.wrong(line, f"{wide['section']}: 쌍점은 반각 `:`으로 적어 주세요")
        return
    try:
        root = composed(block.text)
    except Unreadable as wrong:
        if says_ours:
            settings.wrong(block.line + wrong.line, f"YAML을 읽지 못했습니다: {wrong}")
        return
    if isinstance(root, yaml.MappingNode):
        _read_sections(root, block.line, settings)


def _read_sections(root: yaml.MappingNode, first_line: int, settings: _Settings) -> None:
    entries = list(_entries(root, first_line, "", settings))
    ours = any(name in FIELDS for name, _, _ in entries)
    for section, line, node in entries:
        if section in FIELDS:
            _read_fields(section, line, node, first_line, settings)
        elif near := get_close_matches(section, FIELDS, 1, 0.8 if ours else 0.75):
            settings.wrong(line, f"{section}: 없는 구역입니다 ({near[0]}?)")
        elif ours and (above := [name for name, fields in FIELDS.items() if section in fields]):
            settings.wrong(line, f"{section}: 구역 아래에 적어 주세요 ({above[0]}.{section}?)")


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
        value = value_of(node)
    except (yaml.YAMLError, ValueError, TypeError):
        settings.wrong(line, f"{name}: 값을 읽지 못했습니다{_hint(node)}")
        return
    before = settings.found.setdefault(name, Setting(value, line))
    if before.line != line and before.value != value:
        settings.wrong(
            line, f"{name}: {before.line}행과 값이 다릅니다 ({_shown(before.value)} / {_shown(value)})"
        )
    if _is_truth(value) and name != SWITCHED:
        settings.wrong(line, f"{name}: 참/거짓을 쓰는 항목이 아닙니다")


def _is_truth(value: Any) -> bool:
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    return any(isinstance(item, bool) for item in items)


def _hint(node: yaml.Node) -> str:
    odd = isinstance(node, yaml.ScalarNode) and ODD_NUMBER.match(node.value)
    return f" ({_shown(node.value)}: 10진수로 적어 주세요)" if odd else ""


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


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
    given = f" (지금 {_shown(repr(error['input']))})" if wording and where else ""
    return f"{where}: {what}{given}" if where else what
