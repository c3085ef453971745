"""`python -m trainer run JOB.json`, in float64: what remains between two ways to learn is the maths.

torchrun --nproc-per-node=2 in_float64.py JOB.json
"""

import sys
import warnings

import torch

warnings.simplefilter("ignore")

from trainer.__main__ import main  # noqa: E402
from trainer.learning.feed import Feed  # noqa: E402
from trainer.learning.variety import Transform, as_it_is  # noqa: E402

stock = Feed.batch


def wide(self: Feed, samples: torch.Tensor, varied: Transform = as_it_is) -> dict[str, torch.Tensor]:
    batch = stock(self, samples, varied)
    return {name: each.double() if each.is_floating_point() else each for name, each in batch.items()}


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    Feed.batch = wide
    main(["run", sys.argv[1]])
