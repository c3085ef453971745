"""The backbone's ImageNet weights: where torchvision keeps them, whether they are whole, and fetching them.

Training never downloads. `make install` does, once; `TORCH_HOME` says where to.
"""

import hashlib
from pathlib import Path

import torch
from torchvision.models import WeightsEnum, get_model_weights

from trainer.process.attempt import JobError

REMEDY = "run `make install`, or set model.pretrained_backbone_weights to null in PLAN.md"


def weights_of(backbone: str, name: str) -> WeightsEnum:
    """torchvision's own entry, say of `resnet18` and `IMAGENET1K_V1`."""
    return get_model_weights(backbone)[name]


def file_of(weights: WeightsEnum) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name


def require(weights: WeightsEnum) -> None:
    """Raises JobError("no_weights") unless the file is here and whole."""
    file = file_of(weights)
    if not file.is_file():
        raise JobError("no_weights", f"{file}: the ImageNet weights {weights} are not there; {REMEDY}")
    if not is_whole(file):
        raise JobError(
            "no_weights", f"{file}: the ImageNet weights are damaged; delete the file, then {REMEDY}"
        )


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
