"""docs/threats.md tells the truth: every line of it is held by a test that exists."""

import ast
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs" / "threats.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w./]+\.py)(?:::(\w+))?`", PAGE)))
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "held by" not in line]

LOADERS = ("pickle", "cPickle", "dill", "joblib", "marshal", "shelve")


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_every_test_it_names_exists(file: str, test: str) -> None:
    source = (HOUSE / file).read_text(encoding="utf-8")
    assert not test or re.search(rf"def {test}\b", source), f"{file} has no {test}"


def test_every_line_names_a_test() -> None:
    assert len(ROWS) > 20
    assert [row for row in ROWS if "`tests/" not in row] == []


def test_nothing_that_could_run_is_ever_loaded() -> None:
    """No pickle in any form: not by name, and `torch.load` only where it is told to read weights alone."""
    found = [
        f"{path.relative_to(HOUSE)}:{line}"
        for folder in ("protocol", "bot", "trainer")
        for path in sorted((HOUSE / folder).rglob("*.py"))
        for line in _dangers(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def _dangers(tree: ast.AST) -> list[int]:
    return [getattr(node, "lineno", 0) for node in ast.walk(tree) if _is_a_danger(node)]


def _is_a_danger(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return any(one.name.partition(".")[0] in LOADERS for one in names)
        case ast.ImportFrom(module=str(module)):
            return module.partition(".")[0] in LOADERS
        case ast.Call(func=ast.Name(id="eval" | "exec")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="load"), keywords=keywords):
            return not any(one.arg == "weights_only" and _is_true(one.value) for one in keywords)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="load"), keywords=keywords):
            return any(one.arg == "allow_pickle" for one in keywords)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="yaml"), attr=name)):
            return name not in {"safe_load", "safe_dump", "compose", "parse"}
        case _:
            return False


def _is_true(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is True
