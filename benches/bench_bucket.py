"""How fast the bucket is, beside obstore and google-cloud-storage's transfer_manager.

    python -m benches.bench_bucket
    python -m benches.bench_bucket --rounds 5 --megabytes 200
    python -m benches.bench_bucket --place /mnt/slow                # on another disk

A tree of 255 files (1 GB) comes down over 16 connections, a file of 600 MB goes up in one request, each
client in a process of its own against the same local server, in turns, at full speed and with 40 ms before
every answer. Shown are the best of the rounds, its CPU seconds, and the peak resident memory; of ours while
it reads also how late its event loop was, on which the daemon answers people meanwhile. Ours verifies what it
reads and has what it writes verified; the others do what they do by themselves.

The other two are no dependencies of the project: install them beside it for this,
    pip install --target OTHERS obstore google-cloud-storage; PYTHONPATH=OTHERS python -m benches.bench_bucket
"""

import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

CONNECTIONS = 16
EPISODES = 85
LATENCIES_S = (0.0, 0.04)
NEEDS = {
    "ours": "bot.shell.bucket.gcs",
    "obstore": "obstore.store",
    "transfer_manager": "google.cloud.storage.transfer_manager",
}

type Client = Callable[[str, Path], str | None]
"""Answers what else there is to say of the run."""


# --- the contenders: each reads dataset/ into a folder, or writes one file ---------------------------


