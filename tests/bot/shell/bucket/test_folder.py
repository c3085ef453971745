"""What is special about a bucket in a folder: links, plain copies, files changed in place."""

import asyncio
import os
import shutil
import threading
from pathlib import Path

import pytest

from bot.shell.bucket.errors import BadName, NoSpace, Unavailable, WriteDenied
from bot.shell.bucket.landing import Landing
from bot.shell.bucket.stoppable import Stopped, run_stoppable

from .workbench import FolderBench, files_in


@pytest.fixture
def folder(tmp_path: Path) -> FolderBench:
    (tmp_path / "bucket").mkdir()
    return FolderBench(tmp_path / "bucket")


class TestLinks:
    async def test_a_link_out_of_the_bucket_is_not_read(self, folder: FolderBench, tmp_path: Path) -> None:
        (tmp_path / "secret").write_bytes(b"1")
        folder.seed("dataset/a", b"1")
        (tmp_path / "bucket/dataset/b").symlink_to(tmp_path / "secret")
        with pytest.raises(BadName, match="leaves the bucket"):
            await folder.store.get_bytes("dataset/b")
        with pytest.raises(BadName, match="leaves the bucket"):
            _ = [each async for each in folder.store.list("dataset/")]

    async def test_a_linked_folder_is_refused_rather_than_passed_over(
        self, folder: FolderBench, tmp_path: Path
    ) -> None:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "bucket/dataset").mkdir()
        (tmp_path / "bucket/dataset/linked").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(BadName, match="copy the data in"):
            _ = [each async for each in folder.store.list("dataset/")]

    async def test_links_in_a_circle_are_a_fault_of_the_bucket_s(
        self, folder: FolderBench, tmp_path: Path
    ) -> None:
        folder.seed("ssot/a", b"1")
        (tmp_path / "bucket/ssot/PLAN.md").symlink_to("PLAN.md")
        with pytest.raises(BadName, match="cannot be followed"):
            await folder.store.get_bytes("ssot/PLAN.md")
        (tmp_path / "bucket/checkpoints").symlink_to("checkpoints")
        with pytest.raises(BadName, match="cannot be followed"):
            await folder.store.put_bytes("checkpoints/a", b"1")

    async def test_a_pipe_is_refused_rather_than_waited_for(
        self, folder: FolderBench, tmp_path: Path
    ) -> None:
        folder.seed("dataset/a", b"1")
        os.mkfifo(tmp_path / "bucket/dataset/b")
        with pytest.raises(BadName, match="dataset/b is neither a file nor a folder"):
            await folder.store.get_bytes("dataset/b")
        with pytest.raises(BadName, match="dataset/b is neither a file nor a folder"):
            _ = [each async for each in folder.store.list("dataset/")]

    async def test_nothing_is_written_through_a_link(self, folder: FolderBench, tmp_path: Path) -> None:
        folder.seed("ssot/PLAN.md", b"plan")
        (tmp_path / "bucket/checkpoints").symlink_to(tmp_path / "bucket/ssot")
        with pytest.raises(WriteDenied, match="through a link"):
            await folder.store.put_bytes("checkpoints/PLAN.md", b"mine")
        with pytest.raises(WriteDenied, match="through a link"):
            await folder.store.delete("checkpoints/PLAN.md")
        assert folder.contents("ssot/") == {"ssot/PLAN.md": b"plan"}


class TestFiles:
    async def test_a_plain_copy_sees_nothing_that_is_being_written(
        self, folder: FolderBench, tmp_path: Path
    ) -> None:
        await folder.store.put_bytes("checkpoints/act_best/model", b"whole")
        with Landing(tmp_path / "bucket/checkpoints/act_best/new", tmp_path / "bucket/.~bucket") as landing:
            landing.write(b"half")
            shutil.copytree(tmp_path / "bucket/checkpoints/act_best", tmp_path / "copied")
        assert files_in(tmp_path / "copied") == {"model": b"whole"}

    async def test_a_write_is_seen_by_its_generation_however_fast(self, folder: FolderBench) -> None:
        made = [await folder.store.put_bytes("checkpoints/a", b"%d" % number) for number in range(20)]
        generations = [each.generation for each in made]
        assert generations == sorted(set(generations))

    def test_a_full_disk_is_said_in_one_line(self, tmp_path: Path) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("no /dev/full here")
        landing = Landing(tmp_path / "a")
        landing._file.close()
        landing._file = Path("/dev/full").open("wb")  # noqa: SIM115 - closed by landing
        landing.write(b"1")
        with pytest.raises(NoSpace, match="no space left"), landing:
            landing.land()
        assert files_in(tmp_path) == {}

    def test_a_folder_in_a_files_place_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "a/b").mkdir(parents=True)
        with pytest.raises(BadName, match="is a folder"), Landing(tmp_path / "a") as landing:
            landing.land()


async def test_cancelled_work_in_a_thread_ends_before_its_awaiter_goes_on() -> None:
    began, ended = threading.Event(), threading.Event()

    def work(stopped: Stopped) -> None:
        began.set()
        while not stopped():
            pass
        ended.set()

    running = asyncio.create_task(run_stoppable(work))
    await asyncio.to_thread(began.wait)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended.is_set()


class TestADiskThatIsNotMounted:
    """It looks like an empty bucket, and must not be taken for one: PLAN.md is not absent, only away."""

    async def test_nothing_is_answered_and_nothing_written_until_it_is_back(
        self, folder: FolderBench, tmp_path: Path
    ) -> None:
        folder.seed("ssot/PLAN.md", b"plan")
        (tmp_path / "bucket").rename(tmp_path / "away")
        asked = (
            folder.store.get_bytes("ssot/PLAN.md"),
            folder.store.stat("ssot/PLAN.md"),
            folder.store.list_dirs(""),
            folder.store.put_bytes("checkpoints/a", b"1"),
            folder.store.delete("checkpoints/a"),
        )
        for one in asked:
            with pytest.raises(Unavailable, match="is its disk mounted"):
                await one
        with pytest.raises(Unavailable):
            _ = [each async for each in folder.store.list("")]
        assert not (tmp_path / "bucket").exists()
        (tmp_path / "away").rename(tmp_path / "bucket")
        assert (await folder.store.get_bytes("ssot/PLAN.md"))[0] == b"plan"
