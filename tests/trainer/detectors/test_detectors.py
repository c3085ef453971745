"""What a run shows is told once, with its figures, and a healthy run shows nothing."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from bot.lessons.insights import INSIGHTS
from trainer.learning.history import Epoch
from trainer.watching.detectors import DETECTORS
from trainer.watching.detectors import found as found_in
from trainer.watching.facts import Channel, Figures, Known, Reading, Seen, channels

CHANNELS = tuple(Channel(name, 0.1, -0.2, 0.3, 0.0) for name in ("steering", "throttle", "bucket", "lift"))
EPISODES = tuple(f"episode_{number:03d}" for number in range(20))


def found(
    history: tuple[Epoch, ...],
    epochs: int,
    known: tuple[Channel, ...],
    said: tuple[str, ...],
    resumed_at: int | None = None,
) -> dict[str, Figures]:
    return found_in(Seen(history, epochs, Known(known, EPISODES), resumed_at), said)


def epoch(loss: float, l1_by_action: tuple[float, ...] = (0.2, 0.2, 0.2, 0.2), clipped: float = 0.0) -> Epoch:
    return Epoch(loss=loss, l1=0.2, kl=0.0, l1_by_action=l1_by_action, grad_norm=12.0, clipped_share=clipped)


def falling(epochs: int, **changes: object) -> tuple[Epoch, ...]:
    """Loss and L1 fall by three in a hundred an epoch."""
    return tuple(
        epoch(10 * 0.97**number).model_copy(update={"l1": 0.97**number, **changes})
        for number in range(epochs)
    )


def test_a_healthy_run_shows_nothing() -> None:
    history = falling(200)
    assert all(not found(history[:seen], 200, CHANNELS, ()) for seen in range(1, 201))


def test_a_channel_far_above_the_others_is_told_with_what_the_data_has_of_it() -> None:
    history = falling(30, l1_by_action=(1.0, 0.1, 0.1, 0.11))
    told = found(history, 40, CHANNELS, ())
    assert not found(history[:17], 34, CHANNELS, ()), "nothing much is learned yet"
    assert not found(history[:29], 500, CHANNELS, ()), "what is hard is learned last"
    figures = told["channel_l1_high:steering"]
    assert figures["channel"] == "steering"
    assert figures["ratio"] == 10.0
    assert (figures["std"], figures["min"], figures["max"], figures["extreme_share"]) == (0.1, -0.2, 0.3, 0.0)


def test_a_channel_of_which_nothing_is_learned_is_told_though_the_others_are_not_so_far_below() -> None:
    told = found(falling(30, l1_by_action=(0.8, 0.3, 0.3, 0.3)), 40, CHANNELS, ())
    assert list(told) == ["channel_l1_high:steering"]
    assert not found(falling(30, l1_by_action=(0.6, 0.25, 0.25, 0.25)), 40, CHANNELS, ())


def test_a_small_error_is_no_matter_however_small_the_others_are() -> None:
    assert not found(falling(30, l1_by_action=(0.09, 0.001, 0.001, 0.001)), 40, CHANNELS, ())


def test_clipping_in_the_beginning_is_nothing_clipping_for_long_is() -> None:
    assert not found(falling(35, clipped_share=1.0), 500, CHANNELS, ())
    assert "gradient_clipped" in found(falling(36, clipped_share=1.0), 500, CHANNELS, ())


def test_a_loss_that_no_longer_falls_is_told() -> None:
    stuck = (*falling(100), *(epoch(10 * 0.97**99) for _ in range(50)))
    assert found(stuck, 500, CHANNELS, ())["plateau"]["epochs"] == 50


def test_an_error_that_never_really_fell_is_told_though_the_loss_falls() -> None:
    idle = falling(40, l1=0.6)
    assert "plateau" in found(idle, 40, CHANNELS, ())
    assert not found(idle[:39], 40, CHANNELS, ())


def test_a_jump_of_the_error_is_told_though_the_loss_hides_it() -> None:
    before = falling(20)
    jumped = (*before, *(one.model_copy(update={"l1": 1.4, "loss": 1.0}) for one in before[-3:]))
    told = found(jumped, 40, CHANNELS, (), 20)
    assert told["loss_jump_after_resume"]["what"] == "L1"


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


def by_episode(odd: float) -> tuple[tuple[float, ...], ...]:
    """Five epochs in which each episode's error scatters a little, but for the fourth one's."""
    return tuple(tuple(odd if at == 3 else 0.2 + 0.01 * at for at in range(len(EPISODES))) for _ in range(5))


def seen_with(odd: float, disagreement: float | None = 1.5, others: float = 0.2) -> Seen:
    """The fourth episode's error, and how far its actions lie from those of frames that look alike."""
    told = tuple(disagreement if at == 3 else others for at in range(len(EPISODES)))
    return Seen(falling(30), 40, Known(CHANNELS, EPISODES, told), None, by_episode(odd))