def ours_down(address: str, folder: Path) -> str:
    async def fetch() -> str:
        from bot.shell.bucket import fetch_dataset, open_bucket  # noqa: PLC0415 - measured alone

        store, late_ms = open_bucket("gs://bench", emulator=address), list[float]()
        watching = asyncio.create_task(_watch_the_loop(late_ms))
        await fetch_dataset(store, "dataset/", folder)
        watching.cancel()
        await store.close()
        often_ms, worst_ms = sorted(late_ms)[len(late_ms) * 99 // 100], max(late_ms)
        return f"loop late: 99 of 100 up to {often_ms:.0f} ms, worst {worst_ms:.0f} ms"

    return asyncio.run(fetch())


async def _watch_the_loop(late_ms: list[float]) -> None:
    from bot.rehearsal.soak.thermometer import lateness  # noqa: PLC0415 - the others need none of it

    async for _, late in lateness():
        late_ms.append(late)


def ours_up(address: str, folder: Path) -> None:
    async def send() -> None:
        from bot.shell.bucket import open_bucket  # noqa: PLC0415 - likewise

        store = open_bucket("gs://bench", emulator=address)
        await store.put_file("checkpoints/model.safetensors", folder / "model.safetensors")
        await store.close()

    asyncio.run(send())


def _obstore(address: str) -> Any:
    from obstore.store import GCSStore  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    key = {
        "gcs_base_url": address,
        "disable_oauth": True,
        "client_email": "",
        "private_key": "",
        "private_key_id": "",
    }
    return GCSStore("bench", service_account_key=json.dumps(key), client_options={"allow_http": True})


def obstore_down(address: str, folder: Path) -> None:
    import obstore  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    store, gate = _obstore(address), asyncio.Semaphore(CONNECTIONS)

    async def one(name: str) -> None:
        async with gate:
            found = await obstore.get_async(store, name)
            with (folder / name.replace("/", "_")).open("wb") as file:
                async for piece in found.stream(min_chunk_size=1 << 20):
                    file.write(piece)

    async def every() -> None:
        await asyncio.gather(*(one(name) for name in _names()))

    asyncio.run(every())


def obstore_up(address: str, folder: Path) -> None:
    import obstore  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    obstore.put(
        _obstore(address), "checkpoints/model.safetensors", folder / "model.safetensors", use_multipart=False
    )


def _google(address: str) -> Any:
    from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415  # pyright: ignore[reportMissingImports]
    from google.cloud import storage  # noqa: PLC0415  # pyright: ignore[reportMissingImports, reportAttributeAccessIssue]
    from requests.adapters import HTTPAdapter  # noqa: PLC0415  # pyright: ignore[reportMissingModuleSource]

    client = storage.Client("bench", AnonymousCredentials(), client_options={"api_endpoint": address})
    client._http.mount("http://", HTTPAdapter(pool_maxsize=CONNECTIONS))  # noqa: SLF001 - its pool is of 10
    return client.bucket("bench")


def transfer_manager_down(address: str, folder: Path) -> None:
    from google.cloud.storage import transfer_manager  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    bucket = _google(address)
    pairs = [(bucket.blob(name), str(folder / name.replace("/", "_"))) for name in _names()]
    results = transfer_manager.download_many(
        pairs, worker_type=transfer_manager.THREAD, max_workers=CONNECTIONS, raise_exception=True
    )
    assert len(results) == len(pairs)


def transfer_manager_up(address: str, folder: Path) -> None:
    from google.cloud.storage import transfer_manager  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    pair = (str(folder / "model.safetensors"), _google(address).blob("checkpoints/model.safetensors"))
    transfer_manager.upload_many([pair], worker_type=transfer_manager.THREAD, raise_exception=True)


# --- measuring -------------------------------------------------------------------------------------


def _names() -> list[str]:
    return [f"dataset/{name}" for name, _ in _tree(0)]


def _tree(scale: int) -> Iterator[tuple[str, int]]:
    """Names and sizes: an episode has a table and two films, 12 MB at `scale` 1000."""
    for number in range(EPISODES):
        yield f"episode_{number:03d}/actions.parquet", 200 * scale
        yield f"episode_{number:03d}/ego.mp4", 5900 * scale
        yield f"episode_{number:03d}/wrist.mp4", 5900 * scale


def _make(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for start in range(0, size, len(block)):
            file.write(block[: size - start])


@contextmanager
def _serving(tree: Path, latency_s: float) -> Iterator[str]:
    command = [sys.executable, "-m", "benches.gcs_server", str(tree), str(latency_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()  # else whoever leaves early waits for it for ever


type Run = tuple[float, float, float, str]
"""Wall and CPU seconds, peak resident MB, and what else there is to say."""


def _alone(client: str, way: str, address: str, folder: Path) -> Run:
    """One run in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "benches.bench_bucket",
        "--alone",
        f"{client}_{way}",
        address,
        str(folder),
    ]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    wall_s, cpu_s, peak_mb, remark = json.loads(ran.stdout)
    return wall_s, cpu_s, peak_mb, remark


def _measure(client: str, address: str, folder: str) -> None:
    import_module(NEEDS[client.rpartition("_")[0]])  # no part of the transfer
    began = time.perf_counter()
    run: Client = globals()[client]
    remark = run(address, Path(folder)) or ""
    wall_s = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps((wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000, remark)))


def _present() -> tuple[str, ...]:
    there: list[str] = []
    for client, module in NEEDS.items():
        try:
            found = find_spec(module)
        except ModuleNotFoundError:
            found = None
        if found:
            there.append(client)
        else:
            click.echo(f"{client} is not installed; --help says how to compare with it", err=True)
    return tuple(there)


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--megabytes", type=click.IntRange(1), default=1020, show_default=True, help="Size of the tree."
)
@click.option("--upload-megabytes", type=click.IntRange(1), default=600, show_default=True)
@click.option(
    "--place", type=click.Path(file_okay=False, exists=True), help="Where to write: the disk to be measured."
)
@click.option("--alone", nargs=3, hidden=True)
def main(
    rounds: int,
    megabytes: int,
    upload_megabytes: int,
    place: str | None,
    alone: tuple[str, str, str] | None,
) -> None:
    if alone:
        _measure(*alone)
        return
    clients = _present()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=place) as made:
        root = Path(made)
        for name, size in _tree(megabytes * 1_000_000 // (EPISODES * 12_000)):
            _make(root / "tree" / name, size)
        _make(root / "saved/model.safetensors", upload_megabytes * 1_000_000)
        for latency_s in LATENCIES_S:
            with _serving(root / "tree", latency_s) as address:
                for way in ("down", "up"):
                    _compare(clients, way, address, root, rounds, f"{way}, {latency_s * 1000:.0f} ms")


def _compare(clients: tuple[str, ...], way: str, address: str, root: Path, rounds: int, title: str) -> None:
    runs: dict[str, list[Run]] = {client: [] for client in clients}
    for _ in range(rounds):
        for client in clients:
            folder = root / "saved" if way == "up" else root / "home"
            folder.mkdir(exist_ok=True)
            runs[client].append(_alone(client, way, address, folder))
            shutil.rmtree(root / "home", ignore_errors=True)
    fastest = min(min(found)[0] for found in runs.values())
    for client, found in runs.items():
        wall_s, cpu_s, peak_mb, remark = min(found)
        click.echo(
            f"{title:12} {client:18} {wall_s:6.2f} s {cpu_s:6.2f} CPU s {peak_mb:6.0f} MB  "
            f"{fastest / wall_s:5.2f} of the fastest  {remark}"
        )


if __name__ == "__main__":
    main()
