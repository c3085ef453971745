"""A folder is whole or not there."""

from pathlib import Path

import pytest

from protocol.saved import damage
from trainer.saving.folder import remove, size_bytes, sweep, write_whole


def two_files(folder: Path) -> None:
    (folder / "a").write_text("one")
    (folder / "inner").mkdir()
    (folder / "inner" / "b").write_text("two")


def test_a_written_folder_is_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "x", two_files)
    assert damage(tmp_path / "x") is None
    manifest = (tmp_path / "x" / "manifest.json").stat().st_size
    assert size_bytes(tmp_path / "x") == len("one") + len("two") + manifest


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def fails(folder: Path) -> None:
        two_files(folder)
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        write_whole(tmp_path / "x", fails)
    assert [*tmp_path.iterdir()] == []


def test_what_a_kill_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "best" / ".tmp-epoch_003").mkdir(parents=True)
    sweep(tmp_path)
    assert [*(tmp_path / "best").iterdir()] == []


def test_a_damaged_folder_of_that_name_is_set_aside(tmp_path: Path) -> None:
    for _ in range(3):
        write_whole(tmp_path / "x", two_files)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".damaged-x-1", ".damaged-x-2", "x"]


def test_a_removed_folder_is_gone(tmp_path: Path) -> None:
    write_whole(tmp_path / "x", two_files)
    remove(tmp_path / "x")
    assert [*tmp_path.iterdir()] == []
