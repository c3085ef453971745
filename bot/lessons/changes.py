"""From values that somebody asked for to a judgement: the config as a whole decides whether it can be so."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.lessons.judgement import Impossible, Judgement, Remedied, Satisfied
from protocol.figures import exact_figure
from protocol.training import Change, TrainingConfig, diff

LONGEST_WHOLE = 1e6

BOUNDS = {
    "greater_than_equal": ("ge", "이상이어야 함"),
    "greater_than": ("gt", "보다 커야 함"),
    "less_than_equal": ("le", "이하여야 함"),
    "less_than": ("lt", "보다 작아야 함"),
}


def changing(
    config: TrainingConfig, said: Mapping[str, Any], *, exact: bool, summary: str | None = None
) -> Judgement:
    """What asking for the fields `said` comes to. `observation.images` follows cameras and image size.

    >>> changing(TrainingConfig(), {"training.lr": 2.5e-5}, exact=True).summary
    'lr 2.5e-5'
    >>> changing(TrainingConfig(), {"training.save_checkpoint_every": 200}, exact=True).why
    'save_checkpoint_every 200: 50 이하여야 함'
    >>> changing(TrainingConfig(), {"training.seed": 42}, exact=True).why
    '이미 seed 42'
    """
    in_words = ", ".join(f"{name_of(field)} {written(value)}" for field, value in said.items())
    try:
        changes = diff(config, config.with_changes(_with_images(config, said)))
    except ValidationError as refused:
        return Impossible("; ".join(_refusal(error) for error in refused.errors()))
    if not changes:
        return Satisfied(f"이미 {in_words}")
    return Remedied(changes, exact, summary or in_words)


def name_of(field: str) -> str:
    """
    >>> name_of("training.lr")
    'lr'
    """
    return field.rpartition(".")[2]


def in_words(changes: Iterable[Change]) -> str:
    """
    >>> in_words((Change(field="training.lr", before=1e-4, after=5e-5),))
    'lr 5e-5'
    """
    return ", ".join(f"{name_of(change.field)} {written(change.after)}" for change in changes)


def written(value: Any) -> str:
    """A value as people read it.

    >>> written(0.00001), written([256, 256]), written(None), written(32), written({"lift": 2.0})
    ('1e-5', '[256, 256]', '없음', '32', '{lift: 2}')
    """
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < LONGEST_WHOLE else exact_figure(value)
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return f"{{{', '.join(f'{name}: {written(item)}' for name, item in items)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(written(item) for item in cast('Sequence[Any]', value))}]"
    return "없음" if value is None else str(value)


def _with_images(config: TrainingConfig, said: Mapping[str, Any]) -> Mapping[str, Any]:
    moved = {"dataset.image_size", "dataset.camera_names"} & said.keys()
    if not moved or not config.observation.images:
        return said
    size = said.get("dataset.image_size", config.dataset.image_size)
    cameras = said.get("dataset.camera_names", config.dataset.camera_names)
    return {**said, "observation.images": dict.fromkeys(cameras, (3, *size))}


def _refusal(error: ErrorDetails) -> str:
    """One error of pydantic's, in Korean where it is about a bound."""
    name = ".".join(str(part) for part in error["loc"][1:])
    if error["type"] in BOUNDS:
        limit, words = BOUNDS[error["type"]]
        return f"{name} {written(error['input'])}: {written(error.get('ctx', {})[limit])} {words}"
    if error["type"] == "string_pattern_mismatch":
        return f"{name} {written(error['input'])}: 쓸 수 없는 값"
    message = error["msg"].removeprefix("Value error, ")
    return f"{name}: {message}" if name else message
