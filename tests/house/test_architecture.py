"""docs/architecture.md tells the truth."""

import re
import runpy
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs" / "architecture.md").read_text(encoding="utf-8")
OUTSIDE = {"LR", "flowchart", "mermaid"}


DRAW = runpy.run_path(str(HOUSE / "docs" / "draw.py"))


@pytest.mark.parametrize("page", DRAW["DRAWN"], ids=lambda page: page.name)
def test_what_is_drawn_is_the_code_s(page: Path) -> None:
    assert DRAW["drawn"](page) == page.read_text(encoding="utf-8"), "run `python docs/draw.py`"


def test_every_word_of_the_diagram_is_in_the_house() -> None:
    (diagram,) = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
    words = {word.rstrip("s") for word in re.findall(r"[A-Za-z_]+", diagram)} - OUTSIDE
    sources = [path for folder in ("protocol", "bot", "trainer") for path in (HOUSE / folder).rglob("*.py")]
    house = "\n".join(path.stem + "\n" + path.read_text(encoding="utf-8") for path in sources)
    assert sorted(word for word in words if word not in house) == []


@pytest.mark.parametrize(("carrier", "folder"), [("jobs", "supervising"), ("freight", "freight")])
def test_a_lane_takes_each_order_to_who_carries_it_out(carrier: str, folder: str) -> None:
    (named,) = re.findall(rf"lanes -->\|([A-Za-z, ]+)\| {carrier}\n", PAGE)
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in (HOUSE / "bot/shell" / folder).glob("*.py")
    )
    assert [order for order in named.split(", ") if not re.search(rf"\b{order}\b", source)] == []


def test_every_path_it_names_exists() -> None:
    named = re.findall(r"`((?:protocol|bot|trainer|tests|docs)/[\w./]*)`", PAGE)
    assert [path for path in named if not (HOUSE / path).exists()] == []
