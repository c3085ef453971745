"""What to do for each kind of job. Nothing is converted that was not checked."""

from typing import assert_never

from protocol.job import CheckJob, Converted, ConvertJob, Job, Outcome, TrainJob
from protocol.progress import Counted
from trainer.attempt import Attempt, JobError, Told, now
from trainer.check import check
from trainer.convert import convert
from trainer.fingerprint import hash_folder


def do(job: Job, attempt: Attempt) -> Outcome:
    """Do `job` as `attempt`. Raises JobError and whatever else goes wrong on the way."""
    match job:
        case CheckJob():
            return check(job.data, job.config, stop=attempt.stop, told=_counting(attempt))
        case ConvertJob():
            return _convert(job, attempt)
        case TrainJob():
            from trainer.train import train  # noqa: PLC0415  # torch and lerobot: seconds, and only here

            return train(job, attempt)
        case _:
            assert_never(job)


def _convert(job: ConvertJob, attempt: Attempt) -> Converted:
    """Convert what the certificate names; without one, what passes the check here and now."""
    if not job.certificate:
        verdict = check(job.data, job.config, stop=attempt.stop)
        if not verdict.ok:
            raise JobError("bad_data", f"{job.data} is not fit to train on; validate it to see why")
        certificate = verdict.hash
    elif hash_folder(job.data) != job.certificate:
        raise JobError("bad_data", f"{job.data} has changed since it was checked; check it again")
    else:
        certificate = job.certificate
    told = _counting(attempt)
    return convert(job.data, job.output, job.config, certificate, stop=attempt.stop, told=told)


def _counting(attempt: Attempt) -> Told:
    return lambda done, total: attempt.say(Counted(at=now(), done=done, total=total, unit="episode"))
