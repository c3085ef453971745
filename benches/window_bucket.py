"""How long a plain copy of a best checkpoint can be a mix while it is replaced.

    python -m benches.window_bucket --latency-ms 40

A reader by manifest never sees a mix. Who copies a folder without looking at its manifest may, from the first
file of the new content to the last of the old one. This times that against a stand-in for Google Cloud
Storage that answers every request so late, in ten replacements of checkpoints/cycleNN/act_best/ (files come
from here) and of checkpoints/act_best/ (files are copied inside the bucket).
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import click
from aiohttp import web

from bot.rehearsal.gcs import FakeGcs, Stored
from bot.shell.bucket import Meta, open_bucket, publish_best, publish_flat_best

RUN = "cycle03-a"
OURS = (".training-claw.json", "manifest.json")
SIZES = {"config.json": 1000, "stats.safetensors": 4000, "README.md": 2000, "train_config.json": 5000}


class Watched(dict[str, Any]):
    """The fake's objects; `changed` are the times at which files of a checkpoint came or went."""

    changed: list[float]

    def __setitem__(self, name: str, stored: Stored) -> None:
        super().__setitem__(name, stored)
        self._note(name)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._note(name)

    def _note(self, name: str) -> None:
        if name.rpartition("/")[2] not in OURS:
            self.changed.append(time.perf_counter())


def save(folder: Path, content: bytes, weights: int) -> Path:
    folder.mkdir()
    for name, size in (SIZES | {"model.safetensors": weights}).items():
        (folder / name).write_bytes(content * size)
    return folder


async def measure(latency_s: float, weights: int, replacements: int) -> dict[str, list[float]]:
    """Windows in seconds, by path."""
    fake = FakeGcs()
    fake.objects = objects = Watched()
    objects.changed = []

    @web.middleware
    async def late(request: web.Request, handler: Any) -> web.StreamResponse:
        await asyncio.sleep(latency_s)
        return await handler(request)

    app = fake.app()
    app.middlewares.append(late)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    store = open_bucket(f"gs://{fake.bucket}", emulator=fake.address)
    windows: dict[str, list[float]] = {"cycle03/act_best/": [], "act_best/": []}

    async def timed(path: str, publishing: Awaitable[object]) -> None:
        objects.changed.clear()
        await publishing
        windows[path].append(objects.changed[-1] - objects.changed[0])

    with tempfile.TemporaryDirectory(prefix="window-") as place:
        for epoch in range(replacements + 1):
            folder = save(Path(place, str(epoch)), bytes([epoch]), weights)
            await timed("cycle03/act_best/", publish_best(store, folder, 3, epoch, RUN, Meta()))
            await timed("act_best/", publish_flat_best(store, 3, RUN))
    await store.close()
    await runner.cleanup()
    return {path: times[1:] for path, times in windows.items()}


@click.command(help=__doc__)
@click.option("--latency-ms", type=float, default=40, show_default=True)
@click.option("--megabytes", type=int, default=200, show_default=True, help="The weights.")
@click.option("--replacements", type=click.IntRange(1), default=10, show_default=True)
def main(latency_ms: float, megabytes: int, replacements: int) -> None:
    windows = asyncio.run(measure(latency_ms / 1000, megabytes * 1_000_000, replacements))
    for path, times in windows.items():
        click.echo(
            f"checkpoints/{path:20} median {statistics.median(times):.3f} s, longest {max(times):.3f} s "
            f"of {len(times)}"
        )


if __name__ == "__main__":
    main()
