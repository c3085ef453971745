"""Whom we listen to, and when. Identity is the id that the service itself vouches for, never a name.

https://discord.com/developers/docs/resources/message#message-object-message-types
"""

import re
from dataclasses import dataclass

from bot.core.channel import strangers
from bot.core.policy import Policy
from bot.shell.conversation.channel import Letter, Mark
from protocol.roster import Roster, mentioned_ids

YES, NO = "✅", "❌"
ANSWERS = (YES, NO)

AWAITING = frozenset({"proposal", "question", "blocked", "alert"})
"""Kinds of our messages that ask for something: a bare reply to one of them is said to us."""

_ADDRESSED = re.compile(r"\s*<@!?\d+>")


@dataclass(frozen=True, slots=True)
class Door:
    """The one channel, the roster's peers and the operators; everybody and everything else is ignored."""

    channel_id: int
    roster: Roster
    operators: tuple[int, ...]

    @classmethod
    def of(cls, policy: Policy, channel_id: int) -> "Door":
        return cls(channel_id, policy.roster, policy.operators)

    def knows(self, letter: Letter) -> bool:
        """Is it an ordinary message, in our channel, of somebody we listen to?"""
        return self.is_here(letter) and (self.is_peer(letter.author_id) or letter.author_id in self.operators)

    def is_here(self, letter: Letter) -> bool:
        return letter.channel_id == self.channel_id and letter.plain

    def is_peer(self, user_id: int) -> bool:
        return user_id != self.roster.training and self.roster.peer_of(user_id) is not None

    def admits(self, letter: Letter, *, answers_ours: bool) -> bool:
        """Is it said to us? `answers_ours`: it is a reply to a message of ours that asks for one."""
        return self.knows(letter) and (answers_ours or self._mentions_us(letter) or self.is_command(letter))

    def may_go_on(self, letter: Letter) -> bool:
        """Said to nobody: it may belong to what its author said just before."""
        elsewhere = _ADDRESSED.match(letter.content) is not None or letter.reply_to is not None
        return self.knows(letter) and self.is_peer(letter.author_id) and not elsewhere

    def is_command(self, letter: Letter) -> bool:
        """An operator's `!` needs no mention."""
        return letter.author_id in self.operators and letter.content.lstrip().startswith(("!", "！"))

    def turns_away(self, letter: Letter) -> str | None:
        """The operators' command that somebody gives who is neither operator nor peer."""
        listed = self.roster.peer_of(letter.author_id) is not None or letter.author_id in self.operators
        return strangers.command_in(letter.content) if self.is_here(letter) and not listed else None

    def counts(self, mark: Mark) -> bool:
        return mark.author_id == self.roster.watcher and mark.emoji in ANSWERS

    def _mentions_us(self, letter: Letter) -> bool:
        """Both the service (which a reply's ping satisfies) and the text itself (code included) say so."""
        us = self.roster.training
        return us in letter.mentions and us in mentioned_ids(letter.content)
