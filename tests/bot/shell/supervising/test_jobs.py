import asyncio
import contextlib
import errno
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.effects import Effect, KillJob, StartJob, StopJob, TellArrived
from bot.core.events import Event, JobEnded, JobFellSilent, JobSpoke
from bot.core.policy import Policy
from bot.core.state import Checking, Cycle, State, Unread
from bot.shell.deciding.desk import Desk, Note
from bot.shell.deciding.lanes import Later
from bot.shell.machine.places import Places
from bot.shell.remembering import tables
from bot.shell.remembering.store import Store
from bot.shell.remembering.tables import Record
from bot.shell.supervising import launch
from bot.shell.supervising.jobs import Jobs
from bot.shell.supervising.silence import BEGIN_S, Silence
from protocol.folders import AttemptFolder
from protocol.job import Checked, CheckJob, Failed, Holder, read_job
from protocol.progress import Found
from protocol.training import TrainingConfig

from .conftest import Smi

STAND_IN = launch.Process((sys.executable, str(Path(__file__).with_name("stand_in.py"))))
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def checking(run: str) -> State:
    data = Checking(
        source="gs://b/dataset/", announced=None, attempt=1, tries=1, config=TrainingConfig(), since=NOW
    )
    return State(
        cycle=Cycle(number=1, opened_at=NOW, run_name=run, data=data, terms=Unread(heard=(), since=NOW))
    )


