"""Ways to spoil `ego.mp4`."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from trainer.data.video import write_video

VIDEO = "ego.mp4"
WIDTH, HEIGHT, FPS = 640, 480, 30

type Pictures = list[NDArray[np.uint8]]


def wrong_size(folder: Path) -> None:
    """The video is 320x240."""
    _rewrite(folder, lambda pictures: pictures, width=320, height=240)


def huge_picture(folder: Path) -> None:
    """The video claims one picture of 35 million pixels."""
    blank = np.full((4320 * 3 // 2, 8192), 128, np.uint8)
    write_video(folder / VIDEO, [blank], width=8192, height=4320, fps=FPS)


def wrong_fps(folder: Path) -> None:
    """The video runs at 25 fps."""
    _rewrite(folder, lambda pictures: pictures, fps=25)


def lost_frames(folder: Path) -> None:
    """Three pictures in the middle are missing; the file is sound."""
    _rewrite(folder, lambda pictures: pictures[: len(pictures) // 2] + pictures[len(pictures) // 2 + 3 :])


def frozen_video(folder: Path) -> None:
    """After the first quarter the picture stands still; the count is right."""

    def freeze(pictures: Pictures) -> Pictures:
        start = len(pictures) // 4
        return pictures[:start] + [pictures[start]] * (len(pictures) - start)

    _rewrite(folder, freeze)


def repeated_frames(folder: Path) -> None:
    """Every picture is shown twice, as of a video of half the rate."""
    _rewrite(folder, lambda pictures: [pictures[number // 2] for number in range(len(pictures))])


def black_frames(folder: Path) -> None:
    """Three pictures in the middle are black."""

    def blacken(pictures: Pictures) -> Pictures:
        black = np.full_like(pictures[0], 128)
        black[:HEIGHT] = 16
        middle = len(pictures) // 2
        return pictures[:middle] + [black] * 3 + pictures[middle + 3 :]

    _rewrite(folder, blacken)


def late_frame(folder: Path) -> None:
    """One picture comes late by most of a frame."""
    path = folder / VIDEO
    late = path.with_name(".late.mp4")
    with av.open(path) as old, av.open(late, "w", format="mp4") as new:
        video = old.streams.video[0]
        copied = new.add_stream_from_template(video)
        for number, packet in enumerate(old.demux(video)):
            if packet.dts is not None and packet.pts is not None:
                assert packet.time_base is not None
                delay = int(0.8 / FPS / packet.time_base) if number == video.frames // 2 else 0
                packet.pts, packet.dts, packet.stream = packet.pts + delay, packet.dts + delay, copied
                new.mux(packet)
    late.replace(path)


def truncated_video(folder: Path) -> None:
    """The last third of the file never arrived."""
    _spoil_bytes(folder, lambda content: content[: len(content) * 2 // 3])


def last_byte_lost(folder: Path) -> None:
    """The file is a byte short."""
    _spoil_bytes(folder, lambda content: content[:-1])


def no_index(folder: Path) -> None:
    """The file has no index (moov), as when the recorder was killed."""
    _spoil_bytes(folder, lambda content: content.replace(b"moov", b"lost", 1))


def damaged_video(folder: Path) -> None:
    """A hole in the middle of the pictures' own bytes: every count is right, only decoding shows it."""

    def hole(content: bytes) -> bytes:
        middle = (_pictures_start(content) + len(content)) // 2
        return content[:middle] + bytes(512) + content[middle + 512 :]

    _spoil_bytes(folder, hole)


def noisy_video(folder: Path) -> None:
    """Two kilobytes in the middle of the pictures are noise."""

    def noise(content: bytes) -> bytes:
        middle = (_pictures_start(content) + len(content)) // 2
        return content[:middle] + np.random.default_rng(0).bytes(2048) + content[middle + 2048 :]

    _spoil_bytes(folder, noise)


def flipped_bit(folder: Path) -> None:
    """One bit of the first picture is wrong: a lenient decoder repairs it and says nothing."""

    def flip(content: bytes) -> bytes:
        place = _pictures_start(content) + 3000
        return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]

    _spoil_bytes(folder, flip)


def empty_video(folder: Path) -> None:
    """The file is empty."""
    _spoil_bytes(folder, lambda _: b"")


def text_video(folder: Path) -> None:
    """The file is an error page, not a video."""
    _spoil_bytes(folder, lambda _: b"<html><title>503 Service Unavailable</title></html>")


def playlist_video(folder: Path) -> None:
    """The file is a list that names another file."""
    _spoil_bytes(folder, lambda _: b"ffconcat version 1.0\nfile actions.jsonl\n")


def missing_video(folder: Path) -> None:
    """There is no ego.mp4."""
    (folder / VIDEO).unlink()


WAYS = (
    *(wrong_size, huge_picture, wrong_fps, lost_frames, frozen_video, repeated_frames, black_frames),
    *(late_frame, truncated_video, last_byte_lost, no_index, damaged_video, noisy_video, flipped_bit),
    *(empty_video, text_video, playlist_video, missing_video),
)


# --- small parts --------------------------------------------------------------------


def _spoil_bytes(folder: Path, changed: Callable[[bytes], bytes]) -> None:
    path = folder / VIDEO
    path.write_bytes(changed(path.read_bytes()))


def _pictures_start(content: bytes) -> int:
    return content.index(b"mdat") + 4


def _rewrite(
    folder: Path,
    changed: Callable[[Pictures], Pictures],
    width: int = WIDTH,
    height: int = HEIGHT,
    fps: int = FPS,
) -> None:
    path = folder / VIDEO
    pictures = changed(planes_of(path, width, height))
    write_video(path, pictures, width=width, height=height, fps=fps)


def planes_of(path: Path, width: int, height: int) -> Pictures:
    """Every picture as yuv420p planes (height * 3 / 2, width)."""
    with av.open(path) as container:
        stream: VideoStream = container.streams.video[0]
        frames = (frame.reformat(width, height, "yuv420p") for frame in container.decode(stream))
        return [frame.to_ndarray().astype(np.uint8) for frame in frames]
    raise AssertionError("a container is entered once")
