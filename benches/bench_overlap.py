"""From the start of a fetch to the verdict: in sequence, and looked at as it lands, in one run.

    python -m benches.bench_overlap
    python -m benches.bench_overlap --slower 2           the line is half as fast as the check

A set lies behind a local stand-in for Google Cloud Storage whose line all readers share. First the check of
the whole set is timed alone; then the line is made that fast, or `--slower`. The fetch is the bot's, the
check a process of the trainer's, its start included; each way begins with nothing, and they take turns.
The least that is possible is the longer of the two, fetch and check; in sequence it is their sum.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bot.shell.bucket import fetch_dataset, open_bucket
from bot.shell.bucket.arriving import RowsHere, nobody_waits
from bot.shell.supervising.launch import Process, holder, is_alive, outcome_of, reap
from protocol.folders import RunFolder
from protocol.job import Checked, CheckJob
from protocol.training import TrainingConfig
from trainer.process.bar import progress_bar
from trainer.process.workers import cores
from trainer.simulation.simulate import simulate

LATENCY_S = 0.04
LOOKED_AT_EVERY_S = 0.05


class Stage:
    """Where one verdict is come to: an empty folder for the set, an empty run."""

    def __init__(self, folder: Path, config: TrainingConfig) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.data, self._run, self._config = folder / "set", RunFolder(folder / "run"), config
        self._attempt = self._run.attempt(1)

    def begin(self, coming_bytes: int = 0) -> None:
        job = CheckJob(
            data=self.data,
            config=self._config,
            output=self._run.data,
            surveys=self._run.surveys,
            coming_bytes=coming_bytes,
        )
        Process().launch(self._attempt, job)

    def all_is_here(self) -> None:
        self._attempt.arrived.touch()

    def verdict(self) -> Checked:
        while is_alive(self._attempt):
            time.sleep(LOOKED_AT_EVERY_S)
        outcome, who = outcome_of(self._attempt), holder(self._attempt)
        assert isinstance(outcome, Checked), outcome
        assert who, "it held the lock"
        reap(who.pid)
        return outcome


async def _fetched(address: str, folder: Path, rows_here: RowsHere = nobody_waits) -> None:
    store = open_bucket("gs://bench", emulator=address)
    try:
        await fetch_dataset(store, "dataset/", folder, rows_here=rows_here)
    finally:
        await store.close()


def fetch(address: str, stage: Stage) -> None:
    asyncio.run(_fetched(address, stage.data))


def in_sequence(address: str, stage: Stage) -> Checked:
    fetch(address, stage)
    stage.begin()
    return stage.verdict()


def as_it_lands(address: str, stage: Stage) -> Checked:
    async def rows_here(coming_bytes: int) -> None:
        stage.begin(coming_bytes)

    asyncio.run(_fetched(address, stage.data, rows_here))
    stage.all_is_here()
    return stage.verdict()


@contextmanager
def served(tree: Path, bytes_per_s: float) -> Iterator[str]:
    command = [sys.executable, "-m", "benches.gcs_server", str(tree), str(LATENCY_S), str(bytes_per_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


@click.command()
@click.argument("data", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--episodes", default=48, show_default=True, help="Where no DATA is given, simulate so many.")
@click.option("--frames", default=300, show_default=True)
@click.option("--rounds", default=2, show_default=True)
@click.option("--slower", default=1.0, show_default=True, help="Fetching takes so much longer than checking.")
def main(data: Path | None, episodes: int, frames: int, rounds: int, slower: float) -> None:
    config = TrainingConfig().with_changes({"dataset.min_episodes": 1})
    with TemporaryDirectory(prefix="bench-overlap-") as made:
        tree = data or Path(made, "bucket")
        if data is None:
            with progress_bar("simulating") as told:
                simulate(tree, episodes=episodes, frames=frames, told=told)
        size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())
        stage = partial(Stage, Path(made, "stage"), config)
        alone_s = _took(lambda: _checked(tree, stage()))[0]
        with served(tree, size / (alone_s * slower)) as address:
            _show(_measured(address, stage, tree, rounds), size)


def _checked(tree: Path, stage: Stage) -> Checked:
    """All of it is here."""
    shutil.copytree(tree, stage.data, copy_function=os.link)
    stage.begin()
    return stage.verdict()


def _measured(address: str, stage: Callable[[], Stage], tree: Path, rounds: int) -> dict[str, list[float]]:
    ways: dict[str, Callable[[], Checked | None]] = {
        "check alone": lambda: _checked(tree, stage()),
        "fetch alone": lambda: fetch(address, stage()),
        "in sequence": lambda: in_sequence(address, stage()),
        "as it lands": lambda: as_it_lands(address, stage()),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    verdicts: set[str] = set()
    with progress_bar("measuring") as told:
        for turn in range(rounds):
            for name, way in ways.items():
                seconds, verdict = _took(way)
                took[name].append(seconds)
                verdicts |= {verdict.model_dump_json()} if verdict else set()
            told(turn + 1, rounds)
    assert len(verdicts) == 1, verdicts
    return took


def _took(way: Callable[[], Checked | None]) -> tuple[float, Checked | None]:
    began = time.perf_counter()
    verdict = way()
    return time.perf_counter() - began, verdict


def _show(took: dict[str, list[float]], size: int) -> None:
    least = {name: min(seconds) for name, seconds in took.items()}
    bound = max(least["check alone"], least["fetch alone"])
    click.echo(f"{size / 1e6:.0f} MB, {cores()} cores; seconds by the clock, the least of each way")
    for name, seconds in least.items():
        click.echo(f"{name:12}{seconds:8.1f}s  {seconds / bound:5.2f} of the longer of fetch and check")
    click.echo(f"as it lands, of in sequence: {least['as it lands'] / least['in sequence']:.2f}")


if __name__ == "__main__":
    main()
