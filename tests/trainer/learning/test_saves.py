"""Saves are written while the training goes on; what fails there ends it by its name."""

import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from protocol.folders import RunFolder
from protocol.job import Trained
from trainer.process.attempt import JobError
from trainer.saving import folder, room, saves
from trainer.saving.writer import AHEAD, Writer

from .runs import EPOCHS, STEPS_PER_EPOCH, AskedAtStep, Run

PATIENCE_S = 120.0


class OpensAtStep(AskedAtStep):
    """Never stops; opens the gate while the given step runs."""

    def __init__(self, step: int, gate: Event) -> None:
        super().__init__(step)
        self._gate = gate

    def __getattribute__(self, name: str) -> object:
        value = super().__getattribute__(name)
        if name != "asked":
            return value
        if value:
            self._gate.set()
        return False


def test_steps_go_on_while_a_checkpoint_is_written(
    new_run: Callable[..., Run], unbroken: tuple[Run, Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, seal = Event(), folder._seal

    def held(unfinished: Path) -> None:
        assert gate.wait(PATIENCE_S), "the step that opens it never came"
        seal(unfinished)

    monkeypatch.setattr(folder, "_seal", held)
    last_but_one = EPOCHS * STEPS_PER_EPOCH - 1
    assert new_run().train(OpensAtStep(last_but_one, gate)) == unbroken[1]


def test_a_disk_too_small_is_known_before_the_first_step(
    new_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: usage._replace(free=200 * 2**20))
    run = new_run()
    refused = run.fail()
    assert refused.failed.failure == "no_space"
    assert "training takes" in str(refused)
    assert "200 MiB are free" in str(refused)
    assert not run.folder.checkpoints.exists()


def test_half_a_line_has_told_nobody_of_a_save(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.attempt(1).path.mkdir(parents=True)
    line = b'{"event":"saved","folder":"checkpoints/epoch_002","loss":1.0}\n'
    run.attempt(1).events.write_bytes(line[:-5])
    assert not saves._was_said(run, "checkpoints/epoch_002")
    run.attempt(1).events.write_bytes(line)
    assert saves._was_said(run, "checkpoints/epoch_002")


class TestAWriter:
    def test_writes_in_the_order_of_asking(self) -> None:
        written: list[int] = []
        with Writer() as writer:
            for number in range(5):
                writer.submit(lambda number=number: written.append(number))
            writer.wait()
        assert written == [0, 1, 2, 3, 4]

    def test_lets_go_only_so_far_ahead(self) -> None:
        gate = Event()

        def held() -> None:
            gate.wait(PATIENCE_S)

        with Writer() as writer:
            for _ in range(AHEAD):
                writer.submit(held)
            assert writer.is_busy
            gate.set()
            writer.submit(lambda: None)
            writer.wait()
            assert not writer.is_busy

    def test_tells_of_a_failure_and_writes_nothing_after_it(self) -> None:
        written: list[str] = []

        def fails() -> None:
            raise JobError("no_space", "full")

        with Writer() as writer:
            writer.submit(fails)
            with pytest.raises(JobError, match="full"):
                writer.wait()
            writer.submit(lambda: written.append("after"))
            writer.wait()
        assert not written

    def test_ends_what_was_asked_when_the_training_fails(self) -> None:
        written: list[str] = []
        gate = Event()

        def slow() -> None:
            assert gate.wait(PATIENCE_S)
            written.append("whole")

        def trains() -> None:
            with Writer() as writer:
                writer.submit(slow)
                gate.set()
                raise JobError("diverged", "the loss is no longer finite")

        with pytest.raises(JobError, match="finite"):
            trains()
        assert written == ["whole"]
