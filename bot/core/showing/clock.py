"""When something was, as people read a clock."""

from datetime import datetime

from bot.core.policy import Policy


def clock(moment: datetime, at: datetime, policy: Policy) -> str:
    """In the people's time zone; with the date where it is not today's."""
    zone = policy.zone()
    local, today = moment.astimezone(zone), at.astimezone(zone).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%m-%d %H:%M}"
