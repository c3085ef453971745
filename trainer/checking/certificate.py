"""What an admitted data set is: which files, how much, which statistics, by which rules and versions.

`hash` names it; the same hash stands in the converted file, in every checkpoint and in the last message.
"""

from typing import Any

from protocol.training import TrainingConfig
from trainer.checking.check import Judgement
from trainer.checking.findings import names_of
from trainer.checking.tally import Tally
from trainer.data.hdf5_episode import SUFFIXES
from trainer.process.attempt import installed_versions

SCHEMA = 1


def certificate(judgement: Judgement, config: TrainingConfig) -> dict[str, Any]:
    """What stands in `certificate.json`; there must be an episode."""
    verdict = judgement.verdict
    return {
        "schema": SCHEMA,
        "hash": verdict.hash,
        "episodes": verdict.episodes,
        "frames": verdict.frames,
        "statistics": statistics(judgement.tally, config),
        "warnings": [problem.model_dump(mode="json") for problem in verdict.problems],
        "notes": _notes(judgement, config),
        "each_episode": [
            {"name": each.name, "frames": each.frames, "files": dict(each.hashes)}
            for each in judgement.examined
        ],
        "rules": config.dataset.model_dump(mode="json"),
        "versions": installed_versions(),
    }


def statistics(tally: Tally, config: TrainingConfig) -> dict[str, dict[str, float]]:
    """By channel; std is the population's."""
    figures = {"mean": tally.mean, "std": tally.std, "min": tally.low, "max": tally.high}
    return {
        name: {figure: float(values[place]) for figure, values in figures.items()}
        for place, name in enumerate(names_of(config))
    }


def _notes(judgement: Judgement, config: TrainingConfig) -> list[str]:
    stored = sum(name.endswith(tuple(SUFFIXES)) for name in judgement.hashes)
    if not stored:
        return []
    width, height = config.dataset.video_size
    return [f"{stored} HDF5 files: the rule of {width}x{height} is for video and was not applied to them"]
