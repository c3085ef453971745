"""An env file, which `--env-file`, systemd and Docker read; what they would not read alike is refused.

Whatever stands in a line may be a secret that was pasted there: only names are shown.
"""

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import Path

BOM, ZERO = "\ufeff", "\0"
A_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
A_NOTE = re.compile(r"(^|\s)#")
QUOTES = ("'", '"')
QUOTED = re.compile(r"""(["'])(?:\\.|(?!\1)[^\\])*\1(?P<behind>.*)""")


class Unreadable(Exception):
    """Nothing of the file can be used. One line."""


def lines_of(path: Path) -> tuple[str, ...]:
    """Raises Unreadable."""
    if path.is_fifo():  # it can be read once, and is read twice
        raise Unreadable(f"{path}: is a pipe; write the settings into a file, and name that")
    try:
        content = path.read_bytes()
    except PermissionError:
        raise Unreadable(f"{path}: may not be read; `chmod 0644` it: no secret belongs in it") from None
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read ({error.strerror}); see --env-file") from None
    try:
        return tuple(content.decode().splitlines())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(
            f"{path}, line {line}: is not UTF-8 (byte 0x{content[error.start]:02x}); save the file as UTF-8"
        ) from None


def settings_in(lines: tuple[str, ...]) -> Iterator[tuple[int, str, str, str]]:
    """Number of the line, name, `=` or nothing, value: of each line that is neither empty nor a note."""
    for number, line in enumerate(lines, 1):
        name, is_setting, value = line.partition("=")
        if line.strip() and not name.lstrip().startswith("#"):
            yield number, name.strip(), is_setting, value.strip()


def line_of(lines: tuple[str, ...], wanted: str) -> int:
    """The last line that sets `wanted`, which is the one that counts; 0: none does."""
    found = (number for number, name, *_ in settings_in(lines) if name and name.upper() == wanted)
    return max(found, default=0)


def lost(lines: tuple[str, ...]) -> frozenset[str]:
    """The settings that a quote takes with it: its own, and those that stand before the next quote.

    >>> sorted(lost(('A="1', "B=2", 'C="3"', "D='4' 5", "E=6")))
    ['A', 'B', 'C', 'D']
    """
    names, until = set[str](), 0
    for number, name, _, value in settings_in(lines):
        if number <= until or _quoted_wrongly(value):
            names.add(name.upper())
        if number > until and value[:1] in QUOTES and not QUOTED.fullmatch(value):
            closing = (later for later, line in enumerate(lines[number:], number + 1) if value[0] in line)
            until = next(closing, 0)
    return frozenset(names)


def faults(path: Path, lines: tuple[str, ...], known: Collection[str], see: str) -> tuple[str, ...]:
    """One line each. `known`: the names of all settings; `see`: where they are explained."""
    found = (
        (number, _fault(name, is_setting, value, known, see))
        for number, name, is_setting, value in settings_in(lines)
    )
    return tuple(f"{path}, line {number}: {fault}" for number, fault in found if fault)


def _fault(name: str, is_setting: str, value: str, known: Collection[str], see: str) -> str:
    """
    >>> _fault("REPORT_EVERY", "=", "900", ["REPORT_EVERY_S"], "the example")
    'unknown setting REPORT_EVERY, did you mean REPORT_EVERY_S?'
    >>> _fault("REPORT_EVERY_S", "=", "900 # note", ["REPORT_EVERY_S"], "the example")
    'REPORT_EVERY_S: systemd takes what follows the # for a part of the value; give a note a line of its own'
    """
    if name.startswith(BOM):
        return "begins with a byte order mark, which nobody sees; save the file as UTF-8 without one"
    if ZERO in name + value:
        return "holds zero bytes, as after a crash; write the line anew"
    if not is_setting or not A_NAME.fullmatch(name):
        return "is no NAME=value; write it so, or put a # before it"
    if name.upper() not in known:
        near = get_close_matches(name.upper(), known, 1)
        return f"unknown setting {name}" + (
            f", did you mean {near[0]}?" if near else f"; {see} lists all of them"
        )
    if wrong := _quoted_wrongly(value):
        return f"{name}: {wrong}"
    if value[:1] not in QUOTES and A_NOTE.search(value):
        return (
            f"{name}: systemd takes what follows the # for a part of the value; give a note a line of its own"
        )
    return ""


def _quoted_wrongly(value: str) -> str:
    """
    >>> _quoted_wrongly('"abc')
    'its quote (") is not closed on its line; close it, or leave it out'
    >>> _quoted_wrongly("'a b' c")
    'nobody reads what stands behind its closing quote; quote all of it, or nothing'
    >>> _quoted_wrongly("'a b' # note")
    ''
    """
    if value[:1] not in QUOTES:
        return ""
    found = QUOTED.fullmatch(value)
    if not found:
        return f"its quote ({value[0]}) is not closed on its line; close it, or leave it out"
    if found["behind"].strip() and not found["behind"].lstrip().startswith("#"):
        return "nobody reads what stands behind its closing quote; quote all of it, or nothing"
    return ""
