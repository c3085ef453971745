import asyncio
import errno
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.effects import (
    BringBack,
    Effect,
    FetchData,
    FetchWeights,
    ForgetCheckpoint,
    HandOn,
    LookAtPlan,
    PublishBest,
    PublishCheckpoint,
    PublishCurve,
    ReadTerms,
    VerifyCheckpoint,
)
from bot.core.events import (
    BestLost,
    BestPublished,
    BroughtBack,
    CheckpointForgotten,
    CheckpointLost,
    CheckpointPublished,
    CheckpointVerified,
    CurvePublished,
    DataFetched,
    Event,
    FetchFailed,
    HandedOn,
    PlanSeen,
    RowsFetched,
    TermsRead,
    TermsUnreadable,
    WeightsFetched,
    WeightsRefused,
)
from bot.core.state import Awaited, Best, Checkpoint, Cycle, Shelf, State, Unread
from bot.shell.bucket import BucketUrl, open_bucket
from bot.shell.bucket.errors import AccessDenied
from bot.shell.bucket.folder import FolderStore
from bot.shell.bucket.manifest import read_manifest
from bot.shell.deciding.lanes import Lane, Later
from bot.shell.freight import SHELF, Freight, outgoing
from bot.shell.freight.what_to_do import later
from bot.shell.machine.places import Places
from bot.shell.remembering import tables
from bot.shell.remembering.store import Store
from bot.shell.remembering.tables import Record
from protocol.saved import MANIFEST, damage, manifest_of

from .diary import desk_with_diary

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = "cycle01"


class Yard:
    """A folder bucket, a desk that remembers, and one order at a time."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.bucket = folder / "bucket"
        self.bucket.mkdir()
        self.places = Places(folder / "state")
        self.store = store
        self.news = asyncio.Event()
        self.desk, self.events = desk_with_diary(store, self.news.set)
        self.url = BucketUrl.parse(self.bucket.as_uri())
        self.freight = Freight(self.url, open_bucket(self.url), self.places, self.desk)

    async def owe(self, *orders: Effect) -> None:
        await self.store.ask(tables.record, Record(at=NOON, state=State(), owed=orders))

    async def failing(self, order: Effect) -> Later:
        with pytest.raises(Later) as later:
            await self.carry(order)
        return later.value

    async def heard_of(self, kind: type[Event], times: int = 1) -> None:
        async with asyncio.timeout(10):
            while sum(isinstance(one, kind) for one in self.events) < times:
                self.news.clear()
                await self.news.wait()

    async def carry(self, order: Effect) -> Event:
        await self.owe(order)
        await self.freight.carry(order)
        assert not await self.store.ask(tables.owes, order.key), "it was settled with its event"
        return self.events[-1]

    def put(self, name: str, content: str) -> None:
        path = self.bucket / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def save(self, name: str, content: str = "weights", run: str = RUN) -> None:
        """A file as the trainer writes it; a checkpoint's folder gets its manifest."""
        path = self.places.run(run).path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        for folder in path.parents:
            if folder.name.startswith("epoch_"):
                (folder / MANIFEST).write_bytes(manifest_of(folder))


@pytest.fixture
async def yard(tmp_path: Path, store: Store) -> AsyncIterator[Yard]:
    yard = Yard(tmp_path, store)
    task = asyncio.create_task(yard.desk.run())
    yield yard
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def publish(epoch: int) -> PublishCheckpoint:
    return PublishCheckpoint(cycle=1, run=RUN, epoch=epoch, folder=f"checkpoints/epoch_{epoch:03d}", meta={})


def fetch(source: str) -> FetchData:
    return FetchData(cycle=1, source=source, asked=1)


