"""A bad night in the channel: the real daemon, a real bucket, and an operator with nothing but his phone."""

from datetime import datetime
from pathlib import Path

from bot.core.effects import PublishCheckpoint
from bot.core.state import Awaited, Checkpoint, Cycle, Held, Shelf, State, Unread
from bot.rehearsal.cast import OPERATOR_ID
from bot.rehearsal.discord.record import Entry
from bot.rehearsal.troubles.trial import ROSTER, Trial, trial
from bot.shell.machine.places import Places
from bot.shell.remembering import tables
from bot.shell.remembering.tables import Record
from protocol.saved import MANIFEST, manifest_of
from protocol.training import TrainingConfig

RUN = "cycle01-20260301T000000"


def publish(epoch: int) -> PublishCheckpoint:
    return PublishCheckpoint(cycle=1, run=RUN, epoch=epoch, folder=f"checkpoints/epoch_{epoch:03d}", meta={})


async def answered(one: Trial, words: str, having: str) -> str:
    """The first answer to `words` that has this in it; asked again until there is one."""
    while True:
        asked = await one.server.say(OPERATOR_ID, words)
        answer = await one.server.record.until(lambda entry, asked=asked: is_answer(entry, asked.id))
        if having in answer.content:
            return answer.content


def is_answer(entry: Entry, asked: int) -> bool:
    return entry.author_id == ROSTER.training and entry.id > asked and "[ANSWER]" in entry.content


async def test_an_upload_that_fails_is_told_with_its_next_step_while_others_go_on(tmp_path: Path) -> None:
    runs = Places(tmp_path / "state").run(RUN).path / "checkpoints"
    async with trial(tmp_path) as one:
        (runs / "epoch_050").mkdir(parents=True)
        (runs / "epoch_100").mkdir()
        (runs / "epoch_100" / "model.safetensors").write_text("weights")
        (runs / "epoch_100" / MANIFEST).write_bytes(manifest_of(runs / "epoch_100"))
        house, orders = one.house, (publish(50), publish(100))
        record = Record(at=house.desk.now(), state=house.desk.state, owed=orders)
        await house.store.ask(tables.record, record)
        house.wake()
        alert = await one.server.record.until(lambda entry: "[ALERT]" in entry.content)
        assert OPERATOR_ID in alert.mentions
        assert "도움이 필요함: checkpoint 업로드 (cycle 1, epoch 50)" in alert.content
        assert f"위치: {runs / 'epoch_050'} → {(tmp_path / 'bucket').as_uri()}/checkpoints/" in alert.content
        assert "다음 단계: 그 폴더의 파일을 되돌려 놓으면" in alert.content
        told = await answered(one, "!status", "미룬 작업: checkpoint 업로드 (cycle 1, epoch 50), ")
        assert "재시도. 이유: " in told
        assert "operator: !status" in await answered(one, "!logs", " checkpoint 업로드 완료: epoch 100")
        there = tmp_path / "bucket" / "checkpoints" / "cycle01"
        assert (there / "act_epoch_100" / "model.safetensors").read_text() == "weights"
        assert not (there / "act_epoch_050").exists()


async def test_a_checkpoint_that_is_gone_can_be_given_up(tmp_path: Path) -> None:
    async with trial(tmp_path) as one:
        house, order = one.house, publish(50)
        lost = Checkpoint(epoch=50, folder=order.folder, status="saved")
        house.desk.state = with_shelf(house.desk.state, Shelf(checkpoints=(lost,)), house.desk.now())
        record = Record(at=house.desk.now(), state=house.desk.state, owed=(order,))
        await house.store.ask(tables.record, record)
        house.wake()
        alert = await one.server.record.until(lambda entry: "[ALERT]" in entry.content)
        assert "되돌릴 수 없으면 `!abandon 50`" in alert.content
        await answered(one, "!포기 50", "한 번 더 올려 봅니다")
        told = await one.server.record.until(lambda entry: "올리지 못함 (operator가 포기)" in entry.content)
        assert ROSTER.watcher in told.mentions
        assert "epoch 50: 포기함" in await answered(one, "!checkpoints", "epoch 50")
        assert not await house.store.ask(tables.owes, order.key)


def with_shelf(state: State, shelf: Shelf, at: datetime) -> State:
    cycle = Cycle(
        number=1,
        opened_at=at,
        run_name=RUN,
        data=Awaited(since=at),
        terms=Unread(heard=(), since=at),
        run=Held(cause="operator", why="a test", config=TrainingConfig(), since=at),
        shelf=shelf,
        on_hold=("operator",),
    )
    return state.model_copy(update={"cycle": cycle})


async def test_who_asks_for_logs_in_other_words_is_told_how(tmp_path: Path) -> None:
    async with trial(tmp_path) as one:
        assert "예: `!logs 20`" in await answered(one, "!logs abc", "`!logs abc`: 줄 수를")
