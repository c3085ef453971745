"""What the data may be to blame for: one channel, one episode, extremes that hardly occur."""

from statistics import median

from trainer.facts import Figures, Seen

CHANNEL_RATIO = 5.0
CHANNEL_LEAST_L1 = 0.1
CHANNEL_EPOCHS = 3

EPISODE_RATIO = 2.0
EPISODE_DEVIATIONS = 6.0
EPISODE_EPOCHS = 5
LEAST_EPISODES = 8

THIN_SUPPORT = 0.15
THIN_SHARE = 0.01


def uneven_channels(seen: Seen) -> dict[str, Figures]:
    """Channels whose error is several times the others' median, for epochs running."""
    if len(seen.known.channels) < 2:
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
        if last[at] >= CHANNEL_LEAST_L1 and min(of_epoch[at] for of_epoch in ratios) >= CHANNEL_RATIO
    }


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
    """Episodes whose error stays far above that of the rest, by their median and by how far they scatter."""
    lately, names = seen.l1_by_episode[-EPISODE_EPOCHS:], seen.known.episodes
    if len(lately) < EPISODE_EPOCHS or not all(len(epoch) == len(names) for epoch in lately):
        return {}
    if len(names) < LEAST_EPISODES:
        return {}
    bounds = [_far_above(epoch) for epoch in lately]
    typical = median(lately[-1])
    return {
        name: {
            "episode": name,
            "l1": lately[-1][at],
            "ratio": lately[-1][at] / max(typical, 1e-12),
            "median": typical,
            "epochs": len(lately),
        }
        for at, name in enumerate(names)
        if all(epoch[at] > bound for epoch, bound in zip(lately, bounds, strict=True))
    }


def _far_above(l1_by_episode: tuple[float, ...]) -> float:
    """What an episode's error must exceed to be odd. The deviation is the median one, as for a normal one."""
    typical = median(l1_by_episode)
    deviation = 1.4826 * median(abs(error - typical) for error in l1_by_episode)
    return max(EPISODE_RATIO * typical, typical + EPISODE_DEVIATIONS * deviation)


def _over_the_others(l1_by_action: tuple[float, ...]) -> list[float]:
    """Each channel's error over the median of the others'."""
    return [
        error / max(median((*l1_by_action[:at], *l1_by_action[at + 1 :])), 1e-12)
        for at, error in enumerate(l1_by_action)
    ]
