"""How often laws are tried: seldom by default, often with `LAWS=long`; no clock is held against them."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "fast", max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("fast"), max_examples=2000)
settings.register_profile("longer", settings.get_profile("fast"), max_examples=500)
settings.load_profile(os.environ.get("LAWS", "fast"))
