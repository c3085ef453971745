"""What the bucket has of a cycle that is not known here, and how it comes back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.state import Finished, State
from bot.shell.bucket import Meta, ObjectStore, open_bucket, publish_checkpoint
from bot.shell.bucket.left import left_of
from protocol.training import TrainingConfig

LOST = "cycle01-20260228T010000"
META = Meta(certificate="c" * 64, config_hash="abc")


class Bucket:
    """What a lost machine wrote to it."""

    def __init__(self, folder: Path, store: ObjectStore) -> None:
        self.folder = folder
        self.store = store

    def save(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        (path / "trainer_state.json").write_text(content)
        return path

    async def has(self, epoch: int, run: str = LOST, meta: Meta = META) -> None:
        saved = self.save(f"{run}-{epoch}", f"epoch {epoch}")
        await publish_checkpoint(self.store, saved, 1, epoch, run, meta)


@pytest.fixture
async def bucket(tmp_path: Path) -> AsyncIterator[Bucket]:
    (tmp_path / "bucket").mkdir()
    store = open_bucket((tmp_path / "bucket").as_uri())
    yield Bucket(tmp_path, store)
    await store.close()


class TestLookingForIt:
    async def test_the_newest_checkpoint_is_found_by_its_number(self, bucket: Bucket) -> None:
        for epoch in (50, 100, 1000):
            await bucket.has(epoch)
        left = await left_of(bucket.store, 1, State())
        assert left is not None
        assert (left.run, left.epoch, left.certificate, left.config) == (LOST, 1000, "c" * 64, "abc")

    async def test_another_cycle_s_is_none(self, bucket: Bucket) -> None:
        await bucket.has(50)
        assert await left_of(bucket.store, 2, State()) is None

    async def test_one_of_which_nobody_knows_how_it_was_learned_is_none(self, bucket: Bucket) -> None:
        await bucket.has(50, meta=Meta())
        assert await left_of(bucket.store, 1, State()) is None

    async def test_a_cycle_that_was_finished_here_is_trained_anew(self, bucket: Bucket) -> None:
        await bucket.has(50)
        over = Finished(number=1, done=True, source="", certificate="", config=TrainingConfig())
        assert await left_of(bucket.store, 1, State(finished=(over,))) is None

    async def test_an_empty_bucket_has_none(self, bucket: Bucket) -> None:
        assert await left_of(bucket.store, 1, State()) is None

    async def test_what_nobody_can_name_does_not_keep_a_cycle_from_its_terms(self, bucket: Bucket) -> None:
        await bucket.has(50)
        (bucket.folder / "bucket" / "checkpoints" / "a\\b").mkdir()
        (bucket.folder / "bucket" / "checkpoints" / "a\\b" / "c\nd").write_text("")
        await left_of(bucket.store, 1, State())
