"""A verdict to look at: `report.json`, and pictures of what is wrong.

    frames.png     the frames that problems name, with the check that named them
    actions.png    how often each action channel had which value
    episodes.png   how many frames each episode has, the refused ones marked

The pictures' words are English: the fonts that come with matplotlib know no Korean.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from protocol.job import Problem
from protocol.training import TrainingConfig
from trainer.checking.certificate import certificate
from trainer.checking.check import Judgement
from trainer.checking.tally import BINS
from trainer.data.episode import Source
from trainer.data.episodes import find_episodes
from trainer.data.video import Picture, VideoError
from trainer.process.whole import replace_whole

MOST_FRAMES_SHOWN = 24
ACROSS = 6


def write_report(folder: Path, data: Path, judgement: Judgement, config: TrainingConfig) -> None:
    """Write the report on the data set in `data` to `folder`, which is made.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    replace_whole(folder / "report.json", _as_json(judgement, config))
    if judgement.examined:
        _draw_actions(folder / "actions.png", judgement, config)
        _draw_lengths(folder / "episodes.png", judgement)
    shown = _bad_frames(data, judgement.verdict.problems, config)
    if shown:
        _draw_frames(folder / "frames.png", shown)


def _as_json(judgement: Judgement, config: TrainingConfig) -> bytes:
    report = {"verdict": judgement.verdict.model_dump(mode="json", exclude={"kind"})}
    if judgement.verdict.ok:
        report["certificate"] = certificate(judgement, config)
    return json.dumps(report, ensure_ascii=False, indent=2).encode() + b"\n"


# --- the frames that problems name --------------------------------------------------

type Shown = tuple[Problem, Picture | None]


def _bad_frames(data: Path, problems: Sequence[Problem], config: TrainingConfig) -> list[Shown]:
    """A picture for each problem that names a frame. Where it cannot be decoded: the last one that can."""
    sources = {source.name: source for source in find_episodes(data)} if data.is_dir() else {}
    strayed = {problem.episode for problem in problems if problem.check == "astray"}
    named = [each for each in problems if each.frame is not None and each.episode not in strayed]
    camera = config.dataset.camera_names[0]
    return [
        (each, _picture(sources[each.episode], camera, each.frame or 0))
        for each in named[:MOST_FRAMES_SHOWN]
        if each.episode in sources
    ]


def _picture(source: Source, camera: str, frame: int) -> Picture | None:
    last: Picture | None = None
    try:
        for number, picture in enumerate(source.pictures(camera)):
            last = picture
            if number == frame:
                break
    except VideoError:
        return last
    return last


def _draw_frames(path: Path, shown: Sequence[Shown]) -> None:
    figure, axes = _sheet(len(shown), wide=3.2, high=2.8)
    for axis, (problem, picture) in zip(axes, shown, strict=False):
        axis.set_title(f"{problem.episode} #{problem.frame}\n{problem.check}", fontsize=8)
        if picture is None:
            axis.text(0.5, 0.5, "no picture", ha="center", va="center")
        else:
            axis.imshow(picture[::2, ::2])
    for axis in axes:
        axis.set_axis_off()
    figure.savefig(path, format="png")


# --- values and lengths -------------------------------------------------------------


def _draw_actions(path: Path, judgement: Judgement, config: TrainingConfig) -> None:
    figure, axes = _sheet(len(config.action_names), wide=3.2, high=2.4)
    width = BINS[1] - BINS[0]
    for axis, name, counts in zip(axes, config.action_names, judgement.tally.histogram, strict=False):
        axis.bar(BINS[:-1], counts, width, align="edge")
        axis.set_title(f"{name} ({judgement.tally.count} frames)", fontsize=9)
    for axis in axes[len(config.action_names) :]:
        axis.set_axis_off()
    figure.savefig(path, format="png")


def _draw_lengths(path: Path, judgement: Judgement) -> None:
    figure, (axis, *_) = _sheet(1, wide=10, high=3)
    refused = {each.episode for each in judgement.verdict.problems if each.severity == "refuse"}
    colours = ["tab:red" if each.name in refused else "tab:blue" for each in judgement.examined]
    axis.bar(np.arange(len(colours)), [each.frames for each in judgement.examined], color=colours)
    axis.set_title("frames an episode; refused ones red", fontsize=9)
    axis.set_xlabel("episode, in order")
    figure.savefig(path, format="png")


def _sheet(count: int, wide: float, high: float):  # matplotlib is imported only here
    """A figure and its axes in rows, at least `count`, each of so many inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # a second, only when drawing
    from matplotlib.figure import Figure  # noqa: PLC0415

    columns = min(ACROSS, max(count, 1))
    rows = -(-count // columns)
    figure = Figure(figsize=(wide * columns, high * rows), layout="tight")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)
