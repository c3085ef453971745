"""What is seen from outside is what `status --json` says."""

import asyncio
import fcntl
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from bot.core.effects import PublishCurve
from bot.core.policy import Policy
from bot.core.state import Awaited, Cycle, State, Training, Unread
from bot.shell.commands.status import status
from bot.shell.machine.fatal import Fatal
from bot.shell.machine.places import Places
from bot.shell.outlook.looking import look
from bot.shell.outlook.window import Window
from bot.shell.remembering import tables
from bot.shell.remembering.rows import Part
from bot.shell.remembering.store import Store
from bot.shell.remembering.tables import Record
from protocol.progress import Gpu, Stepped
from protocol.training import TrainingConfig

NOW = datetime.now(UTC)
RUN = "cycle07-20260301T000000"
PART = Part(ref="h0-1", part=1, parts=1, kind="receipt", recipients=(7,), content="<@7> hi\n-# h0-1")
GPU = Gpu(used_bytes=28_500_000_000, total_bytes=40_000_000_000, busy_share=0.97)


@pytest.fixture
async def places(tmp_path: Path, stepped: Callable[..., Stepped]) -> Places:
    """A training in epoch 42, a message and a picture owed for an hour, a trainer that is gone."""
    places, an_hour_ago = Places(tmp_path), NOW - timedelta(hours=1)
    run = Training(
        attempt=2, tries=1, config=TrainingConfig(), epoch=1, first_loss=None, last_loss=None, since=NOW
    )
    terms, data = Unread(heard=(), since=NOW), Awaited(since=NOW)
    cycle = Cycle(number=7, opened_at=NOW, run_name=RUN, data=data, terms=terms, run=run)
    owed = PublishCurve(cycle=7, run=RUN, epoch=3)
    store = await Store.open(places.database)
    await store.ask(
        tables.record, Record(at=an_hour_ago, state=State(cycle=cycle), parts=(PART,), owed=(owed,))
    )
    await store.close()
    folder = places.attempt(RUN, 2)
    folder.path.mkdir(parents=True)
    folder.lock.touch()
    line = stepped(NOW, epoch=42, loss=0.25, gpu=GPU)
    folder.events.write_text(line.model_dump_json() + "\n")
    return places


@asynccontextmanager
async def opened(
    places: Places,
    port: int = 0,
    silent_s: Callable[[], float] = lambda: 0.0,
    cramped_since: Callable[[], datetime | None] = lambda: None,
) -> AsyncIterator[str]:
    window = Window(places, Policy(), port, silent_s, cramped_since)
    running = asyncio.create_task(window.run())
    try:
        async with asyncio.timeout(20):
            yield await window.opened()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def got(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def test_prometheus_reads_what_status_says(places: Places) -> None:
    async with opened(places) as address:
        code, text = await got(f"{address}/metrics")
    assert code == 200
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    seen = {name.removeprefix("training_claw_"): samples[0].value for name, samples in families.items()}
    assert seen["epoch"] == 42
    assert seen["loss"] == 0.25
    assert seen["gpu_used_bytes"] == 28_500_000_000
    assert seen["gpu_busy_ratio"] == 0.97
    assert seen["owed_messages"] == 1
    assert seen["disk_free_bytes"] > 0
    assert seen["discord_connected"] == 1
    since_import_s = (datetime.now(UTC) - NOW).total_seconds()
    assert 3600 <= seen["message_lag_seconds"] <= 3600 + since_import_s
    assert 3600 <= seen["upload_lag_seconds"] <= 3600 + since_import_s
    assert "eta_seconds" not in seen, "what is not known is not shown"
    believed = {sample.labels["verdict"]: sample.value for sample in families["training_claw_trainer"]}
    assert believed == {"alive": 0, "stalled": 0, "dead": 1, "unknown": 0}
    phases = {sample.labels["track"]: sample.labels["phase"] for sample in families["training_claw_phase"]}
    assert phases == {"data": "awaited", "terms": "unread", "run": "training"}
    ran = await asyncio.to_thread(
        CliRunner().invoke, status, ["--json", "--state-dir", str(places.path)], catch_exceptions=False
    )
    told = json.loads(ran.output)
    assert told["stepped"]["epoch"] == 42
    assert told["owed"]["upload_waits_s"] >= 3600


@pytest.mark.parametrize(("spared", "believed"), [(None, "stalled"), (NOW, "alive")])
async def test_a_silence_that_the_core_let_pass_is_no_stall(
    places: Places, spared: datetime | None, believed: str
) -> None:
    store = await Store.open(places.database)
    known = await store.ask(tables.load)
    assert known is not None
    assert known.cycle is not None
    run = known.cycle.run.model_copy(update={"spared": spared})
    cycle = known.cycle.model_copy(update={"run": run})
    await store.ask(tables.record, Record(at=NOW, state=known.model_copy(update={"cycle": cycle})))
    await store.close()
    with places.attempt(RUN, 2).lock.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert look(places, Policy(), NOW + timedelta(minutes=7)).process == believed
        assert look(places, Policy(), NOW + timedelta(minutes=11)).process == "stalled"


async def test_health_is_the_daemon_s_own(places: Places) -> None:
    async with opened(places, silent_s=lambda: float("inf")) as address:
        code, text = await got(f"{address}/healthz")
        told = json.loads(text)
        assert (code, told["status"], told["discord"], told["process"]) == (200, "ok", "away", "dead")
        places.database.unlink()
        assert (await got(f"{address}/healthz"))[0] == 503
        assert (await got(f"{address}/metrics"))[0] == 503


async def test_a_full_disk_is_no_good_health(places: Places) -> None:
    async with opened(places, cramped_since=lambda: NOW) as address:
        code, text = await got(f"{address}/healthz")
        told = json.loads(text)
        assert code == 503
        assert told["status"].startswith("disk full: nothing can be saved, waiting since ")
        assert told["process"] == "dead", "what else is known is told all the same"
        assert "training_claw_disk_full 1.0" in (await got(f"{address}/metrics"))[1]


async def test_it_is_seen_from_this_machine_only(places: Places) -> None:
    async with opened(places) as address:
        assert address.startswith("http://127.0.0.1:")


async def test_a_port_of_somebody_else_s_is_named(places: Places) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Fatal, match=f"METRICS_PORT {port}: .* choose another"):
            await Window(places, Policy(), port, lambda: 0.0, lambda: None).run()
