import doctest
import os
import re
from io import StringIO
from pathlib import Path

import pytest
from dotenv.parser import parse_stream
from hypothesis import given
from hypothesis import strategies as st

from bot import env_file, wrong_settings
from bot.settings import Settings, SettingsError, look, read_settings, to_policy
from protocol.roster import Roster

HOUSE = Path(__file__).parents[2]
ENV = {"DISCORD_TOKEN": "a.secret.token", "DISCORD_CHANNEL_ID": "1477000000000000001"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def problems(environment: pytest.MonkeyPatch, **env: str) -> tuple[str, ...]:
    for name, value in env.items():
        environment.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        read_settings()
    return refused.value.lines


def test_token_and_channel_are_enough() -> None:
    settings = read_settings()
    assert settings.bucket == "gs://ralphton-handoff"
    assert settings.roster() == Roster()
    assert to_policy(settings).report_every_s == 1800


def test_each_missing_setting_is_one_line_with_the_next_step(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("DISCORD_CHANNEL_ID")
    lines = problems(environment, DISCORD_TOKEN="")
    assert [line.split()[0] for line in lines] == ["DISCORD_TOKEN", "DISCORD_CHANNEL_ID"]
    assert "into /etc/training-claw/discord_token" in lines[0]
    assert "Copy Channel ID" in lines[1]
    assert all("\n" not in line for line in lines)


def test_a_blank_token_is_no_token(environment: pytest.MonkeyPatch) -> None:
    (line,) = problems(environment, DISCORD_TOKEN=" ")
    assert line.startswith("DISCORD_TOKEN is not set; write the token")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DISCORD_CHANNEL_ID", "general", "right-click the channel > Copy Channel ID"),
        ("DISCORD_CHANNEL_ID", "12", "right-click the channel > Copy Channel ID"),
        ("WATCHER_ID", "7", "right-click the name > Copy User ID"),
        ("BUCKET", "s3://elsewhere", "is neither gs://NAME nor file:///FOLDER"),
        ("TIMEZONE", "Mars/Olympus", "is not a time zone"),
        ("LESSON_TRANSLATOR", "/nowhere/translate --fast", "names /nowhere/translate, which cannot be run"),
        ("LESSON_TRANSLATOR", "python 'half", "is no command line (No closing quotation)"),
        ("DEVICE", "tpu", "has to be 'cuda' or 'cpu'"),
        ("REPORT_EVERY_S", "0", "has to be more than 0"),
        ("REPORT_EVERY_S", "3600", "at most 1800"),
        ("REPORT_EVERY_S", "half an hour", "is not a number"),
        ("QUIET_S", "-1", "has to be at least 0"),
        ("QUIET_S", "99", "may be at most 60"),
        ("METRICS_PORT", "http", "is not a whole number"),
        (
            "AUTO_APPROVE",
            "lr",
            "AUTO_APPROVE 'lr' in the environment: has 'lr': write fields with their bounds",
        ),
        ("OPERATORS_MAY_APPROVE", "perhaps", "is neither true nor false"),
        ("OPERATOR_IDS", "1477300000000000001, me", "OPERATOR_IDS 'me' in the environment: is not an id"),
        (
            "OPERATOR_IDS",
            "1477300000000000001, 12",
            "12 is not an id (15 to 19 digits); in Discord: Settings",
        ),
        ("DISCORD_API_BASE", "https://discord.example/api", "may only name this machine"),
        ("DISCORD_GATEWAY_URL", "wss://8.8.8.8/", "may only name this machine"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(
    environment: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    (line,) = problems(environment, **{name: value})
    assert line.startswith(name)
    assert told in line


def test_two_peers_cannot_share_an_id(environment: pytest.MonkeyPatch) -> None:
    (told,) = problems(environment, WATCHER_ID="1477168971718332516")
    assert "WATCHER_ID and DEVELOPER_ID are the same id, 1477168971718332516" in told


def test_the_token_shows_nowhere(environment: pytest.MonkeyPatch) -> None:
    settings = read_settings()
    assert "a.secret.token" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert "a.secret.token" not in " ".join(problems(environment, DEVICE="tpu"))


def test_a_bot_on_this_machine_may_be_spoken_to(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DISCORD_API_BASE", "http://127.0.0.1:99/api/v10/")
    assert read_settings().discord_api_base == "http://127.0.0.1:99/api/v10"


def test_the_environment_stands_above_the_env_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "claw.env"
    file.write_text("# ours\nDISCORD_TOKEN='from file'\nDEVICE=cpu\nOPERATOR_IDS=1477300000000000001,\n")
    environment.setenv("DEVICE", "cuda")
    settings = read_settings(file)
    assert settings.device == "cuda"
    assert settings.operator_ids == (1477300000000000001,)


def test_the_token_may_be_a_credential(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.delenv("DISCORD_TOKEN")
    environment.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "discord_token").write_text("from.a.credential\n")
    assert read_settings().discord_token.get_secret_value() == "from.a.credential"


def test_two_tokens_that_differ_are_refused_and_not_shown(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "discord_token").write_text("an.older.token\n")
    (line,) = problems(environment)
    assert (
        line
        == f"DISCORD_TOKEN is set, and {tmp_path}/discord_token holds another one; leave the variable empty"
    )
    environment.setenv("DISCORD_TOKEN", "an.older.token")
    assert read_settings()


class TestTheEnvFile:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("REPORT_EVERY=900", "unknown setting REPORT_EVERY, did you mean REPORT_EVERY_S?"),
            ("OPERATORS_IDS=1477300000000000001", "did you mean OPERATOR_IDS?"),
            ("HTTPS_PROXY=x", "unknown setting HTTPS_PROXY; deploy/systemd/training-claw.env.example lists"),
            ("a.secret.pasted.here", "is no NAME=value"),
            ("export DEVICE=cpu", "is no NAME=value"),
            ("REPORT_EVERY_S=900 # note", "REPORT_EVERY_S: systemd takes what follows the #"),
            ('DEVICE="cpu', 'DEVICE: its quote (") is not closed on its line; close it'),
            ("TIMEZONE='Asia/Seoul' East", "TIMEZONE: nobody reads what stands behind its closing quote"),
            ("=cpu", "is no NAME=value"),
            ("DEVICE=tpu", "DEVICE 'tpu' in {file}, line 2: has to be"),
        ],
    )
    def test_what_nobody_would_read_is_named_with_its_line(
        self, tmp_path: Path, text: str, told: str
    ) -> None:
        file = tmp_path / "claw.env"
        file.write_text(f"# ours\n{text}\n")
        with pytest.raises(SettingsError) as refused:
            read_settings(file)
        line = refused.value.lines[0]
        assert told.format(file=file) in line
        assert f"{file}, line 2:" in line
        assert "secret" not in line

    @pytest.mark.parametrize("behind", ["", 'TIMEZONE="Asia/Seoul"\n'])
    def test_a_quote_left_open_is_one_line_whatever_it_takes_with_it(
        self, environment: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture, behind: str
    ) -> None:
        for name in ENV:
            environment.delenv(name)
        file = tmp_path / "claw.env"
        file.write_text(f'DISCORD_TOKEN="secret\nDISCORD_CHANNEL_ID=1477000000000000001\n{behind}')
        with pytest.raises(SettingsError) as refused:
            read_settings(file)
        told = 'DISCORD_TOKEN: its quote (") is not closed on its line; close it, or leave it out'
        assert refused.value.lines == (f"{file}, line 1: {told}",)
        assert caplog.records == [], "what reads it says nothing beside us"

    @given(st.lists(st.text("\"'\\ #x", max_size=5).map("A={}".format), max_size=4))
    def test_what_its_library_cannot_read_is_always_named(self, lines: list[str]) -> None:
        unread = [one for one in parse_stream(StringIO("\n".join(lines))) if one.error]
        assert not unread or env_file.faults(Path("f"), tuple(lines), ["A", "AA"], "")

    def test_notes_quotes_and_small_letters_are_fine(self, tmp_path: Path) -> None:
        file = tmp_path / "claw.env"
        file.write_text("\n  # note = this\ndevice = cpu\r\nTIMEZONE='Asia/Seoul'\nSTATE_DIR='/srv/a #1'\n")
        assert str(read_settings(file).state_dir) == "/srv/a #1"

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (None, "cannot be read (No such file"),
            (b"DEVICE=cpu\n# \xff", ", line 2: is not UTF-8 (byte 0xff)"),
        ],
    )
    def test_an_unreadable_one_is_one_line(self, tmp_path: Path, content: bytes | None, told: str) -> None:
        file = tmp_path / "claw.env"
        if content:
            file.write_bytes(content)
        with pytest.raises(SettingsError) as refused:
            read_settings(file)
        (line,) = refused.value.lines
        assert told in line

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (b"\xef\xbb\xbf# a note\nDEVICE=cpu\n", "line 1: begins with a byte order mark"),
            (b"\xef\xbb\xbfDEVICE=cpu\n", "line 1: begins with a byte order mark"),
            (b"DEVICE=cpu\nSTATE_DIR=/srv/\0\0\n", "line 2: holds zero bytes"),
            (b"DEVICE=cpu\n\0\0\0\0\n", "line 2: holds zero bytes"),
        ],
    )
    def test_bytes_that_nobody_sees_are_named_and_the_rest_is_used(
        self, tmp_path: Path, content: bytes, told: str
    ) -> None:
        file = tmp_path / "claw.env"
        file.write_bytes(content + b"OPERATOR_IDS=1477300000000000001\n")
        reading = look(file)
        (line,) = reading.problems
        assert told in line
        assert reading.settings.operator_ids == (1477300000000000001,)

    def test_a_pipe_is_refused_for_it_would_be_empty_the_second_time(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (line,) = look(tmp_path / "pipe").problems
        assert line.endswith("is a pipe; write the settings into a file, and name that")

    def test_a_token_s_file_that_is_no_text_is_one_line(
        self, environment: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        environment.delenv("DISCORD_TOKEN")
        environment.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        file = tmp_path / "discord_token"
        file.write_bytes(b"secret\xff")
        told = f"DISCORD_TOKEN in {file}: is no text; write the token alone into it, on one line"
        assert look().problems == (told,)
        file.unlink()
        file.symlink_to("/proc/self/mem")  # there, and not even root can read its beginning
        (told,) = look().problems
        assert told.startswith(f"DISCORD_TOKEN in {file}: cannot be read (")

    def test_what_is_right_can_be_used_beside_what_is_wrong(
        self, environment: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        environment.delenv("DISCORD_TOKEN")
        file = tmp_path / "claw.env"
        file.write_text("DEVICE=tpu\nOPERATOR_IDS=1477300000000000001\nWATCHER_ID=1477168971718332516\n")
        reading = look(file)
        assert reading.settings.operator_ids == (1477300000000000001,)
        assert reading.wrong >= {"device", "discord_token", "watcher_id"}
        assert [line.split()[0] for line in reading.problems] == ["DISCORD_TOKEN", "DEVICE", f"{file}:"]

    def test_the_examples_hold(self) -> None:
        assert doctest.testmod(env_file).failed + doctest.testmod(wrong_settings).failed == 0


def test_the_env_example_lists_every_setting_with_its_default() -> None:
    example = HOUSE / "deploy/systemd/training-claw.env.example"
    listed = re.findall(r"^([A-Z_]+)=", example.read_text(), re.MULTILINE)
    assert set(listed) == {name.upper() for name in Settings.model_fields}
    under_systemd = read_settings().model_copy(update={"launch": "unit"})
    assert read_settings(example) == under_systemd


def test_a_translator_is_a_command_line_and_off_by_default(environment: pytest.MonkeyPatch) -> None:
    assert not to_policy(read_settings()).translator
    environment.setenv("LESSON_TRANSLATOR", "sh -c 'cat; true'")
    settings = read_settings()
    assert settings.lesson_translator == ("sh", "-c", "cat; true")
    assert to_policy(settings).translator
