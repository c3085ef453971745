"""A Watcher of forty lines: opens the cycle with two lessons, says yes to what is proposed, waits for DONE.

training-claw rehearse --dir play --without Watcher       # in one terminal; it writes play/Watcher.env
python examples/watcher.py play/Watcher.env               # in another

What Watcher says is text: docs/protocol.md has the words. What it hears is values.
"""

import sys
from pathlib import Path

import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from protocol import CARD_VOICE, Collector, NotUnderstood, parse
from protocol.messages import Done, ProposalPosted

if not sys.argv[1:] or not Path(sys.argv[1]).is_file():
    sys.exit("usage: python examples/watcher.py play/Watcher.env  (the file that the rehearsal writes)")
settings = dict(line.split("=", 1) for line in Path(sys.argv[1]).read_text().splitlines())
Route.BASE = settings["DISCORD_API_BASE"]  # in the real channel, leave these two lines out
DiscordWebSocket.DEFAULT_GATEWAY = URL(settings["DISCORD_GATEWAY_URL"])
training = CARD_VOICE.roster.training
client = discord.Client(intents=discord.Intents(guilds=True, guild_messages=True, message_content=True))
letters = Collector()

OPENING = f"""<@{training}> [HANDOFF] Cycle {settings["CYCLE"]} 학습을 시작해 주세요.
SSOT: {settings["PLAN"]}
레슨런:
- [학습] batch_size 32에서 GPU 메모리 부족으로 학습 중단 발생
- [데이터] 에피소드 첫 5프레임은 카메라 스윙으로 무효
  → 적용: 각 에피소드 첫 5프레임 스킵"""


@client.event
async def on_ready() -> None:
    await client.get_partial_messageable(int(settings["DISCORD_CHANNEL_ID"])).send(OPENING)


@client.event
async def on_message(message: discord.Message) -> None:
    if message.author.id != training or client.user not in message.mentions:
        return
    whole = letters.feed(message.content)
    if whole is None:
        return  # the rest of it is on its way
    try:
        said = parse(whole)
    except NotUnderstood as problem:
        print(problem)
        return
    print(whole, flush=True)
    if isinstance(said, ProposalPosted):
        await message.channel.send(f"<@{training}> [APPROVE] {said.hash}")
    if isinstance(said, Done):
        await client.close()


client.run(settings["DISCORD_TOKEN"], log_handler=None)
