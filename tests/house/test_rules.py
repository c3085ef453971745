"""The house keeps its rules: format, lint, types and the directions of its imports."""

import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
RULES = {
    "format": ("ruff", "format", "--check"),
    "lint": ("ruff", "check"),
    "types": ("pyright",),
    "directions": ("lint-imports",),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps_its_rules(rule: str) -> None:
    tool, *arguments = RULES[rule]
    ran = subprocess.run(
        [Path(sys.executable).with_name(tool), *arguments],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_bot_is_imported_without_torch_or_numpy() -> None:
    heavy = "{'torch', 'numpy', 'lerobot', 'av', 'h5py', 'matplotlib'}"
    code = f"import sys, bot.cli; raise SystemExit(', '.join({heavy} & set(sys.modules)) or 0)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
