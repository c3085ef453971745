"""The backbone's ImageNet weights: looked for where torchvision keeps them, believed only when whole."""

import hashlib
import pwd
import sys
from pathlib import Path

import pytest
import torch

from trainer.learning import weights
from trainer.process.attempt import JobError

RESNET18 = weights.weights_of("resnet18", "IMAGENET1K_V1")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return weights.file_of(RESNET18)


def test_weights_that_are_not_there_are_named_with_what_to_do(hub: Path) -> None:
    with pytest.raises(JobError, match=r"resnet18-f37072fd\.pth.*trainer weights --backbone resnet18`"):
        weights.require(RESNET18)


@pytest.mark.parametrize(
    ("shell", "by"),
    [
        ("/usr/sbin/nologin", "sudo -u training-claw "),
        ("/bin/false", "sudo -u training-claw "),
        ("/bin/sh", ""),
    ],
)
def test_what_to_do_is_done_where_the_trainer_looks_and_for_its_backbone(shell: str, by: str) -> None:
    """Fetched with sudo alone they would lie in root's cache, and be resnet18's."""
    file = Path("/var/lib/training-claw/torch/hub/checkpoints/resnet34-b627a593.pth")
    user = pwd.struct_passwd(("training-claw", "x", 999, 999, "", "/", shell))
    fetch = (
        f"env TORCH_HOME=/var/lib/training-claw/torch {sys.executable} -m trainer weights --backbone resnet34"
    )
    assert weights.fetching(file, user) == by + fetch
    assert weights.fetching(file, None) == fetch, "a container's user need not have a name"


def test_damaged_weights_are_not_used(hub: Path) -> None:
    hub.parent.mkdir()
    hub.write_bytes(b"half a file")
    with pytest.raises(JobError, match="damaged"):
        weights.require(RESNET18)


def test_a_file_is_whole_when_its_name_says_so(tmp_path: Path) -> None:
    content = b"weights"
    file = tmp_path / f"net-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    file.write_bytes(content)
    assert weights.is_whole(file)


def test_what_cannot_be_fetched_leaves_nothing_behind(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = "http://127.0.0.1:9/resnet18-f37072fd.pth"
    unreachable = type("Unreachable", (), {"url": nobody})()
    with pytest.raises(OSError, match="refused"):
        weights.fetch(unreachable, progress=False)  # type: ignore[arg-type]
    assert not hub.exists()


def test_what_is_here_and_whole_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    content = b"weights"
    name = f"net-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    here = tmp_path / "checkpoints" / name
    here.parent.mkdir()
    here.write_bytes(content)
    known = type("Known", (), {"url": f"http://127.0.0.1:9/{name}"})()
    assert weights.fetch(known, progress=False) == here  # type: ignore[arg-type]