def test_an_episode_that_is_learned_badly_and_contradicts_the_rest_is_told_by_its_name() -> None:
    told = found_in(seen_with(1.2))
    assert list(told) == ["episode_l1_high:episode_003"]
    assert told["episode_l1_high:episode_003"]["episode"] == "episode_003"
    assert told["episode_l1_high:episode_003"]["disagreement"] == 1.5
    assert found_in(seen_with(0.4)) == {}, "it is learned all the same"


def test_an_episode_that_is_hard_is_not_told_however_badly_it_is_learned() -> None:
    assert found_in(seen_with(2.5, disagreement=0.9)) == {}, "others do much the same"
    assert found_in(seen_with(2.5, disagreement=None)) == {}, "it looks like no other"
    assert found_in(seen_with(2.5, others=0.6)) == {}, "all disagree: pictures do not tell what is right"
    unknown = Known(CHANNELS, EPISODES)
    assert found_in(replace(seen_with(2.5), known=unknown)) == {}, "recorded before this was looked at"


def test_an_episode_is_told_only_once_it_stayed_there_and_with_enough_others() -> None:
    odd = seen_with(1.2)
    assert found_in(replace(odd, l1_by_episode=odd.l1_by_episode[1:])) == {}
    assert found_in(replace(odd, l1_by_episode=(by_episode(0.2)[0], *odd.l1_by_episode[1:]))) == {}
    few = Known(CHANNELS, EPISODES[:5], odd.known.disagreement[:5])
    assert found_in(replace(odd, known=few, l1_by_episode=tuple(e[:5] for e in odd.l1_by_episode))) == {}
    assert found_in(replace(odd, l1_by_episode=((), *odd.l1_by_episode[1:]))) == {}, "an older save's epoch"
    assert found_in(replace(odd, history=odd.history[:19])) == {}, "what is rare is learned last"


def test_episodes_that_are_held_out_are_not_compared() -> None:
    alone = tuple(tuple(1.2 if at == 3 else 0.0 for at in range(len(EPISODES))) for _ in range(5))
    assert found_in(replace(seen_with(1.2), l1_by_episode=alone)) == {}


def test_values_that_lie_close_together_with_rare_extremes_are_told() -> None:
    values = np.random.default_rng(0).uniform(-0.1, 0.1, (1000, 2)).astype(np.float32)
    values[:3, 0] = 1, -1, 1
    known = Known(channels(("steering", "lift"), values))
    told = found_in(Seen(falling(10, l1_by_action=(0.2, 0.2)), 10, known))
    assert list(told) == ["thin_extremes:steering"]
    assert told["thin_extremes:steering"]["rare_share"] == 0.003


def test_a_channel_that_never_moves_has_no_extremes_to_miss() -> None:
    (still,) = channels(("lift",), np.zeros((20, 1), np.float32))
    assert (still.support, still.rare_share) == (1.0, 1.0)


