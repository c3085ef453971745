"""The gate every message passes before it is sent: the card's three checks, and more. One function a rule.

A rule looks at one part and answers None, or what is wrong with it. Quoted words carry a mark and are not
looked at: they can do nothing.
"""

import re
from collections.abc import Callable, Sequence

from protocol.errors import Refused
from protocol.parts import HARD_LIMIT, width
from protocol.quotation import MARK
from protocol.roster import MENTION, Peer, mention, mentioned_ids
from protocol.voice import CARD_VOICE, Voice

Recipients = tuple[int, ...]
Rule = Callable[[str, Recipients, Voice], str | None]

_CODE = re.compile(r"```.*?(?:```|\Z)|(?<!`)(`{1,2})(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_ESCAPED = re.compile(r"\\<(?=@)")
_NAMES = "|".join(Peer).replace("DomainExpert", "Domain[ -]?Expert")
_AT_NAME = re.compile(rf"@\s?(?:{_NAMES})", re.IGNORECASE)
_ADDRESSED = re.compile(
    rf"^[ \t>*_~•#,-]*(?:\d{{1,3}}[.)][ \t*_~]*)?(?:\[[^\]\n]*\][ \t*_~]*)?"
    rf"(?:{_NAMES})(?:[ -]?claw|[ -]?bot)?\s?"
    r"(?:님|씨|야|아|에게|께)?[\s*_~]*[,:，、：!]",
    re.IGNORECASE | re.MULTILINE,
)
_MASS = re.compile(r"@(?:everyone|here)\b|<@&", re.IGNORECASE)
_CUT_MENTION = re.compile(rf"<@(?!!?\d{{15,22}}>|&|{MARK})")


def outside_code(text: str) -> str:
    """What Discord looks for mentions in: neither fences nor code spans, nor what a backslash makes plain."""
    return _ESCAPED.sub(" ", _CODE.sub(" ", text))


def has_a_mention(text: str, recipients: Recipients, voice: Voice) -> str | None:  # noqa: ARG001
    """The card's first check: without `<@…>` a message does not exist."""
    return None if mentioned_ids(outside_code(text)) else "there is no <@ID> outside code"


def names_known_ids(text: str, recipients: Recipients, voice: Voice) -> str | None:  # noqa: ARG001
    """The card's second check: every id is one of the roster's or an operator's, and written whole."""
    known = {*voice.roster.ids().values(), *voice.operators}
    strange = next((user_id for user_id in mentioned_ids(text) if user_id not in known), None)
    if strange is not None:
        return f"{mention(strange)} is neither in the roster nor an operator"
    broken = _CUT_MENTION.search(text)
    return f"{text[broken.start() : broken.start() + 30]!r} is no mention" if broken else None


def mentions_every_recipient(text: str, recipients: Recipients, voice: Voice) -> str | None:  # noqa: ARG001
    """The card's third check."""
    there = mentioned_ids(outside_code(text))
    missing = next((user_id for user_id in recipients if user_id not in there), None)
    return f"{mention(missing)} is not mentioned outside code" if missing is not None else None


def mentions_nobody_else(text: str, recipients: Recipients, voice: Voice) -> str | None:  # noqa: ARG001
    extra = next((user_id for user_id in mentioned_ids(text) if user_id not in recipients), None)
    return f"{mention(extra)} is mentioned, but the message is not for it" if extra is not None else None


def calls_nobody_by_name(text: str, recipients: Recipients, voice: Voice) -> str | None:  # noqa: ARG001
    """`@Watcher` and `Watcher-Claw, …` reach nobody. In running text a name is a name."""
    plain = outside_code(text)
    called = _AT_NAME.search(plain) or _ADDRESSED.search(MENTION.sub("", plain))
    return f"{called[0].strip()!r} is no address; only <@ID> is" if called else None


def calls_no_crowd(text: str, recipients: Recipients, voice: Voice) -> str | None:  # noqa: ARG001
    found = _MASS.search(text)
    return f"{found[0]!r} would ping a crowd" if found else None


def fits(text: str, recipients: Recipients, voice: Voice) -> str | None:  # noqa: ARG001
    return f"{width(text)} characters are more than {HARD_LIMIT}" if width(text) > HARD_LIMIT else None


RULES: dict[str, Rule] = {
    "mention": has_a_mention,
    "known ids": names_known_ids,
    "every recipient": mentions_every_recipient,
    "nobody else": mentions_nobody_else,
    "address": calls_nobody_by_name,
    "crowd": calls_no_crowd,
    "length": fits,
}


def check(parts: str | Sequence[str], recipients: Recipients, voice: Voice = CARD_VOICE) -> None:
    """Lets a message through, or not.

    Raises:
        Refused: a part breaks a rule; the first one found is named.
    """
    if not recipients:
        raise Refused("recipients", "the message is for nobody")
    for text in (parts,) if isinstance(parts, str) else parts:
        for name, rule in RULES.items():
            if wrong := rule(text, recipients, voice):
                raise Refused(name, wrong)
