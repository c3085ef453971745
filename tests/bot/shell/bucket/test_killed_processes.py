"""kill -9 in the midst of a publish or a fetch: real processes, and what is left of them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.rehearsal.gcs import Errand, Trouble
from bot.shell.bucket import errands, verify
from bot.shell.bucket.errors import NoSpace, NotFound
from bot.shell.bucket.store import quiet

from .workbench import FolderBench, GcsBench, files_in, payload

PLACE = "checkpoints/cycle03/act_epoch_050/"
PROGRAM = Path(sys.executable).with_name("training-claw")
LARGE = bytes(range(256)) * 6000  # 1.5 MB: a resumable upload also at the production pace


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "saved"
    folder.mkdir()
    for number in range(6):
        (folder / f"part_{number}.safetensors").write_bytes(b"%d" % number + LARGE)
    return folder


@asynccontextmanager
async def running(*words: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """`training-claw bucket …` as a process, killed when the block ends."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "bucket", *map(str, words), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        assert await process.wait() == -9


@pytest.mark.parametrize(("errand", "times"), [("write", 1), ("chunk", 4), ("stat", 6)])
async def test_a_publish_that_was_killed_shows_nothing_and_goes_on(
    gcs: GcsBench, saved: Path, errand: Errand, times: int
) -> None:
    fine = iter([""] * (times - 1))  # what comes then is never answered: the process dies in the midst of it
    gcs.fake.weather = lambda kind: next(fine, "stall") if kind == errand else ""
    async with running("--emulator", gcs.fake.address, "push", saved, f"gs://ours/{PLACE}"):
        await gcs.fake.hears(errand, times)
    gcs.fake.weather = lambda _: ""
    with pytest.raises(NotFound):
        await verify(gcs.store, PLACE)
    arrived = len([name for name in payload(gcs, PLACE) if "part" in name])
    label = errands.label_of(PLACE, errands.BY_HAND, None, None)
    placed = await errands.push(gcs.store, saved, PLACE, label, quiet, replace=False)
    assert placed.sent_files <= 6 - arrived
    assert payload(gcs, PLACE) == files_in(saved)


async def test_a_fetch_that_was_killed_left_whole_files_and_goes_on(gcs: GcsBench, tmp_path: Path) -> None:
    for number in range(6):
        gcs.seed(f"dataset/part_{number}", b"%d" % number + LARGE)
    expected = {f"part_{number}": b"%d" % number + LARGE for number in range(6)}
    gcs.fake.troubles = [Trouble("read", "stall", times=3)]
    home = tmp_path / "home"
    async with running("--emulator", gcs.fake.address, "pull", "gs://ours/dataset/", home):
        await gcs.fake.hears("read", 6)
    whole = {name: data for name, data in files_in(home).items() if not name.startswith(".~")}
    assert whole.items() <= expected.items()
    await errands.pull(gcs.store, "dataset/", home, quiet, mirror=False)
    assert files_in(home) == expected


async def test_a_publish_into_a_folder_that_was_killed_goes_on(saved: Path, tmp_path: Path) -> None:
    root = tmp_path / "bucket"
    root.mkdir()
    bench = FolderBench(root)
    async with running("push", saved, f"{root.as_uri()}/{PLACE}"):
        while not any(root.glob(f"{PLACE}*")):  # noqa: ASYNC110 - nobody tells of a new file
            await asyncio.sleep(0)
    label = errands.label_of(PLACE, errands.BY_HAND, None, None)
    await errands.push(bench.store, saved, PLACE, label, quiet, replace=False)
    await verify(bench.store, PLACE)
    assert payload(bench, PLACE) == files_in(saved)


async def test_a_disk_that_fills_up_is_said_and_keeps_the_former_file(gcs: GcsBench, tmp_path: Path) -> None:
    """A process that may write no file over 200 kB meets what a full disk is like."""
    gcs.seed("dataset/a", LARGE)
    (tmp_path / "a").write_bytes(b"former")
    code = (
        "import asyncio, resource, sys; from pathlib import Path\n"
        "from bot.shell.bucket import open_bucket\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "async def main():\n"
        f"    store = open_bucket('gs://ours', emulator={gcs.fake.address!r})\n"
        f"    try: await store.get_file('dataset/a', Path({str(tmp_path / 'a')!r}))\n"
        "    except Exception as error: print(type(error).__name__, error)\n"
        "    finally: await store.close()\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    assert told.decode().startswith(f"{NoSpace.__name__} no space left for {tmp_path / 'a'}")
    assert files_in(tmp_path) == {"a": b"former"}
