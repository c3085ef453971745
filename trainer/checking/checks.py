"""The card's six checks and the signs of damage: small functions over what was read of an episode.

Each yields what is wrong in Korean, in the card's voice, without the episode's name. What refuses and what
only warns: the six and damage refuse; what statistics suggest warns.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocol.job import Problem
from protocol.training import TrainingConfig
from trainer.checking.agreement import container, metadata_episode, metadata_fps, metadata_frames, synchrony
from trainer.checking.clock import first_uneven, is_at, rate
from trainer.checking.findings import blank, frozen, names_of, repeated
from trainer.data.episode import Episode, kept_frames, kept_rows, refuse, warn
from trainer.data.tree import shown

MET_KEYS = ("met", "passed", "success", "satisfied")
"""Under which a criterion is known to record whether it was met."""

# --- of one episode -------------------------------------------------------------


def frame_count(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:  # noqa: ARG001
    """Every camera has a picture for every action."""
    if episode.table is None:
        return
    actions = len(episode.table)
    for video in episode.footage:
        if video.frames != actions:
            which = "비디오" if len(episode.footage) == 1 else video.name
            counts = f"{which} {video.frames}프레임, 액션 {actions}프레임"
            yield refuse("frame_count", f"프레임 수 불일치 ({counts})", min(video.frames, actions))


def action_range(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:
    """Actions lie in [-1, 1] (NaN and Inf are another check's)."""
    if episode.table is None:
        return
    actions = kept_rows(episode.table.action, config)
    outside = np.isfinite(actions) & (np.abs(actions) > 1.0)
    for name, values, wrong in zip(config.action_names, actions.T, outside.T, strict=True):
        if wrong.any():
            frame, more = _first(wrong, config)
            value = values[np.argmax(wrong)]
            yield refuse(
                "action_range", f"액션 값 범위 초과 ({name} {value:.4g}, 프레임 {frame}{more})", frame
            )


def finite(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:
    """No NaN, no Inf in actions or state (what was no number to begin with is another check's), also once
    they are float32, as they are trained on."""
    if episode.table is None:
        return
    values = kept_rows(np.hstack([episode.table.action, episode.table.state]), config)
    with np.errstate(over="ignore"):
        unfit = ~np.isfinite(values.astype(np.float32))
    for name, told, wrong in zip(names_of(config), values.T, unfit.T, strict=True):
        if wrong.any() and name not in episode.table.strange:
            frame, more = _first(wrong, config)
            value = told[np.argmax(wrong)]
            what = f"너무 큰 값 ({name} {value:.4g}" if np.isfinite(value) else f"NaN/Inf 값 ({name}"
            yield refuse("finite", f"{what}, 프레임 {frame}{more})", frame)


def numbers(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:
    """Every value that should be a number is one."""
    if episode.table is None:
        return
    remaining = kept_frames(len(episode.table), config)
    for name, values in episode.table.strange.items():
        frames = [frame for frame in sorted(values) if frame in remaining]
        if frames:
            more = f" 외 {len(frames) - 1}개" if len(frames) > 1 else ""
            message = f"숫자가 아닌 값 ({name} {values[frames[0]]}, 프레임 {frames[0]}{more})"
            yield refuse("numbers", message, frames[0])


def resolution(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:
    """Every frame has the size the simulator writes."""
    wanted = config.dataset.video_size
    for video in episode.footage:
        wrong = [size for size in video.sizes if size != wanted]
        if wrong:
            sizes = ", ".join(f"{width}x{height}" for width, height in wrong)
            message = f"이미지 해상도 불일치 ({video.name} {sizes}, 기준 {wanted[0]}x{wanted[1]})"
            yield refuse("resolution", message)


def success_criteria(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:  # noqa: ARG001
    """metadata.json records that the episode reached what it was for."""
    if episode.metadata is None:
        return
    recorded = episode.metadata.get("success_criteria")
    if recorded in (None, "", {}, []):
        yield refuse("success_criteria", "success_criteria 없음")
        return
    verdicts = verdicts_of(recorded) or verdicts_of(episode.metadata.get("success"))
    if not verdicts:
        yield warn("success_criteria", f"success_criteria 형식을 알 수 없음 ({str(recorded)[:200]})")
    unmet = [name for name, met in verdicts.items() if not met]
    if unmet or episode.metadata.get("success") is False:
        named = f" ({', '.join(unmet)})" if any(unmet) else ""
        yield refuse("success_criteria", f"success_criteria 미충족{named}")


def verdicts_of(recorded: Any) -> dict[str, bool]:
    """Which criteria were met, by name; a single one has the empty name. Empty: the form is unknown.

    >>> verdicts_of({"description": "all blocks", "met": True})
    {'': True}
    >>> verdicts_of({"reached": True, "loaded": {"met": False}})
    {'reached': True, 'loaded': False}
    """
    match recorded:
        case bool():
            return {"": recorded}
        case dict() if any(isinstance(recorded.get(key), bool) for key in MET_KEYS):
            return {"": all(recorded[key] for key in MET_KEYS if isinstance(recorded.get(key), bool))}
        case dict():
            parts = {str(name): verdicts_of(value) for name, value in recorded.items()}
        case list():
            named = [(_name_of(value) or str(place), value) for place, value in enumerate(recorded, start=1)]
            parts = {name: verdicts_of(value) for name, value in named}
        case _:
            return {}
    return {name: all(verdicts.values()) for name, verdicts in parts.items() if verdicts}


def frame_numbers(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:  # noqa: ARG001
    """Rows are numbered 0, 1, 2, …"""
    if episode.table is None:
        return
    numbers = episode.table.frame
    wrong = numbers != np.arange(len(numbers))
    if not wrong.any():
        return
    first = int(np.argmax(wrong))
    if first == 0:
        yield refuse("frame_numbers", f"프레임 번호가 0부터 시작하지 않음 ({numbers[0]:g}부터)", 0)
    else:
        message = f"프레임 번호 불연속 (프레임 {numbers[first - 1]:g} 다음 {numbers[first]:g})"
        yield refuse("frame_numbers", message, first)


def frame_rate(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:
    """Pictures and rows both come at the config's rate, evenly."""
    wanted = config.dataset.fps
    clocks = [(video.name, video.times) for video in episode.footage]
    if episode.table is not None:
        clocks.append(("actions.jsonl", episode.table.timestamp))
    for name, times in clocks:
        uneven = first_uneven(times, wanted)
        if len(times) > 1 and not is_at(times, wanted):
            yield refuse("fps", f"fps 불일치 ({name} {rate(times):.4g}fps, 기준 {wanted}fps)", uneven)
        elif uneven is not None:
            yield refuse("timestamps", f"프레임 간격 불균일 ({name}, 프레임 {uneven})", uneven)


def cuts(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:
    """Something remains when head and tail are cut."""
    if episode.table is not None and not kept_frames(len(episode.table), config):
        first, last = config.dataset.skip_first_frames, config.dataset.skip_last_frames
        removed = f"{len(episode.table)}프레임, 앞 {first} 뒤 {last}프레임 제외"
        yield refuse("cuts", f"남는 프레임 없음 ({removed})")


type Check = Callable[[Episode, TrainingConfig], Iterator[Problem]]

EPISODE_CHECKS: tuple[Check, ...] = (
    frame_count,
    action_range,
    resolution,
    numbers,
    finite,
    success_criteria,
    frame_numbers,
    frame_rate,
    container,
    synchrony,
    cuts,
    metadata_frames,
    metadata_fps,
    metadata_episode,
    frozen,
    repeated,
    blank,
)


def problems_of(episode: Episode, config: TrainingConfig) -> tuple[Problem, ...]:
    """Everything wrong with one episode, damage first, each problem with the episode's name."""
    found = [*episode.damage, *(problem for check in EPISODE_CHECKS for problem in check(episode, config))]
    name = "/".join(map(shown, episode.name.split("/")))  # of a folder may be no text at all
    return tuple(problem.model_copy(update={"episode": name}) for problem in found)


# --- of the set as a whole --------------------------------------------------------


def episode_count(episodes: int, config: TrainingConfig) -> Iterator[Problem]:
    """There are as many episodes as the card asks for, at least."""
    least = config.dataset.min_episodes
    if episodes < least:
        yield refuse("episode_count", f"에피소드 수 부족 ({episodes}개, 최소 {least}개)")


def excluded_names(names: Sequence[str], config: TrainingConfig) -> Iterator[Problem]:
    """What the config leaves out is there to be left out."""
    for name in config.dataset.exclude_episodes:
        if name not in names:
            yield warn("excluded_names", f"제외할 에피소드가 없음 ({name})")


# --- small parts --------------------------------------------------------------------


def _first(wrong: NDArray[np.bool_], config: TrainingConfig) -> tuple[int, str]:
    """The number of the first wrong frame of those that remain, and how many more there are."""
    others = int(wrong.sum()) - 1
    return int(np.argmax(wrong)) + config.dataset.skip_first_frames, f" 외 {others}개" if others else ""


def _name_of(criterion: Any) -> str:
    return str(criterion.get("name", "")) if isinstance(criterion, dict) else ""
