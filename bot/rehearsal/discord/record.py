"""What was said, as it was accepted: the only thing the judge reads, and what a transcript file holds."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bot.rehearsal.discord.guild import Edited, Happening, Posted
from bot.rehearsal.discord.news import News


class Entry(BaseModel):
    """One message, or one edit of it, at the moment it was accepted.

    `mentions` are the users it notified; `attachments` are file names. `paths` says of every bucket path
    the text names whether it existed at that moment.
    """

    model_config = ConfigDict(frozen=True)

    time: datetime
    id: int
    author: str
    author_id: int
    content: str
    mentions: tuple[int, ...] = ()
    attachments: tuple[str, ...] = ()
    reply_to: int | None = None
    edited: bool = False
    paths: Mapping[str, bool] = Field(default_factory=dict[str, bool])


Witness = Callable[[str], Mapping[str, bool]]
"""Looks up, at once, which of the paths named in a text exist."""


def no_paths(_text: str) -> Mapping[str, bool]:
    return {}


class Record:
    """The growing list of entries. Whoever waits for one wakes when it is written."""

    def __init__(self, witness: Witness = no_paths) -> None:
        self.entries: list[Entry] = []
        self._witness = witness
        self._news = News()

    def write(self, happening: Happening) -> None:
        """Takes down what was posted or edited. A listener of the guild."""
        match happening:
            case Posted(message) | Edited(message):
                edited = isinstance(happening, Edited)
                self.entries.append(
                    Entry(
                        time=message.edited_at or message.sent_at,
                        id=message.id,
                        author=message.author.name,
                        author_id=message.author.id,
                        content=message.content,
                        mentions=message.mentions,
                        attachments=tuple(one.filename for one in message.attachments),
                        reply_to=message.reply_to,
                        edited=edited,
                        paths=self._witness(message.content),
                    )
                )
                self._news.announce()
            case _:
                pass

    async def entry(self, number: int) -> Entry:
        """The entry with this index, waiting until it is written."""
        await self._news.until(lambda: len(self.entries) > number)
        return self.entries[number]

    async def until(self, wanted: Callable[[Entry], bool], since: int = 0) -> Entry:
        """The first entry from index `since` on that is `wanted`, waiting for it if need be."""
        number = since
        while not wanted(found := await self.entry(number)):
            number += 1
        return found

    def save(self, path: Path) -> None:
        """Write the transcript: one JSON object a line."""
        lines = (entry.model_dump_json(exclude_defaults=False) for entry in self.entries)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