async def test_the_data_set_comes_to_this_machine(yard: Yard) -> None:
    yard.put("dataset/episode_000/metadata.json", "{}")
    for source in ("dataset/", f"{yard.bucket.as_uri()}/dataset/"):
        event = await yard.carry(fetch(source).model_copy(update={"asked": hash(source)}))
        assert isinstance(event, DataFetched)
        assert event.files == 1
        assert (yard.places.dataset(source) / "episode_000/metadata.json").read_text() == "{}"
    assert yard.desk.gauges.transfer is None


async def test_the_rows_are_told_of_before_the_videos_come(yard: Yard) -> None:
    yard.put("dataset/episode_000/actions.jsonl", "{}")
    yard.put("dataset/episode_000/ego.mp4", "video")
    await yard.carry(fetch("dataset/"))
    rows, _ = yard.events
    assert isinstance(rows, RowsFetched)
    assert rows.coming_bytes == 5
    await yard.carry(fetch("dataset/").model_copy(update={"asked": 2}))
    assert [type(event) for event in yard.events] == [RowsFetched, DataFetched, DataFetched]


@pytest.mark.parametrize(
    ("source", "cause"),
    [("dataset/", "no_data"), ("gs://another-bucket/dataset/", "foreign_bucket"), ("../etc", "no_data")],
)
async def test_data_that_cannot_be_had_is_said_at_once(yard: Yard, source: str, cause: str) -> None:
    event = await yard.carry(fetch(source))
    assert isinstance(event, FetchFailed)
    assert event.cause == cause
    assert "\n" not in event.problem


async def test_terms_are_what_lies_in_the_bucket(yard: Yard) -> None:
    yard.put("ssot/PLAN.md", "# PLAN\n```yaml\ntraining:\n  epochs: 7\n```\n")
    yard.put("lessons/cycle00.md", "- [학습] batch_size 64에서 GPU 메모리 부족\n")
    event = await yard.carry(ReadTerms(cycle=1, asked=1))
    assert isinstance(event, TermsRead)
    assert event.plan is not None
    assert event.plan.config.training.epochs == 7
    assert [(one.name, one.lessons is None) for one in event.files] == [
        ("lessons/cycle01.md", True),
        ("lessons/cycle00.md", False),
    ]


async def test_no_terms_are_terms_too(yard: Yard) -> None:
    event = await yard.carry(ReadTerms(cycle=0, asked=1))
    assert isinstance(event, TermsRead)
    assert event.plan is None
    assert [one.name for one in event.files] == ["lessons/cycle00.md"]


async def test_a_broken_plan_is_told_with_its_errors(yard: Yard) -> None:
    yard.put("ssot/PLAN.md", "```yaml\ntraining:\n  epochs: many\n```\n")
    event = await yard.carry(ReadTerms(cycle=1, asked=1))
    assert isinstance(event, TermsUnreadable)
    assert event.errors


async def test_a_plan_is_looked_at_again_without_the_rest(yard: Yard) -> None:
    seen: list[PlanSeen] = []
    for asked, epochs in enumerate(("", "7", "many"), start=2):
        if epochs:
            yard.put("ssot/PLAN.md", f"```yaml\ntraining:\n  epochs: {epochs}\n```\n")
        event = await yard.carry(LookAtPlan(cycle=1, asked=asked))
        assert isinstance(event, PlanSeen)
        seen.append(event)
    assert [one.plan and one.plan.config.training.epochs for one in seen] == [None, 7, None]
    assert [one.readable for one in seen] == [True, True, False]


async def test_a_list_of_something_else_is_not_weighed_for_minutes(yard: Yard) -> None:
    yard.put("lessons/cycle01.md", "## 레슨런\n" + "".join(f"- a {number}\n" for number in range(20_000)))
    event = await yard.carry(ReadTerms(cycle=1, asked=1))
    assert isinstance(event, TermsUnreadable)
    assert event.errors == ("lessons/cycle01.md holds 20000 lessons, more than 500: is it the right file?",)