def held_out(errors: list[float]) -> tuple[Epoch, ...]:
    """Looked at every second epoch, while the training error falls."""
    return tuple(
        epoch(10 * 0.97**at).model_copy(
            update={"l1": 0.9**at, "held_out_l1": errors[at // 2] if at % 2 else None}
        )
        for at in range(2 * len(errors))
    )


def test_held_out_episodes_that_get_worse_while_the_others_get_better_are_told() -> None:
    told = found(held_out([0.5, 0.4, 0.3, 0.42, 0.46, 0.5, 0.51]), 500, CHANNELS, ())
    assert told["overfitting"]["best_epoch"] == 6
    assert not found(held_out([0.5, 0.4, 0.3, 0.35, 0.32, 0.46, 0.47]), 500, CHANNELS, ())
    assert not found(held_out([0.3, 0.45, 0.46, 0.5]), 500, CHANNELS, ()), "too few to tell"
    worse = tuple(one.model_copy(update={"l1": 0.5}) for one in held_out([0.5, 0.3, 0.5, 0.51, 0.5, 0.52]))
    assert not found(worse, 500, CHANNELS, ()), "the training error did not fall either"


def test_held_out_episodes_that_give_one_number_for_ever_are_told() -> None:
    assert "validation_frozen" in found(held_out([0.5, 0.3, 0.3, 0.3, 0.3]), 500, CHANNELS, ())


def machine(readings: list[Reading]) -> dict[str, Figures]:
    return found_in(Seen(falling(30), 500, Known(CHANNELS), readings=tuple(readings)))


def memory(used_gb: list[float]) -> list[Reading]:
    return [Reading(60.0 * at, int(used * 2**30), 40 * 2**30) for at, used in enumerate(used_gb)]


def test_memory_that_climbs_steadily_is_told_with_the_time_it_will_be_full() -> None:
    told = machine(memory([20 + 0.2 * at for at in range(20)]))["memory_growing"]
    assert 70 * 60 < float(told["full_in_s"]) < 90 * 60


def test_memory_that_grew_once_or_stands_still_is_no_matter() -> None:
    assert not machine(memory([5.0, 12.0, 20.0] + [28.5] * 20))
    assert not machine(memory([20.0] * 8 + [28.0] * 12))
    assert not machine(memory([20 + 0.2 * at for at in range(6)])), "too few readings"
    assert not machine(memory([20 + 0.0001 * at for at in range(20)])), "noise"
    slow = [replace(one, at_s=one.at_s * 1000) for one in memory([20 + 0.05 * at for at in range(20)])]
    assert not machine(slow), "full in weeks"


def test_memory_read_twice_at_one_moment_has_no_slope() -> None:
    assert not machine([replace(one, at_s=0.0) for one in memory([20 + at for at in range(12)])])


def test_a_device_that_idles_and_a_feed_that_starves_it_are_told() -> None:
    idle = [Reading(60.0 * at, busy_share=0.3, waiting_share=0.6) for at in range(10)]
    assert sorted(machine(idle)) == ["device_idle", "feed_starving"]
    busy = [Reading(60.0 * at, busy_share=0.97, waiting_share=0.01) for at in range(10)]
    assert not machine(busy)
    assert not machine(busy[:1] + idle[1:])
    assert not machine(idle[:9])


def test_what_was_told_is_not_told_again() -> None:
    history = falling(50, clipped_share=1.0)
    assert not found(history, 500, CHANNELS, ("gradient_clipped",))


def test_one_channel_has_no_others_to_be_compared_with() -> None:
    assert not found(falling(10, l1_by_action=(1.0,)), 10, CHANNELS[:1], ())


def test_the_helper_falls() -> None:
    assert all(later.loss < earlier.loss for earlier, later in pairwise(falling(5)))


def test_the_bot_has_words_for_every_fact() -> None:
    assert set(DETECTORS) == set(INSIGHTS)
