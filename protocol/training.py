"""The training config: the role card's YAML as a model, with its units, bounds, differences and name.

Every field of the card is here under the card's own section and name and has the card's value as its
default. What the card leaves open has LeRobot's default. Only Watcher changes any of it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

ACTION_NAMES = {
    4: ("steering", "throttle", "bucket", "lift"),
    10: (
        *("base_0", "base_1", "base_2"),
        *("arm_0", "arm_1", "arm_2", "arm_3", "arm_4", "arm_5"),
        "gripper",
    ),
}
"""The card's four, and its announced ten: base 3, arm 6, gripper 1."""

STATE_NAMES = ("loader_x", "loader_z", "loader_rotation", "legos_remaining")

MAX_EPOCHS_WITHOUT_CHECKPOINT = 50
"""The card forbids training longer than this without a checkpoint."""

MAX_MINUTES_BETWEEN_REPORTS = 30
"""The card's: Watcher hears from us at least so often."""

LATER = frozenset({"dataset.image_transforms", "dataset.max_num_transforms"})
"""Fields younger than hashes that are stored somewhere. At its default, which is then for good and means "as
before", such a field leaves `TrainingConfig.hash` as it was: a new version does not make a config another."""

Pixels = Annotated[int, Field(ge=16, le=4096)]
Share = Annotated[float, Field(ge=0, lt=1)]
CheckpointPath = Annotated[str, Field(pattern=r"^checkpoints/[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)*$")]
ActionWeight = Annotated[float, Field(gt=0, le=100)]

Finding = Literal["frozen", "repeated", "blank", "saturated", "held", "constant_channels", "duplicates"]
"""What statistics suggest of a data set. It warns, unless `refuse_on` names it."""

ImageTransform = Literal["brightness", "contrast", "saturation", "hue", "sharpness", "affine"]
"""LeRobot's own, by the names and with the ranges of its `dataset.image_transforms.tfs`."""

IMAGE_TRANSFORMS: tuple[ImageTransform, ...] = get_args(ImageTransform)


def _chosen(given: object) -> object:
    """LeRobot's `image_transforms.enable` is one switch for all of them; names choose some.

    >>> _chosen({"enable": True}) == _chosen("true") == IMAGE_TRANSFORMS, _chosen(False), _chosen("hue")
    (True, (), ('hue',))
    """
    if given is True or given == {"enable": True}:
        return IMAGE_TRANSFORMS
    if given is None or given is False or given == {"enable": False}:
        return ()
    if isinstance(given, str):
        return {"true": IMAGE_TRANSFORMS, "false": ()}.get(given.lower(), (given,))
    return given


def _in_lerobot_s_order(given: tuple[ImageTransform, ...]) -> tuple[ImageTransform, ...]:
    return tuple(name for name in IMAGE_TRANSFORMS if name in given)


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)  # JSON has no such numbers


class PolicyConfig(Section):
    name: Literal["act"] = "act"
    chunk_size: int = Field(default=20, ge=1, le=1000, description="frames predicted at once")
    n_action_steps: int = Field(default=20, ge=1, le=1000, description="of them, frames acted on")
    kl_weight: float = Field(default=10.0, ge=0)
    dropout: Share = 0.1

    @model_validator(mode="after")
    def _acts_on_what_it_predicts(self) -> Self:
        if self.n_action_steps > self.chunk_size:
            raise ValueError(f"n_action_steps {self.n_action_steps} is above chunk_size {self.chunk_size}")
        return self


