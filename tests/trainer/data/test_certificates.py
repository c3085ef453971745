"""What is admitted gets a certificate, what is refused none; both get a report one can look at."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from click.testing import CliRunner

from protocol.folders import AttemptFolder
from protocol.job import Checked, CheckJob, ExitCode
from protocol.training import TrainingConfig
from trainer.__main__ import main
from trainer.data.fingerprint import hash_file
from trainer.data.store import FrameStore
from trainer.jobs import do
from trainer.process.attempt import Attempt
from trainer.simulation.faults import Fault


def judged(data: Path, config: TrainingConfig, folder: Path) -> tuple[Checked, AttemptFolder]:
    attempt = Attempt(AttemptFolder(folder))
    outcome = do(CheckJob(data=data, config=config), attempt)
    assert isinstance(outcome, Checked)
    return outcome, attempt.folder


def size_of(picture: Path) -> tuple[int, int]:
    """Width and height, which stand in a PNG's first chunk."""
    return struct.unpack(">II", picture.read_bytes()[16:24])


def test_an_admitted_set_has_a_certificate(simulated: Path, config: TrainingConfig, tmp_path: Path) -> None:
    verdict, folder = judged(simulated, config, tmp_path)
    certificate = json.loads(folder.certificate.read_text())
    assert certificate["hash"] == verdict.hash
    assert (certificate["episodes"], certificate["frames"]) == (4, 64)
    assert certificate["versions"].keys() >= {"av", "lerobot", "torch"}
    assert certificate["rules"]["min_episodes"] == 4
    first = certificate["each_episode"][0]
    assert (first["name"], first["frames"]) == ("episode_000", 16)
    assert first["files"]["episode_000/ego.mp4"] == hash_file(simulated / "episode_000" / "ego.mp4")
    report = json.loads((folder.report / "report.json").read_text())
    assert report["certificate"] == certificate
    assert sorted(path.name for path in folder.report.iterdir()) == [
        *("actions.png", "episodes.png", "report.json")
    ]


def test_its_statistics_are_those_of_the_converted_file(
    simulated: Path, cut_config: TrainingConfig, converted: FrameStore, tmp_path: Path
) -> None:
    three = cut_config.with_changes({"dataset.min_episodes": 3})
    _, folder = judged(simulated, three, tmp_path)
    told = json.loads(folder.certificate.read_text())["statistics"]
    for key, names in (("action", converted.action_names), ("observation.state", converted.state_names)):
        for figure in ("mean", "std", "min", "max"):
            assert [told[name][figure] for name in names] == pytest.approx(
                converted.stats[key][figure], rel=1e-5, abs=1e-6
            )


def test_a_refused_set_has_a_report_and_no_certificate(
    spoiled: Callable[[str], Path], config: TrainingConfig, tmp_path: Path
) -> None:
    verdict, folder = judged(spoiled("nan"), config, tmp_path)
    assert not verdict.ok
    assert not folder.certificate.exists()
    report = json.loads((folder.report / "report.json").read_text())
    assert report.keys() == {"verdict"}
    assert report["verdict"]["problems"][0]["message"] == "NaN/Inf 값 (steering, 프레임 8)"
    for picture in ("frames.png", "actions.png", "episodes.png"):
        width, height = size_of(folder.report / picture)
        assert width > 100 < height


def test_a_refusal_stands_when_its_report_cannot_be_written(
    spoiled: Callable[[str], Path], config: TrainingConfig, tmp_path: Path
) -> None:
    (tmp_path / "report").write_text("in the way")
    verdict, _ = judged(spoiled("nan"), config, tmp_path)
    assert not verdict.ok


def test_a_report_of_the_worst_still_comes(simulated: Path, config: TrainingConfig, tmp_path: Path) -> None:
    """Frames that cannot be decoded, names that lead outside, and an empty folder."""
    folder = copytree(simulated, tmp_path / "set")
    for number, fault in enumerate(("damaged_video", "missing_video", "outside_link", "huge_picture")):
        Fault(fault, number).spoil(folder / f"episode_{number:03d}")
    empty = tmp_path / "empty"
    empty.mkdir()
    for data in (folder, empty):
        report = tmp_path / f"report-{data.name}"
        result = CliRunner().invoke(main, ["validate", str(data), "--report", str(report)])
        assert result.exit_code == ExitCode.REFUSED, result.output
        assert json.loads((report / "report.json").read_text())["verdict"]["ok"] is False
