"""docs/operating.md shows only what there is."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bot.cli import COMPUTE, main

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs" / "operating.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"bin/training-claw ((?:[a-z]+ ?)+)", PAGE)))


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_it_shows_is_one_of_ours(line: str) -> None:
    name, *rest = line.split()
    command = main.get_command(click.Context(main), name)
    assert command is not None
    if isinstance(command, click.Group):
        assert rest[0] in command.commands


def help_of(name: str, *more: str) -> str:
    """What computes goes on as another program, so it is asked as one."""
    if name not in COMPUTE:
        return CliRunner().invoke(main, [name, *more, "--help"]).output
    command = [sys.executable, "-m", "trainer", COMPUTE[name][0], "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_every_option_it_shows_is_understood() -> None:
    for words, option in re.findall(r"bin/training-claw ((?:[a-z]+ )+)[^\n#`]*?(--[a-z-]+)", PAGE):
        assert option in help_of(*words.split())


def test_every_file_it_installs_is_in_the_checkout() -> None:
    named = set(re.findall(r"\b(training-claw[\w@.-]*\.(?:service|conf|example))", PAGE))
    files = {re.sub(r"@.+\.service", "@.service", name) for name in named}
    assert [name for name in files if not (HOUSE / "deploy/systemd" / name).exists()] == [
        "training-claw.conf"
    ], "but for the name under which the first one is installed"


def test_no_secret_stands_on_a_command_line() -> None:
    assert re.findall(r"DISCORD_TOKEN=\S+|\$\(sudo cat", PAGE) == []


def test_its_contents_lead_to_every_section_and_nowhere_else() -> None:
    titles = re.findall(r"^## (.+)", PAGE, re.MULTILINE)
    anchors = {title.lower().replace(" ", "-"): title for title in titles}
    led_to = re.findall(r"\]\(#([\w-]+)\)", PAGE)
    assert [anchor for anchor in led_to if anchor not in anchors] == []
    assert {title for anchor, title in anchors.items() if anchor not in led_to} <= {
        "The machine",
        "The drill",
    }


@pytest.mark.parametrize(
    "word", ["leaked", "rollback", "restore", "deleted", "idle", "wrong checkpoint", "cloud-platform"]
)
def test_what_somebody_looks_for_at_night_is_found(word: str) -> None:
    assert word in PAGE


def test_its_questions_are_as_many_as_it_says() -> None:
    questions = re.findall(r"^(\d+)\. \*\*", PAGE, re.MULTILINE)
    assert questions == [str(number) for number in range(1, 26)]
    assert "Twenty-five questions" in PAGE


def test_it_speaks_of_every_file_that_the_units_need() -> None:
    units = "\n".join(path.read_text() for path in (HOUSE / "deploy/systemd").glob("*.service"))
    needed = set(re.findall(r"/etc/training-claw/([\w.-]+)", units))
    assert [name for name in needed if f"/etc/training-claw/{name}" not in PAGE] == []
