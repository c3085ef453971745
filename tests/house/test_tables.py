"""What is written as an entry of a table stands in it: nothing is built, tested by itself and never used."""

import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from bot.lessons import remedies
from bot.lessons.assignments import assigned, ordered
from bot.lessons.remedies import BENEATH, INFERRED, STATED
from protocol.job import Problem
from trainer.checking import checks, findings, likeness
from trainer.checking.checks import EPISODE_CHECKS
from trainer.watching import detectors
from trainer.watching.detectors import DETECTORS

HOUSE = Path(__file__).parents[2]

type Function = Callable[..., Any]


def modules_of(package: ModuleType) -> list[ModuleType]:
    return [import_module(f"{package.__name__}.{one.name}") for one in pkgutil.iter_modules(package.__path__)]


def functions(modules: Iterable[ModuleType], answer: object) -> Iterator[Function]:
    """The public functions of `modules` that answer that."""
    for module in modules:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            own = function.__module__ == module.__name__ and not name.startswith("_")
            if own and inspect.get_annotations(function, eval_str=True).get("return") == answer:
                yield function


def names(functions: Iterable[Function]) -> set[str]:
    return {function.__name__ for function in functions}


def test_every_remedy_is_tried() -> None:
    (answer,) = {inspect.get_annotations(one, eval_str=True)["return"] for one in (*STATED, *INFERRED)}
    written = functions(modules_of(remedies), answer)
    assert names(written) <= names((*BENEATH, *STATED, *INFERRED, assigned, ordered))


def test_every_detector_looks() -> None:
    (answer,) = {inspect.get_annotations(one, eval_str=True)["return"] for one in DETECTORS.values()}
    assert names(functions(modules_of(detectors), answer)) == names(DETECTORS.values())


def test_every_check_of_data_is_made() -> None:
    """Those of a whole set are asked by name in check.py."""
    asked = (HOUSE / "trainer" / "checking" / "check.py").read_text(encoding="utf-8")
    written = names(functions((checks, findings, likeness), Iterator[Problem]))
    assert {name for name in written - names(EPISODE_CHECKS) if f"{name}(" not in asked} == set()
