"""An episode's video: written as the simulator does, surveyed and decoded as strictly as the decoder can.

Decoding stops at the first damage (`err_detect=explode`). A lenient decoder repairs a flipped bit by
repeating the picture before it, says nothing, and the count is right.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import batched, chain
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from trainer.data.looks import Eye, Looks, brightness

type Picture = NDArray[np.uint8]

MAX_FRAMES = 100_000
MAX_PIXELS = 4096 * 4096
"""An hour at 30 fps, and four times a 4K picture: beyond that a file is an attack or an accident."""

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi"
"""Never a playlist: those name other files, and addresses."""

DECODED_AT_ONCE = 4
"""A tenth is saved; with eight the frames that wait take up the cache themselves."""

GREEN = 1
"""The colour channel (R, G, B) that is nearest to brightness."""

NOTHING_SEEN = Looks(np.empty(0), np.empty(0), np.empty(0))


class VideoError(Exception):
    """A video cannot be read. `frame` is the first one that is not good."""

    def __init__(self, reason: str, frame: int) -> None:
        super().__init__(reason)
        self.frame = frame


class VideoTooLarge(VideoError):
    """Decoding it would take more time or memory than any real episode does."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a video, by its times in seconds: from `start` on, before `stop`."""

    start: float
    stop: float


@dataclass(frozen=True)
class Footage:
    """A whole video, by every frame decoded: `times` (T,) in seconds, `sizes` each width, height it has.

    `told` is the number of frames by the file's header, `packets` by its index; 0 where it does not say.
    """

    name: str
    times: NDArray[np.float64]
    sizes: tuple[tuple[int, int], ...]
    fps: float
    told: int = 0
    packets: int = 0
    looks: Looks = NOTHING_SEEN

    @property
    def frames(self) -> int:
        return len(self.times)


class Keep(Protocol):
    """Takes some of the pictures while all of them are looked at."""

    def wants(self, frame: int) -> bool: ...

    def put(self, picture: Picture) -> None:
        """The next one that is wanted, RGB (H, W, 3)."""
        ...


class KeepsNothing:
    def wants(self, frame: int) -> bool:  # noqa: ARG002
        return False

    def put(self, picture: Picture) -> None:  # noqa: ARG002
        raise AssertionError("it was not wanted")


NOTHING_KEPT = KeepsNothing()


def write_video(path: Path, pictures: Iterable[Picture], *, width: int, height: int, fps: int) -> None:
    """Encode yuv420p pictures (H * 3 / 2, W) to `path`. The same pictures give the same bytes."""
    with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        for number, planes in enumerate(pictures):
            frame = VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def survey(path: Path, span: Span | None = None, keep: Keep = NOTHING_KEPT) -> Footage:
    """Decode all of `path`, or `span` of it, once, and say what it holds. `keep` gets what it wants of it.

    Raises:
        VideoTooLarge: it is not decoded at all.
        VideoError: it is not a video, ends early, or a frame is damaged.
    """
    times: list[float] = []
    sizes: dict[tuple[int, int], None] = {}
    eye, reformatter = Eye(), VideoReformatter()
    packets = 0 if span else count_packets(path)
    told, rate = 0, 0.0
    with _opened(path) as container:
        stream = _video_of(container)
        told, rate = 0 if span else stream.frames, float(stream.average_rate or stream.guessed_rate or 0)
        for number, frame in enumerate(_few_at_once(_frames(container, stream, span))):
            times.append((frame.time or 0.0) - (span.start if span else 0.0))
            sizes[frame.width, frame.height] = None
            if keep.wants(number):
                keep.put(_rgb(frame, reformatter))
            eye.see(brightness(frame))  # last: what was just read in order is still in the cache
    if not times:
        raise VideoError("no frame in it", 0)
    return Footage(path.name, np.array(times), tuple(sizes), rate, told, packets, eye.seen())


