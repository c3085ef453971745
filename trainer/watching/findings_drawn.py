"""Pictures of what was found: an episode as a strip of frames, a channel's values as a histogram."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainer.data.store import FrameStore
from trainer.watching.facts import Figures

STRIP_FRAMES = 8
STRIP_HEIGHT = 128
GAP = 4
BINS = 41


def draw_finding(fact: str, figures: Figures, store: FrameStore, folder: Path) -> Path | None:
    """The picture that goes with a fact, as a PNG in `folder`; None where none helps."""
    name = fact.partition(":")[0]
    if "episode" in figures:
        drawn = strip(store, str(figures["episode"]))
    elif "channel" in figures:
        drawn = histogram(store, str(figures["channel"]))
    else:
        return None
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}_{figures.get('episode') or figures.get('channel')}.png"
    unfinished = path.with_name(f".{path.name}.tmp")
    drawn.save(unfinished, format="PNG")
    return unfinished.replace(path)


def strip(store: FrameStore, episode: str) -> Image.Image:
    """Frames from the episode's first to its last, side by side, one row a camera."""
    at = store.episode_names.index(episode)
    first = int(store.episode_ends[at - 1]) if at else 0
    places = np.linspace(first, int(store.episode_ends[at]) - 1, STRIP_FRAMES).round().astype(int)
    rows = [_side_by_side([frames[place] for place in places]) for frames in store.frames.values()]
    whole = Image.new("RGB", (rows[0].width, sum(row.height + GAP for row in rows) - GAP), "white")
    for number, row in enumerate(rows):
        whole.paste(row, (0, number * (row.height + GAP)))
    return whole


def histogram(store: FrameStore, channel: str) -> Image.Image:
    """The channel's values over the range an action may have, counted on a logarithmic scale."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  a second, only when drawing
    from matplotlib.figure import Figure  # noqa: PLC0415

    values = store.action[:, store.action_names.index(channel)]
    figure = Figure(figsize=(6, 3.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    bound = max(1.0, float(np.abs(values).max()))
    axes.hist(values, bins=np.linspace(-bound, bound, BINS).tolist(), color="tab:blue")
    axes.set_yscale("log")
    axes.set(xlabel=f"{channel}, action units", ylabel="frames", title=f"{channel}: {len(values):,} values")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _side_by_side(frames: list[NDArray[np.uint8]]) -> Image.Image:
    height, width = frames[0].shape[:2]
    scaled = round(width * STRIP_HEIGHT / height), STRIP_HEIGHT
    row = Image.new("RGB", ((scaled[0] + GAP) * len(frames) - GAP, STRIP_HEIGHT), "white")
    for number, frame in enumerate(frames):
        picture = Image.fromarray(np.ascontiguousarray(frame)).resize(scaled, Image.Resampling.NEAREST)
        row.paste(picture, (number * (scaled[0] + GAP), 0))
    return row
