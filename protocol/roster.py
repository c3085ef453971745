"""Who is who in the channel. The one place that knows how a Discord mention is written.

Format: https://discord.com/developers/docs/reference#message-formatting
"""

import re
from enum import StrEnum
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, field_validator


class Peer(StrEnum):
    """One of the five bots of the loop, by the name the role card gives it."""

    WATCHER = "Watcher"
    DEVELOPER = "Developer"
    DOMAIN_EXPERT = "DomainExpert"
    TRAINING = "Training"
    EVALUATION = "Evaluation"


CARD_IDS = MappingProxyType(
    {
        Peer.WATCHER: 1477205631927717900,
        Peer.DEVELOPER: 1477168971718332516,
        Peer.DOMAIN_EXPERT: 1477242490640928848,
        Peer.TRAINING: 1477243247956066414,
        Peer.EVALUATION: 1477244275803689020,
    }
)

MENTION = re.compile(r"<@!?(?P<id>\d{15,22})>")
"""A user mention; the form with `!` is deprecated by Discord and means the same."""


def mention(user_id: int) -> str:
    """The only form Discord notifies anybody of."""
    return f"<@{user_id}>"


def mentioned_ids(text: str) -> tuple[int, ...]:
    """Every user id mentioned in `text`, in order, code or not."""
    return tuple(int(found["id"]) for found in MENTION.finditer(text))


class Roster(BaseModel):
    """The peers' Discord ids. Defaults to the role card's.

    >>> Roster().mention(Peer.WATCHER)
    '<@1477205631927717900>'
    """

    model_config = ConfigDict(frozen=True)

    watcher: int = CARD_IDS[Peer.WATCHER]
    developer: int = CARD_IDS[Peer.DEVELOPER]
    domain_expert: int = CARD_IDS[Peer.DOMAIN_EXPERT]
    training: int = CARD_IDS[Peer.TRAINING]
    evaluation: int = CARD_IDS[Peer.EVALUATION]

    @field_validator("watcher", "developer", "domain_expert", "training", "evaluation")
    @classmethod
    def _is_a_snowflake(cls, user_id: int) -> int:
        if not 10**14 <= user_id < 2**63:
            raise ValueError(f"{user_id} is not a Discord user id (15 to 19 digits)")
        return user_id

    def ids(self) -> dict[Peer, int]:
        return {peer: getattr(self, peer.name.lower()) for peer in Peer}

    def id_of(self, peer: Peer) -> int:
        return self.ids()[peer]

    def peer_of(self, user_id: int) -> Peer | None:
        return next((peer for peer, known in self.ids().items() if known == user_id), None)

    def mention(self, peer: Peer) -> str:
        return mention(self.id_of(peer))
