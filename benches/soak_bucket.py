"""Hours of bad days for the bucket: every acknowledged write is still there, or the run fails.

    python -m benches.soak_bucket --minutes 10
    python -m benches.soak_bucket --minutes 60 --state soak.json     # goes on where an earlier run stopped

Beside a stand-in for Google Cloud Storage that fails at random, behind a proxy that does, work at once: a
publisher of checkpoints, readers of the best by manifest and by plain copy, writers, and fetchers of a data
set. Every answer is held against what was written. Ends with a table; exit code 1 if anything was lost,
corrupt or mixed.
"""

import asyncio
import itertools
import json
import logging
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import click
from aiohttp import web
from chaos_proxy import ChaosProxy, Fate, chaos_before  # pyright: ignore[reportMissingImports]

from bot.rehearsal.gcs import FakeGcs
from bot.shell.bucket import (
    Meta,
    fetch_checkpoint,
    fetch_dataset,
    list_checkpoints,
    publish_best,
    publish_checkpoint,
    publish_flat_best,
    verify,
)
from bot.shell.bucket.errors import NotFound, StoreError
from bot.shell.bucket.gcs import GcsStore
from bot.shell.bucket.patience import Policy
from bot.shell.bucket.wire import Pace, Wire

PACE = Pace(
    policy=Policy(base_s=0.002, cap_s=0.02, attempts=12, idle_s=20),
    stall_s=0.3,
    small_s=0.5,
    copy_s=0.5,
    chunk_bytes=256 << 10,
    multipart_bytes=64 << 10,
)
PASSING = (408, 429, 500, 502, 503, 504, "reset", "lost")
SPECIAL = {
    "read": ("cut", "flip", "stall", "whole"),
    "chunk": ("cut", "flip", "stall", "forget"),
    "write": ("flip",),
}
WIRE = (
    *(
        Fate(how, side, after)
        for how in ("reset", "cut")
        for side in ("up", "down")
        for after in (0, 60, 9000)
    ),
    *(Fate("stall", side, after) for side in ("up", "down") for after in (60, 9000)),
    *(Fate("slow", side, 2 << 20) for side in ("up", "down")),
)
BEST = "checkpoints/act_best/"
NAMES = 40
EPISODES = 30
FAULT_SHARE = 0.08
WIRE_FAULT_EVERY_S = 0.12
WRONG = ("lost", "corrupt", "mixed reads by manifest")

type Work = Callable[["Soak"], Coroutine[Any, Any, None]]

dice = random.Random()  # noqa: S311 - weather, not secrets


class Soak:
    """What the workers share. `counts` is the table."""

    def __init__(self, fake: FakeGcs, proxy: ChaosProxy, folder: Path, counts: Counter[str]) -> None:
        self.fake, self.proxy, self.folder, self.counts = fake, proxy, folder, counts
        self.store = GcsStore(Wire(fake.bucket, PACE, proxy.address))
        self.bests: dict[str, dict[str, bytes]] = {}
        self.dataset = {f"episode_{n:03d}/ego.mp4": dice.randbytes(n * 9000) for n in range(EPISODES)}
        self.ledger: dict[str, set[bytes | None]] = {}
        for name, data in self.dataset.items():
            fake.put(f"dataset/{name}", data)

    def weather(self, errand: str) -> int | str:
        if dice.random() > FAULT_SHARE:
            return ""
        how = dice.choice((*PASSING, *SPECIAL.get(errand, ())))
        self.counts["faults in answers"] += 1
        self.counts[f"  {how}"] += 1
        return how

    async def arm(self) -> None:
        """Something befalls the wire every now and then."""
        while True:
            fired = self.proxy.fired
            self.proxy.armed = [dice.choice(WIRE)]
            await asyncio.sleep(dice.uniform(0, 2 * WIRE_FAULT_EVERY_S))
            self.counts["faults of the wire"] += self.proxy.fired - fired

    async def done(self, what: str, errand: Awaitable[object]) -> bool:
        """Whether it ended well; an explicit error is counted, anything else ends the run."""
        try:
            await errand
        except StoreError as error:
            self.counts[f"explicit errors ({type(error).__name__})"] += 1
            return False
        self.counts[what] += 1
        return True

    async def insist(self, errand: Callable[..., Awaitable[object]], *arguments: object) -> None:
        """The same again until it ends well."""
        while not await self.done("publishes", errand(*arguments)):
            pass

    def saved(self, mark: str) -> Path:
        folder = self.folder / "saved" / mark
        folder.mkdir(parents=True)
        for name, size in (
            ("config.json", 300),
            ("model.safetensors", 700_000),
            (f"only_{mark}.bin", 90_000),
        ):
            (folder / name).write_bytes(dice.randbytes(dice.randrange(size) + 1))
        return folder


async def publish(soak: Soak) -> None:
    """One cycle after the other, each step as often as it takes, as the daemon does."""
    for cycle in itertools.count(1):
        run = f"cycle{cycle:02d}-a"
        for epoch in (50, 100):
            folder = soak.saved(f"{cycle}-{epoch}")
            await soak.insist(publish_checkpoint, soak.store, folder, cycle, epoch, run, Meta())
        best = soak.saved(f"{cycle}-best")
        soak.bests[run] = contents(best)
        await soak.insist(publish_best, soak.store, best, cycle, 100, run, Meta())
        await soak.insist(publish_flat_best, soak.store, cycle, run)
        shutil.rmtree(soak.folder / "saved")


