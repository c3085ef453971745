"""A run that was cut anywhere comes to the very weights an unbroken one comes to."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.job import Trained
from protocol.progress import Saved, Started, Stepped
from protocol.training import TrainingConfig
from trainer.process.attempt import JobError, Stop
from trainer.saving.checkpoint import read_state

from .runs import EPOCHS, STEPS_PER_EPOCH, TENSORS, Run, assert_same_ending, flip_a_bit, write_store


@pytest.mark.parametrize("step", [STEPS_PER_EPOCH, STEPS_PER_EPOCH + 1], ids=["epoch end", "mid-epoch"])
def test_a_stopped_run_goes_on_to_the_same_bits(
    new_run: Callable[..., Run], unbroken: tuple[Run, Trained], step: int
) -> None:
    run = new_run()
    stopped = run.stop_at(step)
    assert stopped.failed.failure == "stopped"
    assert run.train() == unbroken[1]
    assert_same_ending(run, unbroken[0])


def test_a_stop_leaves_a_resume_point_and_says_so(new_run: Callable[..., Run]) -> None:
    run = new_run()
    run.stop_at(step=2)
    saved = run.lines()[-1]
    assert isinstance(saved, Saved)
    assert (saved.what, saved.step, saved.epoch, saved.loss) == ("resume", 2, 0, None)
    assert run.folder.path / saved.folder == run.folder.resume_at(2)


def test_a_stop_right_after_a_resumption_keeps_the_point_it_came_from(new_run: Callable[..., Run]) -> None:
    run = new_run()
    run.stop_at(step=2)
    run.stop_at(step=1)
    assert sorted(path.name for path in run.folder.resume.iterdir()) == ["step_000000002", "step_000000003"]


def test_a_damaged_newest_save_is_passed_over(
    new_run: Callable[..., Run], unbroken: tuple[Run, Trained]
) -> None:
    run = new_run()
    run.stop_at(step=2)
    run.stop_at(step=2)
    flip_a_bit(run.folder.resume_at(4) / TENSORS[0])
    assert run.train() == unbroken[1]
    started = run.lines(3)[0]
    assert isinstance(started, Started)
    assert started.resumed_from == "step_000000002"
    assert_same_ending(run, unbroken[0])


def test_a_run_is_trained_by_one_process_at_a_time(new_run: Callable[..., Run]) -> None:
    run = new_run()
    refused: list[JobError] = []

    class Meanwhile(Stop):
        def __getattribute__(self, name: str) -> object:
            if name != "asked":
                return super().__getattribute__(name)
            if not refused:
                refused.append(run.fail())
            return True

    assert run.fail(Meanwhile()).failed.failure == "stopped"
    assert refused[0].failed.failure == "bad_job"
    assert "another attempt of this run is under way; let it end or stop it" in str(refused[0])


def test_what_somebody_put_beside_the_saves_is_neither_gone_on_from_nor_touched(
    new_run: Callable[..., Run], unbroken: tuple[Run, Trained]
) -> None:
    run = new_run()
    run.stop_at(step=STEPS_PER_EPOCH + 1)
    best, resume = run.folder.best_at(1), run.folder.resume_at(STEPS_PER_EPOCH + 1)
    mine = [best.with_name("epoch_001_copy"), resume.with_name("step_000000004_copy")]
    for there, copy in zip((best, resume), mine, strict=True):
        shutil.copytree(there, copy)
    archive = run.folder.resume / "step_000000001"
    archive.write_bytes(b"a file")
    assert run.train() == unbroken[1]
    assert all(path.exists() for path in (*mine, archive))
    assert_same_ending(run, unbroken[0])


def test_a_finished_run_is_not_trained_again(unbroken: tuple[Run, Trained]) -> None:
    run, trained = unbroken
    before = sorted(run.folder.checkpoints.rglob("*"))
    assert run.train() == trained
    assert sorted(run.folder.checkpoints.rglob("*")) == before
    shutil.rmtree(run.folder.attempt(2).path)


def test_a_save_goes_on_with_its_own_data_only(
    new_run: Callable[..., Run], small_config: TrainingConfig, tmp_path: Path
) -> None:
    run = new_run()
    run.stop_at(step=1)
    refused = run.fail(data=write_store(tmp_path / "other.h5", small_config, seed=9))
    assert refused.failed.failure == "bad_job"
    assert "start a new run" in str(refused)


def test_a_smaller_batch_goes_on_where_the_larger_one_stopped(new_run: Callable[..., Run]) -> None:
    run = new_run()
    run.stop_at(step=4)
    halved = run.config.with_changes({"training.batch_size": 4, "training.gradient_accumulation": 2})
    assert run.train(config=halved).epochs == EPOCHS
    state = read_state(run.folder.checkpoint(EPOCHS))
    assert state is not None
    assert state.step == EPOCHS * STEPS_PER_EPOCH


def test_an_epoch_that_was_begun_is_finished_though_fewer_are_wanted_now(new_run: Callable[..., Run]) -> None:
    run = new_run(**{"training.save_checkpoint_every": 50})
    run.stop_at(step=STEPS_PER_EPOCH + 1)
    assert run.train(config=run.config.with_changes({"training.epochs": 1})).epochs == 2
    assert run.folder.checkpoint(2).is_dir()
    last = [line for line in run.lines(2) if isinstance(line, Stepped)][-1]
    assert (last.epoch, last.eta_s) == (2, 0)


def test_a_save_that_was_never_announced_is_announced_by_the_next_attempt(
    new_run: Callable[..., Run],
) -> None:
    run = new_run()
    run.stop_at(step=2 * STEPS_PER_EPOCH + 1)
    events = run.folder.attempt(1).events
    said = events.read_bytes().splitlines(keepends=True)
    events.write_bytes(b"".join(line for line in said if b'"saved"' not in line))
    shutil.rmtree(run.folder.resume)
    run.stop_at(step=1)
    best, checkpoint = [line for line in run.lines(2) if isinstance(line, Saved)][:2]
    assert (best.what, checkpoint.what, checkpoint.epoch) == ("best", "checkpoint", 2)


def test_no_folder_is_announced_twice(new_run: Callable[..., Run]) -> None:
    run = new_run()
    run.stop_at(step=2 * STEPS_PER_EPOCH + 1)
    run.stop_at(step=1)
    folders = [line.folder for number in (1, 2) for line in run.lines(number) if isinstance(line, Saved)]
    assert len(folders) == len(set(folders))


def test_what_a_lost_machine_left_is_gone_on_from_to_the_same_bits(
    new_run: Callable[..., Run], unbroken: tuple[Run, Trained]
) -> None:
    """As it comes from the bucket: files alone, without the manifest that says they are whole."""
    lost, run = unbroken[0].folder, new_run()
    best = read_state(max(lost.best.glob("epoch_*")))
    assert best is not None
    left = run.folder.left
    shutil.copytree(lost.checkpoint(2), left / "checkpoint", ignore=shutil.ignore_patterns("manifest.json"))
    shutil.copytree(lost.best_at(best.epoch), left / "best", ignore=shutil.ignore_patterns("manifest.json"))
    run.train(left=left)
    started, *_ = [line for line in run.lines() if isinstance(line, Started)]
    assert (started.resumed_from, started.epoch) == ("epoch_002", 2)
    assert_same_ending(run, unbroken[0])


def test_where_all_was_learned_and_the_best_is_lost_the_last_is_handed_on(
    new_run: Callable[..., Run], unbroken: tuple[Run, Trained]
) -> None:
    """A machine may be lost between its last checkpoint's upload and its best's: a best there must be."""
    lost, run = unbroken[0].folder, new_run()
    last = max(lost.checkpoints.glob("epoch_*"))
    shutil.copytree(last, run.folder.left / "checkpoint", ignore=shutil.ignore_patterns("manifest.json"))
    trained = run.train(left=run.folder.left)
    (best,) = [line for line in run.lines() if isinstance(line, Saved) and line.what == "best"]
    assert (best.epoch, trained.best_epoch) == (trained.epochs, trained.epochs)
    ours = run.folder.best_at(best.epoch) / "model.safetensors"
    assert ours.read_bytes() == (last / "pretrained_model" / "model.safetensors").read_bytes()


def test_what_is_left_and_no_save_is_passed_over(new_run: Callable[..., Run]) -> None:
    run = new_run(**{"training.epochs": 1})
    (run.folder.left / "checkpoint").mkdir(parents=True)
    run.train(left=run.folder.left)
    started, *_ = [line for line in run.lines() if isinstance(line, Started)]
    assert started.resumed_from is None
