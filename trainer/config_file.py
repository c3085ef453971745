"""A training config out of a file: YAML with the card's sections, or a PLAN.md with such YAML in fences."""

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from protocol.training import TrainingConfig
from trainer.attempt import JobError

FENCED_YAML = re.compile(r"^```ya?ml[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def read_config(path: Path) -> TrainingConfig:
    """The defaults with what the file sets. Of a PLAN.md, blocks without a section of ours are passed over.

    Raises:
        JobError("bad_job"): it cannot be read, or sets something that cannot be.
    """
    try:
        text = path.read_text("utf-8")
        blocks = [yaml.safe_load(block) for block in FENCED_YAML.findall(text) or [text]]
        return TrainingConfig.model_validate(_sections(blocks))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise JobError("bad_job", f"{path}: {wrong}") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise JobError("bad_job", f"{path}: {' '.join(str(error).split())}") from error


def _sections(blocks: list[Any]) -> dict[str, Any]:
    known = TrainingConfig.model_fields
    merged: dict[str, Any] = {}
    for block in blocks:
        if not isinstance(block, dict):
            continue
        if len(blocks) == 1 or known.keys() & block.keys():
            merged |= block
    return merged
