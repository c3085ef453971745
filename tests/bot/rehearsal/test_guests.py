"""The example bots, as a person would start them, on the embedded Discord and beside the real daemon."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.core.state import Settled
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.players.script import Facts, watchers_handoff
from bot.rehearsal.stage import Address, Sizes, Stage, invite
from bot.rehearsal.troubles.trial import ROSTER, trial
from protocol import parse
from protocol.messages import Approval, Handoff
from protocol.roster import Peer

HOUSE = Path(__file__).parents[3]
EXAMPLE, WATCHER = HOUSE / "examples" / "developer.py", HOUSE / "examples" / "watcher.py"
GOLDEN = HOUSE / "tests" / "protocol" / "golden"
NO_DATA = Facts(bucket_url="", episodes=50, batch_size=32, lead_in_frames=5)


def invited(server: DiscordServer, folder: Path, guest: Peer = Peer.DEVELOPER) -> Path:
    address = Address(server.channel_id, server.api_base, server.gateway_url)
    return invite(Stage(folder, Sizes()), guest, server.guild.people[ROSTER.id_of(guest)].token, address)


@asynccontextmanager
async def guest(example: Path, invitation: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    bot = await asyncio.create_subprocess_exec(
        sys.executable, example, invitation, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield bot
    finally:
        if bot.returncode is None:
            bot.kill()
            await bot.wait()


def golden(name: str) -> list[str]:
    return (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n").split("\n=== next part ===\n")


@pytest.mark.parametrize("named", [[], ["nowhere.env"]])
@pytest.mark.parametrize("example", [EXAMPLE, WATCHER], ids=["developer", "watcher"])
def test_without_its_file_an_example_says_how_it_is_started(example: Path, named: list[str]) -> None:
    told = subprocess.run(
        [sys.executable, example, *named], capture_output=True, text=True, check=False, cwd=HOUSE
    )
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith(f"usage: python examples/{example.name} play/")
    assert told.stderr.count("\n") == 1


async def test_thirty_lines_play_developer(tmp_path: Path) -> None:
    """Its HANDOFF is understood, and it understands the answers: a receipt, and that there is no data."""
    async with trial(tmp_path) as one:
        await one.server.say(ROSTER.watcher, watchers_handoff(ROSTER, NO_DATA))
        async with guest(EXAMPLE, invited(one.server, tmp_path)) as bot:
            heard, _ = await bot.communicate()
    told = heard.decode()
    assert "Receipt (for us)" in told
    assert "Blocked" in told
    assert bot.returncode == 0


async def test_a_message_in_parts_is_one_to_a_guest(server: DiscordServer, tmp_path: Path) -> None:
    """A refusal that names many episodes ends the example as a short one does."""
    async with guest(EXAMPLE, invited(server, tmp_path)) as bot:
        await server.record.until(lambda one: "[HANDOFF]" in one.content)
        for part in golden("blocked_many"):
            await server.say(ROSTER.training, part)
        heard, _ = await bot.communicate()
    told = heard.decode()
    assert told.count("Blocked") == 1
    assert "Talk" not in told
    assert "episode_088, 178" in told


async def test_a_guest_plays_watcher(server: DiscordServer, tmp_path: Path) -> None:
    """It opens the cycle that it was told, says yes to the very proposal, and leaves after DONE."""
    async with guest(WATCHER, invited(server, tmp_path, Peer.WATCHER)) as bot:
        opening = await server.record.until(lambda one: "[HANDOFF]" in one.content)
        for part in golden("proposal"):
            await server.say(ROSTER.training, part)
        yes = await server.record.until(
            lambda one: one.author_id == ROSTER.watcher and "[APPROVE]" in one.content
        )
        for part in golden("done"):
            await server.say(ROSTER.training, part)
        await bot.communicate()
    heard = parse(opening.content)
    assert isinstance(heard, Handoff)
    assert (heard.cycle, len(heard.lessons)) == (1, 2)
    said = parse(yes.content)
    assert isinstance(said, Approval)
    assert said.proposal == "3f2a9c81b2d4"


async def test_a_guest_s_yes_is_taken_by_the_daemon(tmp_path: Path) -> None:
    async with trial(tmp_path) as one, guest(WATCHER, invited(one.server, tmp_path, Peer.WATCHER)):
        yes = await one.server.record.until(
            lambda said: said.author_id == ROSTER.watcher and "[APPROVE]" in said.content
        )
        await one.server.record.until(lambda said: said.author_id == ROSTER.training and said.id > yes.id)
        cycle = one.house.desk.state.cycle
    assert cycle is not None
    assert isinstance(cycle.terms, Settled)


@pytest.mark.parametrize("example", [EXAMPLE, WATCHER], ids=lambda path: path.stem)
def test_it_is_as_short_as_is_said(example: Path) -> None:
    body = example.read_text(encoding="utf-8").rpartition("from protocol.messages import")[2]
    assert len([line for line in body.splitlines() if line.strip()]) <= 40