async def test_a_run_reaches_the_bucket_and_is_handed_on(yard: Yard) -> None:
    yard.save("checkpoints/epoch_050/pretrained_model/model.safetensors")
    yard.save("checkpoints/best/epoch_050/model.safetensors")
    yard.save("loss_curve.png", "picture")
    meta: dict[str, str | int | float] = {"cycle": 1, "epoch": 50, "loss": 0.5, "config": "abc"}
    published = await yard.carry(
        PublishCheckpoint(cycle=1, run=RUN, epoch=50, folder="checkpoints/epoch_050", meta=meta)
    )
    assert isinstance(published, CheckpointPublished)
    manifest = await read_manifest(open_bucket(yard.url), "checkpoints/cycle01/act_epoch_050/")
    assert manifest
    assert (manifest.loss, manifest.config_hash, manifest.certificate) == (0.5, "abc", "")
    best = PublishBest(cycle=1, run=RUN, epoch=50, folder="checkpoints/best/epoch_050", meta=meta)
    assert isinstance(await yard.carry(best), BestPublished)
    assert isinstance(await yard.carry(PublishCurve(cycle=1, run=RUN, epoch=50)), CurvePublished)
    handed = await yard.carry(HandOn(cycle=1, run=RUN))
    assert isinstance(handed, HandedOn)
    assert handed.manifest
    for name in ("act_epoch_050/pretrained_model/model.safetensors", "act_best/model.safetensors"):
        for folder in ("checkpoints", "checkpoints/cycle01"):
            assert (yard.bucket / folder / name).read_text() == "weights"
    assert (yard.bucket / "checkpoints/loss_curve.png").read_text() == "picture"


async def test_a_checkpoint_is_forgotten_everywhere_but_where_another_run_stands(yard: Yard) -> None:
    for epoch in (50, 100):
        folder = f"checkpoints/epoch_{epoch:03d}"
        yard.save(f"{folder}/model.safetensors")
        await yard.carry(PublishCheckpoint(cycle=1, run=RUN, epoch=epoch, folder=folder, meta={}))
    yard.save("checkpoints/epoch_100/model.safetensors", "newer weights", run="cycle02")
    newer = PublishCheckpoint(cycle=2, run="cycle02", epoch=100, folder="checkpoints/epoch_100", meta={})
    await yard.carry(newer)
    for epoch in (50, 100):
        folder = f"checkpoints/epoch_{epoch:03d}"
        event = await yard.carry(ForgetCheckpoint(cycle=1, run=RUN, epoch=epoch, folder=folder))
        assert isinstance(event, CheckpointForgotten)
        assert not (yard.places.run(RUN).path / folder).exists()
        assert not (yard.bucket / f"checkpoints/cycle01/act_epoch_{epoch:03d}/model.safetensors").exists()
    assert not (yard.bucket / "checkpoints/act_epoch_050/model.safetensors").exists()
    assert (yard.bucket / "checkpoints/act_epoch_100/model.safetensors").read_text() == "newer weights"


