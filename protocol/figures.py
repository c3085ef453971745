"""Numbers and times as the channel shows them, and what remains of their digits.

At most four decimals, trailing zeros dropped; below 0.0001 two significant digits. A time of day is a
clock time; its date stands before it when it is not today's.
"""

import math
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

UNSAID_DAY = date(2000, 1, 1)
"""Stands for "today" in what was read: a message says which day it means only when it is another one."""


def rounded(number: float) -> float:
    """The digits a loss keeps."""
    return float(f"{number:.1e}" if 0 < abs(number) < 1e-4 else f"{number:.4f}")


def rounded_rate(rate: float) -> float:
    """The digits a learning rate keeps: two significant ones below 0.01."""
    return float(f"{rate:.1e}") if abs(rate) < 0.01 else rounded(rate)


def figure(number: float) -> str:
    """
    >>> figure(0.158), figure(0.02341), figure(0.0000123), figure(3.0)
    ('0.158', '0.0234', '1.2e-5', '3')
    """
    shown = rounded(number)
    if not math.isfinite(shown):
        return "NaN" if math.isnan(shown) else ("Inf" if shown > 0 else "-Inf")
    if 0 < abs(shown) < 1e-4:
        return scientific(shown)
    return trimmed(f"{shown:.4f}")


def rate_figure(rate: float) -> str:
    """
    >>> rate_figure(1e-4), rate_figure(0.00025), rate_figure(0.1), rate_figure(0)
    ('1e-4', '2.5e-4', '0.1', '0')
    """
    shown = rounded_rate(rate)
    return scientific(shown) if 0 < abs(shown) < 0.01 else figure(shown)


def scientific(number: float) -> str:
    """Two significant digits, as people write them: `2.5e-4`, not `2.5e-04`."""
    mantissa, exponent = f"{number:.1e}".split("e")
    return f"{trimmed(mantissa)}e{int(exponent)}"


def exact_figure(number: float) -> str:
    """Every digit of a config value, small ones as the card writes them: `1e-4`. Valid JSON but for NaN."""
    text = repr(float(number))
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}e{int(exponent)}"
    if not 0 < abs(number) < 0.001:
        return text
    digits = text.lstrip("-0.")
    exponent = -len(text.partition(".")[2]) + len(digits) - 1
    mantissa = trimmed(f"{digits[0]}.{digits[1:]}")
    return f"{'-' if number < 0 else ''}{mantissa}e{exponent}"


def trimmed(decimal: str) -> str:
    """Without trailing zeros, and without the sign of a zero."""
    short = decimal.rstrip("0").rstrip(".") if "." in decimal else decimal
    return "0" if short in {"-0", ""} else short


def on_the_clock(moment: datetime, now: datetime, zone: ZoneInfo) -> datetime:
    """`moment` to the minute in `zone`, its date kept only when it is not the date of `now` there."""
    local = moment.astimezone(zone).replace(second=0, microsecond=0, fold=0)
    if local.date() == now.astimezone(zone).date():
        return datetime.combine(UNSAID_DAY, local.time(), zone)
    return local


def unsaid_moment(zone: ZoneInfo) -> datetime:
    """Stands for the time of speaking, which no message says."""
    return datetime.combine(UNSAID_DAY, time(), zone)


def clock(moment: datetime) -> str:
    """A moment from `on_the_clock`: `02:30`, or `2026-11-24 02:30` when it is not today."""
    return f"{moment:%H:%M}" if moment.date() == UNSAID_DAY else f"{moment:%Y-%m-%d %H:%M}"


def read_clock(text: str) -> datetime:
    """The inverse of `clock`, without a zone. Raises ValueError."""
    if " " in text:
        return datetime.strptime(text, "%Y-%m-%d %H:%M")  # noqa: DTZ007  the reader knows the zone
    return datetime.combine(UNSAID_DAY, time.fromisoformat(text))
