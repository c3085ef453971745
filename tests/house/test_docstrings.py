"""What docstrings say is true: their examples, and the places they name."""

import ast
import doctest
import importlib
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
OURS = ("protocol", "bot", "trainer", "benches")
SOURCES = sorted(path for folder in OURS for path in (HOUSE / folder).rglob("*.py"))
WITH_EXAMPLES = [path for path in SOURCES if ">>> " in path.read_text(encoding="utf-8")]
PLACE = re.compile(r"`((?:protocol|bot|trainer|tests|docs|deploy|examples|benches)/[\w./-]*)`")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("module", [name_of(path) for path in WITH_EXAMPLES])
def test_the_examples_are_true(module: str) -> None:
    ran = doctest.testmod(importlib.import_module(module))
    assert ran.failed == 0


LISTED = re.compile(r"^(\w+)(?:\.py|/)? +\S", re.MULTILINE)


@pytest.mark.parametrize("package", [path.parent for path in SOURCES if path.name == "__init__.py"])
def test_a_package_that_lists_its_modules_lists_them_all(package: Path) -> None:
    said = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    listed = set(LISTED.findall(said.partition("\n\n")[2]))
    modules = {path.stem for path in package.glob("[!_]*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    assert listed.isdisjoint(modules) or listed == modules


def test_the_places_they_name_are_there() -> None:
    missing = [
        f"{path.relative_to(HOUSE)}: {place}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for place in PLACE.findall(node.value)
        if not (HOUSE / place).exists()
    ]
    assert missing == []
