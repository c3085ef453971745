"""A command tried in the very sandbox that a unit gives its service: systemd-run(1) with the unit's lines."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

UNIT = "training-claw-trainer.service"
RUNNING = Path("/run/systemd/system")
"""There where systemd is the first process: sd_booted(3)."""

OF_THE_SERVICE = {
    *("Type", "ExecStart", "KillMode", "SuccessExitStatus", "TimeoutStopSec", "OOMPolicy"),
    *("LogRateLimitIntervalSec", "LogRateLimitBurst"),
}
"""What a unit says of its service that is no matter of the sandbox."""


def cannot() -> str:
    """Why nothing can be tried here; empty if it can."""
    if not RUNNING.is_dir() or not shutil.which("systemd-run"):
        return "systemd does not run this machine"
    if os.geteuid() != 0:
        return "only root can; use sudo"
    if not text_of(UNIT):
        return f"{UNIT} is not installed; see docs/operating.md"
    return ""


def text_of(unit: str) -> str:
    """The unit with its drop-ins, as systemd has it; empty where it is not installed."""
    asked = subprocess.run(["systemctl", "cat", unit], capture_output=True, text=True, check=False)  # noqa: S607
    return asked.stdout if asked.returncode == 0 else ""


def properties(text: str) -> tuple[str, ...]:
    """`Name=value` of each line of the unit's [Service] that makes its sandbox, in order.

    >>> properties("[Unit]\\nA=1\\n[Service]\\n# why\\nType=exec\\nUser=x\\nUMask=0077\\n[Install]\\nB=2")
    ('User=x', 'UMask=0077')
    """
    found: list[str] = []
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line
        name, is_setting, _ = line.partition("=")
        if section == "[Service]" and is_setting and not line.startswith(("#", ";")):
            found += [] if name in OF_THE_SERVICE else [line]
    return tuple(found)


def within(text: str, command: Sequence[str]) -> tuple[str, ...]:
    """The command line that runs `command` as a service with the sandbox of the unit whose text this is."""
    named = (f"--property={one}" for one in properties(text))
    return ("systemd-run", "--quiet", "--wait", "--pipe", "--collect", *named, "--", *command)