class OptimisationConfig(Section):
    batch_size: int = Field(default=64, ge=1, le=4096, description="samples in one forward pass")
    gradient_accumulation: int = Field(default=1, ge=1, le=1024, description="passes in one optimizer step")
    lr: float = Field(default=1e-4, gt=0, le=1)
    lr_backbone: float = Field(
        default=1e-5, ge=0, le=1, description="LeRobot's own default; it does not follow lr"
    )
    weight_decay: float = Field(default=1e-4, ge=0, le=1)
    grad_clip_norm: float = Field(default=10.0, gt=0)
    epochs: int = Field(default=500, ge=1, le=100_000)
    seed: int = Field(default=42, ge=0, lt=2**32)
    save_checkpoint_every: int = Field(
        default=50, ge=1, le=MAX_EPOCHS_WITHOUT_CHECKPOINT, description="epochs"
    )

    report_every_minutes: int = Field(
        default=MAX_MINUTES_BETWEEN_REPORTS, ge=1, le=MAX_MINUTES_BETWEEN_REPORTS
    )
    start_from: CheckpointPath | None = Field(
        default=None, description="a checkpoint in the bucket whose weights a fresh run starts from"
    )
    action_weights: dict[str, ActionWeight] = Field(
        default_factory=dict[str, float],
        description="how often an action channel's error counts, by name; 1 unless named. "
        "The loss that is reported stays LeRobot's, unweighted",
    )

    @property
    def samples_per_step(self) -> int:
        """The effective batch: what one optimizer step has seen."""
        return self.batch_size * self.gradient_accumulation


class ModelConfig(Section):
    backbone: Literal["resnet18", "resnet34", "resnet50"] = "resnet18"
    pretrained_backbone_weights: Literal["IMAGENET1K_V1"] | None = "IMAGENET1K_V1"
    transformer_layers: int = Field(default=6, ge=1, le=64, description="LeRobot's n_encoder_layers")
    dim_model: int = Field(default=512, ge=8, le=8192)
    n_heads: int = Field(default=8, ge=1, le=128)
    dim_feedforward: int = Field(default=3200, ge=8, le=65536)
    action_dim: int = Field(default=4, ge=1, le=256)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.dim_model % self.n_heads:
            raise ValueError(f"dim_model {self.dim_model} is not a multiple of n_heads {self.n_heads}")
        return self


class DatasetConfig(Section):
    camera_names: tuple[str, ...] = Field(default=("ego",), min_length=1, max_length=16)
    image_size: tuple[Pixels, Pixels] = Field(default=(224, 224), description="height, width in pixels")
    video_size: tuple[Pixels, Pixels] = Field(default=(640, 480), description="width, height in pixels")
    fps: int = Field(default=30, ge=1, le=1000)
    min_episodes: int = Field(default=50, ge=1)
    action_names: tuple[str, ...] = ()
    state_names: tuple[str, ...] = ()
    skip_first_frames: int = Field(default=0, ge=0, description="frames cut from the head of each episode")
    skip_last_frames: int = Field(default=0, ge=0, description="frames cut from the tail of each episode")
    exclude_episodes: tuple[str, ...] = Field(default=(), description="episode folders left out, by name")
    refuse_on: tuple[Finding, ...] = Field(default=(), description="findings that refuse the data set")
    frozen_frames: int = Field(default=10, ge=2, description="still pictures in a row while the state moves")
    repeated_share: Share = Field(default=0.3, description="of pictures that repeat the one before")
    blank_spread: float = Field(default=1.0, ge=0, description="grey levels; below it a picture is empty")
    saturated_share: Share = Field(default=0.9, description="of actions at -1 or 1, by channel")
    alike_levels: float = Field(
        default=1.5, ge=0, description="grey levels; two videos that differ by less are of one episode"
    )
    held_share: Share = Field(default=0.98, description="of actions with one and the same value, by channel")
    holdout: float = Field(
        default=0.0, ge=0, le=0.5, description="share of whole episodes not trained on but measured by"
    )
    holdout_every: int = Field(default=5, ge=1, le=1000, description="epochs from one such measurement on")
    image_transforms: Annotated[
        tuple[ImageTransform, ...], BeforeValidator(_chosen), AfterValidator(_in_lerobot_s_order)
    ] = Field(
        default=(),
        description="what pictures are varied by while training: brightness, contrast, saturation, hue, "
        "sharpness, affine, in LeRobot's ranges; `true`: all",
    )
    max_num_transforms: int = Field(
        default=3, ge=1, le=len(IMAGE_TRANSFORMS), description="of image_transforms, drawn for each picture"
    )


