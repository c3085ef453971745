"""A training config out of a file: YAML with the card's sections, or a PLAN.md with such YAML in fences."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from protocol.plan import read_plan
from protocol.training import TrainingConfig
from trainer.process.attempt import JobError
from trainer.process.misfit import in_one_line

FENCES = ("```", "~~~")
EXPECTED = "no settings in it; write some as `training: {batch_size: 32}`, in a PLAN.md between lines of ```"


def read_config(path: Path) -> TrainingConfig:
    """The defaults with what the file sets. A PLAN.md is read as the bot reads it.

    Raises:
        JobError("bad_job"): it cannot be read, or sets something that cannot be.
    """
    try:
        text = path.read_text("utf-8")
        if any(fence in text for fence in FENCES):
            return read_plan(text).config
        said = yaml.safe_load(text) or {}
        if not isinstance(said, dict):
            raise JobError("bad_job", f"{path}: {EXPECTED}")
        return TrainingConfig.model_validate(said)
    except ValidationError as error:
        raise JobError("bad_job", f"{path}: {in_one_line(error)}") from error
    except UnicodeDecodeError as error:
        raise JobError("bad_job", f"{path}: is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise JobError("bad_job", f"{path}: {' '.join(str(error).split())}") from error
