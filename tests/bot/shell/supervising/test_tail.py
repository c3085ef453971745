from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.shell.supervising.tail import Listener, newest_before, read_lines
from protocol.progress import Began, Saved, Stepped

NOW = datetime(2026, 3, 1, tzinfo=UTC)


type Line = Callable[..., Stepped]


def test_half_a_line_is_left_for_later(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    whole = Began(at=NOW, pid=1, phase="load").model_dump_json().encode() + b"\n"
    file.write_bytes(whole + whole[:20])
    (line,) = read_lines(file, 0)
    assert line.end == len(whole)
    assert read_lines(file, line.end) == []
    file.write_bytes(whole + whole)
    assert [one.said for one in read_lines(file, line.end)] == [line.said]


def test_a_line_that_is_not_ours_does_not_stop_the_reading(tmp_path: Path, stepped: Line) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\x00\xff not json\r\n" + stepped(NOW, epoch=1).model_dump_json().encode() + b"\n")
    junk, good = read_lines(file, 0)
    assert junk.said is None
    assert good.said == stepped(NOW, epoch=1)
    assert good.end == file.stat().st_size


def test_no_file_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "absent", 0) == []


def test_what_was_read_before_is_remembered_by_its_last_line(tmp_path: Path, stepped: Line) -> None:
    file = tmp_path / "events.jsonl"
    lines = [stepped(NOW, epoch=epoch).model_dump_json().encode() + b"\n" for epoch in range(200)]
    file.write_bytes(b"".join(lines))
    assert newest_before(file, sum(map(len, lines[:150]))) == stepped(NOW, epoch=149)
    assert newest_before(file, len(lines[0])) == stepped(NOW, epoch=0)
    assert newest_before(file, 0) is None
    assert newest_before(tmp_path / "absent", 5) is None


def test_a_step_matters_when_its_epoch_is_new(stepped: Line) -> None:
    listener = Listener()
    heard = [listener.matters(stepped(NOW, epoch=epoch)) for epoch in (0, 0, 1, 1, 2)]
    assert [line is not None for line in heard] == [True, False, True, False, True]


def test_the_first_step_after_a_silence_matters(stepped: Line) -> None:
    listener = Listener()
    assert listener.matters(stepped(NOW, epoch=1))
    assert not listener.matters(stepped(NOW + timedelta(seconds=60), epoch=1))
    assert listener.matters(stepped(NOW + timedelta(seconds=600), epoch=1))


def test_a_save_always_matters() -> None:
    listener = Listener()
    saved = Saved(
        at=NOW, what="checkpoint", epoch=50, step=1, folder="checkpoints/epoch_050", loss=0.1, size_bytes=1
    )
    assert listener.matters(saved) == listener.matters(saved) == saved
