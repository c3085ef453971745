"""Ways to spoil an episode's files as such: links, names, copies."""

from pathlib import Path
from shutil import copyfile

import av
from av.video.frame import VideoFrame

from trainer.simulation.video_faults import FPS, HEIGHT, VIDEO, WIDTH, planes_of

FILES = ("ego.mp4", "actions.jsonl")


def outside_link(folder: Path) -> None:
    """actions.jsonl is a link to a file of the machine."""
    (folder / "actions.jsonl").unlink()
    (folder / "actions.jsonl").symlink_to("/etc/hostname")


def broken_link(folder: Path) -> None:
    """ego.mp4 is a link to nothing."""
    (folder / "ego.mp4").unlink()
    (folder / "ego.mp4").symlink_to("nowhere.mp4")


def odd_name(folder: Path) -> None:
    """A file's name holds a line break and a mention."""
    (folder / "notes\n@everyone.txt").write_text("")


def copied_episode(folder: Path) -> None:
    """The pictures and actions are those of the first other episode."""
    _copy(folder, *FILES)


def copied_actions(folder: Path) -> None:
    """The actions are those of the first other episode."""
    _copy(folder, "actions.jsonl")


def recoded_episode(folder: Path) -> None:
    """The pictures are those of the first other episode, encoded anew."""
    pictures = planes_of(_first_other(folder) / VIDEO, WIDTH, HEIGHT)
    with av.open(folder / VIDEO, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=FPS, options={"q:v": "8"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1  # the same bytes every time
        for picture in pictures:
            container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode())


WAYS = (outside_link, broken_link, odd_name, copied_episode, copied_actions, recoded_episode)


def _copy(folder: Path, *names: str) -> None:
    other = _first_other(folder)
    for name in names:
        copyfile(other / name, folder / name)


def _first_other(folder: Path) -> Path:
    return next(each for each in sorted(folder.parent.iterdir()) if each.is_dir() and each != folder)