async def read_by_manifest(soak: Soak) -> None:
    dest = soak.folder / "by-manifest"
    while True:
        try:
            manifest, _ = await fetch_checkpoint(soak.store, BEST, dest, pause_s=0.01)
        except StoreError as error:
            soak.counts[f"explicit errors ({type(error).__name__})"] += not isinstance(error, NotFound)
            await asyncio.sleep(0.05)
            continue
        soak.counts["reads by manifest"] += 1
        soak.counts["mixed reads by manifest"] += contents(dest) != soak.bests[manifest.run]


async def copy_plainly(soak: Soak) -> None:
    """As `gcloud storage cp -r` does it; a mix is to be expected while the best is being replaced."""
    while True:
        await asyncio.sleep(0.05)
        copied: dict[str, bytes] = {}
        try:
            for name in [each.name async for each in soak.store.list(BEST)]:
                copied[name.removeprefix(BEST)] = (await soak.store.get_bytes(name))[0]
        except StoreError:
            continue
        for ours in (".training-claw.json", "manifest.json"):
            copied.pop(ours, None)
        if copied:
            soak.counts["plain copies"] += 1
            soak.counts["plain copies that are a mix"] += copied not in soak.bests.values()


def writer(number: int) -> Work:
    async def write(soak: Soak) -> None:
        """Writes, copies, deletes and reads names of its own; what an error leaves open may be either."""
        path = soak.folder / f"source-{number}"
        while True:
            name = f"checkpoints/soak-{number}/{dice.randrange(NAMES)}"
            allowed = soak.ledger.setdefault(name, {None})
            data: bytes | None = None
            match dice.choice(("small", "large", "delete", "read", "read")):
                case "read":
                    await soak.done("reads", check(soak, name))
                    continue
                case "delete":
                    errand = soak.store.delete(name)
                case kind:
                    data = dice.randbytes(dice.randrange(5000 if kind == "small" else 700_000))
                    path.write_bytes(data)
                    errand = soak.store.put_file(name, path)
            soak.ledger[name] = allowed | {data}  # also if the run ends before the answer
            if await soak.done("deletes" if data is None else "writes", errand):
                soak.ledger[name] = {data}

    return write


async def check(soak: Soak, name: str) -> None:
    try:
        found: bytes | None = (await soak.store.get_bytes(name))[0]
    except NotFound:
        found = None
    if found not in soak.ledger[name]:
        soak.counts["lost" if found is None else "corrupt"] += 1


async def fetch(soak: Soak) -> None:
    dest = soak.folder / "dataset"
    while True:
        if await soak.done("data sets fetched", fetch_dataset(soak.store, "dataset/", dest)):
            soak.counts["corrupt"] += contents(dest) != soak.dataset
            shutil.rmtree(dest / f"episode_{dice.randrange(EPISODES):03d}")
            await asyncio.sleep(0.2)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


async def settle(soak: Soak) -> None:
    """The weather clears up: everything acknowledged must stand there."""
    soak.fake.weather = lambda _: ""
    soak.proxy.armed = []
    for name in soak.ledger:
        await check(soak, name)
    for each in await list_checkpoints(soak.store):
        if each.complete:
            await verify(soak.store, each.path)
            soak.counts["checkpoints verified at the end"] += 1


async def soak_for(minutes: float, folder: Path, counts: Counter[str], tell: Callable[[float], None]) -> None:
    fake = FakeGcs(page=100)
    runner = web.AppRunner(fake.app(), shutdown_timeout=1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with chaos_before(f"http://{host}:{port}") as proxy:
        fake.address = proxy.address
        soak = Soak(fake, proxy, folder, counts)
        fake.weather = soak.weather
        workers = (publish, read_by_manifest, copy_plainly, fetch, *(writer(number) for number in range(3)))
        tasks = [asyncio.create_task(work(soak)) for work in workers] + [asyncio.create_task(soak.arm())]
        try:
            await _watch(tasks, minutes, tell)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await settle(soak)
        await soak.store.close()
    await runner.cleanup()


async def _watch(tasks: list[asyncio.Task[None]], minutes: float, tell: Callable[[float], None]) -> None:
    """Until the time is over; a worker that ends has met what may not happen, and that is raised."""
    ends = time.monotonic() + minutes * 60
    while (left := ends - time.monotonic()) > 0:
        done, _ = await asyncio.wait(tasks, timeout=min(10, left), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        tell(left)


@click.command()
@click.option("--minutes", type=float, default=10, show_default=True)
@click.option("--seed", type=int, default=None, help="For the same weather again (not the same timing).")
@click.option(
    "--state", type=click.Path(dir_okay=False, path_type=Path), help="Add to the counts in this file."
)
def main(minutes: float, seed: int | None, state: Path | None) -> None:
    """Bad days for the bucket, and a table of what came of them."""
    dice.seed(seed)
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # it was on purpose
    counts: Counter[str] = Counter()
    if state and state.exists():
        counts.update(json.loads(state.read_text()))
    counts.update(dict.fromkeys((*WRONG, "plain copies that are a mix"), 0))

    def tell(left_s: float) -> None:
        faults = counts["faults in answers"] + counts["faults of the wire"]
        wrong = ", ".join(f"{counts[each]} {each}" for each in WRONG)
        click.echo(
            f"{left_s:6.0f} s left  {faults} faults  {counts['publishes']} publishes  {wrong}", err=True
        )
        if state:
            state.write_text(json.dumps(counts))

    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        asyncio.run(soak_for(minutes, Path(folder), counts, tell))
    tell(0)
    for what, count in sorted(counts.items()):
        click.echo(f"{what:40}{count:>8}")
    raise SystemExit(any(counts[each] for each in WRONG))


if __name__ == "__main__":
    main()
