"""The rungs of bench_trainer that start processes: lerobot-train and our trainer, as their users do."""

import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace

import click

from benches.lerobot_side import CHEAPEST, SETTINGS, lerobot_rate
from benches.trainer_turns import Bench, Figures, lines
from protocol.folders import RunFolder
from protocol.progress import Saved, Started, Stepped

ABOUT_S = 5 * 3600.0
"""So long lerobot-train would take: ours, be it ten times as fast, then tries recipes, as from half an hour
on."""


def whole(bench: Bench) -> Figures:
    """Both as their users start them: samples a second of all but the first steps, saves not counted.

    lerobot-train as it comes; with the number of workers and threads that suits it best here; and so, with
    `use_amp`. Ours is in the middle of a training of an hour or so, its recipe found by its own trial. Of
    processor time, each has one thread.
    """
    tried = {
        each: lerobot_rate(bench, bench.steps, each, 0)
        for each in (CHEAPEST if bench.by_processor else SETTINGS)
    }
    best = max(tried, key=lambda each: tried[each])
    rivals = [*dict.fromkeys((next(iter(tried)), best, replace(best, amp=True)))]
    theirs, ours = {each: list[float]() for each in rivals}, list[float]()
    for turn in range(1, 1 + bench.rounds):
        ours.append(long_rate(bench, f"whole-{turn}", samples=int(ABOUT_S * tried[best])))
        for each in rivals:
            theirs[each].append(lerobot_rate(bench, bench.steps, each, turn))
    our_rate = statistics.median(ours)
    return {
        **{f"tried: lerobot-train's samples/s, {each}": rate for each, rate in tried.items()},
        "our samples/s": our_rate,
        **{f"lerobot-train's, {each}": statistics.median(rates) for each, rates in theirs.items()},
        **{
            f"times lerobot-train, {each}": our_rate / statistics.median(rates)
            for each, rates in theirs.items()
        },
    }


def long_rate(bench: Bench, run: str, samples: int) -> float:
    """Of a training of so many `samples`: by its lines over the bench's steps or more, then it is ended. The
    first finds its recipe, which takes a slow device minutes; those that follow go by it."""
    epochs = -(-samples // bench.scene.store().num_frames)
    job = bench.scene.job(run, bench.device.type, **{"training.epochs": epochs})
    attempt = RunFolder(job.run).attempt(1)
    attempt.job.write_text(job.model_dump_json())
    if known := sorted(bench.scene.folder.glob("whole-*/recipe.json")):
        RunFolder(job.run).recipe.write_bytes(known[0].read_bytes())
    environ = os.environ | ({"OMP_NUM_THREADS": "1"} if bench.by_processor else {})
    training = subprocess.Popen([sys.executable, "-m", "trainer", "run", str(attempt.job)], env=environ)
    heard: list[tuple[float, int]] = []
    try:
        while training.poll() is None:
            time.sleep(0.02)
            stepped = [line for line in lines(job.run) if isinstance(line, Stepped)]
            if len(stepped) > len(heard):
                heard.append((bench.clock_of(training.pid), stepped[-1].samples))
            if heard and (went := heard[-1][1] - heard[0][1]) >= bench.steps * bench.batch_size:
                started = next(line for line in lines(job.run) if isinstance(line, Started))
                click.echo("our recipe: " + ", ".join(started.recipe.values()))
                return went / (heard[-1][0] - heard[0][0])
    finally:
        training.terminate()
        training.wait()
    raise click.ClickException(f"our training ended early: {attempt.outcome.read_text()}")


def start(bench: Bench) -> Figures:
    """Of a process of its own, as the bot starts it."""
    job = bench.scene.job("start", bench.device.type, **{"training.epochs": 1})
    attempt = RunFolder(job.run).attempt(1)
    attempt.job.write_text(job.model_dump_json())
    began = time.time()
    subprocess.run([sys.executable, "-m", "trainer", "run", str(attempt.job)], check=True)
    said = lines(job.run)
    started = next(line for line in said if isinstance(line, Started))
    stepped = next(line for line in said if isinstance(line, Stepped))
    return {
        "to the first word, s": said[0].at.timestamp() - began,
        "to the started line, s": started.at.timestamp() - began,
        "to the first line of progress, s": stepped.at.timestamp() - began,
        "saved, MB": sum(line.size_bytes for line in said if isinstance(line, Saved)) / 1e6,
        "most memory held, MB": started.memory.peak_bytes / 1e6 if started.memory else 0.0,
    }
