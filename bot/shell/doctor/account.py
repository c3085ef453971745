"""Is the token Training's own, and may it do in the channel what it must? Asked over REST.

Permissions: https://discord.com/developers/docs/topics/permissions#permission-overwrites
"""

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from bot.settings import Settings
from bot.shell.bucket.probing import Finding

API = "https://discord.com/api/v10"
LIMIT_S = 20.0
CLOCK_OFF_S = 30.0
MESSAGE_CONTENT = 1 << 18 | 1 << 19
"""Either flag of an application: the intent is granted, or granted to a small bot."""
ADMINISTRATOR, MENTION_EVERYONE = 1 << 3, 1 << 17
NEEDED = {
    "Add Reactions": 1 << 6,
    "View Channel": 1 << 10,
    "Send Messages": 1 << 11,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
}

type Json = dict[str, Any]


class _Refused(Exception):
    """Discord answers, and not with what was asked for."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Discord answers {status}")
        self.status = status


async def findings(settings: Settings) -> AsyncGenerator[Finding]:
    """Never raises for what Discord or the network does."""
    token = settings.discord_token.get_secret_value()
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bot {token}"}, timeout=aiohttp.ClientTimeout(LIMIT_S)
    ) as session:
        ask = _Asking(session, settings.discord_api_base or API)
        try:
            us = await ask.get("/users/@me")
        except _Refused as refused:
            yield Finding("token", "fault", f"{refused}; reset DISCORD_TOKEN in the developer portal (Bot)")
            return
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            yield Finding(
                "Discord", "fault", f"cannot be reached ({type(error).__name__}); look at the network"
            )
            return
        yield _identity(us, settings.training_id)
        yield clock(ask.answered_at, datetime.now(UTC))
        yield await _intent(ask)
        async for finding in _channel(ask, settings):
            yield finding


class _Asking:
    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base
        self.answered_at = ""

    async def get(self, path: str) -> Json:
        async with self._session.get(self._base + path) as answer:
            self.answered_at = answer.headers.get("Date", "")
            if answer.status != 200:
                raise _Refused(answer.status)
            return await answer.json()


def _identity(us: Json, wanted: int) -> Finding:
    if us["id"] == str(wanted):
        return Finding("token", "fine", f"is {us['username']}'s")
    return Finding(
        "token", "fault", f"is {us['username']}'s ({us['id']}), TRAINING_ID is {wanted}; use Training's own"
    )


def clock(answered_at: str, now: datetime) -> Finding:
    """This machine's clock against the `Date` header of an answer."""
    try:
        off_s = (now - parsedate_to_datetime(answered_at)).total_seconds()
    except ValueError:
        return Finding("clock", "warning", "could not be compared with Discord's")
    if abs(off_s) > CLOCK_OFF_S:
        return Finding("clock", "fault", f"is {off_s:+.0f} s off Discord's; run `timedatectl set-ntp true`")
    return Finding("clock", "fine", f"{off_s:+.0f} s")


async def _intent(ask: _Asking) -> Finding:
    try:
        flags = int((await ask.get("/applications/@me")).get("flags", 0))
    except (_Refused, aiohttp.ClientError, OSError, TimeoutError) as error:
        return Finding("intents", "warning", f"could not be asked for ({error or type(error).__name__})")
    if flags & MESSAGE_CONTENT:
        return Finding("intents", "fine", "Message Content is on")
    return Finding("intents", "fault", "switch Message Content Intent on in the developer portal (Bot)")


async def _channel(ask: _Asking, settings: Settings) -> AsyncGenerator[Finding]:
    where = f"DISCORD_CHANNEL_ID {settings.discord_channel_id}"
    try:
        channel = await ask.get(f"/channels/{settings.discord_channel_id}")
        guild = await ask.get(f"/guilds/{channel['guild_id']}")
        members = {
            name: await _member(ask, guild["id"], user_id)
            for name, user_id in settings.roster().ids().items()
        }
    except (_Refused, KeyError) as error:
        why = "is no channel of a server" if isinstance(error, KeyError) else str(error)
        yield Finding("channel", "fault", f"{where}: {why}; invite the bot to the server, or correct the id")
        return
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        yield Finding(
            "channel", "fault", f"{where}: Discord cannot be reached ({type(error).__name__}); try again"
        )
        return
    yield Finding("channel", "fine", f"#{channel.get('name')} in {guild.get('name')}")
    for us in (one for one in members.values() if one and one["user"]["id"] == str(settings.training_id)):
        yield _may(channel, guild, us)
    missing = [str(name) for name, member in members.items() if member is None]
    said = (
        f"not in the server: {', '.join(missing)}; invite them, or correct their ids" if missing else "all in"
    )
    yield Finding("roster", "warning" if missing else "fine", said)


async def _member(ask: _Asking, guild_id: str, user_id: int) -> Json | None:
    try:
        return await ask.get(f"/guilds/{guild_id}/members/{user_id}")
    except _Refused as refused:
        if refused.status == 404:
            return None
        raise


def _may(channel: Json, guild: Json, member: Json) -> Finding:
    granted = permissions(channel, guild, member)
    missing = [name for name, bit in NEEDED.items() if not granted & bit]
    if missing:
        return Finding("permissions", "fault", f"grant the bot in the channel: {', '.join(missing)}")
    if granted & MENTION_EVERYONE:
        return Finding("permissions", "warning", "the bot may mention everyone; withhold that")
    return Finding("permissions", "fine", ", ".join(NEEDED))


def permissions(channel: Mapping[str, Any], guild: Mapping[str, Any], member: Mapping[str, Any]) -> int:
    """The bits `member` has in `channel`: of its roles, then the channel's overwrites, the narrowest last."""
    roles = {guild["id"], *member["roles"]}
    granted = 0
    for role in guild["roles"]:
        granted |= int(role["permissions"]) if role["id"] in roles else 0
    if granted & ADMINISTRATOR:
        return -1
    overwrites = {one["id"]: one for one in channel.get("permission_overwrites", ())}
    for who in ({guild["id"]}, set(member["roles"]), {member["user"]["id"]}):
        chosen = [overwrites[one] for one in who if one in overwrites]
        for one in chosen:
            granted &= ~int(one["deny"])
        for one in chosen:
            granted |= int(one["allow"])
    return granted
