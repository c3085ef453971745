"""Is it installed as docs/operating.md says: a Python its user can start, a webhook, people who hear it?"""

import os
import pwd
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from bot.shell.bucket.probing import Finding
from bot.shell.machine.webhook import CREDENTIAL, Unsent, webhook
from bot.wrong_settings import ETC, NO_OPERATORS

USER = "training-claw"
BIN = Path(sys.prefix).resolve() / "bin"
PYTHON, PROGRAM = BIN / "python", BIN / "training-claw"
ANEW = f"build it anew while no daemon runs: `make -C {BIN.parents[1]} clean build`"
"""`make build` alone holds what was built once for built."""
ELSEWHERE = f"docs/operating.md, First installation, says where Python has to be; then {ANEW}"
TEST_IT = "sudo systemctl start training-claw-alarm@test.service"
TRY = "import os, sys; sys.exit(0 if os.access(sys.argv[1], os.W_OK | os.X_OK) else 9)"
MAY_NOT_WRITE = 9

type Launch = Literal["process", "unit"]


def credentials(environ: Mapping[str, str], env_file: Path | None) -> Path | None:
    """The folder of the secrets: systemd's own copies, or whence it takes them, beside the env file."""
    if folder := environ.get("CREDENTIALS_DIRECTORY"):
        return Path(folder)
    beside = env_file.absolute().parent if env_file else None
    return beside if beside and (beside / "discord_token").is_file() else None


def torch_home(environ: Mapping[str, str], launch: Launch, state_dir: Path) -> Mapping[str, str]:
    """The environment in which a trainer looks for weights: its unit's own, unless the daemon starts it."""
    if launch == "unit" and "TORCH_HOME" not in environ:
        return {**environ, "TORCH_HOME": str(state_dir / "torch")}
    return environ


def python(launch: Launch, state_dir: Path, user: str = USER, program: Path = PYTHON) -> Finding:
    """Under systemd another user starts it than the one who looks, from a folder that may be closed to it."""
    said = f"{'.'.join(map(str, sys.version_info[:3]))} at {program}"
    if launch != "unit":
        return Finding("Python", "fine", said)
    if os.geteuid() != 0:
        return Finding("Python", "unseen", f"{said}; whether {user} can start it only root can try: use sudo")
    try:
        who = pwd.getpwnam(user)
    except KeyError:
        return Finding(
            "Python", "fault", f"{said}; there is no user {user}: docs/operating.md, First installation"
        )
    return _tried(said, who, program, state_dir)


def as_user(launch: Launch, words: str) -> str:
    """A command for a person to type, so that what it makes belongs to the daemon's user."""
    return f"sudo -u {USER} {words}" if launch == "unit" else words


def _tried(said: str, who: pwd.struct_passwd, program: Path, state_dir: Path) -> Finding:
    name, command = who.pw_name, (str(program), "-c", TRY, str(state_dir))
    try:
        tried = subprocess.run(
            command,
            user=who.pw_uid,
            group=who.pw_gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=False,
        )
    except OSError as error:
        closed = isinstance(error, PermissionError)
        why = "it lies where only its owner may look" if closed else error.strerror
        really = f"{said}, really {program.resolve()}"
        return Finding("Python", "fault", f"{really}; {name} cannot start it ({why}): {ELSEWHERE}")
    if tried.returncode == MAY_NOT_WRITE and state_dir.is_dir():
        own = f"`sudo chown -R {name}: {state_dir}`"
        return Finding("Python", "fault", f"started by {name} it may not write into STATE_DIR; {own}")
    if tried.returncode not in {0, MAY_NOT_WRITE}:
        ends = f"started by {name} it ends with {tried.returncode}"
        return Finding("Python", "fault", f"{said}; {ends}: {ELSEWHERE}")
    return Finding("Python", "fine", f"{said}, {name} can start it")


def operators(ids: tuple[int, ...]) -> Finding:
    if not ids:
        return Finding("operators", "warning", NO_OPERATORS)
    return Finding("operators", "fine", ", ".join(map(str, ids)))


def alarm(launch: Launch, folder: Path | None) -> Finding:
    """Who tells people that the daemon stays down."""
    if launch != "unit" and folder is None:
        return Finding("alarm", "fine", "none: no unit watches over a daemon that is started by hand")
    file = (folder or ETC) / CREDENTIAL
    if file.exists() and not os.access(file, os.R_OK):
        return Finding("alarm", "unseen", f"{file} only root may read: use sudo")
    try:
        webhook({"CREDENTIALS_DIRECTORY": str(file.parent)})
    except Unsent as error:
        return Finding("alarm", "fault", f"{error}; nobody hears of a daemon that stays down")
    return Finding("alarm", "fine", f"{CREDENTIAL} names a webhook; `{TEST_IT}` rings it")