class ObservationConfig(Section):
    images: dict[str, tuple[int, int, int]] = Field(default_factory=dict[str, tuple[int, int, int]])
    state_dim: int = Field(default=4, ge=1, le=256)


class TrainingConfig(Section):
    """Everything that decides what is learned, from what.

    `action_dim` and `camera_names` are enough to change the robot: names, image shapes and the rest
    follow from them unless they are given, and a contradiction is refused.
    """

    policy: PolicyConfig = PolicyConfig()
    training: OptimisationConfig = OptimisationConfig()
    model: ModelConfig = ModelConfig()
    dataset: DatasetConfig = DatasetConfig()
    observation: ObservationConfig = ObservationConfig()

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        shape = (3, *self.dataset.image_size)
        for camera, given in self.observation.images.items():
            if camera not in self.dataset.camera_names:
                known = ", ".join(self.dataset.camera_names)
                raise ValueError(f"observation.images.{camera} is not one of camera_names ({known})")
            if given != shape:
                raise ValueError(f"observation.images.{camera} {given} is not 3 x image_size {shape}")
        _same_width("dataset.action_names", self.action_names, "model.action_dim", self.model.action_dim)
        _same_width(
            "dataset.state_names", self.state_names, "observation.state_dim", self.observation.state_dim
        )
        if strangers := self.training.action_weights.keys() - {*self.action_names}:
            named, known = ", ".join(sorted(strangers)), ", ".join(self.action_names)
            raise ValueError(f"action_weights names {named}, not one of the actions ({known})")
        return self

    @property
    def action_names(self) -> tuple[str, ...]:
        width = self.model.action_dim
        known = ACTION_NAMES.get(width, tuple(f"action_{i}" for i in range(width)))
        return self.dataset.action_names or known

    @property
    def action_weights(self) -> tuple[float, ...]:
        """In the order of the channels."""
        return tuple(self.training.action_weights.get(name, 1.0) for name in self.action_names)

    @property
    def state_names(self) -> tuple[str, ...]:
        width = self.observation.state_dim
        known = STATE_NAMES if width == len(STATE_NAMES) else tuple(f"state_{i}" for i in range(width))
        return self.dataset.state_names or known

    @property
    def hash(self) -> str:
        """Names this very config in every version: twelve hex digits of SHA-256 over its canonical JSON."""
        tree, plain = self.model_dump(mode="json"), TrainingConfig().model_dump(mode="json")
        for section, name in (field.split(".") for field in LATER):
            if tree[section][name] == plain[section][name]:
                del tree[section][name]
        canonical = json.dumps(tree, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def with_changes(self, changes: Mapping[str, Any]) -> "TrainingConfig":
        """This config with the fields named `section.field` set, checked as a whole.

        Raises:
            pydantic.ValidationError: a value is out of bounds or contradicts another.
            KeyError: there is no such field.
        """
        tree = self.model_dump()
        for field, value in changes.items():
            section, _, name = field.partition(".")
            if name not in tree.get(section, {}):
                raise KeyError(field)
            tree[section][name] = value
        return TrainingConfig.model_validate(tree)


class Change(BaseModel):
    """One field of the config, before and after. `field` is `section.name`, as in the card's YAML."""

    model_config = ConfigDict(frozen=True)

    field: str
    before: Any
    after: Any


def diff(before: TrainingConfig, after: TrainingConfig) -> tuple[Change, ...]:
    """Every field in which two configs differ, in the card's order."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return tuple(
        Change(field=f"{section}.{name}", before=value, after=new[section][name])
        for section, fields in old.items()
        for name, value in fields.items()
        if value != new[section][name]
    )


def _same_width(names_field: str, names: tuple[str, ...], width_field: str, width: int) -> None:
    if len(names) != width:
        raise ValueError(f"{names_field} names {len(names)} values, {width_field} is {width}")
