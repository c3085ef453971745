"""A long message comes in parts, and is read whole."""

from itertools import permutations
from pathlib import Path

import pytest

from protocol import Collector, join, parse, render
from protocol.collector import MOST_OPEN
from protocol.messages import Approval, Blocked, Talk

MANY = Path(__file__).with_name("golden") / "blocked_many.txt"
PARTS = MANY.read_text(encoding="utf-8").rstrip("\n").split("\n=== next part ===\n")


@pytest.mark.parametrize("order", [*permutations(PARTS)])
def test_parts_become_one_message_in_whatever_order_they_come(order: tuple[str, ...]) -> None:
    collector = Collector()
    *waiting, whole = [collector.feed(part) for part in order]
    assert waiting == [None, None]
    assert whole == join(PARTS)
    assert isinstance(parse(join(PARTS)), Blocked)


def test_a_part_alone_is_only_talk() -> None:
    assert {type(parse(part)) for part in PARTS} == {Talk}


def test_what_is_whole_waits_for_nothing() -> None:
    collector = Collector()
    collector.feed(PARTS[0])
    for text in ("hello", "", "<@1> [RECEIPT] 수신 확인.\n-# c7.2"):
        assert collector.feed(text) == text


def test_a_part_that_comes_again_is_one_part() -> None:
    collector = Collector()
    assert [collector.feed(part) for part in (PARTS[0], PARTS[0], PARTS[1])] == [None] * 3
    assert collector.feed(PARTS[2]) == join(PARTS)


def test_what_never_ends_is_forgotten() -> None:
    collector = Collector()
    for number in range(MOST_OPEN + 1):
        collector.feed(f"<@1> [REPORT] x\n-# c7.{number} · 1/2")
    assert collector.feed("<@1> [REPORT] (계속)\ny\n-# c7.0 · 2/2") is None
    assert collector.feed(f"<@1> [REPORT] (계속)\ny\n-# c7.{MOST_OPEN} · 2/2") is not None


def test_what_others_say_is_not_ours_to_render() -> None:
    with pytest.raises(TypeError, match=r"Approval is no message of Training's; .*plain text"):
        render(Approval())  # type: ignore[arg-type]
