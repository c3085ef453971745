"""What a peer or an operator meant, by the first sign that decides: a command, a tag, a lesson, a word."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from protocol.consent import named_items, read_consent, takes_back
from protocol.errors import NotUnderstood
from protocol.handoff import HandoffReader, read_handoff
from protocol.lessons import gathered
from protocol.lines import Spoken, leading_tag, lines_of
from protocol.messages import (
    Acknowledgement,
    Approval,
    Command,
    Handoff,
    Incoming,
    Lessons,
    Order,
    Rejection,
    Talk,
)
from protocol.tags import BRACKETED, Tag, tag_of
from protocol.talk import Verb, about, read_order
from protocol.talk import takes_back as takes_order_back

Lines = tuple[Spoken, ...]

_COMMAND = re.compile(r"[!！]\s?([A-Za-z][\w-]{0,30})(?:\s+(.*))?", re.DOTALL)
_NAMED = re.compile(
    r"[^\w]*+(?:(?:제안|proposal)[\s:：#]*+)?(?=[\w./:#+-]*\d)([A-Za-z0-9][A-Za-z0-9._:/#+-]{3,63})(?![\w번])"
)
_ITEMS = re.compile(
    r"[\s,.:#()–—-]*+(?:(?:항목|items?)\s*+)?((?:#?\d{1,3}(?:번|항)?(?:\s?[-~–]\s?\d{1,3}번?)?(?:[\s,)]+|[과와]\s*|만\s*|$))+)"
)
_VERBS: Mapping[Tag, Verb] = MappingProxyType({Tag.STOP: "stop", Tag.RESUME: "resume", Tag.RETRY: "retry"})
_REPORTING = (Tag.REPORT, Tag.DONE, Tag.BLOCKED, Tag.RECEIPT, Tag.ALERT)


def read_heard(text: str, message_id: int | None = None) -> Incoming:
    """Raises NotUnderstood: nothing was said, or a field that decides cannot be read."""
    lines = lines_of(text)
    if not lines:
        raise NotUnderstood("내용이 없는 메시지입니다", "1행")
    return _read(lines).model_copy(update={"text": text, "message_id": message_id})


def _read(lines: Lines) -> Incoming:
    if command := _command(lines[0].text):
        return command
    tag, body = _tagged(lines)
    match tag:
        case Tag.HANDOFF:
            return _handoff(read_handoff(body))
        case Tag.LESSONS:
            return _lessons_under_a_tag(body)
        case Tag.APPROVE | Tag.REJECT:
            return _decision(lines)
        case Tag.STOP | Tag.RESUME | Tag.RETRY:
            return _order(tag, body)
        case _:
            return _in_own_words(tag, body)


def _command(text: str) -> Command | None:
    found = _COMMAND.fullmatch(text)
    return Command(name=found[1].lower(), arguments=tuple((found[2] or "").split())) if found else None


def _tagged(lines: Lines) -> tuple[Tag | None, Lines]:
    """The first tag that opens an unquoted line, and the lines without it."""
    for at, line in enumerate(lines):
        if not line.quoted and (found := leading_tag(line.text)):
            tag, rest = found
            behind = (Spoken(line.number, rest.strip()),) if rest.strip() else ()
            return tag, (*lines[:at], *behind, *lines[at + 1 :])
    return _tag_within(lines)


def _tag_within(lines: Lines) -> tuple[Tag | None, Lines]:
    """`안녕하세요, [HANDOFF] …`: in the middle of a line only a HANDOFF with substance counts."""
    first = lines[0]
    for found in BRACKETED.finditer(first.text):
        if tag_of(found[2]) is Tag.HANDOFF and not first.quoted:
            without = Spoken(
                first.number, f"{first.text[: found.start()]} {first.text[found.end() + 1 :]}".strip()
            )
            body = (without, *lines[1:])
            if read_handoff(body).says_something:
                return Tag.HANDOFF, body
    return None, lines


def _handoff(read: HandoffReader) -> Handoff:
    return Handoff(
        cycle=read.cycle, data=read.data, episodes=read.episodes, lessons=read.lessons, extra=read.extra
    )


def _lessons_under_a_tag(body: Lines) -> Lessons:
    read = read_handoff(body, HandoffReader.of_lessons())
    if not read.lessons:
        where = f"{body[0].number}행" if body else "1행"
        raise NotUnderstood("[LESSON] 뒤에 레슨런이 없습니다", where)
    return Lessons(cycle=read.cycle, lessons=read.lessons)


def _order(tag: Tag, body: Lines) -> Order:
    said = "\n".join(line.text for line in body)
    if takes_order_back(said):
        raise NotUnderstood(f"[{tag}]과 그 뒤의 말이 다릅니다 ({said[:60]})", f"{body[0].number}행")
    return Order(verb=_VERBS[tag])


def _decision(lines: Lines) -> Approval | Rejection | Acknowledgement:
    """What is approved and rejected. Both about everything, or a yes taken back, is neither."""
    said = {Tag.APPROVE: _Named(_behind(Tag.APPROVE, lines)), Tag.REJECT: _Named(_behind(Tag.REJECT, lines))}
    approved, rejected = said[Tag.APPROVE], said[Tag.REJECT]
    if any(tag_of(found[2]) in said for one in said.values() for found in BRACKETED.finditer(one.rest)):
        return Acknowledgement()
    if not approved.given:
        return Rejection(proposal=rejected.proposal, items=rejected.items, reason=rejected.rest)
    if takes_back(approved.rest) or (rejected.given and not rejected.items):
        return Acknowledgement()
    proposal = approved.proposal or rejected.proposal
    return Approval(proposal=proposal, items=approved.items, rejected=rejected.items)


def _behind(tag: Tag, lines: Lines) -> str | None:
    """What stands behind a decision's tag, up to another decision; None if it is not said."""
    behind: list[str] = []
    speaking = False
    for line in lines:
        found = None if line.quoted else leading_tag(line.text)
        if found and found[0] in (Tag.APPROVE, Tag.REJECT):
            speaking = found[0] is tag
        if speaking and not line.quoted:
            behind.append(found[1] if found else line.text)
    return "\n".join(behind) if behind else None


