"""What every bucket keeps to, whatever lies behind it."""

import asyncio
from pathlib import Path

import pytest

from bot.shell.bucket.crc import crc32c
from bot.shell.bucket.errors import (
    BadName,
    IntegrityError,
    NotFound,
    PreconditionFailed,
    TooLarge,
    WriteDenied,
)
from bot.shell.bucket.store import Obj

from .workbench import Bench, files_in

LARGE = bytes(range(256)) * 2800  # 700 KiB: three chunks in a resumable upload


async def names(bench: Bench, prefix: str = "") -> list[str]:
    return [each.name async for each in bench.store.list(prefix)]


class TestReading:
    async def test_a_listing_is_whole_and_in_order(self, bench: Bench) -> None:
        wanted = [f"dataset/episode_{number:03d}/actions.jsonl" for number in range(10)]
        for name in (*reversed(wanted), "ssot/PLAN.md", "dataset.txt"):
            bench.seed(name, name.encode())
        assert await names(bench, "dataset/") == wanted
        assert len(await names(bench)) == 12

    async def test_a_listing_tells_size_and_checksum(self, bench: Bench) -> None:
        bench.seed("dataset/a", b"abc")
        [found] = [each async for each in bench.store.list("dataset/")]
        assert found.holds(3, crc32c(b"abc"))
        assert found == await bench.store.stat("dataset/a")

    async def test_the_next_level_is_listed_without_what_lies_below(self, bench: Bench) -> None:
        for name in ("checkpoints/b/x/y", "checkpoints/a/z", "checkpoints/loss_curve.png"):
            bench.seed(name, b"1")
        assert await bench.store.list_dirs("checkpoints/") == ("checkpoints/a/", "checkpoints/b/")

    async def test_what_is_not_there_is_not_found(self, bench: Bench, tmp_path: Path) -> None:
        assert await bench.store.stat("dataset/a") is None
        assert await names(bench, "dataset/") == []
        assert await bench.store.list_dirs("dataset/") == ()
        with pytest.raises(NotFound):
            await bench.store.get_bytes("dataset/a")
        with pytest.raises(NotFound):
            await bench.store.get_file("dataset/a", tmp_path / "a")

    async def test_a_file_arrives_whole(self, bench: Bench, tmp_path: Path) -> None:
        bench.seed("dataset/ü a#b?c%41+d", LARGE)
        told: list[tuple[int, int]] = []
        await bench.store.get_file(
            "dataset/ü a#b?c%41+d", tmp_path / "d" / "a", progress=lambda *step: told.append(step)
        )
        assert (tmp_path / "d" / "a").read_bytes() == LARGE
        assert told[-1] == (len(LARGE), len(LARGE))

    async def test_an_empty_object_is_an_object(self, bench: Bench, tmp_path: Path) -> None:
        bench.seed("dataset/empty", b"")
        await bench.store.get_file("dataset/empty", tmp_path / "empty")
        assert (tmp_path / "empty").read_bytes() == b""
        assert (await bench.store.get_bytes("dataset/empty"))[0] == b""

    async def test_a_read_is_pinned_to_the_generation_it_asks_for(self, bench: Bench, tmp_path: Path) -> None:
        bench.seed("dataset/a", b"old")
        old = await bench.store.stat("dataset/a")
        assert old
        wrong = Obj(old.name, old.size, old.crc32c, old.generation + 7)
        with pytest.raises(NotFound):
            await bench.store.get_file("dataset/a", tmp_path / "out" / "a", want=wrong)
        assert files_in(tmp_path / "out") == {}

    async def test_other_bytes_than_wanted_leave_the_former_file_in_place(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        bench.seed("dataset/a", b"new")
        found = await bench.store.stat("dataset/a")
        assert found
        dest = tmp_path / "out" / "a"
        dest.parent.mkdir()
        dest.write_bytes(b"old")
        with pytest.raises(IntegrityError):
            await bench.store.get_file(
                "dataset/a", dest, want=Obj(found.name, 3, crc32c(b"xyz"), found.generation)
            )
        assert [path.name for path in dest.parent.iterdir()] == ["a"]
        assert dest.read_bytes() == b"old"

    async def test_what_is_too_large_for_memory_is_refused(self, bench: Bench) -> None:
        bench.seed("ssot/PLAN.md", b"12345")
        assert (await bench.store.get_bytes("ssot/PLAN.md", limit=5))[0] == b"12345"
        with pytest.raises(TooLarge):
            await bench.store.get_bytes("ssot/PLAN.md", limit=4)


class TestWriting:
    @pytest.mark.parametrize("data", [b"", b"small", LARGE], ids=["empty", "small", "large"])
    async def test_what_is_put_can_be_read(self, bench: Bench, tmp_path: Path, data: bytes) -> None:
        source = tmp_path / "model.safetensors"
        source.write_bytes(data)
        put = await bench.store.put_file("checkpoints/model.safetensors", source)
        assert put.holds(len(data), crc32c(data))
        assert bench.contents() == {"checkpoints/model.safetensors": data}
        assert (await bench.store.get_bytes("checkpoints/model.safetensors"))[0] == data

    async def test_a_write_replaces_only_what_it_names(self, bench: Bench) -> None:
        first = await bench.store.put_bytes("checkpoints/a", b"1", if_generation=0)
        with pytest.raises(PreconditionFailed):
            await bench.store.put_bytes("checkpoints/a", b"2", if_generation=0)
        second = await bench.store.put_bytes("checkpoints/a", b"2", if_generation=first.generation)
        assert second.generation > first.generation
        with pytest.raises(PreconditionFailed):
            await bench.store.delete("checkpoints/a", if_generation=first.generation)
        await bench.store.delete("checkpoints/a", if_generation=second.generation)
        assert bench.contents() == {}

    async def test_of_two_writers_who_saw_the_same_one_wins(self, bench: Bench) -> None:
        writes = (bench.store.put_bytes("checkpoints/a", data, if_generation=0) for data in (b"1", b"2"))
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert sorted(type(each).__name__ for each in results) == ["Obj", "PreconditionFailed"]

    async def test_a_copy_is_pinned_at_both_ends(self, bench: Bench) -> None:
        made = await bench.store.put_bytes("checkpoints/a", b"1")
        copied = await bench.store.copy(
            "checkpoints/a", "checkpoints/b", source_generation=made.generation, if_generation=0
        )
        assert copied.holds(1, crc32c(b"1"))
        with pytest.raises(NotFound):
            await bench.store.copy("checkpoints/a", "checkpoints/c", source_generation=made.generation + 1)
        await bench.store.put_bytes("checkpoints/a", b"2")
        with pytest.raises(PreconditionFailed):
            await bench.store.copy("checkpoints/a", "checkpoints/b", if_generation=0)
        assert bench.contents() == {"checkpoints/a": b"2", "checkpoints/b": b"1"}

    async def test_deleting_what_is_not_there_is_done_already(self, bench: Bench) -> None:
        await bench.store.delete("checkpoints/never")

    async def test_a_cancelled_write_leaves_nothing_behind(self, bench: Bench, tmp_path: Path) -> None:
        source = tmp_path / "model"
        source.write_bytes(LARGE)
        writing = asyncio.create_task(bench.store.put_file("checkpoints/model", source))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait([writing])
        assert writing.cancelled()
        assert {name for name in files_in(tmp_path) if ".~" in name} <= {"bucket/.~bucket/lock"}


class TestBounds:
    @pytest.mark.parametrize(
        "name", ["ssot/PLAN.md", "dataset/a", "lessons/cycle01.md", "checkpoints", "Checkpoints/a"]
    )
    async def test_nothing_is_written_outside_checkpoints(
        self, bench: Bench, tmp_path: Path, name: str
    ) -> None:
        bench.seed("ssot/PLAN.md", b"plan")
        source = tmp_path / "file"
        source.write_bytes(b"x")
        writes = (
            bench.store.put_bytes(name, b"x"),
            bench.store.put_file(name, source),
            bench.store.copy("ssot/PLAN.md", name),
            bench.store.delete(name),
        )
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert {type(each) for each in results} == {WriteDenied}
        assert bench.contents() == {"ssot/PLAN.md": b"plan"}

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "/etc/passwd",
            "checkpoints/../ssot/PLAN.md",
            "checkpoints/./a",
            "checkpoints//a",
            "a\\b",
            "a\nb",
            "é" * 513,
        ],
    )
    async def test_a_bad_name_is_refused_everywhere(self, bench: Bench, tmp_path: Path, name: str) -> None:
        errands = (
            bench.store.stat(name),
            bench.store.get_bytes(name),
            bench.store.get_file(name, tmp_path / "a", want=Obj(name, 1, "", 1)),
            bench.store.put_bytes(name, b""),
            bench.store.copy(name, "checkpoints/a"),
            bench.store.delete(name),
        )
        results = await asyncio.gather(*errands, return_exceptions=True)
        assert {type(each) for each in results} == {BadName}
