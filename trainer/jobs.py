"""What to do for each kind of job. Nothing is converted that was not checked."""

import json
import time
import traceback
from collections.abc import Mapping
from typing import assert_never

from protocol.job import Checked, CheckJob, Converted, ConvertJob, Job, Outcome, ProbeJob, TrainJob
from protocol.progress import Counted
from trainer.checking.ahead import Arrival
from trainer.checking.certificate import certificate
from trainer.checking.check import judge
from trainer.checking.keeping import Keeping
from trainer.checking.report import write_report
from trainer.converting.convert import convert, must_lie_outside
from trainer.converting.draft import discard
from trainer.data.fingerprint import hash_files, hash_set
from trainer.data.tree import look_through
from trainer.process.attempt import Attempt, JobError, Told, now
from trainer.process.memory import keep_what_was_freed
from trainer.process.whole import replace_whole

COUNTED_EVERY_S = 1.0
WAITING_SAID_EVERY_S = 60.0
"""So often it is said again that nothing new has come, by who waits for it."""
COUNTED_WITHIN_S = 600.0
"""An hour's episode is decoded in less, and so is a large file hashed from a slow disk."""


def do(job: Job, attempt: Attempt) -> Outcome:
    """Do `job` as `attempt`. Raises JobError and whatever else goes wrong on the way."""
    match job:
        case ProbeJob():
            from trainer.learning.probe import probe  # noqa: PLC0415  # torch: seconds, and only where it is needed

            return probe(job)
        case CheckJob():
            return _check(job, attempt)
        case ConvertJob():
            return _convert(job, attempt)
        case TrainJob():
            from trainer.loop.train import train  # noqa: PLC0415  # torch and lerobot: seconds, and only here

            keep_what_was_freed()
            return train(job, attempt)
        case _:
            assert_never(job)


def do_as_reference(job: Job, attempt: Attempt) -> Outcome:
    """As `do`; a training takes LeRobot's own steps (see trainer.learning.reference)."""
    return do(job.model_copy(update={"reference": True}) if isinstance(job, TrainJob) else job, attempt)


def _check(job: CheckJob, attempt: Attempt) -> Checked:
    """The verdict; beside it the certificate of what was admitted, and a report to look at either way."""
    judgement = judge(
        job.data,
        job.config,
        keeping=Keeping(job.output, job.surveys, job.earlier),
        arrival=Arrival(attempt.folder.arrived, job.coming_bytes) if job.coming_bytes else None,
        stop=attempt.stop,
        told_ahead=_counting(attempt, "episode"),
        told_read=_counting(attempt, "file"),
        told=_counting(attempt, "episode"),
    )
    if judgement.verdict.ok:
        written = json.dumps(certificate(judgement, job.config), ensure_ascii=False, indent=2)
        replace_whole(attempt.folder.certificate, written.encode() + b"\n")
    try:
        write_report(attempt.folder.report, job.data, judgement, job.config)
    except Exception:  # whatever cannot be drawn, the verdict stands
        traceback.print_exc()
    return judgement.verdict


def _convert(job: ConvertJob, attempt: Attempt) -> Converted:
    """Convert what the certificate names; without one, what passes the check here and now."""
    must_lie_outside(job.output, job.data)
    certified, hashes = _hashed(job, attempt) if job.certificate else _checked(job, attempt)
    return convert(
        job.data,
        job.output,
        job.config,
        certified,
        hashes=hashes,
        earlier=job.earlier,
        stop=attempt.stop,
        told=_counting(attempt, "episode"),
    )


def _hashed(job: ConvertJob, attempt: Attempt) -> tuple[str, Mapping[str, str]]:
    """The hash of the set and of each file, as the certificate has it. Raises JobError("bad_data")."""
    tree = look_through(job.data)
    hashes = hash_files(tree.files, stop=attempt.stop, told=_counting(attempt, "file"))
    if hash_set(hashes, tree.astray) != job.certificate:
        raise JobError("bad_data", f"{job.data} has changed since it was checked; check it again")
    return job.certificate, hashes


def _checked(job: ConvertJob, attempt: Attempt) -> tuple[str, Mapping[str, str]]:
    """The same of a set that was never checked. Raises JobError("bad_data")."""
    keeping = Keeping(job.output, earlier=job.earlier)
    judgement = judge(
        job.data, job.config, keeping=keeping, stop=attempt.stop, told=_counting(attempt, "episode")
    )
    if not judgement.verdict.ok:
        discard(job.output)
        raise JobError("bad_data", f"{job.data} is not fit to train on; validate it to see why")
    return judgement.verdict.hash, judgement.hashes


def _counting(attempt: Attempt, unit: str) -> Told:
    """Says how far it is, not so often that anybody minds."""
    said_at, said = -WAITING_SAID_EVERY_S, -1

    def told(done: int, total: int) -> None:
        nonlocal said_at, said
        silent_s = time.monotonic() - said_at
        news = done != said and (done == total or silent_s >= COUNTED_EVERY_S)
        if news or silent_s >= WAITING_SAID_EVERY_S:
            said_at, said = time.monotonic(), done
            line = Counted(at=now(), next_within_s=COUNTED_WITHIN_S, done=done, total=total, unit=unit)
            attempt.say(line)

    return told
