"""Pictures varied in training: torchvision's own changes, LeRobot's ranges, the same after every resume."""

import json
from collections.abc import Callable

import pytest
import torch
from lerobot.transforms import ImageTransforms
from torch import Tensor
from torchvision.transforms.v2 import functional as F  # noqa: N812  torchvision's own name for it

from protocol.training import IMAGE_TRANSFORMS, DatasetConfig
from trainer.learning import feed as feeds
from trainer.learning import variety
from trainer.learning.variety import RANGES, TRANSFORMS, Varied, as_it_is, lerobot_s

from .runs import Run, assert_same_ending

COUNT, HEIGHT, WIDTH = 5, 12, 18
FACTORS = (0.5, 0.8, 1.0, 1.2, 1.5)
TURNS = (-0.05, -0.02, 0.0, 0.03, 0.05)
MOVES = ((-5.0, 0.0, 0.0), (0.0, 1.0, 0.0), (3.0, 0.0, -1.0), (0.0, -1.0, 1.0), (5.0, 1.0, 1.0))
ALL = {"dataset.image_transforms": IMAGE_TRANSFORMS}


def made(count: int = COUNT) -> Tensor:
    """Noise; the second is grey and has no hue, the third is of one colour."""
    pictures = torch.rand(count, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(3))
    pictures[1] = pictures[1, :1]
    pictures[2] = torch.tensor([0.0, 1.0, 0.25])[:, None, None]
    return pictures


@pytest.mark.parametrize(
    ("ours", "torchvision_s", "amounts"),
    [
        (variety.brightened, F.adjust_brightness, FACTORS),
        (variety.contrasted, F.adjust_contrast, FACTORS),
        (variety.saturated, F.adjust_saturation, FACTORS),
        (variety.sharpened, F.adjust_sharpness, FACTORS),
        (variety.tinted, F.adjust_hue, TURNS),
    ],
    ids=["brightness", "contrast", "saturation", "sharpness", "hue"],
)
def test_a_batch_is_changed_as_torchvision_changes_each_picture(
    ours: Callable[[Tensor, Tensor], Tensor],
    torchvision_s: Callable[[Tensor, float], Tensor],
    amounts: tuple[float, ...],
) -> None:
    pictures = made()
    wanted = [torchvision_s(one, by) for one, by in zip(pictures, amounts, strict=True)]
    torch.testing.assert_close(ours(pictures, torch.tensor(amounts)), torch.stack(wanted), atol=2e-6, rtol=0)


def test_a_batch_is_turned_and_moved_as_torchvision_does_it() -> None:
    pictures = made()
    wanted = [
        F.affine(one, angle=angle, translate=[right, down], scale=1.0, shear=[0.0, 0.0])
        for one, (angle, right, down) in zip(pictures, MOVES, strict=True)
    ]
    assert torch.equal(variety.moved(pictures, *torch.tensor(MOVES).T), torch.stack(wanted))


@pytest.mark.parametrize("name", IMAGE_TRANSFORMS)
def test_amounts_are_drawn_from_lerobot_s_range(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, float]] = []
    drawn = variety._drawn

    def noted(pictures: Tensor, least: float, most: float) -> Tensor:
        asked.append((least, most))
        amounts = drawn(pictures, least, most)
        assert ((least <= amounts) & (amounts <= most)).all()
        return amounts

    monkeypatch.setattr(variety, "_drawn", noted)
    assert TRANSFORMS[name](made()).shape == made().shape
    across, along = 0.05 * WIDTH, 0.05 * HEIGHT
    affine = [(-across, across), (-along, along), RANGES["affine"]["degrees"]]
    assert asked == (affine if name == "affine" else [*RANGES[name].values()])


def test_each_picture_gets_as_many_as_are_wanted_and_each_other_ones() -> None:
    marks = dict.fromkeys(IMAGE_TRANSFORMS, 0)

    def marking(name: str) -> Callable[[Tensor], Tensor]:
        return lambda pictures: pictures + 2.0 ** [*marks].index(name)

    torch.manual_seed(1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(variety, "TRANSFORMS", {name: marking(name) for name in marks})
        varied = Varied(IMAGE_TRANSFORMS, 3)(torch.zeros(200, 3, 2, 2))
    drawn = [int(value) for value in varied[:, 0, 0, 0]]
    assert {one.bit_count() for one in drawn} == {3}
    assert len({*drawn}) == 20  # every three of six


def test_without_any_pictures_stay_as_they_are_and_nothing_is_drawn() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    assert variety.variety(DatasetConfig()) is as_it_is
    pictures = made()
    assert as_it_is(pictures) is pictures
    assert torch.equal(torch.get_rng_state(), before)


def test_lerobot_train_is_told_the_same() -> None:
    told = lerobot_s(DatasetConfig(image_transforms=("hue", "brightness"), max_num_transforms=1))
    assert (told.enable, told.max_num_transforms, [*told.tfs]) == (True, 1, ["brightness", "hue"])
    assert ImageTransforms(told)(made()[0]).shape == (3, HEIGHT, WIDTH)
    assert not lerobot_s(DatasetConfig()).enable


def test_a_run_with_varied_pictures_goes_on_to_the_same_bits_and_measures_by_plain_ones(
    new_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain: list[bool] = []
    batch = feeds.Feed.batch

    def noted(self: feeds.Feed, samples: Tensor, varied: variety.Transform = as_it_is) -> dict[str, Tensor]:
        plain.append(varied is as_it_is)
        return batch(self, samples, varied)

    monkeypatch.setattr(feeds.Feed, "batch", noted)
    held_out = {"dataset.holdout": 0.34, "dataset.holdout_every": 2, "training.epochs": 2}
    straight, cut = new_run("straight", **ALL, **held_out), new_run("cut", **ALL, **held_out)
    straight.train()
    assert sum(plain) == 1
    cut.stop_at(2)
    cut.train()
    assert_same_ending(cut, straight, epochs=2)
    saved = straight.folder.checkpoint(2) / "pretrained_model" / "train_config.json"
    transforms = json.loads(saved.read_text())["dataset"]["image_transforms"]
    assert transforms["enable"] is True
    assert [*transforms["tfs"]] == [*IMAGE_TRANSFORMS]
