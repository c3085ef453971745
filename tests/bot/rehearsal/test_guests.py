"""The example bot, as a person would start it, beside the real daemon."""

import asyncio
import sys
from pathlib import Path

from bot.rehearsal.players.script import Facts, watchers_handoff
from bot.rehearsal.stage import Address, Sizes, Stage, invite
from bot.rehearsal.troubles.trial import ROSTER, Trial, trial
from protocol.roster import Peer

EXAMPLE = Path(__file__).parents[3] / "examples" / "developer.py"
NO_DATA = Facts(bucket_url="", episodes=50, batch_size=32, lead_in_frames=5)


async def invited(one: Trial, folder: Path) -> Path:
    stage = Stage(folder, Sizes())
    server = one.server
    address = Address(server.channel_id, server.api_base, server.gateway_url)
    return invite(stage, Peer.DEVELOPER, server.guild.people[ROSTER.developer].token, address)


async def test_thirty_lines_play_developer(tmp_path: Path) -> None:
    """Its HANDOFF is understood, and it understands the answers: a receipt, and that there is no data."""
    async with trial(tmp_path) as one:
        await one.server.say(ROSTER.watcher, watchers_handoff(ROSTER, NO_DATA))
        bot = await asyncio.create_subprocess_exec(
            sys.executable, EXAMPLE, await invited(one, tmp_path), stdout=asyncio.subprocess.PIPE
        )
        heard, _ = await bot.communicate()
    told = heard.decode()
    assert "Receipt (for us)" in told
    assert "Blocked" in told
    assert bot.returncode == 0


def test_it_is_as_short_as_is_said() -> None:
    body = EXAMPLE.read_text(encoding="utf-8").rpartition("import Blocked, Done")[2]
    assert len([line for line in body.splitlines() if line.strip()]) <= 30
