"""Ways to spoil an episode's files as such: links, names, copies."""

from pathlib import Path
from shutil import copyfile

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


WAYS = (outside_link, broken_link, odd_name, copied_episode, copied_actions)


def _copy(folder: Path, *names: str) -> None:
    other = next(each for each in sorted(folder.parent.iterdir()) if each.is_dir() and each != folder)
    for name in names:
        copyfile(other / name, folder / name)
