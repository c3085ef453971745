"""Long runs and measurements, started by hand: `python -m benches.<name> --help`.

They share the tests' own stand-in for Google Cloud Storage and its chaos proxy.
"""

import sys
from pathlib import Path

import trainer  # noqa: F401  before torch, whose threads wait for one another as this says

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "bot" / "shell" / "bucket"))
