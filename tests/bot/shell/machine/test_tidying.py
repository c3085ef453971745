"""Room is made of what can be made again, and only of what nobody needs."""

import asyncio
import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.core.state import Awaited, Cycle, Fetched, State, Unread, Waiting
from bot.shell.commands.state import state as state_command
from bot.shell.machine import tidying
from bot.shell.machine.places import Places
from bot.shell.remembering import tables
from bot.shell.remembering.store import Store
from bot.shell.remembering.tables import Record
from protocol.messages import Handoff

NOW = datetime.now(UTC)
LONG_AGO = (NOW - timedelta(days=30)).timestamp()
AGE = timedelta(days=14)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


@pytest.fixture
def old(places: Places) -> Callable[[str], Path]:
    """A data set's copy, untouched for a month."""

    def make(source: str) -> Path:
        folder = places.dataset(source)
        folder.mkdir(parents=True)
        (folder / "ego.mp4").write_bytes(b"x" * 9000)
        os.utime(folder, (LONG_AGO, LONG_AGO))
        return folder

    return make


def old_run(places: Places, name: str) -> Path:
    run = places.run(name)
    run.checkpoint(50).mkdir(parents=True)
    run.data.write_bytes(b"x" * 9000)
    os.utime(run.data, (LONG_AGO, LONG_AGO))
    os.utime(run.checkpoint(50), (LONG_AGO, LONG_AGO))
    return run.data


def cycle(run: str, data: Fetched | Awaited) -> Cycle:
    return Cycle(number=7, opened_at=NOW, run_name=run, data=data, terms=Unread(heard=(), since=NOW))


def spared(places: Places, state: State) -> set[Path]:
    return {one.path for one in tidying.spare(places, state, NOW, AGE)}


def test_what_the_open_cycle_or_the_queue_names_stays(places: Places, old: Callable[[str], Path]) -> None:
    open_, waiting, over = old("gs://b/cycle07"), old("gs://b/cycle08"), old("gs://b/cycle06")
    current, former = old_run(places, "cycle07-a"), old_run(places, "cycle06-a")
    state = State(
        cycle=cycle("cycle07-a", Fetched(source="gs://b/cycle07", announced=None, since=NOW)),
        queue=(Waiting(handoff=Handoff(data="gs://b/cycle08"), author=7),),
    )
    assert spared(places, state) == {over, former}
    assert open_.exists()
    assert waiting.exists()
    assert current.exists()


def test_a_draft_goes_with_its_cycle(places: Places) -> None:
    drafts = [old_run(places, run).with_name(".data.h5.tmp") for run in ("cycle06-a", "cycle07-a")]
    for draft in drafts:
        draft.write_bytes(b"x")
        os.utime(draft, (LONG_AGO, LONG_AGO))
    open_ = State(cycle=cycle("cycle07-a", Awaited(since=NOW)))
    assert spared(places, open_) == {places.run("cycle06-a").data, drafts[0]}


def test_between_cycles_only_what_is_young_stays(places: Places, old: Callable[[str], Path]) -> None:
    over, young = old("gs://b/cycle06"), old("gs://b/cycle05")
    os.utime(young)
    assert spared(places, State()) == {over}
    assert spared(places, State(cycle=cycle("cycle07-a", Awaited(since=NOW)))) == {over}


def test_what_an_interrupted_tidying_left_goes_first(places: Places, old: Callable[[str], Path]) -> None:
    old("gs://b/cycle06")
    (one,) = tidying.spare(places, State(), NOW, AGE)
    one.path.rename(one.path.with_name(tidying.LEAVING + one.path.name))
    (left,) = tidying.spare(places, State(), NOW, AGE)
    tidying.clear(left)
    assert list((places.path / "dataset").iterdir()) == []


def test_a_link_stays_and_keeps_nothing_else(
    places: Places, old: Callable[[str], Path], tmp_path: Path
) -> None:
    elsewhere, other = old("dataset/elsewhere/"), old("dataset/other/")
    moved = elsewhere.rename(tmp_path / "larger disk")
    elsewhere.symlink_to(moved)
    (other.parent / "dangling").symlink_to("nowhere")
    left = other.with_name(f"{tidying.LEAVING}linked")
    left.symlink_to(moved)
    assert spared(places, State()) == {other, left}
    for one in tidying.spare(places, State(), NOW, AGE):
        tidying.clear(one)
    assert {path.name for path in other.parent.iterdir()} == {elsewhere.name, "dangling"}
    assert (moved / "ego.mp4").exists()


def test_one_that_cannot_go_is_named_and_keeps_no_other(
    places: Places, old: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted((old("dataset/one/"), old("dataset/two/")))

    def clear(one: tidying.Spare) -> None:
        if one.path == first:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(first))
        cleared(one)

    cleared = tidying.clear
    monkeypatch.setattr(tidying, "clear", clear)
    asyncio.run(remember(places, State()))
    ran = CliRunner().invoke(state_command, ["tidy", "--state-dir", str(places.path)])
    assert ran.exit_code == 1
    assert ran.stderr == (
        f"training-claw state tidy: {first}: Permission denied; correct its owner, or remove it by hand\n"
    )
    assert (first.exists(), second.exists()) == (True, False)


def test_for_people_it_says_what_goes_and_how_much_that_frees(
    places: Places, old: Callable[[str], Path]
) -> None:
    over, former = old("gs://b/cycle06"), old_run(places, "cycle06-a")
    asyncio.run(remember(places, State()))
    arguments = ["tidy", "--state-dir", str(places.path)]
    looked = CliRunner().invoke(state_command, [*arguments, "--dry-run"])
    assert f"would go: {over} (0.0 GB)" in looked.output
    assert over.exists()
    ran = CliRunner().invoke(state_command, arguments)
    assert ran.output.splitlines() == [
        f"gone: {over} (0.0 GB)",
        f"gone: {former} (0.0 GB)",
        "0.0 GB freed",
    ]
    assert not over.exists()
    assert places.run("cycle06-a").checkpoint(50).exists(), "checkpoints are the daemon's"


def test_without_a_database_nothing_is_known_and_nothing_goes(
    places: Places, old: Callable[[str], Path]
) -> None:
    over = old("gs://b/cycle06")
    ran = CliRunner().invoke(state_command, ["tidy", "--state-dir", str(places.path)])
    assert ran.exit_code == 1
    assert over.exists()


async def remember(places: Places, state: State) -> None:
    store = await Store.open(places.database)
    await store.ask(tables.record, Record(at=NOW, state=state))
    await store.close()
