"""What a rehearsal may do to a daemon; and that without its folder nothing is ever done."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.effects import PublishBest
from bot.core.state import State
from bot.core.step import step
from bot.rehearsal.drill.points import ORDERS
from bot.settings import SettingsError, read_settings
from bot.shell.bucket import open_bucket
from bot.shell.deciding.desk import utc_now
from bot.shell.stagehand import NEWS_OF, Orders, Stagehand, phases

ORDER = PublishBest(cycle=1, run="r", epoch=3, folder="best", meta={})

ACT = """
import asyncio, sys
from pathlib import Path
from bot.core.effects import PublishBest
from bot.shell.stagehand import Stagehand

hand = Stagehand(Path(sys.argv[1]))
order = PublishBest(cycle=1, run="r", epoch=3, folder="best", meta={})

async def carry(_):
    print("under way", flush=True)
    await asyncio.sleep(30)

asyncio.run(hand.carrying(carry)(order))
"""


@pytest.fixture
def orders(tmp_path: Path) -> Orders:
    return Orders(tmp_path)


def act_out(orders: Orders, *deadly: str) -> subprocess.CompletedProcess[str]:
    orders.die_at.write_text("".join(f"{point}\n" for point in deadly))
    command = [sys.executable, "-c", ACT, str(orders.folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=25)


class TestAPoint:
    def test_before_an_order_nothing_of_it_is_done(self, orders: Orders) -> None:
        ended = act_out(orders, "publish_best before", "post done")
        assert (ended.returncode, ended.stdout) == (-9, "")
        assert orders.died_at.read_text() == "publish_best before\n"

    def test_during_an_order_it_is_under_way(self, orders: Orders) -> None:
        ended = act_out(orders, "publish_best during")
        assert (ended.returncode, ended.stdout) == (-9, "under way\n")


class TestTheClock:
    def test_is_as_wrong_as_it_is_told_to_be(self, orders: Orders) -> None:
        orders.clock.write_text("-7200")
        assert abs(Stagehand(orders.folder).wall() - utc_now() + timedelta(hours=2)) < timedelta(seconds=5)

    def test_is_right_without_an_order_or_with_one_that_makes_no_sense(self, orders: Orders) -> None:
        for told in ("", "soon"):
            orders.clock.write_text(told)
            assert abs(Stagehand(orders.folder).wall() - utc_now()) < timedelta(seconds=5)


class TestTheBucket:
    def test_google_s_servers_are_played_by_whoever_is_named(self, orders: Orders) -> None:
        def opened(url: str, emulator: str = "") -> str:
            return f"{url} at {emulator}"

        ordinary = Stagehand(orders.folder).opening(opened)  # pyright: ignore[reportArgumentType]
        assert ordinary is opened
        orders.gcs.write_text("http://127.0.0.1:1")
        played = Stagehand(orders.folder).opening(opened)  # pyright: ignore[reportArgumentType]
        assert played("gs://ours") == "gs://ours at http://127.0.0.1:1"


class TestInProduction:
    def test_nothing_is_put_in_between(self) -> None:
        hand = Stagehand(None)

        async def carry(_: object) -> None:
            return

        assert hand.carrying(carry) is carry
        assert hand.stepping(step) is step
        channel = object()
        assert hand.speaking(channel) is channel  # pyright: ignore[reportArgumentType]
        assert hand.opening(open_bucket) is open_bucket
        hand.at_rest(State())
        hand.passes("publish_best before")

    def test_no_daemon_on_the_real_discord_has_such_a_folder(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("DISCORD_TOKEN", "a.b.c")
        monkeypatch.setenv("DISCORD_CHANNEL_ID", "1477000000000000001")
        monkeypatch.setenv("REHEARSAL_DIR", str(tmp_path))
        with pytest.raises(SettingsError, match="REHEARSAL_DIR is for rehearsals"):
            read_settings()


def test_every_order_there_is_news_of_is_one() -> None:
    assert set(NEWS_OF.values()) <= set(ORDERS)


def test_a_state_s_phases_are_points() -> None:
    assert phases(State()) == ("cycle none",)


async def test_an_order_that_is_not_deadly_is_carried_out(orders: Orders) -> None:
    carried = asyncio.Event()

    async def carry(_: object) -> None:
        carried.set()

    await Stagehand(orders.folder).carrying(carry)(ORDER)
    assert carried.is_set()
    assert not orders.died_at.exists()
