"""A converted data set as a LeRobotDataset v3, pictures lossless, written by LeRobot's own writer.

What lerobot-train reads, and LeRobot's visualiser. `next.success` is true in each episode's last frame, as
LeRobot records it: episodes that did not succeed are not admitted.
"""

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from protocol.job import Converted
from protocol.training import TrainingConfig
from trainer.converting.convert import convert
from trainer.data.lerobot_episode import NO_EXTRA, SUCCESS
from trainer.data.store import ACTION, IMAGES, STATE, FrameStore, sync
from trainer.process.attempt import JobError, Told, hears_nothing
from trainer.process.whole import sync_folder
from trainer.process.workers import cores

if TYPE_CHECKING:
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

TASK = "load the blocks"


def export(
    data: Path,
    out: Path,
    config: TrainingConfig,
    certificate: str,
    *,
    told: Told = hears_nothing,
) -> Converted:
    """Write the episodes under `data` that the config keeps to the folder `out`, which is whole or not there.

    The data set is taken to be checked by the same config. `told` hears of each episode twice, converted and
    written; a conversion that was stopped or killed is gone on with.

    Raises:
        JobError: "bad_job" when `out` exists or LeRobot's writer is not installed, "bad_data" as `convert`.
        OSError: it cannot be written.
    """
    _must_be_free(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    workshop = out.with_name(f".{out.name}.tmp")
    done = convert(data, workshop / "data.h5", config, certificate, told=lambda n, total: told(n, 2 * total))
    unfinished = workshop / "dataset"
    shutil.rmtree(unfinished, ignore_errors=True)
    write_lerobot(FrameStore.open(done.output), unfinished, told=lambda n, total: told(total + n, 2 * total))
    for path in sorted(path for path in unfinished.rglob("*") if path.is_file()):
        sync(path)
    unfinished.rename(out)
    sync_folder(out.parent)
    shutil.rmtree(workshop)
    return done.model_copy(update={"output": out})


def write_lerobot(store: FrameStore, out: Path, *, told: Told = hears_nothing) -> None:
    """Write `store` to the folder `out`, which is not there yet. `told` hears of each episode written."""
    try:
        import datasets  # noqa: PLC0415
        from lerobot.datasets.lerobot_dataset import LeRobotDataset  # noqa: PLC0415  # seconds, only here
    except ImportError as error:
        raise JobError("bad_job", f"{out}: {NO_EXTRA}") from error
    logging.getLogger("lerobot").setLevel(logging.ERROR)
    datasets.disable_progress_bars()  # one for each episode, terminal or not
    dataset = LeRobotDataset.create(
        "local/dataset",
        fps=store.fps,
        features=features(store),
        root=out,
        use_videos=False,
        video_backend="pyav",  # asked for no video; the other one complains where ffmpeg is not installed
        image_writer_threads=2 * cores(),
    )
    try:
        starts = [0, *store.episode_ends[:-1].tolist()]
        for done, (start, end) in enumerate(zip(starts, store.episode_ends.tolist(), strict=True), start=1):
            _write_episode(dataset, store, range(start, end))
            told(done, store.num_episodes)
    finally:
        dataset.finalize()


def features(store: FrameStore) -> dict[str, dict[str, Any]]:
    """The columns of the data set, in LeRobot's own description."""
    height, width = store.config.dataset.image_size
    picture = {"dtype": "image", "shape": (height, width, 3), "names": ["height", "width", "channels"]}
    return {
        **{IMAGES + camera: dict(picture) for camera in store.frames},
        STATE: {"dtype": "float32", "shape": (len(store.state_names),), "names": [*store.state_names]},
        ACTION: {"dtype": "float32", "shape": (len(store.action_names),), "names": [*store.action_names]},
        SUCCESS: {"dtype": "bool", "shape": (1,), "names": None},
    }


def _write_episode(dataset: "LeRobotDataset", store: FrameStore, frames: range) -> None:
    for frame in frames:
        row = {
            **{IMAGES + camera: np.asarray(pictures[frame]) for camera, pictures in store.frames.items()},
            STATE: store.state[frame],
            ACTION: store.action[frame],
            SUCCESS: np.array([frame == frames[-1]]),
            "task": TASK,
        }
        dataset.add_frame(row)
    dataset.save_episode()


def _must_be_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise JobError("bad_job", f"{out}: is already there; name a new folder")
