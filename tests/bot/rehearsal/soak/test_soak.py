"""A soak counts what it says it counts, and is taken up where it was. The soak itself runs by `make soak`."""

from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from rich.progress import Progress

from bot.rehearsal.cast import OPERATOR_ID
from bot.rehearsal.discord.record import Entry
from bot.rehearsal.soak.__main__ import Logbook, soak, summary
from bot.rehearsal.soak.legs import QUESTIONS_A_LEG, Course
from bot.rehearsal.soak.tally import Leg, Tally, at_share, growth_kb, longest_life
from bot.rehearsal.soak.thermometer import read_readings
from protocol.roster import Roster

US = Roster().training
COURSE = Course(messages=600, throttled=200, kills=3, faults=0.01, seed=1)


def said(number: int, text: str, to: int = OPERATOR_ID, ref: str = "a-1") -> Entry:
    content = f"<@{to}> [ANSWER] {text}\n-# {ref}"
    return Entry(
        time=datetime(2026, 3, 1, tzinfo=UTC),
        id=number,
        author="Training-Claw",
        author_id=US,
        content=content,
        mentions=(to,),
    )


def leg(number: int, pid: int = 1, rss_kb: int = 70_000, **fields) -> Leg:
    given = {
        "number": number,
        "throttled": False,
        "asked": 250,
        "lost": (),
        "doubled": 0,
        "out_of_order": 0,
        "kills": 0,
        "faults": 0,
        "refused": 0,
        "waits_ms": (5,),
        "took_s": 1.0,
        "pid": pid,
        "rss_kb": rss_kb,
        "descriptors": 14,
    }
    return Leg.model_validate(given | fields)


class TestTheCount:
    @pytest.fixture
    def tally(self) -> Tally:
        tally = Tally(US)
        for number in range(3):
            tally.asked(number, OPERATOR_ID)
        return tally

    def test_what_nobody_answered_is_lost(self, tally: Tally) -> None:
        tally.heard(said(1, "q000001"))
        assert tally.lost(range(3)) == (0, 2)
        assert tally.waiting() == 2

    def test_an_answer_to_somebody_else_is_none(self, tally: Tally) -> None:
        tally.heard(said(1, "q000001", to=Roster().watcher))
        assert tally.lost(range(3)) == (0, 1, 2)

    def test_the_same_words_twice_were_said_twice(self, tally: Tally) -> None:
        tally.heard(said(1, "q000001"))
        tally.heard(said(1, "q000001"))
        assert tally.doubled() == 0, "one message, told twice"
        tally.heard(said(2, "q000001"))
        assert tally.doubled() == 1

    def test_an_answer_before_an_earlier_question_s_is_out_of_order(self, tally: Tally) -> None:
        for at, number in enumerate((0, 2, 1)):
            tally.heard(said(at, f"q{number:06d}", ref=f"a-{at}"))
        assert tally.out_of_order() == 1


class TestTheSum:
    def test_growth_is_that_of_the_longest_life(self) -> None:
        legs = [leg(0, pid=1), leg(1, pid=2), *(leg(n, pid=3, rss_kb=70_000 + 100 * n) for n in range(2, 10))]
        assert [one.number for one in longest_life(legs)] == list(range(2, 10))
        grew = growth_kb(longest_life(legs))
        assert grew == pytest.approx(400)
        assert growth_kb(legs[:3]) is None

    def test_a_share_of_nothing_is_nothing(self) -> None:
        assert at_share((), 0.99) == 0
        assert at_share(range(100), 0.99) == 99

    def test_it_is_told_in_words(self) -> None:
        told = summary([leg(0, lost=(7,)), leg(1, throttled=True, refused=2)], [])
        assert told["lost"] == "1"
        assert told["429 under 5 in 5 s"] == "2"


class TestTheCourse:
    def test_every_question_is_asked_once_and_the_last_life_is_long(self) -> None:
        legs = list(COURSE.legs())
        assert [number for one in legs for number in one.questions] == list(range(800))
        assert sum(len(one.kills) for one in legs) == 3
        assert max(number for one in legs for number in one.kills) < 360
        assert [one.throttled for one in legs] == [False, False, False, True]
        assert all(len(one.questions) <= QUESTIONS_A_LEG for one in legs)

    def test_the_same_seed_is_the_same_course(self) -> None:
        assert list(COURSE.legs()) == list(COURSE.legs())

    def test_it_is_taken_up_where_it_was(self, tmp_path: Path) -> None:
        Logbook(tmp_path, COURSE).add(leg(0))
        with (tmp_path / "legs.jsonl").open("a", encoding="utf-8") as file:
            file.write('{"number": 1, "thr')  # killed in the midst of it
        assert [one.number for one in Logbook(tmp_path, COURSE).legs()] == [0]

    def test_another_soak_s_folder_is_refused(self, tmp_path: Path) -> None:
        Logbook(tmp_path, COURSE)
        with pytest.raises(click.UsageError, match="another soak's"):
            Logbook(tmp_path, Course(messages=1, throttled=0, kills=0, faults=0, seed=0))


async def test_a_short_one_loses_nothing(tmp_path: Path) -> None:
    course = Course(messages=12, throttled=0, kills=0, faults=0.3, seed=2)
    log = Logbook(tmp_path, course)
    with Progress(disable=True) as progress:
        await soak(tmp_path, course, log, progress)
    (only,) = log.legs()
    assert (only.asked, only.lost, only.doubled, only.out_of_order) == (12, (), 0, 0)
    assert all(one.rss_kb > 0 for one in read_readings(tmp_path / "readings.jsonl"))
