"""How a training ends when it does not come to its end."""

from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
import torch
from matplotlib.image import imread
from safetensors.torch import load_file

from protocol.job import Trained
from protocol.training import TrainingConfig
from trainer.learning import device
from trainer.learning import feed as feeds
from trainer.saving import folder
from trainer.saving.checkpoint import read_state

from .runs import EPISODE_ENDS, EPOCHS, FRAMES, Run, write_store


def test_values_that_are_not_finite_end_a_run_before_any_of_it_is_saved(
    new_run: Callable[..., Run], small_config: TrainingConfig, tmp_path: Path
) -> None:
    run = new_run()
    diverged = run.fail(data=write_store(tmp_path / "nan.h5", small_config, state=float("nan")))
    assert diverged.failed.failure == "diverged"
    assert diverged.failed.epoch == 0
    assert "at step 1, nothing was saved before it; lower the learning rate" in str(diverged)
    assert not run.folder.checkpoints.exists()


def test_a_step_that_is_not_finite_is_undone_saved_before_and_its_frame_named(
    new_run: Callable[..., Run], small_config: TrainingConfig, tmp_path: Path
) -> None:
    poisoned = int(feeds.epoch_order(FRAMES, small_config.training.seed, 0)[17])  # of the third step
    data = write_store(tmp_path / "nan.h5", small_config)
    with h5py.File(data, "r+") as file:
        file["observation.state"][poisoned, 1] = float("nan")  # pyright: ignore[reportIndexIssue]
    run = new_run()
    diverged = run.fail(data=data)
    assert diverged.failed.failure == "diverged"
    assert "at step 3, the last save is from before it; lower the learning rate" in str(diverged)
    episode = sum(poisoned >= end for end in EPISODE_ENDS)
    assert f"(episode_{episode:03d}: {poisoned - (0, *EPISODE_ENDS)[episode]})" in str(diverged)
    kept = read_state(run.folder.resume_at(2))
    assert kept is not None
    assert (kept.step, kept.running.samples) == (2, 16)
    weights = load_file(run.folder.resume_at(2) / "pretrained_model" / "model.safetensors")
    assert all(torch.isfinite(weight).all() for weight in weights.values())


def test_weights_from_an_earlier_run_are_a_start(
    new_run: Callable[..., Run], unbroken: tuple[Run, Trained]
) -> None:
    earlier = unbroken[0].folder.checkpoint(EPOCHS) / "pretrained_model"
    anew, warm = (new_run(name, **{"training.epochs": 1}) for name in ("anew", "warm"))
    assert warm.train(initial_weights=earlier).first_loss < anew.train().first_loss


def test_weights_of_another_model_are_refused_by_name(
    new_run: Callable[..., Run], unbroken: tuple[Run, Trained]
) -> None:
    earlier = unbroken[0].folder.checkpoint(EPOCHS) / "pretrained_model"
    refused = new_run(**{"model.dim_model": 32}).fail(initial_weights=earlier)
    assert refused.failed.failure == "bad_job"
    assert "model.safetensors" in str(refused)


def test_frames_of_another_size_are_refused(new_run: Callable[..., Run]) -> None:
    refused = new_run(**{"dataset.image_size": (24, 24)}).fail()
    assert refused.failed.failure == "bad_job"
    assert "convert anew" in str(refused)


def test_data_of_another_certificate_than_the_job_s_is_not_trained_on(new_run: Callable[..., Run]) -> None:
    refused = new_run().fail(certificate="f" * 64)
    assert refused.failed.failure == "bad_data"
    assert "(certificate 000000000000) than the job names (ffffffffffff)" in str(refused)


def test_missing_imagenet_weights_are_said_and_not_fetched(
    new_run: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    run = new_run(**{"model.pretrained_backbone_weights": "IMAGENET1K_V1"})
    assert run.fail().failed.failure == "no_weights"
    damaged = tmp_path / "checkpoints" / "resnet18-f37072fd.pth"
    damaged.parent.mkdir()
    damaged.write_bytes(b"half a file")
    refused = run.fail()
    assert refused.failed.failure == "no_weights"
    assert str(damaged) in str(refused)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_cannot_be_used_is_named_with_driver_and_torch(new_run: Callable[..., Run]) -> None:
    refused = new_run().fail(device="cuda")
    assert refused.failed.failure == "no_device"
    assert "driver: " in str(refused)
    assert torch.__version__ in str(refused)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
        RuntimeError("can't allocate memory: 8 B"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_way_to_run_out_of_memory_is_one_outcome(error: Exception) -> None:
    with pytest.raises(device.JobError) as failed, device.out_of_memory_named(64):
        raise error
    assert failed.value.failed.failure == "out_of_memory"
    assert "batch_size 64" in str(failed.value)


def test_another_error_keeps_its_name() -> None:
    with pytest.raises(RuntimeError, match="shapes"), device.out_of_memory_named(64):
        raise RuntimeError("shapes do not match")


def test_a_full_disk_while_saving_is_its_own_outcome(
    new_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "_sync", full)
    run = new_run()
    assert run.fail().failed.failure == "no_space"
    assert [*run.folder.checkpoints.rglob("*")] == [run.folder.best]


def test_the_curve_is_a_picture(unbroken: tuple[Run, Trained]) -> None:
    assert imread(unbroken[0].folder.loss_curve).shape[2] == 4
