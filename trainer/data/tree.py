"""The files of a data set, and the names among them that lead out of it.

Links to folders are not followed: what they lead to inside the set is there under its own name, what lies
outside is none of ours. A link that leaves must not be read either: a line of it could end up in a message.
"""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Tree:
    """All of a folder but what is hidden, by name relative to it. `astray` says in Korean what is wrong."""

    files: dict[str, Path]
    astray: dict[str, str]


def look_through(folder: Path) -> Tree:
    """Raises OSError: the folder cannot be read."""
    inside = folder.resolve()
    files: dict[str, Path] = {}
    astray: dict[str, str] = {}
    for path in _visible(folder):
        name = path.relative_to(folder).as_posix()
        reason = _wrong_with(path, inside) or _wrong_with_the_name(name)
        if reason:
            astray[name] = reason
        elif path.is_file():
            files[name] = path
    return Tree(dict(sorted(files.items())), dict(sorted(astray.items())))


def _visible(folder: Path) -> Iterator[Path]:
    """Everything that is not a folder itself, links to folders included."""
    for path, below, names in folder.walk():
        below[:] = [name for name in below if not name.startswith(".")]
        yield from (path / name for name in names if not name.startswith("."))


def _wrong_with(path: Path, inside: Path) -> str:
    if path.is_symlink():
        try:
            target = path.resolve(strict=True)
        except OSError:
            return "끊긴 링크"
        return "" if target.is_relative_to(inside) else "데이터 폴더 밖을 가리키는 링크"
    if not stat.S_ISREG(path.lstat().st_mode):
        return "일반 파일이 아님"
    return ""


def _wrong_with_the_name(name: str) -> str:
    return "" if all(shown(part) == part for part in name.split("/")) else "쓸 수 없는 이름"


def shown(name: str) -> str:
    """A name as it can stand in a message: one line, nothing unprintable, not endless.

    >>> shown("episode_001"), shown("a\\nb")
    ('episode_001', 'a\\\\nb')
    """
    plain = name.encode("utf-8", "backslashreplace").decode()
    printable = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in plain)
    return printable if len(printable) <= LONGEST_NAME else f"{printable[:LONGEST_NAME]}…"
