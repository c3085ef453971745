"""What there is to say about a data set's values, gathered episode by episode: `a + b` is of both."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = np.linspace(-1, 1, 41)
COMMON_KEPT = 8
AT_THE_BOUND = 0.999

type Values = NDArray[np.float64]


@dataclass(frozen=True)
class Tally:
    """Of `count` rows, by channel (D,): extremes, mean and summed squared distance from it.

    Besides, of values that lie in [-1, 1], how often each of BINS was met (D, bins), how many are at a bound,
    and the most common ones. Rows with a value that is not finite are left out.
    """

    count: int
    low: Values
    high: Values
    mean: Values
    squares: Values
    saturated: NDArray[np.int64]
    histogram: NDArray[np.int64]
    common: tuple[dict[float, int], ...]

    @property
    def std(self) -> Values:
        """The population's, as LeRobot's statistics have it."""
        return np.sqrt(self.squares / max(self.count, 1))

    @property
    def saturated_share(self) -> Values:
        return self.saturated / max(self.count, 1)

    def __add__(self, other: "Tally") -> "Tally":
        """Chan's rule for the means (Updating Formulae for Computing Sample Variances, 1979)."""
        count = self.count + other.count
        away, part = other.mean - self.mean, other.count / max(count, 1)
        return Tally(
            count=count,
            low=np.minimum(self.low, other.low),
            high=np.maximum(self.high, other.high),
            mean=self.mean + away * part,
            squares=self.squares + other.squares + away**2 * self.count * part,
            saturated=self.saturated + other.saturated,
            histogram=self.histogram + other.histogram,
            common=tuple(
                dict(Counter(mine) + Counter(theirs))
                for mine, theirs in zip(self.common, other.common, strict=True)
            ),
        )


def tally(values: Values) -> Tally:
    """The tally of these rows (T, D); one that is not finite throughout does not count."""
    rows = values[np.isfinite(values).all(axis=1)]
    mean = rows.mean(axis=0) if len(rows) else np.zeros(values.shape[1])
    return Tally(
        count=len(rows),
        low=rows.min(axis=0, initial=np.inf),
        high=rows.max(axis=0, initial=-np.inf),
        mean=mean,
        squares=((rows - mean) ** 2).sum(axis=0),
        saturated=(np.abs(rows) >= AT_THE_BOUND).sum(axis=0),
        histogram=np.stack([np.histogram(channel, BINS)[0] for channel in rows.T]),
        common=tuple(dict(Counter(channel.tolist()).most_common(COMMON_KEPT)) for channel in rows.T),
    )
