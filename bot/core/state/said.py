"""What is being said to us, and by whom."""

from typing import Literal

from pydantic import AwareDatetime

from bot.core.state.known import Known
from protocol.roster import Peer


class Uttered(Known):
    """One message of somebody's. `said_at` is by the channel's own clock."""

    id: int
    text: str
    said_at: AwareDatetime


class OpenMessage(Known):
    """What somebody says to us and may not have finished: it is acted on at `due_at`. `restarts` is through
    how many of ours it has waited."""

    author: int
    parts: tuple[Uttered, ...]
    reply_ref: str | None
    since: AwareDatetime
    due_at: AwareDatetime
    restarts: int = 0


class ActedOn(Known):
    """What we acted on lately: fingerprints of its parts by id, and of what was understood."""

    author: int
    prints: dict[int, str]
    meaning: str
    last: Uttered


class Answered(Known):
    """That somebody was answered, `times` within one second; for a minute it counts."""

    to: int
    at: AwareDatetime
    times: int = 1


class Stranger(Known):
    """Somebody who is no operator gave a `command` of theirs, the newest at `at`."""

    author: int
    command: str
    at: AwareDatetime
    times: int


class Verifying(Known):
    """A checkpoint that is being read again, by its place in the bucket, and who complained of it."""

    path: str
    askers: tuple[int, ...]


class Sighting(Known):
    """Something in the channel contradicts the roster: a `name` that speaks from `user_id`, or its `use`.

    `peer` is whose name or role it is; None: some peer's. Watcher and the operators were told.
    """

    why: Literal["name", "use"]
    peer: Peer | None
    user_id: int
    message_id: int