class _Named:
    """The proposal's hash or reference, item numbers, and the words after them."""

    def __init__(self, words: str | None) -> None:
        self.given = words is not None
        rest = (words or "").lstrip()
        named = _NAMED.match(rest)
        self.proposal = named[1].rstrip(".:/") if named else None
        rest = rest[named.end() :] if named else rest
        listed = _ITEMS.match(rest)
        self.items = named_items(listed[1]) if listed else ()
        self.rest = (rest[listed.end() :] if self.items and listed else rest).strip(" \t\n,.:–—-")


def _in_own_words(tag: Tag | None, body: Lines) -> Incoming:
    text = "\n".join(line.text for line in body)
    if tag in _REPORTING:
        topic = about(text)
        return Talk(about=topic if topic == "complaint" else "other")
    if lessons := gathered(body):
        return Lessons(cycle=read_handoff(body).cycle, lessons=lessons)
    if tag is Tag.QUESTION:
        return Talk(about=about(text))
    if verb := read_order(body):
        return Order(verb=verb)
    return _consent(tag, body) or Talk(about=about(text))


def _consent(tag: Tag | None, body: Lines) -> Incoming | None:
    consent = read_consent(body)
    match consent.verdict:
        case "yes":
            return Approval(proposal=consent.proposal, items=consent.items, rejected=consent.held)
        case "no":
            reason = " ".join(line.text for line in body if not line.quoted)
            return Rejection(proposal=consent.proposal, items=consent.items, reason=reason)
        case "acknowledged" | "unclear":
            return Acknowledgement()
        case _:
            return Acknowledgement() if tag is Tag.ACK else None
