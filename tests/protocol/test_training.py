"""The config is the card's, and only what may be said can be put in it."""

import pytest
from pydantic import ValidationError

from protocol import training
from protocol.training import IMAGE_TRANSFORMS, Change, TrainingConfig, diff

CARD = TrainingConfig()
STORED_HASH = "ba0ba04718ac"
"""The card's config, as it is named in states and checkpoints that were saved."""


def test_the_card_s_config_is_the_default() -> None:
    assert CARD.policy.name == "act"
    assert (CARD.policy.chunk_size, CARD.policy.n_action_steps) == (20, 20)
    assert (CARD.training.batch_size, CARD.training.lr, CARD.training.epochs) == (64, 1e-4, 500)
    assert (CARD.training.seed, CARD.training.save_checkpoint_every) == (42, 50)
    assert (CARD.model.backbone, CARD.model.transformer_layers, CARD.model.action_dim) == ("resnet18", 6, 4)
    assert (CARD.dataset.camera_names, CARD.dataset.image_size) == (("ego",), (224, 224))
    assert CARD.observation.state_dim == 4


def test_ten_degrees_of_freedom_need_two_settings() -> None:
    arm = CARD.with_changes({"model.action_dim": 10, "dataset.camera_names": ("ego", "wrist")})
    assert len(arm.action_names) == 10
    assert arm.action_names[-1] == "gripper"


def test_a_difference_names_field_before_and_after() -> None:
    halved = CARD.with_changes({"training.batch_size": 32, "training.gradient_accumulation": 2})
    assert diff(CARD, halved) == (
        Change(field="training.batch_size", before=64, after=32),
        Change(field="training.gradient_accumulation", before=1, after=2),
    )
    assert halved.training.samples_per_step == CARD.training.samples_per_step
    assert halved.hash != CARD.hash
    assert TrainingConfig.model_validate_json(CARD.model_dump_json()).hash == CARD.hash


def test_a_newer_version_calls_the_same_config_the_same() -> None:
    assert CARD.hash == STORED_HASH, (
        "A lost run is gone on from only if its config is still called the same. A new field whose default "
        "means `as before` belongs into protocol.training.LATER. Where an old field's default has changed, "
        "the config is another one, and so is STORED_HASH."
    )


def test_a_later_field_is_part_of_the_name_once_somebody_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = CARD.hash
    monkeypatch.setattr(training, "LATER", frozenset({"dataset.holdout", "training.seed"}))
    without = CARD.hash
    assert without != before
    assert CARD.with_changes({"dataset.holdout": 0.2}).hash not in {before, without}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("training.batch_size", 0),
        ("training.grad_clip_norm", float("inf")),  # JSON has none: no save that says so could be read again
        ("policy.kl_weight", float("inf")),
        ("training.save_checkpoint_every", 51),
        ("policy.n_action_steps", 21),
        ("model.n_heads", 7),
        ("dataset.action_names", ("steering",)),
        ("dataset.state_names", ("x",)),
        ("observation.images", {"wrist": (3, 224, 224)}),
        ("observation.images", {"ego": (3, 64, 64)}),
    ],
)
def test_what_the_bounds_forbid_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        CARD.with_changes({field: value})


def test_a_field_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match=r"training\.batchsize"):
        CARD.with_changes({"training.batchsize": 32})


def test_a_weight_is_for_an_action_that_there_is() -> None:
    with pytest.raises(
        ValidationError, match=r"action_weights names stering, not one of the actions \(steering"
    ):
        TrainingConfig().with_changes({"training.action_weights": {"stering": 2.0}})


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        (True, IMAGE_TRANSFORMS),
        ({"enable": True}, IMAGE_TRANSFORMS),
        ("true", IMAGE_TRANSFORMS),
        ({"enable": False}, ()),
        (False, ()),
        ("False", ()),
        (None, ()),
        ("hue", ("hue",)),
        (["affine", "contrast", "affine"], ("contrast", "affine")),
    ],
)
def test_image_transforms_are_read_as_lerobot_s_switch_or_by_name(
    given: object, chosen: tuple[str, ...]
) -> None:
    config = TrainingConfig().with_changes({"dataset.image_transforms": given})
    assert config.dataset.image_transforms == chosen


@pytest.mark.parametrize("given", [["flip"], "blur", {"enable": True, "max": 2}, 3])
def test_an_image_transform_that_lerobot_has_not_is_refused(given: object) -> None:
    with pytest.raises(ValidationError, match="image_transforms"):
        TrainingConfig().with_changes({"dataset.image_transforms": given})