@dataclass
class House:
    """A desk that only remembers what it was told, and the jobs that tell it."""

    places: Places
    store: Store
    heard: list[Event] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    state: State = field(default_factory=State)
    policy: Policy = field(default_factory=Policy)
    launcher: launch.Launcher = STAND_IN

    def __post_init__(self) -> None:
        self.desk = Desk(
            self.store,
            self.state,
            self.policy,
            step=self._remember,
            speak=lambda _: (),
            alert=lambda _: (),
            headline=lambda *_: "",
            committed=self.changed.set,
        )
        self.jobs = Jobs(self.places, self.policy, self.store, self.desk, launcher=self.launcher, poll_s=0.02)

    def _remember(self, state: State, event: Event, _: Policy) -> tuple[State, tuple[Effect, ...]]:
        self.heard.append(event)
        return state, ()

    async def start(self, run: str) -> AttemptFolder:
        order = StartJob(run=run, attempt=1, work="check", source="dataset/", config=TrainingConfig())
        self.desk.state = checking(run)
        await self.store.ask(tables.record, Record(at=NOW, state=self.desk.state, owed=(order,)))
        await self.jobs.start(order)
        return self.places.attempt(run, 1)

    async def until[T](self, found: Callable[[], T | None]) -> T:
        async with asyncio.timeout(20):
            while (what := found()) is None:
                self.changed.clear()
                await self.changed.wait()
        return what

    async def is_ready(self) -> None:
        """The stand-in can be stopped from now on."""
        await self.until(lambda: "ready" in self.facts() or None)

    def facts(self) -> list[str]:
        """What the job found, as far as it was heard."""
        return [e.line.fact for e in self.heard if isinstance(e, JobSpoke) and isinstance(e.line, Found)]

    async def ended(self) -> JobEnded:
        return await self.until(lambda: next((one for one in self.heard if isinstance(one, JobEnded)), None))

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["House"]:
        tasks = [asyncio.create_task(self.desk.run()), asyncio.create_task(self.jobs.run())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def house(tmp_path: Path, store: Store) -> AsyncIterator[House]:
    async with House(Places(tmp_path), store).open() as opened:
        yield opened


async def test_a_job_is_told_listened_to_and_ends_with_its_verdict(house: House) -> None:
    folder = await house.start("fine")
    ended = await house.ended()
    assert isinstance(ended.outcome, Checked)
    assert ended.outcome.episodes == 3
    assert house.facts() == ["steering_dominates"]
    job = read_job(folder.job.read_bytes())
    assert isinstance(job, CheckJob)
    assert (job.output, job.surveys) == (house.places.run("fine").data, house.places.run("fine").surveys)
    assert not launch.is_held(folder)


async def test_a_check_that_began_ahead_finds_in_its_folder_that_all_is_here(house: House) -> None:
    folder = await house.start("fine")
    assert not folder.arrived.exists()
    for run in ("fine", "never begun"):
        order = TellArrived(run=run, attempt=1)
        await house.store.ask(tables.record, Record(at=NOW, state=house.desk.state, owed=(order,)))
        await house.jobs.tell_arrived(order)
        assert not await house.store.ask(tables.owes, order.key)
    assert folder.arrived.exists()
    assert not house.places.run("never begun").path.exists()


async def test_a_job_leaves_the_processors_to_us_when_we_need_them(house: House) -> None:
    folder = await house.start("wait")
    await house.is_ready()
    who = launch.holder(folder)
    assert who is not None
    assert os.getpriority(os.PRIO_PROCESS, who.pid) >= launch.NICE
    (house.places.run("wait").path / "go on").touch()
    await house.ended()


@pytest.mark.parametrize(("run", "told"), [("crash", "no more ideas"), ("kill", "SIGKILL: about to die")])
async def test_a_job_without_a_verdict_has_crashed(house: House, run: str, told: str) -> None:
    await house.start(run)
    ended = await house.ended()
    assert ended.outcome is None
    assert told in ended.detail


async def test_a_stop_lets_it_save_and_leave(house: House) -> None:
    await house.start("wait")
    await house.is_ready()
    await house.jobs.stop(StopJob(run="wait", attempt=1))
    ended = await house.ended()
    assert isinstance(ended.outcome, Failed)
    assert ended.outcome.failure == "stopped"


async def test_a_silence_beyond_the_promise_is_stated_until_it_is_killed(
    tmp_path: Path, store: Store
) -> None:
    impatient = Policy(stall_floor_s=0.1, stall_patience=0.001)
    async with House(Places(tmp_path), store, policy=impatient).open() as house:
        await house.start("mute")
        await house.is_ready()
        await house.jobs.stop(StopJob(run="mute", attempt=1))
        silences = await house.until(lambda: silent(house) if len(silent(house)) > 1 else None)
        assert {one.promised_s for one in silences} <= {60, 600}
        await house.jobs.stop(KillJob(run="mute", attempt=1))
        ended = await house.ended()
        assert ended.outcome is None
        assert "SIGKILL" in ended.detail


async def test_of_a_silent_job_on_the_gpu_the_gpu_is_asked(
    tmp_path: Path, store: Store, nvidia_smi: Smi
) -> None:
    impatient = Policy(stall_floor_s=0.1, stall_patience=0.001, device="cuda")
    async with House(Places(tmp_path), store, policy=impatient).open() as house:
        folder = await house.start("mute")
        await house.is_ready()
        who = launch.holder(folder)
        assert who is not None
        nvidia_smi(f"echo '{who.pid}, GPU-a'", "echo 'GPU-a, 93'")
        await house.until(lambda: "busy" in {one.gpu for one in silent(house)} or None)
        await house.jobs.stop(KillJob(run="mute", attempt=1))
        await house.ended()


async def test_a_job_that_keeps_its_promise_is_not_silent(house: House) -> None:
    await house.start("fine")
    await house.ended()
    assert silent(house) == []


async def test_who_died_while_nothing_could_be_saved_has_not_fallen_silent(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same full disk ends the trainer and keeps us from taking down what it said."""
    waits, may_go_on = asyncio.Event(), asyncio.Event()
    async with House(Places(tmp_path), store).open() as house:
        ordinary = house.desk.tell

        async def held_up(note: Note) -> bool:
            waits.set()
            await may_go_on.wait()
            return await ordinary(note)

        monkeypatch.setattr(house.desk, "tell", held_up)
        folder = await house.start("mute")
        await waits.wait()
        who = launch.holder(folder)
        assert who is not None
        assert launch.signal_holder(folder, signal.SIGKILL)
        while launch.is_alive(folder):  # noqa: ASYNC110  the kernel frees the lock, and tells nobody
            await asyncio.sleep(0.02)
        monkeypatch.setattr(Silence, "is_too_long", lambda _: True)
        may_go_on.set()
        assert (await house.ended()).outcome is None
        assert silent(house) == []


def silent(house: House) -> list[JobFellSilent]:
    return [one for one in house.heard if isinstance(one, JobFellSilent)]


async def test_an_attempt_is_never_started_twice(house: House) -> None:
    folder = await house.start("wait")
    await house.is_ready()
    await house.start("wait")
    (folder.path.parent.parent / "go on").touch()
    await house.ended()
    assert folder.events.read_bytes().count(b"began") == 1
    assert len([one for one in house.heard if isinstance(one, JobEnded)]) == 1


async def test_a_job_outlives_its_bot_and_is_taken_up_again(tmp_path: Path, store: Store) -> None:
    places = Places(tmp_path)
    async with House(places, store).open() as first:
        folder = await first.start("wait")
        await first.is_ready()
    async with House(places, store, state=checking("wait")).open() as second:
        assert second.jobs.adopt("wait", 1, start_owed=False) == "alive"
        (folder.path.parent.parent / "go on").touch()
        ended = await second.ended()
        assert isinstance(ended.outcome, Checked)
        assert second.facts() == ["steering_dominates"]


async def test_what_was_told_before_a_restart_is_not_told_again(tmp_path: Path, store: Store) -> None:
    places = Places(tmp_path)
    async with House(places, store).open() as first:
        await first.start("fine")
        await first.ended()
    async with House(places, store, state=checking("fine")).open() as second:
        assert second.jobs.adopt("fine", 1, start_owed=False) == "dead"
        await second.ended()
        assert second.facts() == []


async def test_what_was_promised_before_a_restart_is_held_against_it(tmp_path: Path, store: Store) -> None:
    """All it said was read by the bot before: a first word is not waited for again."""
    places = Places(tmp_path)
    async with House(places, store).open() as first:
        await first.start("mute")
        await first.is_ready()
    impatient = Policy(stall_floor_s=0.1, stall_patience=0.001)
    async with House(places, store, state=checking("mute"), policy=impatient).open() as second:
        second.jobs.adopt("mute", 1, start_owed=False)
        (silence, *_) = await second.until(lambda: silent(second) or None)
        assert silence.promised_s == 60
        await second.jobs.stop(KillJob(run="mute", attempt=1))
        await second.ended()


async def test_a_job_that_vanished_has_ended(house: House) -> None:
    assert house.jobs.adopt("gone", 1, start_owed=False) == "unknown"
    assert (await house.ended()).outcome is None


async def test_a_job_that_is_still_to_be_started_is_left_to_the_lane(house: House) -> None:
    assert house.jobs.adopt("later", 1, start_owed=True) == "unknown"
    await house.start("later")
    assert isinstance((await house.ended()).outcome, Checked)


async def test_a_folder_that_cannot_be_written_is_a_failed_job(house: House) -> None:
    (house.places.path / "runs").write_text("in the way")
    await house.start("fine")
    ended = await house.ended()
    assert isinstance(ended.outcome, Failed)
    assert ended.outcome.failure == "error"


async def test_another_process_with_the_same_number_is_not_stopped(house: House, tmp_path: Path) -> None:
    folder = AttemptFolder(tmp_path)
    stranger = launch.holder_of(os.getpid())
    folder.lock.write_text(
        Holder(pid=stranger.pid, started_ticks=stranger.started_ticks - 1).model_dump_json()
    )
    assert launch.open_process(Holder(pid=stranger.pid, started_ticks=stranger.started_ticks - 1)) is None
    assert launch.signal_holder(folder, signal.SIGTERM), "its lock is free: there is nothing to stop"


async def test_an_unknown_holder_is_stopped_later(house: House) -> None:
    folder = await house.start("wait")
    await house.is_ready()
    named = folder.lock.read_bytes()
    folder.lock.write_bytes(b"")
    with pytest.raises(Later):
        await house.jobs.stop(StopJob(run="wait", attempt=1))
    folder.lock.write_bytes(named)
    await house.jobs.stop(StopJob(run="wait", attempt=1))
    await house.ended()


def test_a_trainer_sees_no_credentials() -> None:
    environ = {
        "PATH": "/bin",
        "DISCORD_TOKEN": "secret",
        "GOOGLE_APPLICATION_CREDENTIALS": "/key.json",
        "CUDA_VISIBLE_DEVICES": "0",
        "PATHETIC": "1",
    }
    seen = launch.trainer_environment(environ)
    assert {"PATH", "CUDA_VISIBLE_DEVICES"} <= set(seen)
    assert not {"DISCORD_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS", "PATHETIC"} & set(seen)


# --- started by systemd -----------------------------------------------------


async def test_a_job_asked_of_systemd_is_alive_before_it_is_begun_and_ends_with_its_verdict(
    tmp_path: Path, store: Store
) -> None:
    async with House(Places(tmp_path), store, launcher=launch.Unit()).open() as house:
        folder = await house.start("by-systemd")
        assert folder.request.exists()
        assert not launch.is_held(folder)
        assert house.jobs.adopt("by-systemd", 1, start_owed=False) == "alive"
        await a_unit_takes(tmp_path)
        ended = await house.ended()
        assert isinstance(ended.outcome, Checked)
        assert not ended.outcome.ok, "there is no data"
        assert not launch.is_alive(folder)


async def test_a_job_that_systemd_has_not_begun_can_be_stopped(tmp_path: Path, store: Store) -> None:
    async with House(Places(tmp_path), store, launcher=launch.Unit()).open() as house:
        folder = await house.start("by-systemd")
        await house.jobs.stop(StopJob(run="by-systemd", attempt=1))
        ended = await house.ended()
        assert isinstance(ended.outcome, Failed)
        assert "training-claw-trainer.path" in ended.outcome.message
        await a_unit_takes(tmp_path)
        assert not folder.events.exists()


async def test_a_job_that_systemd_has_not_begun_is_stopped_once_there_is_room(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with House(Places(tmp_path), store, launcher=launch.Unit()).open() as house:
        folder = await house.start("by-systemd")
        with monkeypatch.context() as patched:
            patched.setattr(launch, "replace_whole", full)
            with pytest.raises(Later, match="No space left") as later:
                await house.jobs.stop(StopJob(run="by-systemd", attempt=1))
        assert later.value.alarming
        assert str(folder.path.parent) in later.value.remedy
        await house.jobs.stop(StopJob(run="by-systemd", attempt=1))
        assert isinstance((await house.ended()).outcome, Failed)


async def test_a_job_that_systemd_does_not_begin_is_stated_as_silent(tmp_path: Path, store: Store) -> None:
    impatient = Policy(stall_floor_s=0.1, stall_patience=0.001)
    async with House(Places(tmp_path), store, policy=impatient, launcher=launch.Unit()).open() as house:
        await house.start("by-systemd")
        (silence, *_) = await house.until(lambda: silent(house) or None)
        assert silence.promised_s == BEGIN_S


async def a_unit_takes(state_dir: Path) -> None:
    """What training-claw-trainer.service does once its path unit has seen the request."""
    command = (*launch.TRAINER, "take", str(state_dir / "runs"))
    unit = await asyncio.create_subprocess_exec(*command)
    await unit.wait()