class TestWhatCannotBePublished:
    async def test_is_owed_still_and_says_where_and_what_to_do(self, yard: Yard) -> None:
        later = await yard.failing(publish(50))
        assert later.alarming
        assert str(later).endswith("checkpoints/epoch_050/manifest.json: No such file or directory")
        here, there = later.where.split(" → ")
        assert here == str(yard.places.run(RUN).path / "checkpoints/epoch_050")
        assert there == f"{yard.bucket.as_uri()}/checkpoints/cycle01/act_epoch_050/"
        assert "되돌려 놓으면" in later.remedy
        assert "`!abandon 50`" in later.remedy
        assert await yard.store.ask(tables.owes, publish(50).key)

    async def test_keeps_no_other_checkpoint_from_the_bucket_and_comes_once_it_is_mended(
        self, yard: Yard
    ) -> None:
        yard.save("checkpoints/epoch_100/model.safetensors")
        yard.save("checkpoints/best/epoch_090/model.safetensors")
        best = PublishBest(cycle=1, run=RUN, epoch=90, folder="checkpoints/best/epoch_090", meta={})
        alarms: list[Later] = []

        async def alarm(_: Effect, later: Later) -> None:
            alarms.append(later)

        lane = Lane("shelf", SHELF, yard.store, yard.freight.carry, alarm, pause=lambda _: 0.01)
        await yard.owe(publish(50), publish(100), best)
        task = asyncio.create_task(lane.run())
        at_home = yard.bucket / "checkpoints/cycle01"
        try:
            await yard.heard_of(BestPublished)
            assert (at_home / "act_epoch_100/model.safetensors").read_text() == "weights"
            assert (at_home / "act_best/model.safetensors").read_text() == "weights"
            assert not (at_home / "act_epoch_050").exists()
            yard.save("checkpoints/epoch_050/model.safetensors", "found again")
            await yard.heard_of(CheckpointPublished, 2)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert (at_home / "act_epoch_050/model.safetensors").read_text() == "found again"
        assert len(alarms) == 1

    async def test_because_half_of_it_is_gone_is_never_taken_for_whole(self, yard: Yard) -> None:
        yard.save("checkpoints/epoch_050/pretrained_model/model.safetensors")
        yard.save("checkpoints/epoch_050/README.md")
        (yard.places.run(RUN).checkpoint(50) / "pretrained_model/model.safetensors").unlink()
        yard.save("checkpoints/best/epoch_040/model.safetensors")
        (yard.places.run(RUN).best_at(40) / "model.safetensors").write_text("Weights")
        best = PublishBest(cycle=1, run=RUN, epoch=40, folder="checkpoints/best/epoch_040", meta={})
        for order, why in ((publish(50), "No such file"), (best, "not what manifest.json says")):
            later = await yard.failing(order)
            assert later.alarming
            assert f"model.safetensors: {why}" in str(later)
        assert not (yard.bucket / "checkpoints").exists()

    async def test_is_let_go_once_it_is_given_up(self, yard: Yard) -> None:
        yard.desk.state = has_given_up(50)
        event = await yard.carry(publish(50))
        assert isinstance(event, CheckpointLost)
        assert event.damage.endswith("manifest.json: No such file or directory")
        assert not (yard.bucket / "checkpoints").exists()

    async def test_but_is_whole_goes_up_though_it_was_given_up(self, yard: Yard) -> None:
        yard.desk.state = has_given_up(50)
        yard.save("checkpoints/epoch_050/model.safetensors")
        assert isinstance(await yard.carry(publish(50)), CheckpointPublished)

    async def test_is_let_go_if_it_is_the_best_and_was_given_up(self, yard: Yard) -> None:
        best = Best(epoch=40, folder="checkpoints/best/epoch_040", loss=0.1, safe_epoch=30, given_up=True)
        yard.desk.state = with_shelf(Shelf(best=best))
        event = await yard.carry(PublishBest(cycle=1, run=RUN, epoch=40, folder=best.folder, meta={}))
        assert isinstance(event, BestLost)
        assert event.epoch == 40
        assert not (yard.bucket / "checkpoints").exists()

    async def test_is_not_asked_for_again_once_it_was_given_up(self, yard: Yard) -> None:
        gone = "checkpoints/best/epoch_040"
        best = Best(epoch=30, folder=gone, loss=None, asked_epoch=30, safe_epoch=30, lost_epoch=40)
        yard.desk.state = with_shelf(Shelf(best=best))
        event = await yard.carry(PublishBest(cycle=1, run=RUN, epoch=40, folder=gone, meta={}))
        assert isinstance(event, BestPublished)
        assert event.epoch == 30

    async def test_of_a_run_that_is_over_is_owed_still(self, yard: Yard) -> None:
        yard.desk.state = has_given_up(50, run="another run")
        assert (await yard.failing(publish(50))).alarming

    async def test_for_want_of_a_permission_is_one_trouble_of_all(self, yard: Yard) -> None:
        for epoch in (50, 100):
            yard.save(f"checkpoints/epoch_{epoch:03d}/model.safetensors")
        yard.freight = Freight(yard.url, Refusing(yard.bucket), yard.places, yard.desk)
        first, second = [await yard.failing(publish(epoch)) for epoch in (50, 100)]
        assert first.about == second.about != ""
        assert "training-claw doctor" in first.remedy

    async def test_for_want_of_room_says_how_to_make_some(self, yard: Yard) -> None:
        error = OSError(errno.ENOSPC, "No space left on device", "/var/lib/training-claw/x")
        told = later(publish(50), error, yard.url, yard.places)
        assert str(told) == "/var/lib/training-claw/x: No space left on device"
        assert "state tidy" in told.remedy

    async def test_is_told_with_the_best_that_is_to_go_up_by_now(self, yard: Yard) -> None:
        yard.desk.state = knows_a_best(epoch=12, folder="checkpoints/best/epoch_012")
        gone = PublishBest(cycle=1, run=RUN, epoch=10, folder="checkpoints/best/epoch_010", meta={})
        assert "best/epoch_012 → " in (await yard.failing(gone)).where


