import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner
from pydantic import SecretStr

from bot.core.state import SCHEMA
from bot.rehearsal.discord.guild import May
from bot.rehearsal.discord.server import DiscordServer
from bot.settings import Settings, read_settings
from bot.shell.bucket.probing import Finding
from bot.shell.doctor import account, checkup, command, installation, sandbox
from bot.shell.doctor.command import doctor, findings
from bot.shell.machine.places import Places
from bot.shell.remembering.store import make
from protocol.roster import CARD_IDS, Peer, Roster

HOUSE = Path(__file__).parents[4]
UNITS = HOUSE / "deploy" / "systemd"
US, CHANNEL, GUILD = CARD_IDS[Peer.TRAINING], 1477000000000000001, "1477000000000000000"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REACT, VIEW, SEND, ATTACH, HISTORY, EVERYONE = 1 << 6, 1 << 10, 1 << 11, 1 << 15, 1 << 16, 1 << 17
ALL = REACT | VIEW | SEND | ATTACH | HISTORY
TELLS_CPU = 'print(\'{"torch": "2.9", "cuda": null, "gpu": null}\')'
TELLS_GPU = 'print(\'{"torch": "2.9", "cuda": "12.8", "gpu": "A100", "free": 39e9, "total": 40e9}\')'


class Discord:
    """As much of Discord's REST as doctor asks for. Its answers may be changed, or left out."""

    def __init__(self) -> None:
        members = Roster().ids().values()
        self.answers: dict[str, Any] = {
            "/users/@me": {"id": str(US), "username": "Training-Claw"},
            "/applications/@me": {"flags": 1 << 19},
            f"/channels/{CHANNEL}": {"guild_id": GUILD, "name": "ralphton", "permission_overwrites": []},
            f"/guilds/{GUILD}": {
                "id": GUILD,
                "name": "lab",
                "roles": [{"id": GUILD, "permissions": str(ALL)}, {"id": "9", "permissions": "0"}],
            },
        } | {f"/guilds/{GUILD}/members/{one}": {"user": {"id": str(one)}, "roles": ["9"]} for one in members}

    async def answer(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != "Bot right":
            return web.json_response({"message": "401: Unauthorized"}, status=401)
        found = self.answers.get(request.path)
        return web.json_response(found or {}, status=404 if found is None else 200)


@pytest.fixture
async def discord() -> AsyncIterator[tuple[Discord, str]]:
    there, app = Discord(), web.Application()
    app.router.add_get("/{path:.*}", there.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield there, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / "bucket").mkdir()
    (tmp_path / "state").mkdir()
    for name, value in {
        "DISCORD_TOKEN": "right",
        "DISCORD_CHANNEL_ID": str(CHANNEL),
        "BUCKET": (tmp_path / "bucket").as_uri(),
        "STATE_DIR": str(tmp_path / "state"),
        "TORCH_HOME": str(tmp_path / "torch"),
        "DEVICE": "cpu",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


async def asked(url: str, **settings: Any) -> dict[str, Finding]:
    known = read_settings().model_copy(update={"discord_api_base": url, **settings})
    return {one.what: one async for one in account.findings(known)}


class TestTheAccount:
    async def test_a_good_one_is_fine_throughout(self, discord: tuple[Discord, str]) -> None:
        found = await asked(discord[1])
        assert {what: one.verdict for what, one in found.items()} == dict.fromkeys(
            ("token", "clock", "intents", "channel", "permissions", "roster"), "fine"
        )

    async def test_in_a_rehearsal_s_channel_nothing_is_amiss_but_what_is(self, server: DiscordServer) -> None:
        token = SecretStr(server.guild.people[US].token)
        where = {"discord_token": token, "discord_channel_id": server.channel_id}
        found = await asked(server.api_base, **where)
        assert {one.verdict for one in found.values()} == {"fine"}
        assert found["roster"].said == "all in"
        server.guild.permissions &= ~May.ATTACH_FILES
        del server.guild.people[CARD_IDS[Peer.WATCHER]]
        found = await asked(server.api_base, **where)
        assert found["permissions"].said == "grant the bot in the channel: Attach Files"
        assert found["roster"].said.startswith("not in the server: Watcher")
        (lost,) = [
            one
            for one in (await asked(server.api_base, **where | {"discord_channel_id": 7})).values()
            if one.verdict == "fault"
        ]
        assert lost.said.startswith("DISCORD_CHANNEL_ID 7: Discord answers 404")

    @pytest.mark.parametrize(
        ("path", "answer", "what", "told"),
        [
            ("/users/@me", {"id": "1", "username": "Watcher-Claw"}, "token", "is Watcher-Claw's"),
            ("/applications/@me", {"flags": 0}, "intents", "switch Message Content Intent on"),
            ("/applications/@me", None, "intents", "could not be asked for"),
            (f"/channels/{CHANNEL}", None, "channel", "invite the bot"),
            (f"/channels/{CHANNEL}", {"name": "a private talk"}, "channel", "is no channel of a server"),
            (
                f"/guilds/{GUILD}/members/{CARD_IDS[Peer.WATCHER]}",
                None,
                "roster",
                "not in the server: Watcher",
            ),
        ],
    )
    async def test_what_is_wrong_is_named_with_the_next_step(
        self, discord: tuple[Discord, str], path: str, answer: Any, what: str, told: str
    ) -> None:
        there, url = discord
        there.answers[path] = answer
        found = (await asked(url))[what]
        assert found.verdict != "fine"
        assert told in found.said

    async def test_a_wrong_token_is_one_finding(
        self, discord: tuple[Discord, str], environment: pytest.MonkeyPatch
    ) -> None:
        environment.setenv("DISCORD_TOKEN", "wrong")
        (found,) = (await asked(discord[1])).values()
        assert found.said == "Discord answers 401; reset DISCORD_TOKEN in the developer portal (Bot)"

    async def test_a_discord_out_of_reach_is_one_finding(self) -> None:
        (found,) = (await asked("http://127.0.0.1:9")).values()
        assert (found.what, found.verdict) == ("Discord", "fault")

    @pytest.mark.parametrize(
        ("everyone", "role", "overwrites", "granted"),
        [
            (ALL, 0, [], ALL),
            (VIEW, SEND, [], VIEW | SEND),
            (1 << 3, 0, [{"id": GUILD, "allow": "0", "deny": str(ALL)}], -1),
            (ALL, 0, [{"id": GUILD, "allow": "0", "deny": str(SEND)}], ALL & ~SEND),
            (
                ALL,
                0,
                [
                    {"id": GUILD, "allow": "0", "deny": str(SEND)},
                    {"id": "9", "allow": str(SEND), "deny": "0"},
                ],
                ALL,
            ),
            (
                ALL,
                0,
                [
                    {"id": str(US), "allow": "0", "deny": str(VIEW)},
                    {"id": "9", "allow": str(VIEW), "deny": "0"},
                ],
                ALL & ~VIEW,
            ),
        ],
    )
    def test_the_narrowest_overwrite_has_the_last_word(
        self, everyone: int, role: int, overwrites: list[Any], granted: int
    ) -> None:
        roles = [{"id": GUILD, "permissions": str(everyone)}, {"id": "9", "permissions": str(role)}]
        member = {"user": {"id": str(US)}, "roles": ["9"]}
        channel = {"permission_overwrites": overwrites}
        assert account.permissions(channel, {"id": GUILD, "roles": roles}, member) == granted

    @pytest.mark.parametrize(
        ("bits", "verdict", "told"),
        [
            (ALL & ~ATTACH, "fault", "Attach Files"),
            (ALL & ~REACT, "fault", "Add Reactions"),
            (ALL | EVERYONE, "warning", "may mention everyone"),
        ],
    )
    async def test_permissions_that_are_missing_or_too_many_are_named(
        self, discord: tuple[Discord, str], bits: int, verdict: str, told: str
    ) -> None:
        there, url = discord
        there.answers[f"/guilds/{GUILD}"]["roles"][0]["permissions"] = str(bits)
        found = (await asked(url))["permissions"]
        assert found.verdict == verdict
        assert told in found.said

    @pytest.mark.parametrize(
        ("off_s", "verdict"), [(5, "fine"), (-29, "fine"), (45, "fault"), (-3600, "fault")]
    )
    def test_a_clock_that_is_off_is_a_fault(self, off_s: int, verdict: str) -> None:
        header = format_datetime(NOW - timedelta(seconds=off_s), usegmt=True)
        assert account.clock(header, NOW).verdict == verdict
        assert account.clock("soon", NOW).verdict == "warning"


class TestTheMachine:
    @pytest.mark.parametrize(
        ("free_bytes", "verdict"), [(5 * 10**9, "fault"), (20 * 10**9, "warning"), (10**12, "fine")]
    )
    def test_too_little_disk_is_a_fault(self, free_bytes: int, verdict: str, tmp_path: Path) -> None:
        assert checkup.disk(free_bytes, tmp_path).verdict == verdict

    def test_weights_are_known_by_their_hash(self, tmp_path: Path) -> None:
        environ = {"TORCH_HOME": str(tmp_path)}
        fetch = f"sudo -u training-claw env TORCH_HOME={tmp_path} {installation.PYTHON} -m trainer weights"
        fetch += " --backbone resnet18"
        missing = checkup.weights(environ, "unit")
        assert f"are not there; run `{fetch}`" in missing.said
        assert missing.verdict == "fault"
        folder = tmp_path / "hub" / "checkpoints"
        folder.mkdir(parents=True)
        (folder / "resnet18-f37072fd.pth").write_bytes(b"half of it")
        assert "are damaged" in checkup.weights(environ).said
        (folder / "resnet18-ba7816bf.pth").write_bytes(b"abc")
        assert checkup.weights(environ).verdict == "fine"
        (folder / "resnet34-b627a593.pth").write_bytes(b"half of it")
        found = checkup.weights(environ)
        assert (found.verdict, "run `env" in found.said) == ("fault", True)
        assert "-m trainer weights --backbone resnet34`" in found.said
        (folder / "resnet34-ba7816bf.pth").write_bytes(b"abc")
        assert "resnet34-ba7816bf.pth" in checkup.weights(environ).said
        (folder / "resnet18-ba7816bf.pth").unlink()
        (folder / "resnet18-f37072fd.pth").unlink()
        found = checkup.weights(environ)
        assert found.verdict == "warning"
        assert found.said.endswith("--backbone resnet18`, unless PLAN.md has another backbone: resnet34")

    def test_a_state_folder_that_is_not_there_is_a_fault(self, tmp_path: Path) -> None:
        assert checkup.state_folder(Places(tmp_path / "none")).verdict == "fault"
        assert "no daemon runs" in checkup.state_folder(Places(tmp_path)).said

    def test_a_damaged_database_is_a_fault(self, tmp_path: Path) -> None:
        assert checkup.database(Places(tmp_path)).verdict == "fine"
        Places(tmp_path).database.write_text("not a database, but long enough to look like one " * 50)
        assert checkup.database(Places(tmp_path)).verdict == "fault"

    def test_a_state_that_does_not_fit_is_a_fault(self, tmp_path: Path) -> None:
        with closing(make(Places(tmp_path).database)) as db:
            db.execute("INSERT INTO state VALUES (1, ?, ?)", (SCHEMA, '{"to_come": 1}'))
        found = checkup.database(Places(tmp_path))
        assert found.verdict == "fault"
        assert "does not fit this version" in found.said

    @pytest.mark.parametrize(
        ("device", "code", "verdict", "told"),
        [
            ("cuda", TELLS_GPU, "fine", "A100, 39 GB of 40 GB free"),
            ("cuda", TELLS_CPU, "fault", "sees no GPU; install the driver"),
            ("cpu", TELLS_CPU, "fine", "DEVICE is cpu"),
            ("cpu", "raise ImportError('libcudart')", "fault", "ImportError: libcudart"),
        ],
    )
    async def test_torch_is_asked_in_a_process_of_its_own(
        self, device: str, code: str, verdict: str, told: str
    ) -> None:
        found = await checkup.torch(device, code)
        assert found.verdict == verdict
        assert told in found.said

    async def test_a_torch_that_does_not_work_is_built_anew_where_it_is(self) -> None:
        found = await checkup.torch("cuda", "raise ImportError('libcudart')")
        assert found.said.endswith(f"`make -C {HOUSE} clean build`")

    def test_a_gpu_that_nobody_can_look_at_is_a_warning(
        self, environment: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        environment.setenv("PATH", str(tmp_path))
        assert checkup.second_witness().verdict == "warning"
        (tmp_path / "nvidia-smi").touch(mode=0o755)
        assert checkup.second_witness().verdict == "fine"


class TestTheCommand:
    def test_settings_that_are_wrong_are_named_and_hide_only_what_needs_them(
        self, environment: pytest.MonkeyPatch
    ) -> None:
        environment.setenv("BUCKET", "s3://elsewhere")
        environment.setenv("DISCORD_CHANNEL_ID", "general")
        environment.setenv("DISCORD_TOKEN", "sesame")
        ran = CliRunner().invoke(doctor, ["--quick"])
        assert ran.exit_code == 1
        assert "FIX   settings: BUCKET 's3://elsewhere' in the environment" in ran.output
        assert "?     bucket: correct BUCKET first" in ran.output
        assert "?     Discord: correct DISCORD_CHANNEL_ID first" in ran.output
        assert "database: none yet" in ran.output
        assert ran.output.splitlines()[-1].endswith("to fix; not looked at: Discord, bucket")
        assert "sesame" not in ran.output, "the token is nobody's business"

    async def test_everything_is_looked_at(
        self, discord: tuple[Discord, str], environment: pytest.MonkeyPatch
    ) -> None:
        environment.setenv("DISCORD_API_BASE", discord[1])
        found = [one async for one in findings(None, quick=True)]
        assert {one.what for one in found if one.verdict == "fault"} - {"disk"} == set()
        (weights,) = [one for one in found if one.what == "weights"]
        assert weights.verdict == "warning", "DEVICE is cpu: a rehearsal, whose PLAN.md wants none"
        assert {"STATE_DIR", "disk", "database", "token", "bucket, write checkpoints/"} <= {
            one.what for one in found
        }


# --- the trainer's unit -----------------------------------------------------


def test_a_unit_s_sandbox_is_what_its_service_section_says() -> None:
    told = sandbox.properties((UNITS / sandbox.UNIT).read_text(encoding="utf-8"))
    assert {"User=training-claw", "PrivateNetwork=yes", "DeviceAllow=char-nvidia rw"} <= set(told)
    assert not [one for one in told if one.startswith(("Exec", "Type", "Description"))]
    command = sandbox.within("[Service]\nPrivateNetwork=yes", ["true", "--x"])
    assert command[-4:] == ("--property=PrivateNetwork=yes", "--", "true", "--x")


def test_without_systemd_nothing_of_it_can_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "RUNNING", tmp_path / "absent")
    ran = CliRunner().invoke(doctor, ["--in-unit"])
    assert ran.exit_code == command.NOT_ALL_SEEN
    assert ran.output.splitlines() == [
        "?     sandbox: systemd does not run this machine",
        "nothing to fix in what was looked at; not looked at: sandbox",
    ]


# --- the installation -------------------------------------------------------

NOBODY = "nobody"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can try what another user may")


class TestTheInstallation:
    def test_the_secrets_lie_beside_the_env_file(self, tmp_path: Path) -> None:
        file = tmp_path / "training-claw.env"
        assert installation.credentials({}, file) is None
        (tmp_path / "discord_token").touch()
        assert installation.credentials({}, file) == tmp_path
        assert installation.credentials({"CREDENTIALS_DIRECTORY": "/run/x"}, file) == Path("/run/x")
        assert installation.credentials({}, None) is None

    def test_a_python_started_by_hand_is_tried_by_nobody_else(self, tmp_path: Path) -> None:
        assert installation.python("process", tmp_path).verdict == "fine"

    @as_root
    def test_a_python_under_somebody_s_home_is_a_fault(self, tmp_path: Path) -> None:
        """tmp_path is closed to others, as /root is."""
        program = tmp_path / "python"
        program.symlink_to("/bin/sh")
        found = installation.python("unit", tmp_path, NOBODY, program)
        assert found.verdict == "fault"
        assert "nobody cannot start it (it lies where only its owner may look)" in found.said

    @as_root
    @pytest.mark.parametrize(
        ("code", "folder", "verdict", "told"),
        [
            (0, "/", "fine", "nobody can start it"),
            (installation.MAY_NOT_WRITE, "/", "fault", "`sudo chown -R nobody: /`"),
            (installation.MAY_NOT_WRITE, "/absent", "fine", "nobody can start it"),
            (126, "/", "fault", "it ends with 126"),
        ],
    )
    def test_what_its_user_finds_is_said(self, code: int, folder: str, verdict: str, told: str) -> None:
        with tempfile.TemporaryDirectory(dir="/tmp") as open_to_all:
            Path(open_to_all).chmod(0o755)
            program = Path(open_to_all) / "python"
            program.write_text(f"#!/bin/sh\nexit {code}\n")
            program.chmod(0o755)
            found = installation.python("unit", Path(folder), NOBODY, program)
        assert (found.verdict, told in found.said) == (verdict, True), found.said

    @as_root
    def test_a_user_that_is_missing_is_a_fault(self, tmp_path: Path) -> None:
        assert "there is no user" in installation.python("unit", tmp_path, "claw-nobody").said

    def test_nobody_to_give_orders_is_a_warning(self) -> None:
        assert installation.operators(()).verdict == "warning"
        assert installation.operators((7,)).said == "7"

    def test_an_alarm_that_cannot_ring_is_a_fault(self, tmp_path: Path) -> None:
        assert installation.alarm("process", None).verdict == "fine"
        assert "cannot be read" in installation.alarm("unit", tmp_path).said
        file = tmp_path / "alarm_webhook"
        file.write_text("\n")
        assert "write it there" in installation.alarm("unit", tmp_path).said
        file.write_text("https://discord.com/api/webhooks/1/secret\n")
        found = installation.alarm("unit", tmp_path)
        assert (found.verdict, "secret" in found.said) == ("fine", False)
        assert installation.TEST_IT in found.said

    def test_weights_are_looked_for_where_the_unit_has_them(self, tmp_path: Path) -> None:
        assert installation.torch_home({}, "unit", tmp_path) == {"TORCH_HOME": f"{tmp_path}/torch"}
        assert installation.torch_home({}, "process", tmp_path) == {}
        assert installation.torch_home({"TORCH_HOME": "/x"}, "unit", tmp_path) == {"TORCH_HOME": "/x"}
