from typing import get_args

from protocol.job import Job
from trainer.process.attempt import FIRST_PHASE, FIRST_PROMISE_S


def test_every_kind_of_job_has_a_first_word_and_a_promise() -> None:
    kinds = {job.model_fields["kind"].default for job in get_args(get_args(Job)[0])}
    assert set(FIRST_PHASE) == set(FIRST_PROMISE_S) == kinds
