"""What TensorBoard shows of a run: a point an epoch, and after a resume nothing twice."""

import errno
import struct
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]  made at run time
from tensorboardX.record_writer import RecordWriter

from protocol.training import TrainingConfig
from trainer.learning.history import Epoch, TrainerState
from trainer.watching.board import Board


def state(config: TrainingConfig, epochs: int) -> TrainerState:
    history = tuple(
        Epoch(
            loss=3.0 - number,
            l1=0.5,
            kl=0.1,
            l1_by_action=(0.1, 0.2, 0.3, 0.4),
            grad_norm=2.0,
            clipped_share=0.0,
        )
        for number in range(epochs)
    )
    return TrainerState(
        history=history, episodes=3, frames=21, config=config, certificate="", num_threads=1, versions={}
    )


def events(folder: Path) -> Iterator[Event]:
    """TFRecord: length, its checksum, content, its checksum."""
    for file in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime):
        content, at = file.read_bytes(), 0
        while at < len(content):
            (length,) = struct.unpack_from("<Q", content, at)
            event = Event()
            event.ParseFromString(content[at + 12 : at + 12 + length])
            yield event
            at += 16 + length


def test_every_epoch_is_a_point_of_every_curve(small_config: TrainingConfig, tmp_path: Path) -> None:
    with Board(tmp_path) as board:
        for epochs in (1, 2):
            board.offer(state(small_config, epochs), samples_per_s=100.0)
    shown = {
        (value.tag, event.step): round(value.simple_value, 4)
        for event in events(tmp_path)
        for value in event.summary.value
    }
    assert shown["loss/train", 1] == 3.0
    assert shown["loss/train", 2] == 2.0
    assert shown["l1/bucket", 2] == 0.3
    assert shown["speed/samples_per_s", 2] == 100.0


def test_after_a_resume_the_points_beyond_it_are_taken_back(
    small_config: TrainingConfig, tmp_path: Path
) -> None:
    with Board(tmp_path) as board:
        board.offer(state(small_config, 2), samples_per_s=100.0)
    assert any(
        event.session_log.status == event.session_log.START and event.step == 2 for event in events(tmp_path)
    )


def test_a_folder_that_cannot_be_written_harms_nothing(small_config: TrainingConfig, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with Board(tmp_path / "file") as board:
        board.offer(state(small_config, 1), samples_per_s=1.0)


def test_a_disk_that_is_full_for_a_while_costs_those_points_alone(
    small_config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = RecordWriter.flush

    def full(_: RecordWriter) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Board(tmp_path, clock=count(0, 60).__next__) as board:
        board.offer(state(small_config, 1), samples_per_s=1.0)
        board._thread.submit(monkeypatch.setattr, RecordWriter, "flush", full)
        for epochs in range(2, 40):
            board.offer(state(small_config, epochs), samples_per_s=1.0)
        board._thread.submit(monkeypatch.setattr, RecordWriter, "flush", flush)
        board.offer(state(small_config, 40), samples_per_s=1.0)
    shown = {event.step for event in events(tmp_path) if event.summary.value}
    assert shown >= {1, 40}
    assert max(event.step for event in events(tmp_path) if event.session_log.status) == 40
