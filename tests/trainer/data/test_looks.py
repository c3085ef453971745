"""What is seen of many pictures at once is what is seen of them one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trainer.data.looks import GLIMPSES, POINTS_ACROSS, STIR, Eye

SIZES = st.sampled_from([(1, 1), (5, 7), (48, 64), (120, 160), (241, 130)])


def one_by_one(pictures: list[NDArray[np.uint8]]) -> tuple[list[float], list[float], list[float]]:
    changes: list[float] = []
    spreads: list[float] = []
    stirs: list[float] = []
    before: NDArray[np.int64] | None = None
    for picture in pictures:
        step = max(1, min(picture.shape) // POINTS_ACROSS)
        points = picture[step // 2 :: step, step // 2 :: step].astype(np.int64)
        same = before is not None and before.shape == points.shape
        apart = np.abs(points - before) if same else np.zeros(points.shape)
        changes.append(float(apart.mean()) if same else np.inf)
        stirs.append(float((apart > STIR).mean()))
        spreads.append(float(points.std()))
        before = points
    return changes, spreads, stirs


@given(st.lists(st.tuples(SIZES, st.integers(1, 70)), max_size=3), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_it_does_not_matter_how_many_are_looked_at_together(
    runs: list[tuple[tuple[int, int], int]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    pictures = [rng.integers(0, 256, size, np.uint8) for size, count in runs for _ in range(count)]
    eye = Eye()
    for picture in pictures:
        eye.see(picture)
    looks = eye.seen()
    for mine, expected in zip((looks.change, looks.spread, looks.stirred), one_by_one(pictures), strict=True):
        np.testing.assert_allclose(mine, expected)
    assert looks.glimpses.shape == (min(GLIMPSES, len(pictures)), 48)


def test_glimpses_are_the_brightness_of_fields_from_first_to_last() -> None:
    eye = Eye()
    for level in range(40):
        picture = np.zeros((60, 80), np.uint8)
        picture[:10, :10] = level
        eye.see(picture)
    glimpses = eye.seen().glimpses
    assert (glimpses[0, 0], glimpses[-1, 0]) == (0, 39)
    assert not glimpses[:, 1:].any()
