"""What LeRobot's users do, one thing after the other in one process: importing LeRobot takes ten seconds.

    python stock_lerobot.py ERRANDS.json

    [{"log": FILE, "train": [argument, …]}, {"log": FILE, "act": FOLDER, "data": FOLDER}, …]

Nothing of ours is imported here.
"""

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, cast

warnings.simplefilter("ignore")

from lerobot.datasets.lerobot_dataset import LeRobotDataset  # noqa: E402
from lerobot.policies.act.modeling_act import ACTPolicy  # noqa: E402
from lerobot.policies.factory import make_pre_post_processors  # noqa: E402
from lerobot.scripts import lerobot_train  # noqa: E402


def train(arguments: list[str]) -> None:
    """`lerobot-train`, as its console script does it."""
    sys.argv = ["lerobot-train", *arguments]
    lerobot_train.main()


def act(checkpoint: str, data: str) -> None:
    """Load a policy as LeRobot's documentation says and let it act on the first frame of a data set."""
    policy = ACTPolicy.from_pretrained(checkpoint)
    before, after = make_pre_post_processors(policy.config, pretrained_path=checkpoint)
    frame = cast("Any", LeRobotDataset("local/dataset", data, video_backend="pyav")[0])
    observation = {name: frame[name] for name in policy.config.input_features or ()}
    print("action", json.dumps(after(policy.select_action(before(observation))).tolist()))


def main() -> None:
    for errand in json.loads(Path(sys.argv[1]).read_text()):
        log = os.open(errand["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if "train" in errand:
            train(errand["train"])
        else:
            act(errand["act"], errand["data"])
        sys.stdout.flush()


if __name__ == "__main__":
    main()
