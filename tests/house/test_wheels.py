"""Two distributions from one checkout: the language alone, and everything else."""

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By distribution, built as `make wheels` builds them."""
    out = tmp_path_factory.mktemp("wheels")
    for project in (HOUSE / "protocol", HOUSE):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
        subprocess.run(command, cwd=project, check=True, capture_output=True)
    return {wheel.name.split("-")[0]: wheel for wheel in out.glob("*.whl")}


def files_of(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def requirements_of(wheel: Path) -> list[str]:
    archive = zipfile.ZipFile(wheel)
    metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist", [])


def files_below(*folders: str) -> set[str]:
    found = (path for folder in folders for path in (HOUSE / folder).rglob("*"))
    return {
        path.relative_to(HOUSE).as_posix()
        for path in found
        if path.is_file() and path.parent.name != "__pycache__"
    }


def test_each_file_is_in_exactly_one_wheel(wheels: dict[str, Path]) -> None:
    language, everything = files_of(wheels["training_claw_protocol"]), files_of(wheels["training_claw"])
    assert language == {name for name in files_below("protocol") if name.endswith((".py", "py.typed"))}
    assert everything == files_below("bot", "trainer")


def test_the_language_brings_two_libraries_and_no_more(wheels: dict[str, Path]) -> None:
    required = requirements_of(wheels["training_claw_protocol"])
    assert sorted(one.split(">")[0].split("<")[0] for one in required) == ["pydantic", "pyyaml"]


def test_the_rest_speaks_just_this_version_of_it(wheels: dict[str, Path]) -> None:
    version = wheels["training_claw_protocol"].name.split("-")[1]
    assert f"training-claw-protocol=={version}" in requirements_of(wheels["training_claw"])
    assert wheels["training_claw"].name.split("-")[1] == version


def test_the_language_works_from_its_wheel_alone(wheels: dict[str, Path]) -> None:
    play = (
        "import protocol; print(protocol.__file__);"
        "print(protocol.parse('<@1477243247956066414> [HANDOFF] 데이터 준비 완료.\\n- Cycle: 7').cycle)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", play],
        env={"PYTHONPATH": str(wheels["training_claw_protocol"]), "PYTHONIOENCODING": "utf-8"},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    place, cycle = ran.stdout.split()
    assert place.startswith(str(wheels["training_claw_protocol"]))
    assert cycle == "7"


@pytest.mark.parametrize("package", ["protocol", "bot", "trainer"])
def test_the_types_are_shipped(wheels: dict[str, Path], package: str) -> None:
    assert any(f"{package}/py.typed" in files_of(wheel) for wheel in wheels.values())
