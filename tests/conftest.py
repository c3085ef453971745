"""How often laws are tried: seldom by default, often with `LAWS=long`; no clock is held against them.

And how many threads compute: test processes that share the cores share the threads, too. Two trainings of
two threads each on two cores wait for one another more than they compute, and have been seen to stand still.

And that the scheduler stays fair: a library that makes a test's thread a real-time one (SVT-AV1 does, for
root) has all later tests of that process starve their own threads, and fail far from there.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "fast", max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("fast"), max_examples=2000)
settings.register_profile("longer", settings.get_profile("fast"), max_examples=500)
settings.load_profile(os.environ.get("LAWS", "fast"))

if sharing := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    threads = max(1, len(os.sched_getaffinity(0)) // sharing)
    os.environ.setdefault(
        "OMP_NUM_THREADS", str(threads)
    )  # read once, as torch is loaded; trainers inherit it


@pytest.fixture(autouse=True)
def scheduled_as_before() -> Iterator[None]:
    policy = os.sched_getscheduler(0)
    yield
    assert os.sched_getscheduler(0) == policy, "this test has changed how its thread is scheduled"
