"""The embedded Discord's memory: one guild, its people, its channels and what was said in them.

Everything that changes it goes through the functions here, whether it came over a socket or from a
player on the stage; whoever subscribes is told at once, in order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntFlag
from types import MappingProxyType

from bot.rehearsal.cast import Person
from bot.rehearsal.discord.mentions import EVERYTHING, AllowedMentions, notified
from bot.rehearsal.discord.snowflake import REAL_TIME, Mint

MAX_CONTENT_CHARS = 2000
MAX_NONCE_CHARS = 25
MAX_FILES = 10
MAX_HISTORY = 100


class May(IntFlag):
    """Permissions that matter here. https://discord.com/developers/docs/topics/permissions"""

    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    USE_APPLICATION_COMMANDS = 1 << 31


EVERYTHING_NEEDED = (
    May.ADD_REACTIONS
    | May.VIEW_CHANNEL
    | May.SEND_MESSAGES
    | May.EMBED_LINKS
    | May.ATTACH_FILES
    | May.READ_MESSAGE_HISTORY
    | May.USE_APPLICATION_COMMANDS
)
"""Everything a bot here needs; mentioning @everyone is withheld, as it should be on the real server."""

NONCE_WINDOW = timedelta(minutes=5)
"""Discord speaks of "the past few minutes"."""


