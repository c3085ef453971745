"""A training config out of a file: YAML with the card's sections, or a PLAN.md with such YAML in fences."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from protocol.plan import read_plan
from protocol.training import TrainingConfig
from trainer.process.attempt import JobError

FENCES = ("```", "~~~")


def read_config(path: Path) -> TrainingConfig:
    """The defaults with what the file sets. A PLAN.md is read as the bot reads it.

    Raises:
        JobError("bad_job"): it cannot be read, or sets something that cannot be.
    """
    try:
        text = path.read_text("utf-8")
        if any(fence in text for fence in FENCES):
            return read_plan(text).config
        return TrainingConfig.model_validate(yaml.safe_load(text) or {})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise JobError("bad_job", f"{path}: {wrong}") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise JobError("bad_job", f"{path}: {' '.join(str(error).split())}") from error
