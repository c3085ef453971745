"""What a person can get wrong about a rehearsal is said before it begins, in a line, and leaves nothing."""

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.rehearsal.command import rehearse


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        yield somebody.getsockname()[1]


@pytest.fixture
def no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.glob("training-claw-rehearsal-*")) == []


def refused(*options: str) -> str:
    result = CliRunner().invoke(rehearse, options)
    assert result.exit_code == 2
    return result.output.splitlines()[-1]


@pytest.mark.usefixtures("no_trace")
class TestARehearsalIsRefused:
    def test_for_a_transcript_that_cannot_be_written(self) -> None:
        said = refused("--transcript", "/proc/nowhere/talk.jsonl")
        assert "--transcript /proc/nowhere/talk.jsonl cannot be written" in said

    def test_for_a_port_that_is_taken(self, taken_port: int) -> None:
        said = refused("--web", "--port", str(taken_port))
        assert f"--port {taken_port} cannot be had" in said
        assert "leave --port out" in said

    def test_for_a_port_without_a_browser(self) -> None:
        assert "add --web" in refused("--port", "8000")

    def test_for_a_folder_that_cannot_be_made(self) -> None:
        assert "--dir /proc/nowhere cannot be made" in refused("--dir", "/proc/nowhere")

    def test_for_a_folder_in_which_something_lies(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").touch()
        assert f"--dir {tmp_path} is not empty" in refused("--dir", str(tmp_path))
