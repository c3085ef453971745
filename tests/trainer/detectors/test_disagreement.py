"""What tells a wrong episode from a hard one: others did otherwise before the same pictures."""

import torch
from torch import Tensor

from trainer.learning.feed import Feed
from trainer.watching.disagreement import disagreements

EPISODES, FRAMES, SIZE = 8, 12, 24


def drive(place: int) -> Tensor:
    """(FRAMES, SIZE, SIZE, 3): a column that goes from one side to the other, each time a little brighter."""
    frames = torch.zeros(FRAMES, SIZE, SIZE, 3, dtype=torch.uint8)
    for frame in range(FRAMES):
        frames[frame, :, 2 * frame : 2 * frame + 2] = 200 + place
    return frames


def feed(frames: list[Tensor], action: Tensor) -> Feed:
    """Of `action` (episodes, FRAMES) two channels, the second always right."""
    episodes = len(frames)
    steered = torch.stack([action.flatten(), torch.zeros(action.numel())], 1)
    numbers = torch.arange(episodes).repeat_interleave(FRAMES)
    return Feed(
        frames={"ego": torch.cat(frames)},
        state=torch.zeros(len(numbers), 1),
        action=steered,
        episode_end=(numbers + 1) * FRAMES,
        episode=numbers,
        chunk_size=4,
        device=torch.device("cpu"),
    )


def steering(episodes: int = EPISODES) -> Tensor:
    """Towards the column, in each episode the same."""
    return torch.linspace(-2, 2, FRAMES).repeat(episodes, 1)


def test_who_does_as_the_others_do_agrees_and_who_does_the_opposite_does_not() -> None:
    action = steering()
    action[3] *= -1
    told = disagreements(feed([drive(place) for place in range(EPISODES)], action))
    assert told[3] is not None
    assert told[3] > 1.0
    assert not any(each for at, each in enumerate(told) if at != 3), "its neighbours are not blamed"


def test_of_an_episode_that_looks_like_no_other_nothing_is_said() -> None:
    action, frames = steering(), [drive(place) for place in range(EPISODES)]
    action[3] *= -1
    frames[3] = torch.randint(0, 256, frames[3].shape, generator=torch.Generator().manual_seed(0)).byte()
    told = disagreements(feed(frames, action))
    assert told[3] is None
    assert told.count(None) == 1


def test_an_episode_alone_has_none_to_disagree_with() -> None:
    assert disagreements(feed([drive(0)], steering(1))) == (None,)


def test_of_very_many_frames_some_are_looked_at(monkeypatch) -> None:
    action = steering()
    action[3] *= -1
    monkeypatch.setattr("trainer.watching.disagreement.MOST_FRAMES", EPISODES * FRAMES // 3)
    told = disagreements(feed([drive(place) for place in range(EPISODES)], action))
    assert told[3] is not None
    assert told[3] > 1.0
