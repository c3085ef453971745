"""The rehearsal in a browser: what the page is told, and who may speak through it."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import aiohttp
import pytest

from bot.core import state as known
from bot.rehearsal.cast import OPERATOR_ID, cast_of
from bot.rehearsal.discord.guild import File, Guild
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.gallery import Gallery, scenes
from bot.rehearsal.gallery.words import SAID, TRACKS
from bot.rehearsal.stage import FAST, Stage
from protocol.job import CheckJob, Job, TrainJob
from protocol.progress import Line, Saved, Started, Stepped
from protocol.roster import Roster
from protocol.training import TrainingConfig

ROSTER = Roster()
NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
CHECK = CheckJob(data=Path("data"), config=TrainingConfig())
TRAIN = TrainJob(data=Path("data.h5"), run=Path("run"), config=TrainingConfig())
PAGE = Path(scenes.__file__).with_name("page")


@dataclass
class House:
    discord: DiscordServer
    gallery: Gallery
    visitor: aiohttp.ClientSession

    async def post(self, path: str, about: dict[str, Any], **headers: str) -> tuple[int, str]:
        own = {"Origin": self.gallery.url.rstrip("/")}
        async with self.visitor.post(self.gallery.url + path, json=about, headers=own | headers) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[House]:
    async with (
        DiscordServer(Guild(cast_of(ROSTER))) as discord,
        Gallery(discord, Stage(folder, FAST)) as gallery,
        aiohttp.ClientSession() as visitor,
    ):
        yield House(discord, gallery, visitor)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with opened(tmp_path) as house:
        yield house


async def told(house: House, wanted: str) -> dict[str, Any]:
    """The first thing of this kind that somebody who opens the page is told."""
    async with house.visitor.get(house.gallery.url + "events") as stream:
        async for line in stream.content:
            if line.startswith(b"data: "):
                about = json.loads(line.removeprefix(b"data: "))
                if about["what"] == wanted:
                    return about
    raise AssertionError(f"nothing was told of {wanted}")


class TestWhatThePageIsTold:
    async def test_a_newcomer_hears_everything_from_the_beginning(self, house: House) -> None:
        text = f"<@{ROSTER.training}> 안녕하세요 <b>"
        await house.discord.say(ROSTER.watcher, text, attachments=(File("curve.png", b"\x89PNG"),))
        message = await told(house, "message")
        assert (message["author"], message["content"]) == ("Watcher", text)
        assert message["mentions"] == {str(ROSTER.training): "Training"}
        (attachment,) = message["attachments"]
        assert attachment["picture"]
        async with house.visitor.get(house.gallery.url + attachment["url"]) as answer:
            assert (answer.content_type, await answer.read()) == ("image/png", b"\x89PNG")

    async def test_an_edit_and_a_mark_replace_what_was_told(self, house: House) -> None:
        said = await house.discord.say(ROSTER.watcher, "first")
        await house.discord.edit(said, "second")
        await house.discord.react(OPERATOR_ID, said.id, "✅")
        message = await told(house, "message")
        assert (message["content"], message["edited"], message["reactions"]) == ("second", True, {"✅": 1})

    async def test_what_is_no_picture_is_never_run(self, house: House) -> None:
        said = await house.discord.say(ROSTER.watcher, "x", attachments=(File("x.html", b"<script>"),))
        url = f"{house.gallery.url}attachments/{said.attachments[0].id}"
        async with house.visitor.get(url) as answer:
            assert answer.content_type == "text/plain"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"

    async def test_an_attachment_nobody_sent_is_not_there(self, house: House) -> None:
        async with house.visitor.get(f"{house.gallery.url}attachments/1") as answer:
            assert answer.status == 404

    async def test_before_the_daemon_begins_no_cycle_is_open(self, house: House) -> None:
        assert (await told(house, "title"))["value"]["en"] == "no cycle is open"

    async def test_a_note_is_shown(self, house: House) -> None:
        house.gallery.note("the curtain rises", "막이 오릅니다")
        assert (await told(house, "note"))["text"] == {"en": "the curtain rises", "ko": "막이 오릅니다"}

    async def test_the_clocks_zone_is_named(self, house: House) -> None:
        cast = await told(house, "cast")
        assert (cast["timezone"], cast["zone"]) == ("Asia/Seoul", "KST")


class TestTheCurve:
    def test_it_runs_through_all_attempts_at_training(self, tmp_path: Path) -> None:
        stage = Stage(tmp_path, FAST)
        attempt(stage, 1, CHECK)
        attempt(stage, 2, TRAIN, started(), stepped(50, 0.9), saved(1, "checkpoint"), saved(1, "resume"))
        attempt(stage, 3, TRAIN, started(), stepped(150, 0.4))
        curve = scenes.curve(stage)
        assert [(point["epoch"], point["loss"]) for point in curve["points"]] == [(0.5, 0.9), (1.5, 0.4)]
        assert curve["points"][0]["channels"] == {"steering": 0.1}
        assert curve["saves"] == [{"epoch": 1, "what": "checkpoint"}]
        assert curve["epochs"] == 4

    def test_half_a_line_is_passed_over(self, tmp_path: Path) -> None:
        stage = Stage(tmp_path, FAST)
        folder = attempt(stage, 1, TRAIN, started(), stepped(50, 0.9))
        with (folder / "events.jsonl").open("ab") as events:
            events.write(b'{"event":"stepp')
        assert len(scenes.curve(stage)["points"]) == 1

    def test_without_a_run_there_is_none(self, tmp_path: Path) -> None:
        assert scenes.curve(Stage(tmp_path, FAST))["points"] == []


@pytest.mark.parametrize("track", TRACKS)
def test_every_phase_has_its_words_in_both_languages(track: str) -> None:
    union = known.Cycle.model_fields[track].annotation
    for phase in get_args(union):
        assert set(SAID[phase]) == {"en", "ko"}


class TestWhoMaySpeak:
    async def test_a_call_is_said_in_the_channel(self, house: House) -> None:
        assert await house.post("say", {"author": "operator", "text": "!status"}) == (204, "")
        assert house.discord.record.entries[-1].content == "!status"
        assert house.discord.record.entries[-1].author_id == OPERATOR_ID

    async def test_a_mark_is_set(self, house: House) -> None:
        said = await house.discord.say(ROSTER.training, "question")
        about = {"author": "Watcher", "message_id": said.id, "emoji": "✅"}
        assert (await house.post("react", about))[0] == 204
        assert house.discord.guild.message(said.channel_id, said.id).reactions == {"✅": (ROSTER.watcher,)}

    @pytest.mark.parametrize(
        ("path", "about", "told"),
        [
            ("say", {"author": "Training", "text": "x"}, "Training is nobody you can speak as"),
            ("say", {"author": "Nobody", "text": "x"}, "Nobody is nobody you can speak as"),
            ("say", {"author": "Watcher", "text": "x" * 2001}, "text: String should have at most 2000"),
            ("say", {"author": "Watcher"}, "text: Field required"),
            ("say", {"author": "Watcher", "text": "x", "reply_to": 7}, "Discord would refuse this: "),
            ("react", {"author": "Watcher", "message_id": 7, "emoji": "✅"}, "Discord would refuse this: "),
            ("react", {"author": "Watcher", "message_id": 7, "emoji": "x"}, "emoji: Input should be"),
        ],
    )
    async def test_what_cannot_be_said_is_refused_in_a_line(
        self, house: House, path: str, about: dict[str, Any], told: str
    ) -> None:
        status, text = await house.post(path, about)
        assert status == 400
        assert text.startswith(told)
        assert "\n" not in text

    @pytest.mark.parametrize(
        "headers",
        [
            {"Host": "rebound.example:80"},
            {"Origin": "http://elsewhere.example"},
            {"Content-Type": "text/plain"},
        ],
        ids=["another name for this host", "another site's page", "a form"],
    )
    async def test_only_this_page_may_speak(self, house: House, headers: dict[str, str]) -> None:
        status, _ = await house.post("say", {"author": "operator", "text": "!stop"}, **headers)
        assert status == 403
        assert house.discord.record.entries == []

    async def test_another_name_for_this_host_may_not_even_look(self, house: House) -> None:
        async with house.visitor.get(house.gallery.url, headers={"Host": "rebound.example"}) as answer:
            assert answer.status == 403


def test_the_page_needs_nothing_from_the_net() -> None:
    namespace = "http://www.w3.org/2000/svg"
    text = "".join(path.read_text(encoding="utf-8") for path in PAGE.iterdir()).replace(namespace, "")
    assert "http:" not in text
    assert "https:" not in text


def attempt(stage: Stage, number: int, job: Job, *lines: Line) -> Path:
    folder = stage.runs / "cycle01-a" / "attempts" / str(number)
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(job.model_dump_json())
    (folder / "events.jsonl").write_text("".join(f"{line.model_dump_json()}\n" for line in lines))
    return folder


def started() -> Started:
    return Started(
        at=NOW,
        device="cpu",
        precision="fp32",
        parameters=1,
        episodes=1,
        frames=100,
        steps_per_epoch=1,
        epochs=4,
    )


def stepped(samples: int, loss: float) -> Stepped:
    return Stepped(
        at=NOW,
        epoch=samples // 100,
        epochs=4,
        step=samples,
        samples=samples,
        loss=loss,
        l1=loss,
        kl=0.0,
        l1_by_action={"steering": 0.1},
        lr=1e-4,
        grad_norm=1.0,
        samples_per_s=10.0,
    )


def saved(epoch: int, what: Any) -> Saved:
    return Saved(at=NOW, what=what, epoch=epoch, step=1, folder="x", loss=0.1, size_bytes=1)
