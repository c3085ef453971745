"""The Dockerfile: linted, and built of files that are there. No engine is at hand here to build it."""

import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

HOUSE = Path(__file__).parents[2]
DOCKERFILE = (HOUSE / "Dockerfile").read_text(encoding="utf-8")


def test_the_linter_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run([linter, HOUSE / "Dockerfile"], capture_output=True, text=True, check=False)
    assert ran.stdout + ran.stderr == ""


def test_every_file_it_copies_is_here_and_let_through() -> None:
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for name in line.split()[:-1]
    ]
    ignored = (HOUSE / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    assert copied
    assert [name for name in copied if not (HOUSE / name).exists()] == []
    assert [name for name in copied if not any(fnmatch(name, each) for each in let_through)] == []


def test_it_runs_as_nobody_in_particular() -> None:
    (user,) = re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)
    assert int(user) > 0
    assert f"--uid {user} " in DOCKERFILE
