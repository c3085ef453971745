"""A machine with a systemd of its own: booted in a container, looked at through its init's namespaces.

`--register=no --keep-unit` let systemd-nspawn work where the host's own init is not systemd. With them a
reboot ends it with a code of its own, and we start it again.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PACKAGES = (
    *(
        "systemd",
        "systemd-sysv",
        "dbus",
        "ca-certificates",
        "libssl3",
        "libsqlite3-0",
        "libffi8",
        "libbz2-1.0",
    ),
    *("liblzma5", "zlib1g", "libreadline8", "libexpat1", "libstdc++6", "libgomp1"),
)
SUITE = "bookworm"
HIDDEN = ("/home", "/root", "/run", "/tmp", "/var/tmp")  # noqa: S108  by ProtectHome and PrivateTmp
INIT = "/usr/lib/systemd/systemd"
LOOK_EVERY_S = 0.2
REBOOTED = 133
"""systemd-nspawn's exit code for a machine that wants to be started again, with --keep-unit."""
BOOT_S = 300.0


class CannotBoot(Exception):
    """One line for a person."""


def image(folder: Path) -> Path:
    """A minimal Debian in `folder`, made once.

    Raises:
        CannotBoot: a tool is missing, or the packages cannot be fetched.
    """
    missing = [
        tool
        for tool in ("debootstrap", "systemd-nspawn", "ip", "nsenter", "setpriv")
        if not shutil.which(tool)
    ]
    if os.geteuid() != 0 or missing:
        wanted = f"; apt-get install {' '.join(missing)}" if missing else ""
        raise CannotBoot(f"this needs root, debootstrap, systemd-container and iproute2{wanted}")
    if any(folder.absolute().is_relative_to(each) for each in HIDDEN):
        raise CannotBoot(f"{folder}: a unit's sandbox hides it; name another --folder")
    made = folder / "made"
    if not made.exists():
        shutil.rmtree(folder / "root", ignore_errors=True)
        print(f"making {folder / 'root'} (once, about a minute)", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        command = ("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE)
        with (folder / "debootstrap.log").open("wb") as log:
            ran = subprocess.run([*command, folder / "root"], stdout=log, stderr=log, check=False)
        if ran.returncode:
            raise CannotBoot(f"debootstrap failed; see {folder / 'debootstrap.log'}")
        made.touch()
    return folder / "root"


class Machine:
    """`root` is its disk, `lent` are nspawn's --bind options, `network` the namespace it lives in."""

    def __init__(self, root: Path, lent: Sequence[str], network: Path, console: Path) -> None:
        self.root = root
        self._lent = tuple(lent)
        self._network = network
        self._console = console
        self._nspawn: asyncio.subprocess.Process | None = None

    async def boot(self) -> None:
        """Raises CannotBoot."""
        with self._console.open("ab") as console:
            self._nspawn = await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig=TERM"),  # the machine halts if we are killed
                *("systemd-nspawn", "--quiet", f"--directory={self.root}", "--boot", "--register=no"),
                *("--keep-unit", "--machine=claw", "--resolv-conf=off", "--timezone=off", "--console=pipe"),
                "--capability=CAP_NET_ADMIN",  # as a real machine's: a service's own loopback is brought up
                *(f"--network-namespace-path={self._network}", *self._lent),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        await self.is_up()

    async def is_up(self) -> None:
        """Until all that starts by itself has started."""
        async with asyncio.timeout(BOOT_S):
            while True:
                if self._nspawn is None or self._nspawn.returncode is not None:
                    raise CannotBoot(f"the container ended; see {self._console}")
                said = await self.ask("systemctl", "is-system-running")
                if said in {"running", "degraded"}:
                    return
                await asyncio.sleep(LOOK_EVERY_S)

    async def reboot(self) -> None:
        """systemd's own orderly reboot; every process of the machine is another afterwards."""
        await self._down("reboot", REBOOTED)
        await self.boot()

    async def power_off(self) -> None:
        if self._nspawn is not None and self._nspawn.returncode is None:
            await self._down("poweroff", 0)

    async def _down(self, how: str, code: int) -> None:
        """Raises CannotBoot: it did not go down as it should."""
        assert self._nspawn is not None, "it was booted"
        await self.ask("systemctl", how)
        try:
            async with asyncio.timeout(BOOT_S):
                ended = await self._nspawn.wait()
        except TimeoutError:
            self._nspawn.kill()
            ended = await self._nspawn.wait()
        if ended != code:
            raise CannotBoot(f"systemctl {how} ended with {ended}; see {self._console}")

    @property
    def init(self) -> int | None:
        """The pid, seen from here, of the machine's first process."""
        if self._nspawn is None:
            return None
        return next((pid for pid in _children(self._nspawn.pid) if _program(pid) == INIT), None)

    async def ask(self, *command: str, user: str = "") -> str:
        """What a command in the machine says, by both its outputs. Its end is not judged."""
        init = self.init
        if init is None:
            return ""
        as_user = ("runuser", "-u", user, "--") if user else ()
        asked = await asyncio.create_subprocess_exec(
            *("nsenter", f"--target={init}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"),
            *(*as_user, *command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = await asked.communicate()
        return said.decode(errors="replace").strip()

    async def show(self, unit: str, name: str) -> str:
        """A property of a unit, as systemd has it now."""
        return await self.ask("systemctl", "show", "--value", f"--property={name}", unit)

    async def journal(self, unit: str) -> str:
        return await self.ask("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")

    def file(self, path: str) -> Path:
        """A file of the machine's disk, seen from here."""
        return self.root / path.lstrip("/")


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/exe").readlink().as_posix()
    except OSError:
        return ""
