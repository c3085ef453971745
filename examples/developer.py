"""A Developer of thirty lines: hands a data set over, and reads what Training makes of it.

training-claw rehearse --dir play --without Developer     # in one terminal; it writes play/Developer.env
python examples/developer.py play/Developer.env           # in another
"""

import sys
from pathlib import Path

import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from protocol import CARD_VOICE, Collector, NotUnderstood, parse
from protocol.messages import Blocked, Done

if not sys.argv[1:] or not Path(sys.argv[1]).is_file():
    sys.exit("usage: python examples/developer.py play/Developer.env  (the file that the rehearsal writes)")
settings = dict(line.split("=", 1) for line in Path(sys.argv[1]).read_text().splitlines())
Route.BASE = settings["DISCORD_API_BASE"]  # in the real channel, leave these two lines out
DiscordWebSocket.DEFAULT_GATEWAY = URL(settings["DISCORD_GATEWAY_URL"])
training = CARD_VOICE.roster.training
client = discord.Client(intents=discord.Intents(guilds=True, guild_messages=True, message_content=True))
letters = Collector()


@client.event
async def on_ready() -> None:
    channel = client.get_partial_messageable(int(settings["DISCORD_CHANNEL_ID"]))
    await channel.send(f"<@{training}> [HANDOFF] 데이터 생성 완료.\n데이터: {settings['DATA']}")


@client.event
async def on_message(message: discord.Message) -> None:
    if message.author.id != training:
        return
    whole = letters.feed(message.content)
    if whole is None:
        return  # the rest of it is on its way
    try:
        said = parse(whole)
    except NotUnderstood as problem:
        print(problem)
        return
    print(f"{type(said).__name__}{' (for us)' if client.user in message.mentions else ''}", flush=True)
    print(whole, flush=True)
    if isinstance(said, Blocked | Done):
        await client.close()


client.run(settings["DISCORD_TOKEN"], log_handler=None)
