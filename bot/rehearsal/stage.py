"""The stage: one folder with everything a rehearsal needs and leaves behind.

bucket/ssot/PLAN.md             Watcher's word on the config, made small
bucket/lessons/cycle00.md       what the cycle before taught
bucket/dataset/                 simulated episodes
bucket/checkpoints/             what the daemon writes
held-out/                       episodes that were never in dataset/, for Evaluation
state/                          the daemon's STATE_DIR
rehearsal.env  daemon.log  transcript.jsonl
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.rehearsal.cast import OPERATOR_ID
from bot.rehearsal.players.script import CYCLE, Facts
from protocol.roster import Peer

HELD_OUT_FIRST = 1000
"""Number of the first held-out episode: far from those of the data set, so none is in both."""

PLAN = """\
# PLAN

Cycle {cycle}: a rehearsal. The role card's config, made small enough for two CPU cores.

```yaml
policy:
  name: act
  chunk_size: 10
  n_action_steps: 10

training:
  batch_size: {batch_size}
  lr: {lr}
  lr_backbone: {lr}
  epochs: {epochs}
  seed: 42
  save_checkpoint_every: {save_checkpoint_every}

model:
  backbone: resnet18
  pretrained_backbone_weights: null
  transformer_layers: 2
  dim_model: 128
  n_heads: 4
  dim_feedforward: 256
  action_dim: 4

dataset:
  camera_names:
    - ego
  image_size: [{height}, {width}]

observation:
  images:
    ego: [3, {height}, {width}]
  state_dim: 4
```
"""

LESSONS = """\
# Cycle {before} 레슨런

