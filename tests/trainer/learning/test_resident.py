"""Where pictures lie changes how fast they are at hand, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from protocol.job import Trained
from protocol.progress import Stepped
from trainer.data.store import FrameStore
from trainer.learning import resident

from .runs import Run, assert_same_ending

CPU = torch.device("cpu")
NO_ROOM = {"cpu": 0}


@pytest.mark.parametrize(
    ("rooms", "sharers", "home"),
    [
        ({"cuda": 201, "cpu": 201}, 1, "cuda"),
        ({"cuda": 200, "cpu": 201}, 1, "cpu"),
        ({"cuda": 201, "cpu": 0}, 2, "cuda"),
        ({"cuda": 200, "cpu": 201}, 2, None),
        ({"cuda": 200, "cpu": 200}, 1, None),
    ],
)
def test_frames_lie_as_near_as_half_the_room_allows(
    rooms: dict[str, int], sharers: int, home: str | None
) -> None:
    assert resident.home_of(100, rooms, sharers) == home


@given(some.integers(1, 9), some.integers(0, 40))
def test_a_small_buffer_brings_every_byte(frames: int, staged_bytes: int) -> None:
    pictures = np.arange(frames * 12, dtype=np.uint8).reshape(frames, 2, 2, 3)
    assert np.array_equal(resident.brought(pictures, CPU, staged_bytes).numpy(), pictures)


def test_this_machine_has_room() -> None:
    assert resident.rooms(CPU)["cpu"] > 0


def test_a_mapped_file_shows_the_same_pictures_and_is_never_changed(
    frames_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FrameStore.open(frames_file)
    before = frames_file.read_bytes()
    monkeypatch.setattr(resident, "rooms", lambda _: NO_ROOM)
    home = resident.home(store, CPU)
    assert home is None
    for camera, frames in resident.frames_of(store, home).items():
        assert np.array_equal(frames.numpy(), store.frames[camera])
        frames.zero_()
    assert frames_file.read_bytes() == before


def test_a_run_without_room_for_its_data_learns_the_same_from_the_file(
    new_run: Callable[..., Run], unbroken: tuple[Run, Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident, "rooms", lambda _: NO_ROOM)
    run = new_run()
    run.train()
    assert_same_ending(run, unbroken[0])
    shares = [line.waiting_share for line in run.lines() if isinstance(line, Stepped)]
    assert shares
    assert all(share is not None and 0 < share < 1 for share in shares)
