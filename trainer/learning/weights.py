"""The backbone's ImageNet weights: where torchvision keeps them, whether they are whole, and fetching them.

Training never downloads; `python -m trainer weights` does, once for each backbone, to where TORCH_HOME says.
"""

import hashlib
import os
import pwd
import shlex
import sys
from pathlib import Path

import torch
from torchvision.models import WeightsEnum, get_model_weights

from trainer.process.attempt import JobError

NOBODY_LOGS_IN = {"nologin", "false"}


def weights_of(backbone: str, name: str) -> WeightsEnum:
    """torchvision's own entry, say of `resnet18` and `IMAGENET1K_V1`."""
    return get_model_weights(backbone)[name]


def file_of(weights: WeightsEnum) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name


def require(weights: WeightsEnum) -> None:
    """Raises JobError("no_weights") unless the file is here and whole."""
    file = file_of(weights)
    if not file.is_file():
        raise JobError("no_weights", f"{file}: the ImageNet weights {weights} are not there; {_remedy(file)}")
    if not is_whole(file):
        raise JobError("no_weights", f"{file}: the ImageNet weights are damaged; {_remedy(file)}")


def fetching(file: Path, user: pwd.struct_passwd | None) -> str:
    """The command line that puts `file` where the trainer of `user` looks for it, and lets it read it.

    Whoever nobody can log in as, as under systemd, is reached through sudo; in a container there is none.
    """
    by = ["sudo", "-u", user.pw_name] if user and Path(user.pw_shell).name in NOBODY_LOGS_IN else []
    home, backbone = file.parents[2], file.stem.rpartition("-")[0]
    trainer = [sys.executable, "-m", "trainer", "weights", "--backbone", backbone]
    return shlex.join([*by, "env", f"TORCH_HOME={home}", *trainer])


def _remedy(file: Path) -> str:
    try:
        user = pwd.getpwuid(os.geteuid())
    except KeyError:
        user = None
    return f"run `{fetching(file, user)}`, or set model.pretrained_backbone_weights to null in PLAN.md"


def is_whole(file: Path) -> bool:
    """torchvision ends a weight file's name with the first digits of its SHA-256."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest().startswith(file.stem.rpartition("-")[2])


def fetch(weights: WeightsEnum, *, progress: bool) -> Path:
    """Bring the file here, unless it is here and whole. What does not match its hash is not kept.

    Raises:
        OSError: no way to it, or no room for it.
        RuntimeError: what came is not what the name promises.
    """
    file = file_of(weights)
    if not (file.is_file() and is_whole(file)):
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(weights.url, str(file), file.stem.rpartition("-")[2], progress)
    return file
