"""Whoever adds something is led to the right place, and each table is complete."""

import ast
import doctest
import inspect
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner

from bot.cli import COMPUTE, OURS, main
from bot.core.channel.orders import DOES, VERBS
from bot.core.policy import Policy
from bot.core.saying.replies import NEXT_STEP
from bot.core.showing.commands import DELEGATED, READS, WHAT_COMMANDS_DO
from bot.lessons.insights import INSIGHTS
from bot.lessons.remedies import INFERRED, STATED
from bot.settings import Settings, to_policy
from protocol.messages import Outgoing
from protocol.training import TrainingConfig
from protocol.wording import LAYOUTS
from trainer.watching.detectors import DETECTORS

HOUSE = Path(__file__).parents[2]
HANGUL = re.compile("[가-힣]")


def page(name: str) -> str:
    return (HOUSE / name).read_text(encoding="utf-8")


@cache
def attributes_read(*folders: str) -> frozenset[str]:
    """Every name that is asked of something in these folders: the `b` of each `a.b`."""
    files = [path for folder in folders for path in (HOUSE / folder).rglob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    return frozenset(
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    )


def unread(names: Iterable[str], *folders: str) -> list[str]:
    return sorted({*names} - attributes_read(*folders))


def test_every_place_it_names_is_there() -> None:
    named = re.findall(r"`((?:protocol|bot|trainer|tests|docs|deploy)/[\w./-]*)`", page("CONTRIBUTING.md"))
    assert [path for path in named if not (HOUSE / path).exists()] == []


def test_every_target_it_names_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", page("Makefile"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", page("CONTRIBUTING.md") + page("README.md")))
    assert named <= targets, "and each target says what it does"


def test_every_check_is_on_its_page() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (HOUSE / "trainer").rglob("*.py"))
    reported = set(re.findall(r'\b(?:refuse|warn|finding|_refused)\(\s*"(\w+)"', source))
    assert [name for name in reported if f"`{name}`" not in page("docs/judging.md")] == []


@pytest.mark.parametrize("remedy", [*STATED, *INFERRED], ids=lambda remedy: remedy.__name__)
def test_every_remedy_understands_both_languages(remedy: Callable[..., Any]) -> None:
    examples = [one.source for one in doctest.DocTestParser().get_examples(remedy.__doc__ or "")]
    spoken = [found[0] for one in examples if (found := re.search(r'"[^"]*"', one))]
    assert any(HANGUL.search(words) for words in spoken)
    assert any(not HANGUL.search(words) for words in spoken)


def test_every_fact_a_run_may_show_has_words_for_watcher() -> None:
    assert [fact for fact in DETECTORS if fact not in INSIGHTS] == []


def test_every_kind_of_message_is_on_the_languages_page() -> None:
    shown = page("docs/protocol.md")
    assert [layout.kind.__name__ for layout in LAYOUTS if f"### {layout.kind.__name__}\n" not in shown] == []


@pytest.mark.parametrize("name", [*OURS, *COMPUTE])
def test_every_command_is_in_the_docs(name: str) -> None:
    pages = [page("README.md"), *(path.read_text(encoding="utf-8") for path in (HOUSE / "docs").glob("*.md"))]
    assert any(re.search(rf"(?:training-claw|make) {name}\b", text) for text in pages)


@pytest.mark.parametrize("name", OURS)
def test_every_command_helps_with_examples(name: str) -> None:
    helped = CliRunner().invoke(main, [name, "--help"]).output
    assert re.search(r"^ *(Examples?:|training-claw )", helped, re.MULTILINE)


def test_every_command_of_the_channel_is_in_the_docs() -> None:
    shown = page("docs/operating.md")
    assert [name for name in WHAT_COMMANDS_DO | DELEGATED if f"`!{name}" not in shown] == []


def test_every_command_that_is_answered_is_in_help_and_the_other_way_round() -> None:
    assert {*READS, *VERBS, "logs", "abandon"} == {*WHAT_COMMANDS_DO}, "bot/core/showing/commands.py"


def test_every_verb_does_something_and_says_what_comes_next() -> None:
    assert {*VERBS} == {*DOES} == {*NEXT_STEP}


def test_what_has_words_can_be_posted() -> None:
    posted = get_args(get_args(Outgoing)[0])
    assert {*posted} == {layout.kind for layout in LAYOUTS}, "protocol.messages.Outgoing"


def test_every_setting_is_read_by_somebody() -> None:
    assert unread(Settings.model_fields, "bot") == []
    assert unread(Policy.model_fields, "bot/core") == []


def test_the_core_hears_of_every_setting_that_it_knows() -> None:
    shared = Settings.model_fields.keys() & Policy.model_fields.keys()
    handed_over = inspect.getsource(to_policy)
    assert [name for name in sorted(shared) if f"{name}=settings.{name}" not in handed_over] == []


def test_every_field_of_the_config_has_an_effect() -> None:
    tree = TrainingConfig().model_dump()
    names = [name for section in tree.values() for name in section]
    assert unread(names, "trainer", "bot", "protocol") == []
