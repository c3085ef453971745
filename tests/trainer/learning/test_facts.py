"""What a run shows is told once, with its figures, and a healthy run shows nothing."""

from itertools import pairwise

from trainer.facts import Channel, found
from trainer.history import Epoch

CHANNELS = tuple(Channel(name, 0.1, -0.2, 0.3, 0.0) for name in ("steering", "throttle", "bucket", "lift"))


def epoch(loss: float, l1_by_action: tuple[float, ...] = (0.2, 0.2, 0.2, 0.2), clipped: float = 0.0) -> Epoch:
    return Epoch(loss=loss, l1=0.2, kl=0.0, l1_by_action=l1_by_action, grad_norm=12.0, clipped_share=clipped)


def falling(epochs: int, **changes: object) -> tuple[Epoch, ...]:
    return tuple(epoch(10 * 0.97**number).model_copy(update=changes) for number in range(epochs))


def test_a_healthy_run_shows_nothing() -> None:
    history = falling(200)
    assert all(not found(history[:seen], 200, CHANNELS, ()) for seen in range(1, 201))


def test_a_channel_far_above_the_others_is_told_with_what_the_data_has_of_it() -> None:
    told = found(falling(10, l1_by_action=(1.0, 0.1, 0.1, 0.11)), 10, CHANNELS, ())
    figures = told["channel_l1_high:steering"]
    assert figures["channel"] == "steering"
    assert figures["ratio"] == 10.0
    assert (figures["std"], figures["min"], figures["max"], figures["extreme_share"]) == (0.1, -0.2, 0.3, 0.0)


def test_a_small_error_is_no_matter_however_small_the_others_are() -> None:
    assert not found(falling(10, l1_by_action=(0.09, 0.001, 0.001, 0.001)), 10, CHANNELS, ())


def test_clipping_in_the_beginning_is_nothing_clipping_for_long_is() -> None:
    assert not found(falling(40, clipped_share=1.0), 500, CHANNELS, ())
    assert "gradient_clipped" in found(falling(50, clipped_share=1.0), 500, CHANNELS, ())


def test_a_loss_that_no_longer_falls_is_told() -> None:
    stuck = (*falling(100), *(epoch(10 * 0.97**99) for _ in range(50)))
    assert found(stuck, 500, CHANNELS, ())["plateau"]["epochs"] == 50


def uneasy(epochs: int) -> tuple[Epoch, ...]:
    """Falls on the whole, as small runs do: by turns a tenth above and below its course, with rare spikes."""
    return tuple(
        epoch(0.05 + 5 * 0.97**number * (1.1 if number % 2 else 0.9) * (1.8 if number % 41 == 40 else 1))
        for number in range(epochs)
    )


def test_an_uneasy_but_healthy_run_shows_nothing_resumed_or_not() -> None:
    history = uneasy(200)
    for resumed_at in (None, 60):
        told = [found(history[:seen], 200, CHANNELS, (), resumed_at) for seen in range(1, 201)]
        assert not any(told)


def test_a_loss_that_climbs_far_above_its_best_is_told_within_ten_epochs() -> None:
    climbing = (*falling(60), *(epoch(10 * 0.97**59 * (2 + number)) for number in range(10)))
    assert found(climbing, 500, CHANNELS, ())["diverging"]["best_epoch"] == 60
    assert not found(climbing[:-1], 500, CHANNELS, ())


def test_a_best_epoch_long_past_is_told() -> None:
    worse = (*falling(60), *(epoch(10 * 0.97**59 * 1.3) for _ in range(100)))
    told = found(worse, 500, CHANNELS, ("plateau",))
    assert told["best_long_past"]["best_epoch"] == 60
    assert "best_long_past" not in found(worse[:-1], 500, CHANNELS, ())


def test_a_jump_after_a_resume_is_told_of_the_first_whole_epoch() -> None:
    jumped = (*falling(60), *(epoch(20.0) for _ in range(2)))
    assert found(jumped, 500, CHANNELS, (), 60)["loss_jump_after_resume"]["epoch"] == 60
    assert not found(jumped[:-1], 500, CHANNELS, (), 60), "that epoch was half another process's"
    assert not found(jumped, 500, CHANNELS, ()), "nobody resumed"
    assert not found(jumped, 500, CHANNELS, (), 3), "too early to tell"


def test_what_was_told_is_not_told_again() -> None:
    history = falling(50, clipped_share=1.0)
    assert not found(history, 500, CHANNELS, ("gradient_clipped",))


def test_one_channel_has_no_others_to_be_compared_with() -> None:
    assert not found(falling(10, l1_by_action=(1.0,)), 10, CHANNELS[:1], ())


def test_the_helper_falls() -> None:
    assert all(later.loss < earlier.loss for earlier, later in pairwise(falling(5)))