def watch(name: str, pictures: Iterable[Picture], fps: float, keep: Keep) -> Footage:
    """Pictures that are stored as such: they have no clock, and no size that a rule is about."""
    eye, count = Eye(), 0
    for number, picture in enumerate(pictures):
        eye.see(picture[..., GREEN])
        if keep.wants(number):
            keep.put(picture)
        count = number + 1
    return Footage(name, np.arange(count) / fps, sizes=(), fps=float(fps), looks=eye.seen())


def count_packets(path: Path) -> int:
    """How many frames the index names; fifty times as fast as decoding them."""
    count = 0
    with _opened(path) as container:
        stream = _video_of(container)
        if stream.width * stream.height > MAX_PIXELS:
            raise VideoTooLarge(f"{stream.width}x{stream.height}", 0)
        if stream.frames > MAX_FRAMES:
            raise VideoTooLarge(f"{stream.frames}프레임", 0)
        try:
            for packet in container.demux(stream):
                count += packet.size > 0
                if count > MAX_FRAMES:
                    raise VideoTooLarge(f"{MAX_FRAMES}프레임 초과", 0)
        except (FFmpegError, OSError) as error:
            raise VideoError(_reason(error), count) from error
    return count


def pictures(path: Path, span: Span | None = None) -> Iterator[Picture]:
    """Every frame of `path`, or of `span` in it, as RGB (H, W, 3), exactly as LeRobot's own readers give it.

    Raises:
        VideoError: as `survey`, at the frame where it happens.
    """
    reformatter = VideoReformatter()
    with _opened(path) as container:
        for frame in _frames(container, _video_of(container), span):
            yield _rgb(frame, reformatter)


def _opened(path: Path) -> InputContainer:
    try:
        return av.open(path, options={"format_whitelist": CONTAINERS, "protocol_whitelist": "file"})
    except (FFmpegError, OSError) as error:
        raise VideoError(_reason(error), 0) from error


def _video_of(container: InputContainer) -> VideoStream:
    if not container.streams.video:
        raise VideoError("no video stream", 0)
    stream = container.streams.video[0]
    if stream.codec_context is None:  # its header names no codec, or one we have not
        raise VideoError("unknown codec", 0)
    stream.thread_type = "NONE"  # one process a core is faster than threads in each
    stream.codec_context.options = {"err_detect": "explode", "max_pixels": str(MAX_PIXELS)}
    return stream


def _frames(container: InputContainer, stream: VideoStream, span: Span | None) -> Iterator[VideoFrame]:
    if span is None:
        yield from _decoded(container, stream)
        return
    if span.start > 0 and stream.time_base is not None:
        container.seek(int(span.start / stream.time_base), stream=stream)  # to the key frame before it
    half = 0.5 / float(stream.average_rate or stream.guessed_rate or 1)
    number = 0
    for frame in _decoded(container, stream):
        if (frame.time or 0.0) >= span.stop - half:
            return
        if (frame.time or 0.0) >= span.start - half:
            yield frame
            number += 1
        if number > MAX_FRAMES:
            raise VideoTooLarge(f"{MAX_FRAMES}프레임 초과", 0)


def _few_at_once(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """Decoded, then used: turn and turn about, each would find the cache full of what the other needs."""
    return chain.from_iterable(batched(frames, DECODED_AT_ONCE))


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    number = 0
    try:
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise VideoError("the file ends within a frame", number)
            for frame in packet.decode():
                if not isinstance(frame, VideoFrame) or frame.is_corrupt:
                    raise VideoError("damaged frame", number)
                yield frame
                number += 1
    except (FFmpegError, OSError) as error:
        raise VideoError(_reason(error), number) from error


def _rgb(frame: VideoFrame, reformatter: VideoReformatter) -> Picture:
    """The reformatter is to be kept: a new one a frame costs more than the decoding."""
    plane = reformatter.reformat(frame, frame.width, frame.height, "rgb24").planes[0]
    lines = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width * 3].reshape(plane.height, plane.width, 3)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
