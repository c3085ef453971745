"""The computing side: checks, converts, trains. A process of its own, without network, token, credentials."""

import os

# Threads of a parallel loop wait for each other asleep. By default they spin, and where a core is shared with
# anything else a step takes up to ten times as long. The OpenMP library reads this once, as torch loads it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Training never downloads. LeRobot's reader would ask the Hub for whatever a damaged data set lacks.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
