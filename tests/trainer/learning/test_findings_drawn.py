"""Pictures of what was found, drawn from the data the run learns from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from protocol.folders import RunFolder
from trainer.data.store import FrameStore
from trainer.learning import feed as feeds
from trainer.learning.history import Epoch, TrainerState
from trainer.watching import lookout
from trainer.watching.findings_drawn import GAP, STRIP_FRAMES, STRIP_HEIGHT, draw_finding
from trainer.watching.lookout import Lookout

CPU = torch.device("cpu")


@pytest.fixture
def frames(frames_file: Path) -> FrameStore:
    return FrameStore.open(frames_file)


def test_an_episode_is_a_strip_of_its_own_frames(frames: FrameStore, tmp_path: Path) -> None:
    path = draw_finding("episode_l1_high:episode_001", {"episode": "episode_001"}, frames, tmp_path / "f")
    assert path is not None
    assert path == tmp_path / "f" / "episode_l1_high_episode_001.png"
    with Image.open(path) as drawn:
        width = STRIP_HEIGHT * 24 // 16
        assert drawn.size == ((width + GAP) * STRIP_FRAMES - GAP, STRIP_HEIGHT)
        pixels = np.asarray(drawn)
    first, last = frames.frames["ego"][9], frames.frames["ego"][13]
    assert tuple(pixels[0, 0]) == tuple(first[0, 0])
    assert tuple(pixels[-1, -1]) == tuple(last[-1, -1])


def test_a_channel_is_a_histogram_and_the_rest_has_no_picture(frames: FrameStore, tmp_path: Path) -> None:
    path = draw_finding("channel_l1_high:steering", {"channel": "steering"}, frames, tmp_path)
    assert path is not None
    assert path.read_bytes().startswith(b"\x89PNG")
    assert draw_finding("plateau", {"epochs": 50}, frames, tmp_path) is None


def state_of(frames: FrameStore, epochs: int) -> TrainerState:
    """The first channel is far worse than the others, and has been since they were learned."""
    first = Epoch(loss=2, l1=1.0, kl=0, l1_by_action=(1, 1, 1, 1), grad_norm=1, clipped_share=0)
    later = Epoch(loss=1, l1=0.5, kl=0, l1_by_action=(1, 0.1, 0.1, 0.1), grad_norm=1, clipped_share=0)
    return TrainerState(
        history=(first, *(later,) * (epochs - 1)),
        episodes=3,
        frames=21,
        config=frames.config,
        certificate="",
        num_threads=1,
        versions={},
    )


def test_the_lookout_names_the_picture_in_the_run_s_folder(frames: FrameStore, tmp_path: Path) -> None:
    watch = Lookout(frames, feeds.load(frames, 4, CPU), RunFolder(tmp_path), None)
    assert watch.news(state_of(frames, 3)) == {}
    news = watch.news(state_of(frames, 60))["channel_l1_high:steering"]
    assert news.figures["channel"] == "steering"
    assert (tmp_path / str(news.picture)).is_file()
    assert watch.readings[-1].used_bytes is None, "a CPU has no memory of its own"


def test_a_picture_that_fails_costs_nothing(
    frames: FrameStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> Path:
        raise OSError("no space")

    monkeypatch.setattr(lookout, "draw_finding", fails)
    watch = Lookout(frames, feeds.load(frames, 4, CPU), RunFolder(tmp_path), None)
    news = watch.news(state_of(frames, 60))["channel_l1_high:steering"]
    assert news.picture is None


def test_of_very_many_readings_every_other_is_forgotten(frames: FrameStore, tmp_path: Path) -> None:
    watch = Lookout(frames, feeds.load(frames, 4, CPU), RunFolder(tmp_path), None)
    for _ in range(lookout.MOST_READINGS + 1):
        watch.news(state_of(frames, 1))
    assert len(watch.readings) == lookout.MOST_READINGS // 2 + 1
