"""Whom a message notifies, as Discord decides it: outside code, known users, as the sender allowed.

Format: https://discord.com/developers/docs/resources/message#allowed-mentions-object
"""

import re
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from protocol.roster import mentioned_ids

_CODE = re.compile(r"(?<!`)(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)", re.DOTALL)
_EVERYONE = re.compile(r"@(?:everyone|here)\b")


class AllowedMentions(BaseModel):
    """What a sender lets its message notify. Absent as a whole, everything is allowed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    parse: tuple[Literal["everyone", "roles", "users"], ...] = ()
    users: tuple[int, ...] = ()
    replied_user: bool = False


EVERYTHING = AllowedMentions(parse=("everyone", "roles", "users"), replied_user=True)


def outside_code(content: str) -> str:
    """`content` without its code spans and fences; an unclosed one is ordinary text.

    >>> outside_code("a `b` c")
    'a  c'
    """
    return _CODE.sub("", content)


def notified(
    content: str, allowed: AllowedMentions, known: Iterable[int], replied_to: int | None = None
) -> tuple[int, ...]:
    """The users whom a message with `content` notifies, in the order of its text, each once."""
    wanted = [user_id for user_id in mentioned_ids(outside_code(content)) if _permits(allowed, user_id)]
    if replied_to is not None and allowed.replied_user:
        wanted.append(replied_to)
    here = set(known)
    return tuple(dict.fromkeys(user_id for user_id in wanted if user_id in here))


def calls_everyone(content: str) -> bool:
    """Does the text try to notify the whole channel?"""
    return _EVERYONE.search(outside_code(content)) is not None


def _permits(allowed: AllowedMentions, user_id: int) -> bool:
    return "users" in allowed.parse or user_id in allowed.users
