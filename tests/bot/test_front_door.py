import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bot.cli import COMPUTE, OURS, main
from trainer.__main__ import AT_THE_DOOR, program
from trainer.__main__ import main as trainer

CLAW = str(Path(sys.executable).with_name("training-claw"))


def test_every_command_is_on_the_door() -> None:
    shown = CliRunner().invoke(main, ["--help"])
    assert shown.exit_code == 0
    assert all(f"  {name}" in shown.output for name in (*OURS, *COMPUTE))


def test_serve_shows_how_it_is_used() -> None:
    shown = CliRunner().invoke(main, ["serve", "--help"])
    assert "training-claw serve --env-file" in shown.output
    assert "Exit codes" in shown.output


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(main, ["fly"]).exit_code == 2


def test_a_mistyped_command_gets_the_nearest_name() -> None:
    refused = CliRunner().invoke(main, ["stauts"])
    assert (refused.exit_code, "Did you mean status?" in refused.output) == (2, True)


@pytest.mark.parametrize("verb", ["simulate", "validate"])
def test_a_compute_verb_goes_on_as_the_trainer(verb: str) -> None:
    shown = subprocess.run([CLAW, verb, "--help"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0
    assert "Usage:" in shown.stdout
    assert "xample" in shown.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
@pytest.mark.parametrize(
    "said", [["--help"], ["lessons", "explain", "-"], ["validate", "--help"], ["bucket", "ls", "--help"]]
)
def test_what_cannot_be_written_for_a_full_disk_is_one_line(said: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [CLAW, *said],
            input="[학습] lr=1e-5",
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            check=False,
        )
    assert done.returncode != 0
    assert (done.stderr.count("\n"), "No space left on device" in done.stderr) == (1, True), done.stderr


def test_who_ends_it_while_it_is_still_being_loaded_gets_no_traceback(tmp_path: Path) -> None:
    """A stand-in for a library that never comes: it says that it is being imported, and waits."""
    (tmp_path / "click.py").write_text(
        "import sys, time\nsys.stdout.write('now\\n')\nsys.stdout.flush()\ntime.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "trainer", "--help"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as loading:
        assert loading.stdout is not None
        assert loading.stdout.readline() == "now\n"
        loading.send_signal(signal.SIGINT)
        _, said = loading.communicate(timeout=30)
    assert (loading.returncode, said) == (-signal.SIGINT, "")


def test_who_reads_one_line_of_the_bucket_is_told_nothing_else(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"a-rather-long-name-so-that-no-pipe-holds-it-all-{number}").touch()
    with subprocess.Popen(
        [CLAW, "bucket", "ls", tmp_path.as_uri()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        assert listing.stdout.readline()
        listing.stdout.close()
        assert listing.stderr.read() == b""


def test_the_door_leads_to_every_command_of_the_trainer_that_calls_itself_so() -> None:
    assert {verb for verb, _ in COMPUTE.values()} == {command.name for command in AT_THE_DOOR}


@pytest.mark.parametrize("name", sorted(trainer.commands))
def test_a_usage_line_of_the_trainer_names_a_command_that_is_there(name: str) -> None:
    assert program([name]) == ("training-claw" if name in COMPUTE else "python -m trainer")
    assert program(["--help"]) == program([]) == "python -m trainer"


EXAMPLE = re.compile(r"^ *(?:\w+=\S+ )?(training-claw|python -m trainer) (\S+) ?([^|\n]*)", re.MULTILINE)


def examples() -> Iterator[tuple[str, str, str]]:
    """Program, command and the rest of each example that the trainer shows."""
    for command in trainer.commands.values():
        yield from EXAMPLE.findall(f"{command.help}\n{command.epilog or ''}")


@pytest.mark.parametrize(("called", "name", "rest"), [*examples()])
def test_every_example_of_the_trainer_can_be_typed(called: str, name: str, rest: str) -> None:
    command = trainer.commands[name]
    group = click.Context(trainer, **trainer.context_settings)
    command.make_parser(click.Context(command, group)).parse_args(shlex.split(rest))
    assert called == program([name])


@pytest.mark.parametrize("name", sorted(trainer.commands))
def test_the_short_option_helps_as_well(name: str) -> None:
    shown = CliRunner().invoke(trainer, [name, "-h"])
    assert (shown.exit_code, "Usage:" in shown.output) == (0, True)
