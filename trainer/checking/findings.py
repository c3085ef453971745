"""What statistics suggest: pictures that stand still, channels that say nothing, episodes that came twice.

Good data can look like this. So each finding warns, with its threshold in the config, and refuses only where
`dataset.refuse_on` names it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from protocol.job import Problem
from protocol.training import TrainingConfig
from trainer.checking.tally import Tally
from trainer.data.episode import Episode, finding, kept_frames
from trainer.data.looks import Looks
from trainer.data.rows import Table

STILL = 0.02, 0.1
"""Grey levels a compressed picture may change while nothing in it moves, at least and at most. Between them
STILL_SHARE of what the video changes at its liveliest: a hard-pressed encoder lets small motions go."""

STILL_SHARE, LIVELY = 0.05, 0.95

STIRRED_SHARE = 0.001
"""So large a share of a picture's points may change though nothing in it moves."""

CREEP, BRISK = 0.25, 0.9
"""Less than this share of what a channel changes when it changes briskly need not be seen in the picture."""

LEAST_REPEATS = 5
LEAST_ROWS = 100
"""Fewer than these say nothing about shares."""

MOVING_SHARE = 0.5
"""Of the frames in question, those between which the state changes: then the picture should have, too."""


# --- of one episode -------------------------------------------------------------


def frozen(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:
    """The picture does not stand still while the state says that the loader moves."""
    for name, still, moving in _stillness(episode, config):
        for start, end in runs(still):
            if end - start >= config.dataset.frozen_frames and moving[start:end].mean() >= MOVING_SHARE:
                first = start + config.dataset.skip_first_frames
                last = end - 1 + config.dataset.skip_first_frames
                message = f"정지 화면 ({name}, 프레임 {first}–{last}, 그동안 state는 변함)"
                yield finding("frozen", message, config, first)
                break


def repeated(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:
    """Pictures are not shown twice throughout, as when a slower video is stretched to the rate."""
    for name, still, moving in _stillness(episode, config):
        long = np.zeros_like(still)
        for start, end in runs(still):
            long[start:end] = end - start >= config.dataset.frozen_frames
        repeats = still & moving & ~long
        share = repeats.sum() / max(1, int((moving & ~long).sum()))
        if share > config.dataset.repeated_share and repeats.sum() >= LEAST_REPEATS:
            first = int(np.argmax(repeats)) + config.dataset.skip_first_frames
            message = f"같은 화면 반복 ({name}, 움직이는 프레임의 {share:.0%})"
            yield finding("repeated", message, config, first)


def blank(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:
    """No picture is all of one colour."""
    for video in episode.footage:
        frames = kept_frames(len(video.looks.spread), config)
        empty = video.looks.spread[frames.start : frames.stop] < config.dataset.blank_spread
        if empty.any():
            first = int(np.argmax(empty)) + frames.start
            more = f" 외 {int(empty.sum()) - 1}개" if empty.sum() > 1 else ""
            yield finding("blank", f"단색 화면 ({video.name}, 프레임 {first}{more})", config, first)


def _stillness(
    episode: Episode, config: TrainingConfig
) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    """By video and remaining frame: does the picture equal the one before, did the state change since."""
    if episode.table is None:
        return
    moved = _moved(episode.table)
    for video in episode.footage:
        frames = kept_frames(min(len(video.looks.change), len(moved)), config)
        part = slice(frames.start, frames.stop)
        if frames:
            yield video.name, _still(video.looks, part), moved[part]


def _still(looks: Looks, part: slice) -> NDArray[np.bool_]:
    change = looks.change[part]
    known = change[np.isfinite(change)]
    lively = np.quantile(known, LIVELY) if len(known) else 0.0
    return (change <= np.clip(STILL_SHARE * lively, *STILL)) & (looks.stirred[part] <= STIRRED_SHARE)


def _moved(table: Table) -> NDArray[np.bool_]:
    """Since the frame before (T,), and more than a creeping loader does."""
    with np.errstate(invalid="ignore"):  # infinite values are another check's
        change = np.abs(np.diff(table.state, axis=0))
    changed = np.any(change > CREEP * np.array([_brisk(channel) for channel in change.T]), axis=1)
    return np.concatenate([np.zeros(min(1, len(table)), np.bool_), changed])


def _brisk(change: NDArray[np.float64]) -> float:
    moving = change[np.isfinite(change) & (change > 0)]
    return float(np.quantile(moving, BRISK)) if len(moving) else np.inf


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where a flag holds without a break: starts and exclusive ends.

    >>> runs(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    padded = np.concatenate([[False], flags, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(padded)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


# --- of the set as a whole --------------------------------------------------------


def constant_channels(tally: Tally, config: TrainingConfig) -> Iterator[Problem]:
    """No channel says the same thing throughout: normalising it would magnify the least deviation."""
    for name, least, most in zip(names_of(config), tally.low, tally.high, strict=True):
        if least == most:
            message = f"{name} 값이 모든 프레임에서 같음 ({least:.4g}), 평가 때 정규화가 발산할 수 있음"
            yield finding("constant_channels", message, config)


def saturated(tally: Tally, config: TrainingConfig) -> Iterator[Problem]:
    """No action channel is nearly always at its bound."""
    for name, share in zip(config.action_names, tally.saturated_share, strict=False):
        if share > config.dataset.saturated_share and tally.count >= LEAST_ROWS:
            yield finding("saturated", f"{name} 값이 {share:.0%} 프레임에서 ±1에 포화됨", config)


def held(tally: Tally, config: TrainingConfig) -> Iterator[Problem]:
    """No action channel has nearly always the same value (one that always has is `constant_channels`')."""
    for name, values in zip(config.action_names, tally.common, strict=False):
        value, count = max(values.items(), key=lambda each: each[1], default=(0.0, 0))
        share = count / max(tally.count, 1)
        if config.dataset.held_share < share < 1 and tally.count >= LEAST_ROWS:
            message = f"{name} 값이 {share:.1%} 프레임에서 {value:.4g}로 고정됨"
            yield finding("held", message, config)


def duplicates(contents: Mapping[str, Sequence[str]], config: TrainingConfig) -> Iterator[Problem]:
    """No episode came twice. `contents` names each episode's parts, such as its rows, by their content."""
    first_with: dict[str, str] = {}
    for episode, parts in contents.items():
        earlier = {part.partition(":")[0]: first_with[part] for part in parts if part in first_with}
        for part in parts:
            first_with.setdefault(part, episode)
        for other in dict.fromkeys(earlier.values()):
            same = ", ".join(what for what, whose in earlier.items() if whose == other)
            message = f"{other}와 내용이 같음 ({same})"
            yield finding("duplicates", message, config).model_copy(update={"episode": episode})


def contents_of(table: Table | None, hashes: Mapping[str, str]) -> Iterator[str]:
    """An episode's videos and rows, each by what is in it. `hashes` are its files', by name."""
    for name, content in hashes.items():
        if name.endswith(".mp4"):
            yield f"{name.rpartition('/')[2]}:{content}"
    if table is not None:
        rows = np.hstack([table.action, table.state]).tobytes()
        yield f"actions.jsonl:{hashlib.sha256(rows).hexdigest()}"


def names_of(config: TrainingConfig) -> tuple[str, ...]:
    return (*config.action_names, *config.state_names)
