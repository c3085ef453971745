"""What we stand on is pinned to the byte, and looked up for known holes where that can be done."""

import re
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

LOCK = Path(__file__).parents[2] / "requirements.lock"
HOLES = "api.osv.dev"
PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)(?:\[[^]]*\])?==(?P<version>\S+)(?P<rest>(?:.*\\\n)+.*)", re.MULTILINE
)
AUDIT = ("-r", str(LOCK), "--require-hashes", "--disable-pip", "--vulnerability-service", "osv")


def pins() -> dict[str, tuple[str, int]]:
    """Version and number of hashes by name."""
    text = LOCK.read_text(encoding="utf-8")
    return {pin["name"]: (pin["version"], pin["rest"].count("--hash=sha256:")) for pin in PIN.finditer(text)}


def can_be_asked(host: str) -> bool:
    try:
        with socket.create_connection((host, 443), timeout=3):
            return True
    except OSError:
        return False


def test_every_package_is_pinned_to_one_version_by_its_hashes() -> None:
    named = re.findall(r"^[a-zA-Z0-9]\S*", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(named) == len(pins()) > 50, "each line that names a package pins it"
    assert [name for name, (_, hashes) in pins().items() if not hashes] == []


def test_what_is_installed_is_what_is_pinned() -> None:
    installed = {re.sub(r"[-_.]+", "-", each.name).lower(): each.version for each in metadata.distributions()}
    other = {
        name: installed[name]
        for name, (version, _) in pins().items()
        if name in installed and installed[name] != version
    }
    assert other == {}


def test_no_pinned_package_has_a_known_hole() -> None:
    if not can_be_asked(HOLES):
        pytest.skip(f"{HOLES} cannot be reached from here: the pinned hashes above are what is checked")
    audit = Path(sys.executable).with_name("pip-audit")
    ran = subprocess.run([audit, *AUDIT], capture_output=True, text=True, check=False, timeout=240)
    assert ran.returncode == 0, ran.stdout + ran.stderr
