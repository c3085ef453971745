"""What is put on the machine before the play: two versions of the program, the units, settings, a bucket.

Everything lies under one folder and in namespaces of our own, so nothing of it outlives the process that made
it but that folder.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.rehearsal.cast import OPERATOR_ID
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.stage import Sizes, Stage, set_stage

HOUSE = Path(__file__).parents[2]
CODE = ("protocol", "bot", "trainer", "deploy", "docs")
VERSIONS = ("1", "2")
SITE_PACKAGES = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
METADATA = "169.254.169.254"
"""Where a virtual machine of Google's finds its own credentials."""
SIZES = Sizes(epochs=4000, save_checkpoint_every=50, report_every_s=60)
METRICS_PORT = 9464
WATCHDOG_S = 20
"""Instead of the unit's 90: what is waited for is shortened, not what is shown."""


def apart() -> None:
    """Mounts and a network of our own from here on: a loopback, and the metadata server's address on it."""
    os.unshare(os.CLONE_NEWNS | os.CLONE_NEWNET)
    _run("mount", "--make-rprivate", "/")
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "address", "add", f"{METADATA}/32", "dev", "lo")


@dataclass(frozen=True, slots=True)
class Ground:
    """`folder` is ours; `root` the machine's disk, an overlay over `image`, fresh each time."""

    folder: Path
    image: Path

    @property
    def root(self) -> Path:
        return self.folder / "machine"

    @property
    def stage(self) -> Stage:
        return Stage(self.folder / "stage", SIZES)

    @property
    def lent(self) -> tuple[str, ...]:
        """The Python of the checkout and what is installed in it, read-only; the bucket."""
        ours = Path(sys.prefix).resolve() / SITE_PACKAGES
        packages = (
            f"--overlay-ro={ours}:{self.folder / f'editable-{version}'}"
            f":/opt/training-claw-{version}/.venv/{SITE_PACKAGES}"
            for version in VERSIONS
        )
        return (
            f"--bind-ro={Path(sys.base_prefix).resolve()}:/opt/python",
            *packages,
            f"--bind={self.stage.bucket}",
        )

    def set_up(self, discord: DiscordServer, token: str, webhook: str) -> None:
        for name in ("machine", "upper", "work", "stage", *(f"editable-{one}" for one in VERSIONS)):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir(parents=True)
        layers = f"lowerdir={self.image},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
        _run("mount", "-t", "overlay", "overlay", "-o", layers, str(self.root))
        for library in (Path(sys.base_prefix) / "lib").glob("libpython*.so.*"):
            (self.root / "usr/lib" / library.name).symlink_to(f"/opt/python/lib/{library.name}")
        for version in VERSIONS:
            self._install_code(version)
        self.turn_to("1")
        self._install_units()
        self._write_settings(discord, token, webhook)
        self._set_stage()

    def turn_to(self, version: str) -> None:
        """The upgrade of docs/operating.md: `ln -sfn`."""
        link = self.root / "opt/training-claw"
        link.unlink(missing_ok=True)
        link.symlink_to(f"/opt/training-claw-{version}")

    # --- its parts ----------------------------------------------------------

    def _install_code(self, version: str) -> None:
        """A version's folder: its own code, an environment that is made of the checkout's."""
        target = self.root / f"opt/training-claw-{version}"
        for name in CODE:
            shutil.copytree(HOUSE / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        bin_ = target / ".venv/bin"
        bin_.mkdir(parents=True)
        (target / ".venv" / SITE_PACKAGES).mkdir(parents=True)
        (target / ".venv/pyvenv.cfg").write_text(
            "home = /opt/python/bin\ninclude-system-site-packages = false\n"
        )
        (bin_ / "python").symlink_to(f"/opt/python/bin/python{sys.version_info[0]}.{sys.version_info[1]}")
        program = Path(sys.executable).with_name("training-claw").read_text()
        _, _, body = program.partition("\n")
        (bin_ / "training-claw").write_text(f"#!/opt/training-claw/.venv/bin/python\n{body}")
        (bin_ / "training-claw").chmod(0o755)
        for editable in (Path(sys.prefix) / SITE_PACKAGES).glob("_editable_impl_training_claw*.pth"):
            upper = self.folder / f"editable-{version}" / editable.name
            upper.write_text(f"/opt/training-claw-{version}\n")

    def _install_units(self) -> None:
        units, system = HOUSE / "deploy/systemd", self.root / "etc/systemd/system"
        for unit in (*units.glob("*.service"), *units.glob("*.path"), *units.glob("*.timer")):
            shutil.copy(unit, system)
        sysusers = self.root / "etc/sysusers.d/training-claw.conf"
        sysusers.parent.mkdir(exist_ok=True)
        shutil.copy(units / "training-claw.sysusers.conf", sysusers)
        _run("systemd-sysusers", f"--root={self.root}")
        owner = self.owner
        state = self.root / "var/lib/training-claw"
        state.mkdir(mode=0o750, exist_ok=True)
        os.chown(state, *owner)
        drop_in = system / "training-claw.service.d/test.conf"
        drop_in.parent.mkdir()
        drop_in.write_text(f"[Service]\nReadWritePaths={self.stage.bucket}\nWatchdogSec={WATCHDOG_S}\n")

    @property
    def owner(self) -> tuple[int, int]:
        """The uid and gid of training-claw there."""
        for line in (self.root / "etc/passwd").read_text().splitlines():
            name, _, uid, gid, *_ = line.split(":")
            if name == "training-claw":
                return int(uid), int(gid)
        raise AssertionError("systemd-sysusers has made training-claw")

    def _write_settings(self, discord: DiscordServer, token: str, webhook: str) -> None:
        etc = self.root / "etc/training-claw"
        etc.mkdir()
        told = {
            "DISCORD_CHANNEL_ID": discord.channel_id,
            "DISCORD_API_BASE": discord.api_base,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "OPERATOR_IDS": OPERATOR_ID,
            "BUCKET": self.stage.bucket_url,
            "REPORT_EVERY_S": int(SIZES.report_every_s),
            "DEVICE": "cpu",
            "METRICS_PORT": METRICS_PORT,
        }
        example = (HOUSE / "deploy/systemd/training-claw.env.example").read_text(encoding="utf-8")
        lines = [
            f"{name}={told.get(name, value)}" if is_setting and not name.startswith("#") else line
            for line in example.splitlines()
            for name, is_setting, value in [line.partition("=")]
        ]
        (etc / "training-claw.env").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for name, secret in (("discord_token", token), ("alarm_webhook", webhook)):
            (etc / name).touch(mode=0o600)
            (etc / name).write_text(secret + "\n")

    def _set_stage(self) -> None:
        set_stage(self.stage)
        shutil.rmtree(self.stage.bucket / "lessons")
        sizes = self.stage.sizes
        shape = ("--episodes", str(sizes.episodes), "--frames", str(sizes.frames))
        _run(sys.executable, "-m", "trainer", "simulate", str(self.stage.dataset), *shape)
        for path in (self.stage.bucket, *self.stage.bucket.rglob("*")):
            os.chown(path, *self.owner)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