class Refusing(FolderStore):
    """A bucket whose listing is not for us."""

    async def list_dirs(self, prefix: str) -> tuple[str, ...]:
        raise AccessDenied(f"list {prefix}: refused; give this machine a role")


async def test_a_better_best_that_came_meanwhile_goes_up_instead(yard: Yard) -> None:
    """The trainer keeps only its newest two; the folder an old order names may be gone."""
    yard.save("checkpoints/best/epoch_012/model.safetensors", "better weights")
    yard.desk.state = knows_a_best(epoch=12, folder="checkpoints/best/epoch_012")
    gone = PublishBest(cycle=1, run=RUN, epoch=10, folder="checkpoints/best/epoch_010", meta={"loss": 0.2})
    event = await yard.carry(gone)
    assert isinstance(event, BestPublished)
    assert event.epoch == 12
    at_home = yard.bucket / "checkpoints/cycle01/act_best/model.safetensors"
    assert at_home.read_text() == "better weights"


async def test_a_checkpoint_is_read_again_and_held_against_its_manifest(yard: Yard) -> None:
    async def looked_at(asked: int) -> CheckpointVerified:
        event = await yard.carry(VerifyCheckpoint(path="checkpoints/act_epoch_050/", asked=asked))
        assert isinstance(event, CheckpointVerified)
        return event

    assert (await looked_at(1)).what == ""
    yard.save("checkpoints/epoch_050/model.safetensors")
    await yard.carry(PublishCheckpoint(cycle=1, run=RUN, epoch=50, folder="checkpoints/epoch_050", meta={}))
    whole = await looked_at(2)
    assert whole.faults == ()
    assert "cycle 1, epoch 50" in whole.what
    yard.put("checkpoints/act_epoch_050/model.safetensors", "other weights")
    (fault,) = (await looked_at(3)).faults
    assert "model.safetensors" in fault


def knows_a_best(epoch: int, folder: str) -> State:
    return with_shelf(Shelf(best=Best(epoch=epoch, folder=folder, loss=0.1)))


def has_given_up(epoch: int, run: str = RUN) -> State:
    given_up = Checkpoint(epoch=epoch, folder=publish(epoch).folder, status="given_up")
    return with_shelf(Shelf(checkpoints=(given_up,)), run)


def with_shelf(shelf: Shelf, run: str = RUN) -> State:
    cycle = Cycle(
        number=1,
        opened_at=NOON,
        run_name=run,
        data=Awaited(since=NOON),
        terms=Unread(heard=(), since=NOON),
        shelf=shelf,
    )
    return State(cycle=cycle)


