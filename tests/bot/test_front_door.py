import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import COMPUTE, OURS, main

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
