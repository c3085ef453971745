"""The daemon's settings: environment and env file as one checked value. Built in main, never at import.

Every problem is one line that names the setting, the place and the next step; what is secret never shows.
"""

import ipaddress
import logging
import os
import shlex
import shutil
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot import env_file as env_files
from bot import wrong_settings
from bot.core import preapproved
from bot.core.policy import Policy
from protocol.roster import CARD_IDS, Peer, Roster

Seconds = Annotated[float, Field(gt=0, le=86_400 * 7)]


def is_snowflake(number: int) -> bool:
    """Can it be an id of Discord's?"""
    return 10**14 <= number < 2**63


class SettingsError(Exception):
    """The daemon cannot run with these settings. `lines`: one problem each."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Settings(BaseSettings):
    """Each field is read from the variable of its name in capitals. `*_s` are seconds."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    discord_token: SecretStr
    discord_channel_id: int
    discord_api_base: str | None = None
    discord_gateway_url: str | None = None
    bucket: str = "gs://ralphton-handoff"
    state_dir: Path = Path("/var/lib/training-claw")
    operator_ids: Annotated[tuple[int, ...], NoDecode] = ()
    report_every_s: Annotated[float, Field(gt=0, le=1800)] = 1800
    metrics_port: Annotated[int, Field(ge=1024, le=65535)] | None = None
    timezone: str = "Asia/Seoul"
    device: Literal["cuda", "cpu"] = "cuda"
    launch: Literal["process", "unit"] = "process"
    approval: Literal["explicit", "notice"] = "explicit"
    notice_grace_s: Seconds = 600
    remind_operators_after_s: Seconds = 7200
    operators_may_approve: bool = False
    auto_approve: Annotated[tuple[preapproved.Preapproved, ...], NoDecode] = ()
    lesson_translator: Annotated[tuple[str, ...], NoDecode] = ()
    quiet_s: Annotated[float, Field(ge=0, le=60)] = 2.5
    answers_a_minute: Annotated[int, Field(ge=1, le=1000_000)] = 20
    backoff_s: Seconds = 30
    stall_patience: Annotated[float, Field(gt=0, le=100)] = 2
    stall_floor_s: Seconds = 300
    rehearsal_dir: Path | None = None
    watcher_id: int = CARD_IDS[Peer.WATCHER]
    developer_id: int = CARD_IDS[Peer.DEVELOPER]
    domain_expert_id: int = CARD_IDS[Peer.DOMAIN_EXPERT]
    training_id: int = CARD_IDS[Peer.TRAINING]
    evaluation_id: int = CARD_IDS[Peer.EVALUATION]

    @field_validator("discord_token")
    @classmethod
    def _there_is_a_token(cls, token: SecretStr) -> SecretStr:
        if not token.get_secret_value().strip():
            raise ValueError(wrong_settings.NO_TOKEN)
        return SecretStr(token.get_secret_value().strip())

    @field_validator("discord_api_base", "discord_gateway_url")
    @classmethod
    def _stays_on_this_machine(cls, url: str | None) -> str | None:
        if url and not _is_loopback(urlsplit(url).hostname):
            raise ValueError("may only name this machine (127.0.0.1): it is for rehearsals and tests")
        return url.rstrip("/") if url else None

    @field_validator("bucket")
    @classmethod
    def _names_a_bucket(cls, url: str) -> str:
        scheme, _, rest = url.partition("://")
        if scheme not in {"gs", "file"} or not rest.strip("/"):
            raise ValueError("is neither gs://NAME nor file:///FOLDER")
        return url.rstrip("/")

    @field_validator("operator_ids", mode="before")
    @classmethod
    def _is_a_list_with_commas(cls, ids: object) -> object:
        return tuple(ids.replace(",", " ").split()) if isinstance(ids, str) else ids

    @field_validator("operator_ids")
    @classmethod
    def _are_snowflakes(cls, ids: tuple[int, ...]) -> tuple[int, ...]:
        for number in ids:
            if not is_snowflake(number):
                raise ValueError(f"{number} is not an id (15 to 19 digits); {wrong_settings.COPY_USER}")
        return ids

    @field_validator("auto_approve", mode="before")
    @classmethod
    def _are_fields_with_bounds(cls, text: object) -> object:
        return preapproved.read(text) if isinstance(text, str) else text

    @field_validator("lesson_translator", mode="before")
    @classmethod
    def _is_a_command_line(cls, line: object) -> object:
        try:
            return tuple(shlex.split(line)) if isinstance(line, str) else line
        except ValueError as error:
            raise ValueError(f"is no command line ({error}); quote it as for a shell") from None

    @field_validator("lesson_translator")
    @classmethod
    def _is_there(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        if command and shutil.which(command[0]) is None:
            raise ValueError(f"names {command[0]}, which cannot be run; name a program by its path")
        return command

    @field_validator("timezone")
    @classmethod
    def _is_a_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError("is not a time zone; write one like Asia/Seoul") from None
        return name

    @field_validator(
        "discord_channel_id", "watcher_id", "developer_id", "domain_expert_id", "training_id", "evaluation_id"
    )
    @classmethod
    def _is_a_snowflake(cls, number: int, info: ValidationInfo) -> int:
        if not is_snowflake(number):
            find = wrong_settings.how_to_find(str(info.field_name).upper())
            raise ValueError(f"is not an id (15 to 19 digits); {find}")
        return number

    @model_validator(mode="after")
    def _everybody_is_somebody_else(self) -> Self:
        ids = self.roster().ids()
        for user_id, names in groupby(sorted(ids, key=ids.__getitem__), key=ids.__getitem__):
            if len(same := [f"{peer.name}_ID" for peer in names]) > 1:
                raise ValueError(f"{' and '.join(same)} are the same id, {user_id}; each bot has its own")
        return self

    @model_validator(mode="after")
    def _only_a_rehearsal_is_interfered_with(self) -> Self:
        if self.rehearsal_dir and not self.discord_api_base:
            raise ValueError("REHEARSAL_DIR is for rehearsals: it needs DISCORD_API_BASE on this machine")
        return self

    def roster(self) -> Roster:
        return Roster(
            watcher=self.watcher_id,
            developer=self.developer_id,
            domain_expert=self.domain_expert_id,
            training=self.training_id,
            evaluation=self.evaluation_id,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What the sources say. `problems`: one line each. `wrong`: fields that have their defaults for it."""

    settings: Settings
    problems: tuple[str, ...] = ()
    wrong: frozenset[str] = frozenset()


def read_settings(env_file: Path | None = None) -> Settings:
    """The settings that `look` finds.

    Raises:
        SettingsError: every problem, one line each.
    """
    reading = look(env_file)
    if reading.problems:
        raise SettingsError(reading.problems)
    return reading.settings


def look(env_file: Path | None = None, credentials: Path | None = None) -> Reading:
    """Settings from the environment, beneath it from `env_file`, beneath that from credentials.

    A credential is a file of a setting's name in the folder `credentials` or CREDENTIALS_DIRECTORY, as
    systemd's LoadCredential makes it; the token belongs there.
    """
    lines, problems = _lines(env_file)
    folder = credentials or _credentials()
    sources: dict[str, Any] = {"_env_file": env_file if lines else None, "_secrets_dir": folder}
    instead = {name: _default(name) for name in _lost(lines)}
    if unreadable := _unreadable_token(folder):
        problems += (unreadable,)
        folder = sources["_secrets_dir"] = None
        instead["discord_token"] = _default("discord_token")
    while True:
        try:
            settings = Settings(**sources, **instead)
            break
        except ValidationError as error:
            for problem in error.errors():
                problems += (wrong_settings.line(problem, _place(problem, env_file, lines)),)
                instead |= {name: _default(name) for name in _names(problem)}
    problems += _two_tokens(settings, folder) if "discord_token" not in instead else ()
    return Reading(settings, problems, frozenset(instead))


def to_policy(settings: Settings) -> Policy:
    """What of it the core needs to know."""
    return Policy(
        roster=settings.roster(),
        operators=settings.operator_ids,
        timezone=settings.timezone,
        bucket=settings.bucket,
        device=settings.device,
        report_every_s=settings.report_every_s,
        approval=settings.approval,
        notice_grace_s=settings.notice_grace_s,
        remind_operators_after_s=settings.remind_operators_after_s,
        operators_may_approve=settings.operators_may_approve,
        auto_approve=settings.auto_approve,
        translator=bool(settings.lesson_translator),
        quiet_s=settings.quiet_s,
        answers_a_minute=settings.answers_a_minute,
        backoff_s=settings.backoff_s,
        stall_patience=settings.stall_patience,
        stall_floor_s=settings.stall_floor_s,
    )


def _credentials() -> Path | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return Path(folder) if folder and Path(folder).is_dir() else None


def _lines(env_file: Path | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The file's lines, and what is wrong with them."""
    if env_file is None:
        return (), ()
    known = [name.upper() for name in Settings.model_fields]
    logging.getLogger("dotenv").setLevel(logging.ERROR)  # of a line that it cannot read we say more
    try:
        lines = env_files.lines_of(env_file)
    except env_files.Unreadable as error:
        return (), (str(error),)
    return lines, env_files.faults(env_file, lines, known, wrong_settings.ENV_EXAMPLE)


def _lost(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The fields that a quote left open has taken, and that stand nowhere above the file."""
    lost = env_files.lost(lines)
    return tuple(
        name for name in Settings.model_fields if name.upper() in lost and not os.environ.get(name.upper())
    )


def _place(problem: Any, env_file: Path | None, lines: tuple[str, ...]) -> str:
    """Where a person has to put it right."""
    name = str(problem["loc"][0]).upper() if problem["loc"] else ""
    if env_file and not os.environ.get(name):
        number = env_files.line_of(lines, name)
        return f"{env_file}, line {number}" if number else str(env_file)
    return "the environment" + (" (a unit's EnvironmentFile=)" if "INVOCATION_ID" in os.environ else "")


def _names(problem: Any) -> tuple[str, ...]:
    """The fields that a problem is about; those that have to fit together if it is about none alone."""
    if problem["loc"]:
        return (str(problem["loc"][0]),)
    return ("rehearsal_dir", *(f"{peer.name.lower()}_id" for peer in Peer))


def _default(name: str) -> Any:
    """A value that is no setting's where there is no default: nobody gets to use it."""
    return {"discord_token": "-", "discord_channel_id": 10**14}.get(name, Settings.model_fields[name].default)


def _unreadable_token(credentials: Path | None) -> str:
    """What is wrong with the token's file itself; empty: nothing, or there is none."""
    file = credentials / "discord_token" if credentials else None
    try:
        if file and file.is_file():
            file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return f"DISCORD_TOKEN in {file}: is no text; write the token alone into it, on one line"
    except OSError as error:
        return f"DISCORD_TOKEN in {file}: cannot be read ({error.strerror}); use sudo"
    return ""


def _two_tokens(settings: Settings, credentials: Path | None) -> tuple[str, ...]:
    """One of them is old, and nobody would see which one counts."""
    file = credentials / "discord_token" if credentials else None
    kept = file.read_text(encoding="utf-8", errors="replace").strip() if file and file.is_file() else ""
    if kept in {"", settings.discord_token.get_secret_value()}:
        return ()
    return (f"DISCORD_TOKEN is set, and {file} holds another one; leave the variable empty",)


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