async def test_a_best_that_makes_way_while_it_is_read_is_no_damage(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.desk.state = knows_a_best(epoch=10, folder="checkpoints/best/epoch_010")
    yard.save("checkpoints/best/epoch_012/model.safetensors", "better weights")

    def reads(folder: Path) -> str | None:
        if folder.name == "epoch_010":
            yard.desk.state = knows_a_best(epoch=12, folder="checkpoints/best/epoch_012")
        return damage(folder)

    monkeypatch.setattr(outgoing, "damage", reads)
    order = PublishBest(cycle=1, run=RUN, epoch=10, folder="checkpoints/best/epoch_010", meta={})
    event = await yard.carry(order)
    assert isinstance(event, BestPublished)
    assert event.epoch == 12


def weights(path: str) -> FetchWeights:
    return FetchWeights(cycle=2, run="cycle02", path=path, asked=1)


async def test_a_checkpoint_of_ours_comes_to_where_the_next_run_starts_from_it(yard: Yard) -> None:
    yard.save("checkpoints/best/epoch_040/model.safetensors", "best")
    meta: dict[str, str | int | float] = {"cycle": 1, "epoch": 40}
    folder = "checkpoints/best/epoch_040"
    await yard.carry(PublishBest(cycle=1, run=RUN, epoch=40, folder=folder, meta=meta))
    event = await yard.carry(weights("checkpoints/cycle01/act_best"))
    assert isinstance(event, WeightsFetched)
    assert (yard.places.run("cycle02").initial / "model.safetensors").read_text() == "best"


async def test_a_foreign_checkpoint_comes_as_it_lies_there(yard: Yard) -> None:
    yard.put("checkpoints/old/pretrained_model/model.safetensors", "old")
    assert isinstance(await yard.carry(weights("checkpoints/old")), WeightsFetched)
    where = yard.places.run("cycle02").initial / "pretrained_model"
    assert yard.places.initial_weights("cycle02") == where


@pytest.mark.parametrize(("path", "why"), [("nowhere", "checkpoint가 없음"), ("notes", "model.safetensors")])
async def test_what_is_no_checkpoint_is_refused_by_name(yard: Yard, path: str, why: str) -> None:
    yard.put("checkpoints/notes/README.md", "nothing here")
    event = await yard.carry(weights(f"checkpoints/{path}"))
    assert isinstance(event, WeightsRefused)
    assert why in event.problem
    assert f"checkpoints/{path}" in event.problem


class TestWhatALostMachineLeft:
    async def test_comes_back_with_its_best(self, yard: Yard) -> None:
        yard.save("checkpoints/epoch_050/trainer_state.json", "fifty")
        yard.save("checkpoints/best/epoch_040/trainer_state.json", "forty")
        meta: dict[str, str | int | float] = {"certificate": "c", "config": "d"}
        folder = "checkpoints/epoch_050"
        await yard.carry(PublishCheckpoint(cycle=1, run=RUN, epoch=50, folder=folder, meta=meta))
        folder = "checkpoints/best/epoch_040"
        await yard.carry(PublishBest(cycle=1, run=RUN, epoch=40, folder=folder, meta=meta))
        read = await yard.carry(ReadTerms(cycle=1, asked=1))
        assert isinstance(read, TermsRead)
        assert read.left is not None
        back = await yard.carry(BringBack(cycle=1, run="anew", of=RUN, epoch=50, asked=2))
        assert back == BroughtBack(at=back.at, cycle=1, epoch=50, whole=True, epochs=(50,))
        left = yard.places.run("anew").left
        assert (left / "checkpoint" / "trainer_state.json").read_text() == "fifty"
        assert (left / "best" / "trainer_state.json").read_text() == "forty"

    async def test_that_is_gone_is_said_to_be(self, yard: Yard) -> None:
        back = await yard.carry(BringBack(cycle=1, run="anew", of=RUN, epoch=50, asked=2))
        assert back == BroughtBack(at=back.at, cycle=1, epoch=50, whole=False)
