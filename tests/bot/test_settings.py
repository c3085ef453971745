import re
from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, read_settings, to_policy
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
    assert all("env.example" in line and "\n" not in line for line in lines)


def test_a_blank_token_is_no_token(environment: pytest.MonkeyPatch) -> None:
    (line,) = problems(environment, DISCORD_TOKEN=" ")
    assert line.startswith("DISCORD_TOKEN in the environment: is empty")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DISCORD_CHANNEL_ID", "general", "should be a valid integer"),
        ("DISCORD_CHANNEL_ID", "12", "is not a Discord channel id"),
        ("WATCHER_ID", "7", "is not a Discord user id"),
        ("BUCKET", "s3://elsewhere", "is neither gs://NAME nor file:///FOLDER"),
        ("TIMEZONE", "Mars/Olympus", "is not a time zone"),
        ("DEVICE", "tpu", "input should be 'cuda' or 'cpu'"),
        ("REPORT_EVERY_S", "0", "should be greater than 0"),
        ("OPERATOR_IDS", "1477300000000000001, me", "should be a valid integer"),
        ("LESSON_TRANSLATOR", "/nowhere/translate --fast", "names /nowhere/translate, which cannot be run"),
        ("LESSON_TRANSLATOR", "python 'half", "is no command line (No closing quotation)"),
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
    told = problems(environment, WATCHER_ID="1477168971718332516")[0]
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
    environment.setenv("DISCORD_TOKEN", "from.the.environment")
    assert read_settings().discord_token.get_secret_value() == "from.the.environment"


def test_an_unreadable_env_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings(tmp_path / "absent.env")


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