class RequestError(Exception):
    """Discord would refuse this: HTTP status, Discord's own error code, one line."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Attachment:
    id: int
    filename: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class File:
    """A file on its way in, before it has an id."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a sender asks to be posted."""

    content: str = ""
    files: tuple[File, ...] = ()
    reply_to: int | None = None
    nonce: str | None = None
    enforce_nonce: bool = False
    allowed: AllowedMentions = EVERYTHING


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the channel shows it. `mentions` are the users it notified."""

    id: int
    channel_id: int
    author: Person
    content: str
    sent_at: datetime
    mentions: tuple[int, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    reply_to: int | None = None
    nonce: str | None = None
    edited_at: datetime | None = None
    reactions: Mapping[str, tuple[int, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Posted:
    message: Message


@dataclass(frozen=True, slots=True)
class Edited:
    message: Message


@dataclass(frozen=True, slots=True)
class Deleted:
    message: Message


@dataclass(frozen=True, slots=True)
class Reacted:
    message: Message
    user_id: int
    emoji: str


Happening = Posted | Edited | Deleted | Reacted


@dataclass(slots=True)
class Channel:
    id: int
    name: str
    messages: dict[int, Message] = field(default_factory=dict[int, Message])


class Guild:
    """One server with its people and text channels; the first channel is where the play takes place.

    So many of the next messages with mentions as `deaf_ears` says notify nobody. `permissions` are what bots
    may do; players on the stage may do everything.
    """

    def __init__(
        self,
        people: tuple[Person, ...],
        channel_names: tuple[str, ...] = ("ralphton",),
        now: Callable[[], datetime] = REAL_TIME,
    ) -> None:
        self._now = now
        self.mint = Mint(now)
        self.id = self.mint.new()
        self.name = "ralphton"
        self.people = {person.id: person for person in people}
        self.channels = {one.id: one for one in (Channel(self.mint.new(), name) for name in channel_names)}
        self.deaf_ears = 0
        self.permissions: int = int(EVERYTHING_NEEDED)
        self._nonces: dict[tuple[int, str], Message] = {}
        self._listeners: list[Callable[[Happening], None]] = []

    @property
    def main_channel(self) -> Channel:
        return next(iter(self.channels.values()))

    def subscribe(self, listener: Callable[[Happening], None]) -> None:
        """`listener` is called at once, in the order things happen; it must not block."""
        self._listeners.append(listener)

    def channel(self, channel_id: int) -> Channel:
        if channel_id not in self.channels:
            raise RequestError(404, 10003, "Unknown Channel")
        return self.channels[channel_id]

    def message(self, channel_id: int, message_id: int) -> Message:
        found = self.channel(channel_id).messages.get(message_id)
        if found is None:
            raise RequestError(404, 10008, "Unknown Message")
        return found

    def post(self, channel_id: int, author_id: int, draft: Draft) -> Message:
        """Accept a message, or give back the one already posted under the same enforced nonce."""
        channel = self.channel(channel_id)
        _refuse_malformed(draft)
        if (twin := self._same_nonce(author_id, draft)) is not None:
            return twin
        if draft.reply_to is not None and draft.reply_to not in channel.messages:
            raise RequestError(400, 50035, "message_reference: Unknown message")
        message = Message(
            id=self.mint.new(),
            channel_id=channel_id,
            author=self.people[author_id],
            content=draft.content.strip(),
            sent_at=self._now(),
            mentions=self._notified(channel, draft),
            attachments=tuple(self._keep(file) for file in draft.files),
            reply_to=draft.reply_to,
            nonce=draft.nonce,
        )
        if draft.nonce is not None:
            self._nonces[author_id, draft.nonce] = message
        self._set(message)
        self._tell(Posted(message))
        return message

    def edit(
        self,
        channel_id: int,
        message_id: int,
        author_id: int,
        content: str,
        allowed: AllowedMentions = EVERYTHING,
    ) -> Message:
        """Replace the text. Mentions are parsed anew, but an edit notifies nobody."""
        before = self.message(channel_id, message_id)
        if before.author.id != author_id:
            raise RequestError(403, 50005, "Cannot edit a message authored by another user")
        _refuse_long(content)
        after = replace(
            before,
            content=content.strip(),
            mentions=notified(content, allowed, self.people),
            edited_at=self._now(),
        )
        self._set(after)
        self._tell(Edited(after))
        return after

    def delete(self, channel_id: int, message_id: int, user_id: int) -> None:
        message = self.message(channel_id, message_id)
        if message.author.id != user_id:
            raise RequestError(403, 50013, "Missing Permissions")
        del self.channel(channel_id).messages[message_id]
        self._tell(Deleted(message))

    def react(self, channel_id: int, message_id: int, user_id: int, emoji: str) -> None:
        before = self.message(channel_id, message_id)
        already = before.reactions.get(emoji, ())
        if user_id in already:
            return
        after = replace(before, reactions={**before.reactions, emoji: (*already, user_id)})
        self._set(after)
        self._tell(Reacted(after, user_id, emoji))

    def history(
        self,
        channel_id: int,
        limit: int = 50,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
    ) -> list[Message]:
        """One page, newest first whatever was asked for: with `after`, the oldest `limit` after that id."""
        messages = sorted(self.channel(channel_id).messages.values(), key=lambda one: one.id)
        limit = max(1, min(limit, MAX_HISTORY))
        if after is not None:
            page = [one for one in messages if one.id > after][:limit]
        elif around is not None:
            older = [one for one in messages if one.id < around][-(limit // 2) :]
            page = [*older, *(one for one in messages if one.id >= around)][:limit]
        else:
            page = [one for one in messages if before is None or one.id < before][-limit:]
        return page[::-1]

    def attachment(self, attachment_id: int) -> Attachment:
        for channel in self.channels.values():
            for message in channel.messages.values():
                for one in message.attachments:
                    if one.id == attachment_id:
                        return one
        raise RequestError(404, 0, "404: Not Found")

    def _same_nonce(self, author_id: int, draft: Draft) -> Message | None:
        if draft.nonce is None or not draft.enforce_nonce:
            return None
        twin = self._nonces.get((author_id, draft.nonce))
        if twin is None or self._now() - twin.sent_at > NONCE_WINDOW:
            return None
        return twin

    def _notified(self, channel: Channel, draft: Draft) -> tuple[int, ...]:
        replied_to = channel.messages[draft.reply_to].author.id if draft.reply_to is not None else None
        if self.deaf_ears:
            self.deaf_ears -= 1
            return ()
        return notified(draft.content, draft.allowed, self.people, replied_to)

    def _keep(self, file: File) -> Attachment:
        return Attachment(self.mint.new(), file.filename, file.content, file.content_type)

    def _set(self, message: Message) -> None:
        self.channel(message.channel_id).messages[message.id] = message

    def _tell(self, happening: Happening) -> None:
        for listener in self._listeners:
            listener(happening)


def _refuse_malformed(draft: Draft) -> None:
    _refuse_long(draft.content)
    if not draft.content.strip() and not draft.files:
        raise RequestError(400, 50006, "Cannot send an empty message")
    if len(draft.files) > MAX_FILES:
        raise RequestError(400, 50035, f"attachments: Must be {MAX_FILES} or fewer in length.")
    if draft.nonce is not None and len(draft.nonce) > MAX_NONCE_CHARS:
        raise RequestError(400, 50035, f"nonce: Must be {MAX_NONCE_CHARS} or fewer in length.")


def _refuse_long(content: str) -> None:
    if len(content) > MAX_CONTENT_CHARS:
        raise RequestError(400, 50035, f"content: Must be {MAX_CONTENT_CHARS} or fewer in length.")
