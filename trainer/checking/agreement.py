"""Where an episode says a thing twice: is it the same? Header, pictures, rows; folder and metadata."""

from collections.abc import Iterator

import numpy as np

from protocol.job import Problem
from protocol.training import TrainingConfig
from trainer.checking.clock import Times, first_uneven, is_at
from trainer.data.episode import Episode, kept_frames, refuse, warn
from trainer.data.tree import shown
from trainer.data.video import Footage


def container(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:  # noqa: ARG001
    """A video's header, its index and its decoded pictures count alike."""
    for video in episode.footage:
        counts = [("헤더", video.told), ("패킷", video.packets), ("디코딩", video.frames)]
        known = [(name, count) for name, count in counts if count]
        if len({count for _, count in known}) > 1:
            told = ", ".join(f"{name} {count}" for name, count in known)
            yield refuse("container", f"{video.name}의 프레임 수가 서로 다름 ({told})")


def synchrony(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:
    """In what remains after the cut, a picture and the row beside it are of the same moment.

    Of clocks that run wrong by themselves `frame_rate` has spoken already.
    """
    if episode.table is None or not _runs_right(episode.table.timestamp, config):
        return
    for video in episode.footage:
        if not _runs_right(video.times, config):
            continue
        late = _lag(video, episode.table.timestamp, config)
        wrong = np.abs(late) > 0.5 / config.dataset.fps
        if wrong.any():
            first = int(np.argmax(wrong))
            frame = first + config.dataset.skip_first_frames
            message = f"{video.name}와 actions.jsonl의 시각이 어긋남 (프레임 {frame}, {late[first]:+.3f}초)"
            yield refuse("synchrony", message, frame)


def _runs_right(times: Times, config: TrainingConfig) -> bool:
    return is_at(times, config.dataset.fps) and first_uneven(times, config.dataset.fps) is None


def _lag(video: Footage, timestamps: Times, config: TrainingConfig) -> Times:
    """By how much pictures come after their rows, in seconds, counted from the first one that remains."""
    frames = kept_frames(min(video.frames, len(timestamps)), config)
    if not frames:
        return np.empty(0)
    seen, told = video.times[frames.start : frames.stop], timestamps[frames.start : frames.stop]
    return (seen - seen[0]) - (told - told[0])


def metadata_frames(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:  # noqa: ARG001
    """metadata.json counts as many frames as there are."""
    told = (episode.metadata or {}).get("frames")
    if episode.table is not None and isinstance(told, int) and told != len(episode.table):
        message = f"metadata의 프레임 수가 다름 (metadata {told}프레임, 액션 {len(episode.table)}프레임)"
        yield warn("metadata_frames", message)


def metadata_fps(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:
    """metadata.json names the rate the config names."""
    told = (episode.metadata or {}).get("fps")
    if isinstance(told, int | float) and told != config.dataset.fps:
        yield warn("metadata_fps", f"metadata의 fps가 다름 ({told:g}fps, 기준 {config.dataset.fps}fps)")


def metadata_episode(episode: Episode, config: TrainingConfig) -> Iterator[Problem]:  # noqa: ARG001
    """metadata.json is of this episode, when it names one as folders are named."""
    told = (episode.metadata or {}).get("episode")
    if isinstance(told, str) and told.startswith("episode_") and told != episode.name.rpartition("/")[2]:
        yield warn("metadata_episode", f"metadata가 다른 에피소드의 것 ({shown(told)})")
