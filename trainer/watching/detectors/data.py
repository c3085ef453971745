"""What the data may be to blame for: one channel, one episode, extremes that hardly occur."""

from statistics import median

from trainer.watching.facts import Figures, Seen

CHANNEL_RATIO = 3.0
CHANNEL_LEAST_L1 = 0.1
CHANNEL_UNLEARNED, UNLEARNED_RATIO = 0.7, 2.0
"""Of a standard deviation, where to guess the mean costs 0.8: then the others need not be so far below."""
CHANNEL_EPOCHS = 5

EPISODE_RATIO = 1.5
"""Over the others' median error: a hard episode's may be far higher, and a wrong one's sinks once it is
learned by heart."""
EPISODE_EPOCHS = 5
DISAGREEMENT = 1.1
"""Standard deviations from what others did before the same picture: that is what tells wrong from hard."""
DISAGREEMENT_RATIO = 3.0
"""Over the episodes' median: where all disagree, pictures do not tell what is right."""

LEARNED = 0.6
"""Errors are compared once they have fallen to so much of the first epoch's, and ..."""
FROM_EPOCH, FROM_SHARE = 30, 0.1
"""... so far into the run, or half of a short one: what is rare or hard in a set is learned last."""

LEAST_EPISODES = 16

THIN_SUPPORT = 0.15
THIN_SHARE = 0.02


def uneven_channels(seen: Seen) -> dict[str, Figures]:
    """Channels whose error is several times the others' median, or which are not learned at all."""
    if len(seen.known.channels) < 2 or not _has_learned(seen):
        return {}
    last = seen.history[-1].l1_by_action
    ratios = [_over_the_others(epoch.l1_by_action) for epoch in seen.history[-CHANNEL_EPOCHS:]]
    return {
        channel.name: {
            "channel": channel.name,
            "l1": last[at],
            "ratio": ratios[-1][at],
            "std": channel.std,
            "min": channel.least,
            "max": channel.greatest,
            "extreme_share": channel.extreme_share,
            "support": channel.support,
        }
        for at, channel in enumerate(seen.known.channels)
        if _stands_out(min(of_epoch[at] for of_epoch in ratios), last[at])
    }


def _stands_out(ratio: float, l1: float) -> bool:
    if l1 >= CHANNEL_UNLEARNED:
        return ratio >= UNLEARNED_RATIO
    return ratio >= CHANNEL_RATIO and l1 >= CHANNEL_LEAST_L1


def thin_extremes(seen: Seen) -> dict[str, Figures]:
    """Channels of which nearly all values lie close together, and hardly any near the ends of their range."""
    return {
        channel.name: {
            "channel": channel.name,
            "support": channel.support,
            "rare_share": channel.rare_share,
            "std": channel.std,
            "min": channel.least,
            "max": channel.greatest,
        }
        for channel in seen.known.channels
        if channel.support <= THIN_SUPPORT and channel.rare_share <= THIN_SHARE
    }


def odd_episodes(seen: Seen) -> dict[str, Figures]:
    """Episodes that contradict the rest: learned badly, and others did otherwise before the same pictures."""
    lately, names = seen.l1_by_episode[-EPISODE_EPOCHS:], seen.known.episodes
    if len(lately) < EPISODE_EPOCHS or not all(len(epoch) == len(names) for epoch in lately):
        return {}
    if len(names) < LEAST_EPISODES or not _has_learned(seen):
        return {}
    typical = median(error for error in lately[-1] if error)
    return {
        names[at]: {
            "episode": names[at],
            "l1": lately[-1][at],
            "ratio": lately[-1][at] / max(typical, 1e-12),
            "median": typical,
            "epochs": len(lately),
            "disagreement": disagreement,
        }
        for at, disagreement in _contradictions(seen.known.disagreement).items()
        if all(_is_odd(epoch, at) for epoch in lately)
    }


def _has_learned(seen: Seen) -> bool:
    history = seen.history
    settled = max(FROM_EPOCH, FROM_SHARE * seen.epochs)
    late = len(history) >= min(settled, seen.epochs / 2)
    return late and history[-1].l1 <= LEARNED * history[0].l1


def _contradictions(disagreement: tuple[float | None, ...]) -> dict[int, float]:
    """By number. An episode that looks like no other may be anything: nothing is said of it."""
    told = {at: each for at, each in enumerate(disagreement) if each is not None}
    bound = max(DISAGREEMENT, DISAGREEMENT_RATIO * median(told.values() or [0.0]))
    return {at: each for at, each in told.items() if each >= bound}


def _is_odd(l1_by_episode: tuple[float, ...], at: int) -> bool:
    """An error of 0 is that of an episode which is held out: it is not compared."""
    others = [error for place, error in enumerate(l1_by_episode) if place != at and error]
    return bool(others) and l1_by_episode[at] > EPISODE_RATIO * median(others)


def _over_the_others(l1_by_action: tuple[float, ...]) -> list[float]:
    """Each channel's error over the median of the others'."""
    return [
        error / max(median((*l1_by_action[:at], *l1_by_action[at + 1 :])), 1e-12)
        for at, error in enumerate(l1_by_action)
    ]
