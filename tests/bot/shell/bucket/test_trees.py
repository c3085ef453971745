"""Data sets and texts on their way to this machine."""

import os
from pathlib import Path

import pytest

from bot.shell.bucket import Fetched, fetch_dataset, read_text, settle
from bot.shell.bucket.errors import BadContent, BadName, NotFound, StoreError, TooLarge

from .workbench import Bench, files_in

EPISODE = {"ego.mp4": b"video" * 1000, "actions.jsonl": b"{}\n", "metadata.json": b"{}"}


def seed_dataset(bench: Bench, episodes: int) -> dict[str, bytes]:
    files = {f"episode_{n:03d}/{name}": data for n in range(episodes) for name, data in EPISODE.items()}
    for name, data in files.items():
        bench.seed(f"dataset/{name}", data)
    return files


class TestFetchingADataset:
    @pytest.mark.parametrize("prefix", ["dataset/", "dataset"])
    async def test_the_folder_becomes_like_the_bucket(
        self, bench: Bench, tmp_path: Path, prefix: str
    ) -> None:
        files = seed_dataset(bench, 3)
        told: list[tuple[int, int]] = []
        fetched = await fetch_dataset(bench.store, prefix, tmp_path / "data", lambda *step: told.append(step))
        total = sum(map(len, files.values()))
        assert fetched == Fetched(9, total, 9, total, 0)
        assert files_in(tmp_path / "data") == files
        assert (told[0], told[-1]) == ((0, total), (total, total))

    async def test_only_what_changed_travels_again(self, bench: Bench, tmp_path: Path) -> None:
        files = seed_dataset(bench, 3)
        await fetch_dataset(bench.store, "dataset/", tmp_path / "data")
        bench.seed("dataset/episode_001/actions.jsonl", b"[]\n")  # as long as before
        bench.seed("dataset/episode_003/metadata.json", b"new")
        fetched = await fetch_dataset(bench.store, "dataset/", tmp_path / "data")
        assert (fetched.files, fetched.new_files, fetched.new_bytes) == (10, 2, 6)
        changed = {"episode_001/actions.jsonl": b"[]\n", "episode_003/metadata.json": b"new"}
        assert files_in(tmp_path / "data") == files | changed

    async def test_a_damaged_local_file_is_fetched_again(self, bench: Bench, tmp_path: Path) -> None:
        files = seed_dataset(bench, 1)
        await fetch_dataset(bench.store, "dataset/", tmp_path / "data")
        (tmp_path / "data/episode_000/metadata.json").write_bytes(b"[]")
        assert (await fetch_dataset(bench.store, "dataset/", tmp_path / "data")).new_files == 1
        assert files_in(tmp_path / "data") == files

    async def test_local_extras_go_and_links_are_not_followed(self, bench: Bench, tmp_path: Path) -> None:
        files = seed_dataset(bench, 1)
        extra = tmp_path / "data/episode_009"
        extra.mkdir(parents=True)
        (extra / "ego.mp4").write_bytes(b"old")
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere/precious").write_bytes(b"1")
        (tmp_path / "data/link").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "data/episode_000").write_bytes(b"a file where a folder is to be")
        fetched = await fetch_dataset(bench.store, "dataset/", tmp_path / "data")
        assert fetched.removed == 3
        assert not extra.exists()
        assert files_in(tmp_path / "data") == files
        assert files_in(tmp_path / "elsewhere") == {"precious": b"1"}

    async def test_every_file_and_folder_is_settled_on_the_disk(
        self, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = seed_dataset(bench, 2)
        await fetch_dataset(bench.store, "dataset/", tmp_path / "data")
        settled: list[Path] = []
        fsync = os.fsync

        def seen(descriptor: int) -> None:
            settled.append(Path(f"/proc/self/fd/{descriptor}").readlink())
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", seen)
        settle(tmp_path / "data")
        folders = {"", "episode_000", "episode_001"}
        assert sorted(settled) == sorted(tmp_path / "data" / name for name in {*files, *folders})

    async def test_a_single_object_is_a_dataset_too(self, bench: Bench, tmp_path: Path) -> None:
        bench.seed("dataset/all.h5", b"hdf5")
        await fetch_dataset(bench.store, "dataset/all.h5", tmp_path / "data")
        assert files_in(tmp_path / "data") == {"all.h5": b"hdf5"}

    async def test_nothing_there_is_named(self, bench: Bench, tmp_path: Path) -> None:
        bench.seed("dataset2/a", b"1")
        with pytest.raises(NotFound, match="dataset/ holds nothing"):
            await fetch_dataset(bench.store, "dataset/", tmp_path / "data")

    async def test_the_whole_bucket_is_no_dataset(self, bench: Bench, tmp_path: Path) -> None:
        with pytest.raises(BadName, match="no data set"):
            await fetch_dataset(bench.store, "", tmp_path / "data")


class TestRowsComeBeforeVideos:
    async def test_when_they_are_told_of_all_is_here_but_the_videos(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        files = seed_dataset(bench, 3)
        seen: list[tuple[int, set[str]]] = []

        async def rows_here(coming_bytes: int) -> None:
            seen.append((coming_bytes, {*files_in(tmp_path / "data")}))

        await fetch_dataset(bench.store, "dataset/", tmp_path / "data", rows_here=rows_here)
        assert seen == [(3 * 5000, {name for name in files if not name.endswith(".mp4")})]
        assert files_in(tmp_path / "data") == files

    async def test_what_lies_there_by_then_is_right(self, bench: Bench, tmp_path: Path) -> None:
        """Handed over again, one video made anew: the former one is gone before anybody looks."""
        seed_dataset(bench, 2)
        await fetch_dataset(bench.store, "dataset/", tmp_path / "data")
        bench.seed("dataset/episode_001/ego.mp4", b"oediv" * 1000)
        videos: list[str] = []

        async def rows_here(coming_bytes: int) -> None:
            assert coming_bytes == 5000
            videos.extend(name for name in files_in(tmp_path / "data") if name.endswith(".mp4"))

        await fetch_dataset(bench.store, "dataset/", tmp_path / "data", rows_here=rows_here)
        assert videos == ["episode_000/ego.mp4"]

    @pytest.mark.parametrize(
        "names",
        [
            ["all.h5"],
            ["meta/info.json", "videos/ego/chunk-000/file-000.mp4", "data/chunk-000/file-000.parquet"],
            ["episode_000/actions.jsonl", "episode_000/metadata.json"],
            ["episode_000/actions.jsonl", "notes/flight.mp4"],
        ],
        ids=["HDF5", "LeRobotDataset", "no videos", "videos elsewhere"],
    )
    async def test_of_another_set_nobody_hears_by_halves(
        self, bench: Bench, tmp_path: Path, names: list[str]
    ) -> None:
        for name in names:
            bench.seed(f"dataset/{name}", b"1")

        async def rows_here(coming_bytes: int) -> None:
            raise AssertionError(coming_bytes)

        await fetch_dataset(bench.store, "dataset/", tmp_path / "data", rows_here=rows_here)
        assert {*files_in(tmp_path / "data")} == {*names}


class TestReadingText:
    async def test_text_is_read(self, bench: Bench) -> None:
        bench.seed("lessons/cycle03.md", "\ufeff[학습] 배치 축소".encode())
        assert await read_text(bench.store, "lessons/cycle03.md") == "[학습] 배치 축소"

    async def test_a_text_that_is_not_there_is_none(self, bench: Bench) -> None:
        assert await read_text(bench.store, "lessons/cycle04.md") is None

    @pytest.mark.parametrize(
        ("data", "error"), [(b"x" * (256 * 1024 + 1), TooLarge), ("계획".encode("euc-kr"), BadContent)]
    )
    async def test_what_is_no_such_text_is_refused_in_one_line(
        self, bench: Bench, data: bytes, error: type[StoreError]
    ) -> None:
        bench.seed("ssot/PLAN.md", data)
        with pytest.raises(error, match=r"ssot/PLAN\.md") as refusal:
            await read_text(bench.store, "ssot/PLAN.md")
        assert "\n" not in str(refusal.value)