- [학습] batch_size {batch_size}에서 GPU 메모리 부족으로 학습 중단 발생
- [데이터] 에피소드 첫 {lead_in}프레임은 카메라 스윙으로 무효
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How big the rehearsal is.

    `lead_in` are the frames of camera swing at each episode's head; `image_size` is height, width.
    """

    episodes: int = 56
    frames: int = 15
    lead_in: int = 5
    held_out: int = 6
    epochs: int = 20
    save_checkpoint_every: int = 5
    batch_size: int = 32
    lr: str = "2e-4"
    image_size: tuple[int, int] = (32, 32)
    report_every_s: float = 10
    remind_operators_after_s: float = 30


FAST = Sizes(episodes=50, held_out=4, epochs=15, save_checkpoint_every=3, report_every_s=5)


TIMEZONE = "Asia/Seoul"
"""Of the messages' clocks, as in production; whoever watches is shown the same."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Names of everything in the rehearsal's folder."""

    folder: Path
    sizes: Sizes

    @property
    def bucket(self) -> Path:
        return self.folder / "bucket"

    @property
    def bucket_url(self) -> str:
        return self.bucket.as_uri()

    @property
    def dataset(self) -> Path:
        return self.bucket / "dataset"

    @property
    def held_out(self) -> Path:
        return self.folder / "held-out"

    @property
    def evaluation(self) -> Path:
        return self.folder / "evaluation"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def runs(self) -> Path:
        return self.state / "runs"

    @property
    def env_file(self) -> Path:
        return self.folder / "rehearsal.env"

    @property
    def daemon_log(self) -> Path:
        return self.folder / "daemon.log"

    @property
    def transcript(self) -> Path:
        return self.folder / "transcript.jsonl"

    @property
    def loss_curve(self) -> Path:
        return self.folder / "loss_curve.png"

    @property
    def facts(self) -> Facts:
        return Facts(
            bucket_url=self.bucket_url,
            episodes=self.sizes.episodes,
            batch_size=self.sizes.batch_size,
            lead_in_frames=self.sizes.lead_in,
        )

    def in_bucket(self, url: str) -> Path:
        """The folder or file that a bucket URL of this rehearsal names.

        Raises:
            ValueError: it names something outside the bucket.
        """
        path = (self.bucket / url.removeprefix(self.bucket_url).strip("/")).resolve()
        if not url.startswith(self.bucket_url) or not path.is_relative_to(self.bucket.resolve()):
            raise ValueError(f"{url} is not in {self.bucket_url}")
        return path

    def witness(self, text: str) -> Mapping[str, bool]:
        """Which of the bucket paths a message names are there now; an empty folder is not."""
        named = re.findall(rf"{re.escape(self.bucket_url)}/[\w./%+-]*", text, re.ASCII)
        return {url: _is_there(self.in_bucket(url)) for url in (one.rstrip(".") for one in named)}


def set_stage(stage: Stage) -> None:
    """Everything but the episodes: PLAN.md, the last cycle's lessons, empty folders."""
    sizes = stage.sizes
    for folder in (
        stage.bucket / "ssot",
        stage.bucket / "lessons",
        stage.bucket / "checkpoints",
        stage.state,
    ):
        folder.mkdir(parents=True, exist_ok=True)
    plan = PLAN.format(
        cycle=CYCLE,
        batch_size=sizes.batch_size,
        lr=sizes.lr,
        epochs=sizes.epochs,
        save_checkpoint_every=sizes.save_checkpoint_every,
        height=sizes.image_size[0],
        width=sizes.image_size[1],
    )
    (stage.bucket / "ssot" / "PLAN.md").write_text(plan, encoding="utf-8")
    lessons = LESSONS.format(before=CYCLE - 1, batch_size=sizes.batch_size, lead_in=sizes.lead_in)
    (stage.bucket / "lessons" / f"cycle{CYCLE - 1:02d}.md").write_text(lessons, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the embedded Discord is."""

    channel_id: int
    api_base: str
    gateway_url: str


def write_env(stage: Stage, token: str, discord: Address) -> None:
    """The env file the daemon is started with, as in production but for the three lines that lead here."""
    settings = _way_in(token, discord) | {
        "BUCKET": stage.bucket_url,
        "STATE_DIR": stage.state,
        "OPERATOR_IDS": OPERATOR_ID,
        "REPORT_EVERY_S": stage.sizes.report_every_s,
        "REMIND_OPERATORS_AFTER_S": stage.sizes.remind_operators_after_s,
        "TIMEZONE": TIMEZONE,
        "DEVICE": "cpu",
        "APPROVAL": "explicit",
    }
    _write_private(stage.env_file, settings)


def invite(stage: Stage, guest: Peer, token: str, discord: Address) -> Path:
    """Tells a program that plays `guest` how to join and which cycle it is; the file it is told in."""
    invitation = stage.folder / f"{guest.value}.env"
    facts = {
        "CYCLE": CYCLE,
        "DATA": f"{stage.bucket_url}/dataset/",
        "PLAN": f"{stage.bucket_url}/ssot/PLAN.md",
    }
    _write_private(invitation, _way_in(token, discord) | facts)
    return invitation


def _way_in(token: str, discord: Address) -> dict[str, object]:
    return {
        "DISCORD_TOKEN": token,
        "DISCORD_CHANNEL_ID": discord.channel_id,
        "DISCORD_API_BASE": discord.api_base,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
    }


def _write_private(path: Path, settings: Mapping[str, object]) -> None:
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")


def simulate_commands(stage: Stage) -> tuple[tuple[str, ...], ...]:
    """Arguments of `python -m trainer` that make the data set and the held-out episodes."""
    sizes = stage.sizes
    shape = ("--frames", str(sizes.frames), "--lead-in", str(sizes.lead_in))
    return (
        ("simulate", str(stage.dataset), "--episodes", str(sizes.episodes), *shape),
        (
            *("simulate", str(stage.held_out), "--episodes", str(sizes.held_out)),
            *("--first", str(HELD_OUT_FIRST), *shape),
        ),
    )


def strike(stage: Stage) -> None:
    """Leave only what is worth a look: the loss curve, the transcript, the log."""
    for folder in (stage.bucket, stage.held_out, stage.evaluation, stage.state):
        shutil.rmtree(folder, ignore_errors=True)
    for secret in stage.folder.glob("*.env"):
        secret.unlink()


def _is_there(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and any(path.iterdir()))
