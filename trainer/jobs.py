"""What to do for each kind of job. Nothing is converted that was not checked."""

import json
import traceback
from typing import assert_never

from protocol.job import Checked, CheckJob, Converted, ConvertJob, Job, Outcome, ProbeJob, TrainJob
from protocol.progress import Counted
from trainer.attempt import Attempt, JobError, Told, now, replace_whole
from trainer.certificate import certificate
from trainer.check import check, judge
from trainer.convert import convert
from trainer.fingerprint import hash_folder
from trainer.report import write_report


def do(job: Job, attempt: Attempt) -> Outcome:
    """Do `job` as `attempt`. Raises JobError and whatever else goes wrong on the way."""
    match job:
        case ProbeJob():
            from trainer.probe import probe  # noqa: PLC0415  # torch: seconds, and only where it is needed

            return probe(job)
        case CheckJob():
            return _check(job, attempt)
        case ConvertJob():
            return _convert(job, attempt)
        case TrainJob():
            from trainer.train import train  # noqa: PLC0415  # torch and lerobot: seconds, and only here

            return train(job, attempt)
        case _:
            assert_never(job)


def _check(job: CheckJob, attempt: Attempt) -> Checked:
    """The verdict; beside it the certificate of what was admitted, or pictures of what was refused."""
    judgement = judge(job.data, job.config, stop=attempt.stop, told=_counting(attempt))
    if judgement.verdict.ok:
        written = json.dumps(certificate(judgement, job.config), ensure_ascii=False, indent=2)
        replace_whole(attempt.folder.certificate, written.encode() + b"\n")
        return judgement.verdict
    try:
        write_report(attempt.folder.report, job.data, judgement, job.config)
    except Exception:  # whatever cannot be drawn, the refusal stands
        traceback.print_exc()
    return judgement.verdict


def _convert(job: ConvertJob, attempt: Attempt) -> Converted:
    """Convert what the certificate names; without one, what passes the check here and now."""
    if not job.certificate:
        verdict = check(job.data, job.config, stop=attempt.stop)
        if not verdict.ok:
            raise JobError("bad_data", f"{job.data} is not fit to train on; validate it to see why")
        certified = verdict.hash
    elif hash_folder(job.data) != job.certificate:
        raise JobError("bad_data", f"{job.data} has changed since it was checked; check it again")
    else:
        certified = job.certificate
    told = _counting(attempt)
    return convert(job.data, job.output, job.config, certified, stop=attempt.stop, told=told)


def _counting(attempt: Attempt) -> Told:
    return lambda done, total: attempt.say(Counted(at=now(), done=done, total=total, unit="episode"))
