"""What a drill knows: kept between runs, counted, and shown."""

import io
import random
from pathlib import Path

import pytest
from rich.console import Console

from bot.rehearsal.drill.book import Befallen, Book, BookUnreadable, Evening, Size, tables
from bot.rehearsal.drill.inside import INSIDE
from bot.rehearsal.drill.points import FETCHED, LEADING, POINTS, chosen, leads_to
from bot.rehearsal.drill.reckoning import Ending

DICE = random.Random(0)  # noqa: S311  repeatable, not secret
CALM = Ending(weights={"act_best/model.safetensors": "a" * 64})


def evening(
    number: int = 1, *faults: Befallen, ending: Ending = CALM, points: tuple[str, ...] = ()
) -> Evening:
    sizes = (Size(age_s=10, rss_kb=90_000, descriptors=20),)
    return Evening(number=number, took_s=60, faults=faults, points=points, sizes=sizes, ending=ending)


def killed(mark: int, **more: object) -> Befallen:
    return Befallen.model_validate({"kind": "kill trainer", "mark": mark, "took_s": 3.0} | more)


def book_of(*evenings: Evening) -> Book:
    return Book(seed=0, epochs=40, undisturbed=CALM, evenings=list(evenings))


def shown(book: Book) -> str:
    out = io.StringIO()
    console = Console(file=out, width=200)
    for table in tables(book):
        console.print(table, markup=False)
    return out.getvalue()


class TestItsFile:
    def test_a_drill_goes_on_where_it_was(self, tmp_path: Path) -> None:
        book = book_of(evening(1, killed(0), points=("post done",)))
        book.write(tmp_path / "book.json")
        again = Book.read(tmp_path / "book.json", 0, 40)
        assert again == book
        assert again.faults == 2
        assert again.points == {"post done"}

    def test_another_seed_s_book_is_refused(self, tmp_path: Path) -> None:
        Book(seed=1, epochs=40).write(tmp_path / "book.json")
        with pytest.raises(BookUnreadable, match="begun with --seed 1"):
            Book.read(tmp_path / "book.json", 2, 40)

    @pytest.mark.parametrize("text", ["[]", "{}", "{", "not JSON", '{"seed": "x", "epochs": 40}'])
    def test_something_else_is_refused_in_one_line(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "book.json").write_text(text)
        with pytest.raises(BookUnreadable, match=r"is no drill's book; name another one$") as no:
            Book.read(tmp_path / "book.json", 0, 40)
        assert "\n" not in str(no.value)

    def test_a_folder_is_refused_in_one_line_too(self, tmp_path: Path) -> None:
        with pytest.raises(BookUnreadable, match=r"Is a directory; name another file$"):
            Book.read(tmp_path, 0, 40)


class TestItsVerdict:
    def test_all_is_well_if_every_play_ended_like_one_without_faults(self) -> None:
        assert book_of(evening(1, killed(0)), evening(2)).went_well()

    @pytest.mark.parametrize(
        "ending",
        [
            CALM.model_copy(update={"lost": (3,)}),
            CALM.model_copy(update={"doubled": 1}),
            CALM.model_copy(update={"owed": 1}),
            CALM.model_copy(update={"wrong": ("no DONE",)}),
            CALM.model_copy(update={"weights": {"act_best/model.safetensors": "b" * 64}}),
            CALM.model_copy(update={"weights": {}}),
        ],
        ids=["lost", "doubled", "owed", "wrong", "learned otherwise", "learned nothing"],
    )
    def test_nothing_may_be_lost(self, ending: Ending) -> None:
        assert not book_of(evening(1, ending=ending)).went_well()

    def test_a_fault_that_did_not_end_well_is_no_success(self) -> None:
        assert not book_of(evening(1, killed(0, wrong="not within 300 s"))).went_well()


class TestItsTable:
    def test_says_of_each_fault_how_often_and_what_was_lost(self) -> None:
        lost = CALM.model_copy(update={"asked": 2, "lost": (1,)})
        faults = killed(0, told=True, steps_lost=12, points_lost=0), killed(1, told=False)
        said = shown(book_of(evening(1, *faults, ending=lost)))
        (row,) = [line for line in said.splitlines() if "kill trainer" in line]
        assert [cell.strip() for cell in row.split("│")[1:-1]] == [
            *("kill trainer", "2", "1", "1 of 2", "≤ 12", "≤ 0", "1 of 1")
        ]
        assert "messages: asked 2, lost 1, doubled 0, still owed 0" in said

    def test_names_the_file_that_differs(self) -> None:
        other = CALM.model_copy(update={"weights": {"act_best/model.safetensors": "b" * 64}})
        assert "play 1: weights differ: act_best/model.safetensors" in shown(
            book_of(evening(1, ending=other))
        )


def test_points_nobody_has_died_at_come_first() -> None:
    passed = POINTS[:-3]
    assert set(chosen(DICE, passed, 3)) == set(POINTS[-3:])
    assert len(chosen(DICE, POINTS, 5)) == 5


def test_what_is_hardly_passed_by_chance_is_led_to() -> None:
    assert LEADING.keys() <= INSIDE.keys()
    assert {point for points in LEADING.values() for point in points} | {FETCHED} <= set(POINTS)
    assert leads_to("freeze trainer", {"kill_job before", "post done"})
    assert not leads_to("freeze trainer", {"post done"})
    assert not leads_to("kill trainer", POINTS)
