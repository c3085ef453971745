"""Whether a saved folder is whole can be told by its manifest alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.saved import MANIFEST, damage, manifest_of


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "a").write_text("one")
    (tmp_path / "inner" / "b").write_text("two")
    (tmp_path / MANIFEST).write_bytes(manifest_of(tmp_path))
    return tmp_path


def test_the_manifest_lists_every_file_but_itself(saved: Path) -> None:
    files = json.loads(manifest_of(saved))["files"]
    assert [(file["path"], file["size"]) for file in files] == [("a", 3), ("inner/b", 3)]
    assert {len(file["sha256"]) for file in files} == {64}


def test_as_it_was_saved_it_is_whole(saved: Path) -> None:
    assert damage(saved) is None


def test_what_came_beside_it_since_does_not_harm_it(saved: Path) -> None:
    (saved / "c").write_text("three")
    assert damage(saved) is None


@pytest.mark.parametrize(
    ("harm", "where", "what"),
    [
        (lambda folder: (folder / "inner" / "b").write_text("twO"), "inner/b", "not what manifest.json says"),
        (lambda folder: (folder / "a").write_text("on"), "a", "not what manifest.json says"),
        (lambda folder: (folder / "a").unlink(), "a", "No such file or directory"),
        (lambda folder: (folder / MANIFEST).unlink(), MANIFEST, "No such file or directory"),
        (lambda folder: (folder / MANIFEST).write_text("[]"), MANIFEST, "no list of files"),
        (lambda folder: (folder / MANIFEST).write_text('{"files": [{}]}'), MANIFEST, "no list of files"),
        (lambda folder: (folder / MANIFEST).write_text("{"), MANIFEST, "no list of files"),
    ],
    ids=["other content", "cut short", "gone", "no manifest", "a list", "nameless files", "half a manifest"],
)
def test_every_damage_is_named_with_its_place(
    saved: Path, harm: Callable[[Path], object], where: str, what: str
) -> None:
    harm(saved)
    assert damage(saved) == f"{saved / where}: {what}"
