"""What holds for all tests: how often laws are tried, and which tests stay in one process.

Laws are tried seldom by default, often with `LAWS=long`; no clock is held against them.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TRAINED_RUNS = Path(__file__).parent / "trainer"
"""Each folder in it shares what takes long to make: data sets, trained runs."""

settings.register_profile(
    "fast", max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("fast"), max_examples=2000)
settings.register_profile("longer", settings.get_profile("fast"), max_examples=500)
settings.load_profile(os.environ.get("LAWS", "fast"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make test` gives each process whole groups (`--dist loadgroup`): nothing is trained twice."""
    for item in items:
        shares = item.path.parent if item.path.is_relative_to(TRAINED_RUNS) else item.path
        item.add_marker(pytest.mark.xdist_group(str(shares)))
