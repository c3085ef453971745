"""The unmodified client library believes the embedded Discord."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import discord
import discord.gateway
import discord.http
import pytest
from aiohttp import web
from yarl import URL

from bot.rehearsal.cast import OPERATOR_ID, STRANGER_ID, cast_of
from bot.rehearsal.discord.guild import EVERYTHING_NEEDED, File, May, RequestError
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.discord.throttle import Throttle
from protocol.roster import Roster, mention

ROSTER = Roster()
TOKENS = {person.id: person.token for person in cast_of(ROSTER)}
TRAINING, WATCHER = ROSTER.training, ROSTER.watcher


class Bot(discord.Client):
    """A plain client that keeps what reaches it."""

    def __init__(self, server: DiscordServer) -> None:
        intents = discord.Intents(
            guilds=True, guild_messages=True, guild_reactions=True, message_content=True
        )
        super().__init__(intents=intents, guild_ready_timeout=0.05)
        self.server = server
        self.heard: asyncio.Queue[discord.Message] = asyncio.Queue()
        self.edits: asyncio.Queue[discord.RawMessageUpdateEvent] = asyncio.Queue()
        self.reactions: asyncio.Queue[discord.RawReactionActionEvent] = asyncio.Queue()
        self.resumed = asyncio.Event()
        self.readies = 0

    @property
    def room(self) -> discord.TextChannel:
        room = self.get_channel(self.server.channel_id)
        assert isinstance(room, discord.TextChannel)
        return room

    async def on_ready(self) -> None:
        self.readies += 1

    async def on_resumed(self) -> None:
        self.resumed.set()

    async def on_message(self, message: discord.Message) -> None:
        self.heard.put_nowait(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        self.edits.put_nowait(payload)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        self.reactions.put_nowait(payload)


@asynccontextmanager
async def logged_in(server: DiscordServer, token: str) -> AsyncIterator[Bot]:
    """A ready client. Raises what its `start()` raised, should it end before."""
    discord.http.Route.BASE = server.api_base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = URL(server.gateway_url)
    async with Bot(server) as bot:
        running = asyncio.create_task(bot.start(token))
        await asyncio.wait(
            {running, asyncio.create_task(bot.wait_for("ready"))}, return_when=asyncio.FIRST_COMPLETED
        )
        if running.done():
            running.result()
        yield bot
        await bot.close()
        await running


@pytest.fixture
async def bot(server: DiscordServer) -> AsyncIterator[Bot]:
    async with logged_in(server, TOKENS[TRAINING]) as bot:
        yield bot


class TestLoggingIn:
    async def test_the_token_decides_who_one_is(self, bot: Bot) -> None:
        assert bot.user is not None
        assert (bot.user.id, bot.user.name) == (TRAINING, "Training-Claw")

    async def test_the_channel_is_there_with_the_rights_a_bot_needs(self, bot: Bot) -> None:
        may = bot.room.permissions_for(bot.room.guild.me)
        assert may.send_messages
        assert may.read_message_history
        assert may.attach_files
        assert may.add_reactions
        assert not may.mention_everyone

    async def test_a_wrong_token_is_refused(self, server: DiscordServer) -> None:
        with pytest.raises(discord.LoginFailure):
            async with logged_in(server, "someone.elses.token"):
                pass


class TestSending:
    async def test_a_message_is_accepted_and_recorded(self, server: DiscordServer, bot: Bot) -> None:
        text = f"{mention(WATCHER)} [REPORT] ACT 학습 진행."
        sent = await bot.room.send(text)
        [entry] = server.record.entries
        assert (entry.id, entry.author, entry.content) == (sent.id, "Training-Claw", text)
        assert entry.mentions == (WATCHER,)

    async def test_one_hears_oneself(self, bot: Bot) -> None:
        sent = await bot.room.send("echo")
        assert (await bot.heard.get()).id == sent.id

    async def test_the_same_nonce_posts_once(self, server: DiscordServer, bot: Bot) -> None:
        first = await bot.room.send("once", nonce="outbox-7.1")
        again = await bot.room.send("once", nonce="outbox-7.1")
        assert first.id == again.id
        assert len(server.record.entries) == 1

    @pytest.mark.parametrize(
        ("content", "nonce"),
        [("x" * 2001, "n"), ("fine", "n" * 26), (" ", "n")],
        ids=["long", "nonce", "empty"],
    )
    async def test_what_discord_refuses_is_refused(self, bot: Bot, content: str, nonce: str) -> None:
        with pytest.raises(discord.HTTPException) as refused:
            await bot.room.send(content, nonce=nonce)
        assert refused.value.status == 400

    async def test_a_file_can_be_fetched_where_the_message_says(
        self, server: DiscordServer, bot: Bot
    ) -> None:
        await bot.room.send("curve", file=discord.File(io.BytesIO(b"\x89PNG"), "loss_curve.png"))
        heard = await bot.heard.get()
        assert server.record.entries[0].attachments == ("loss_curve.png",)
        async with aiohttp.ClientSession() as session, session.get(heard.attachments[0].url) as answer:
            assert await answer.read() == b"\x89PNG"

    async def test_a_reply_names_what_it_answers(self, server: DiscordServer, bot: Bot) -> None:
        asked = await server.say(WATCHER, f"{mention(TRAINING)} !status")
        heard = await bot.heard.get()
        await heard.reply("answer", allowed_mentions=discord.AllowedMentions.none())
        answer = server.record.entries[-1]
        assert answer.reply_to == asked.id
        assert answer.mentions == ()


class TestMentions:
    async def test_only_allowed_users_are_notified(self, server: DiscordServer, bot: Bot) -> None:
        allowed = discord.AllowedMentions(
            everyone=False, roles=False, users=[discord.Object(WATCHER)], replied_user=False
        )
        await bot.room.send(f"{mention(WATCHER)} and {mention(OPERATOR_ID)}", allowed_mentions=allowed)
        assert server.record.entries[0].mentions == (WATCHER,)

    async def test_code_notifies_nobody(self, server: DiscordServer, bot: Bot) -> None:
        await server.say(WATCHER, f"`{mention(TRAINING)}` ```\n{mention(TRAINING)}\n```")
        heard = await bot.heard.get()
        assert bot.user not in heard.mentions
        assert heard.raw_mentions == [TRAINING, TRAINING]

    async def test_a_reply_notifies_whom_it_answers(self, server: DiscordServer, bot: Bot) -> None:
        own = await bot.room.send("question")
        await bot.heard.get()
        await server.say(STRANGER_ID, "no mention in the text", reply_to=own.id)
        assert bot.user in (await bot.heard.get()).mentions


class TestHistory:
    async def test_it_pages_through_everything_after_an_id_in_order(
        self, server: DiscordServer, bot: Bot
    ) -> None:
        posted = [await server.say(WATCHER, f"line {number}") for number in range(250)]
        after = discord.Object(posted[0].id)
        read = [one.id async for one in bot.room.history(limit=None, after=after, oldest_first=True)]
        assert read == [one.id for one in posted[1:]]

    async def test_newest_comes_first_by_default(self, server: DiscordServer, bot: Bot) -> None:
        posted = [await server.say(WATCHER, f"line {number}") for number in range(120)]
        read = [one.id async for one in bot.room.history(limit=110)]
        assert read == [one.id for one in reversed(posted)][:110]

    async def test_around_an_id_its_neighbours_are_found(self, server: DiscordServer, bot: Bot) -> None:
        posted = [await server.say(WATCHER, f"line {number}") for number in range(9)]
        around = discord.Object(posted[4].id)
        read = {one.id async for one in bot.room.history(limit=5, around=around)}
        assert read == {one.id for one in posted[2:7]}


class TestChangingWhatWasSaid:
    async def test_an_edit_arrives_as_an_update_and_not_as_a_message(
        self, server: DiscordServer, bot: Bot
    ) -> None:
        said = await server.say(WATCHER, "[HANDOFF] Cycle")
        await bot.heard.get()
        await server.edit(said, "[HANDOFF] Cycle 1")
        update = await bot.edits.get()
        assert update.data["content"] == "[HANDOFF] Cycle 1"
        assert bot.heard.empty()
        assert [entry.edited for entry in server.record.entries] == [False, True]

    async def test_ones_own_message_can_be_edited_and_deleted(self, bot: Bot) -> None:
        sent = await bot.room.send("draft")
        assert (await sent.edit(content="final")).content == "final"
        await sent.delete()
        with pytest.raises(discord.NotFound):
            await bot.room.fetch_message(sent.id)

    async def test_nobody_edits_anothers_words(self, server: DiscordServer) -> None:
        said = await server.say(WATCHER, "mine")
        with pytest.raises(RequestError):
            server.guild.edit(said.channel_id, said.id, TRAINING, "yours")

    async def test_who_and_what_there_is_can_be_asked_for(self, server: DiscordServer, bot: Bot) -> None:
        there = await bot.fetch_guild(server.guild.id)
        assert there.default_role.permissions.send_messages
        assert (await there.fetch_member(WATCHER)).id == WATCHER
        assert (await bot.application_info()).flags.gateway_message_content_limited
        with pytest.raises(discord.NotFound, match="Unknown Member"):
            await there.fetch_member(7)
        with pytest.raises(discord.NotFound, match="Unknown Guild"):
            await bot.fetch_guild(7)

    async def test_a_reaction_is_heard_and_can_be_read_later(self, server: DiscordServer, bot: Bot) -> None:
        sent = await bot.room.send("proposal")
        await server.react(WATCHER, sent.id, "✅")
        heard = await bot.reactions.get()
        assert (heard.user_id, heard.message_id, str(heard.emoji)) == (WATCHER, sent.id, "✅")
        [reaction] = (await bot.room.fetch_message(sent.id)).reactions
        assert [user.id async for user in reaction.users()] == [WATCHER]

    async def test_the_bot_can_react_too(self, server: DiscordServer, bot: Bot) -> None:
        said = await server.say(WATCHER, "[HANDOFF]")
        await (await bot.heard.get()).add_reaction("👀")
        assert server.guild.message(said.channel_id, said.id).reactions == {"👀": (TRAINING,)}


class TestLosingTheConnection:
    async def test_a_resume_replays_what_was_missed(self, server: DiscordServer, bot: Bot) -> None:
        await server.gateway.drop_connections(4000)
        missed = [await server.say(WATCHER, f"missed {number}") for number in range(3)]
        heard = [(await bot.heard.get()).id for _ in missed]
        assert heard == [one.id for one in missed]
        await bot.resumed.wait()
        assert bot.readies == 1

    async def test_two_clients_of_one_token_both_hear(self, server: DiscordServer, bot: Bot) -> None:
        async with logged_in(server, TOKENS[TRAINING]) as twin:
            said = await server.say(WATCHER, "to both")
            assert (await bot.heard.get()).id == (await twin.heard.get()).id == said.id


class TestFaults:
    async def test_a_fault_may_have_the_first_word_and_the_client_tries_again(
        self, server: DiscordServer, bot: Bot
    ) -> None:
        refusals = iter([web.json_response({"retry_after": 0.01, "global": False}, status=429)])

        async def too_fast(request: web.Request) -> web.StreamResponse | None:
            refusal = next(refusals, None) if request.method == "POST" else None
            if refusal is not None:
                refusal.headers["Via"] = "1.1 google"
                refusal.content_type = "application/json"
                refusal.charset = None
            return refusal

        server.rest.interferences.append(too_fast)
        await bot.room.send("sooner or later")
        assert [entry.content for entry in server.record.entries] == ["sooner or later"]

    async def test_an_unknown_session_cannot_be_resumed(self, server: DiscordServer) -> None:
        resume = {"op": 6, "d": {"token": TOKENS[TRAINING], "session_id": "gone", "seq": 7}}
        async with aiohttp.ClientSession() as session, session.ws_connect(server.gateway_url) as socket:
            assert (await socket.receive_json())["op"] == 10
            await socket.send_json(resume)
            assert await socket.receive_json() == {"op": 9, "d": False}

    async def test_nobody_identifies_with_a_wrong_token(self, server: DiscordServer) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(server.gateway_url) as socket:
            await socket.receive_json()
            await socket.send_json({"op": 2, "d": {"token": "someone.elses.token", "intents": 0}})
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
            assert socket.close_code == 4004

    async def test_content_is_only_for_those_mentioned_without_the_privileged_intent(
        self, server: DiscordServer
    ) -> None:
        identify = {"op": 2, "d": {"token": TOKENS[TRAINING], "intents": 1 << 9}}
        async with aiohttp.ClientSession() as session, session.ws_connect(server.gateway_url) as socket:
            await socket.receive_json()
            await socket.send_json(identify)
            assert (await socket.receive_json())["t"] == "READY"
            await server.say(WATCHER, "not to you")
            await server.say(WATCHER, f"{mention(TRAINING)} to you")
            assert (await socket.receive_json())["d"]["content"] == ""
            assert (await socket.receive_json())["d"]["content"] == f"{mention(TRAINING)} to you"


class TestPlayingOnTheStage:
    async def test_a_text_attachment_of_a_peer_can_be_read(self, server: DiscordServer, bot: Bot) -> None:
        file = File("message.txt", "긴 메시지".encode(), "text/plain; charset=utf-8")
        await server.say(WATCHER, "see attachment", attachments=(file,))
        heard = await bot.heard.get()
        assert (await heard.attachments[0].read()).decode() == "긴 메시지"

    async def test_one_can_wait_for_what_was_said_and_for_what_comes(self, server: DiscordServer) -> None:
        await server.say(WATCHER, "before")
        comes = asyncio.create_task(server.record.until(lambda entry: entry.content == "after"))
        assert (await server.record.until(lambda entry: entry.content == "before")).author_id == WATCHER
        await server.say(STRANGER_ID, "after")
        assert (await comes).author_id == STRANGER_ID

    async def test_commands_are_registered_with_ids(self, bot: Bot) -> None:
        tree = discord.app_commands.CommandTree(bot)

        @tree.command(name="status", description="how far are we")
        async def status(interaction: discord.Interaction) -> None: ...

        [registered] = await tree.sync()
        assert registered.name == "status"


class TestABadDay:
    async def test_a_client_that_minds_the_headers_is_never_refused(self, server: DiscordServer) -> None:
        throttle = server.rest.throttle = Throttle(limit=3, window_s=0.3)
        async with logged_in(server, TOKENS[TRAINING]) as bot:
            for number in range(8):
                await bot.room.send(str(number))
        assert throttle.refused == 0
        assert [entry.content for entry in server.record.entries] == [str(number) for number in range(8)]

    def test_a_client_that_does_not_is_told_how_long_to_wait(self) -> None:
        moment = [100.0]
        throttle = Throttle(limit=2, window_s=5.0, now=lambda: moment[0])
        assert [throttle.take("a").headers["X-RateLimit-Remaining"] for _ in range(2)] == ["1", "0"]
        moment[0] += 2
        refused = throttle.take("a")
        assert refused.retry_after_s == 3.0
        assert refused.headers["X-RateLimit-Reset-After"] == "3.000"
        assert throttle.take("b").retry_after_s == 0, "a bucket of its own"
        moment[0] += 3
        assert throttle.take("a").retry_after_s == 0

    async def test_what_is_not_permitted_is_refused_and_a_closed_history_is_empty(
        self, server: DiscordServer
    ) -> None:
        async with logged_in(server, TOKENS[TRAINING]) as bot:
            await bot.room.send("before")
            server.gateway.permit(EVERYTHING_NEEDED & ~(May.SEND_MESSAGES | May.READ_MESSAGE_HISTORY))
            with pytest.raises(discord.Forbidden):
                await bot.room.send("after")
            assert [one async for one in bot.room.history()] == []
