from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner

from bot.settings import Settings
from bot.shell.commands import alarm as told
from bot.shell.commands.alarm import alarm, alarm_of
from bot.shell.machine.webhook import CREDENTIAL, Unsent, webhook
from protocol import gate
from protocol.roster import CARD_IDS, Peer, Roster
from protocol.voice import Voice

OPERATOR = 1477300000000000001
WATCHER = CARD_IDS[Peer.WATCHER]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DISCORD_CHANNEL_ID", "1477000000000000001")
    monkeypatch.setenv("OPERATOR_IDS", str(OPERATOR))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return monkeypatch


@pytest.fixture
async def posted(tmp_path: Path) -> AsyncIterator[list[Any]]:
    """What a webhook on this machine was sent."""
    letters: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        letters.append(await request.json())
        return web.Response(status=204 if request.path == "/good" else 404)

    app = web.Application()
    app.router.add_post("/{name}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (tmp_path / CREDENTIAL).write_text(f"http://127.0.0.1:{runner.addresses[0][1]}/good\n")
    yield letters
    await runner.cleanup()


def test_operators_and_watcher_are_told_by_words_that_pass_the_gate() -> None:
    text, recipients = alarm_of("training-claw.service")
    assert recipients == (OPERATOR, WATCHER)
    assert "training-claw.service" in text
    gate.check(text, recipients, Voice(roster=Roster(), operators=(OPERATOR,)))


def test_settings_that_stopped_the_daemon_do_not_stop_the_alarm(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BUCKET", "s3://elsewhere")
    assert alarm_of("training-claw.service")[1] == (OPERATOR, WATCHER)
    environment.setenv("OPERATOR_IDS", "me")
    assert alarm_of("training-claw.service")[1] == (WATCHER,)


def test_operators_are_those_of_the_env_file_even_where_a_name_in_it_is_wrong(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.delenv("OPERATOR_IDS")
    file = tmp_path / "claw.env"
    file.write_text(f"OPERATOR_IDS={OPERATOR}\nREPORT_EVERY=900\n")
    assert alarm_of("training-claw.service", file)[1] == (OPERATOR, WATCHER)
    assert alarm_of("training-claw.service", tmp_path / "absent.env")[1] == (WATCHER,)


async def test_it_is_posted_and_pings_nobody_else(posted: list[Any], tmp_path: Path) -> None:
    text, recipients = alarm_of("training-claw.service")
    await told._send(webhook({"CREDENTIALS_DIRECTORY": str(tmp_path)}), text, recipients)
    assert posted == [
        {"content": text, "allowed_mentions": {"users": [str(OPERATOR), str(WATCHER)]}},
    ]


async def test_a_webhook_that_is_gone_is_one_line(posted: list[Any], tmp_path: Path) -> None:
    url = webhook({"CREDENTIALS_DIRECTORY": str(tmp_path)}).replace("good", "gone")
    with pytest.raises(Unsent, match="Discord answers 404"):
        await told._send(url, "hi", (WATCHER,))


def test_without_a_webhook_one_line_says_where_it_belongs(tmp_path: Path) -> None:
    ran = CliRunner().invoke(alarm, ["training-claw.service"])
    assert ran.exit_code == 1
    assert ran.output.count("\n") == 1
    assert str(tmp_path / "alarm_webhook") in ran.output


def test_no_other_host_is_spoken_to_and_the_url_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / CREDENTIAL).write_text("https://elsewhere.example/api/webhooks/1/secret")
    with pytest.raises(Unsent, match="does not hold") as refused:
        webhook({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert "secret" not in str(refused.value)
