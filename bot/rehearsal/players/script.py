"""What the players say, and how they recognise what Training says: by its tags and field labels alone."""

import re
from dataclasses import dataclass

from bot.rehearsal.discord.record import Entry
from protocol.roster import Peer, Roster

CYCLE = 1

_TAG = re.compile(r"\s*(?:<@!?\d+>[\s,]*)*\[(?P<tag>[A-Z]+)\][ \t]*(?P<heading>.*)")
_FIELD = re.compile(r"^(?P<label>[^:\n]{1,40}):[ \t]*(?P<value>.+)$", re.MULTILINE)
_APPROVE = re.compile(r"\[\u200b?APPROVE\][ \t]+(?P<hash>[0-9a-f]{6,64})")
"""A report's additions spell no tag: there an unseen character stands in it."""
_CHANGE = re.compile(r"^\s*(?:-|변경:) (?P<field>[a-z_.]+): .* → (?P<after>.+)$", re.MULTILINE)
_LINE = re.compile(r"^(\d+)\. ", re.MULTILINE)


PROGRESS = "ACT 학습 진행."
START = "학습 시작."
CHANGES = "설정 변경 사전 보고."
PROPOSAL = "설정 변경 승인 요청."
ENDING = "ACT 학습 완료."


@dataclass(frozen=True, slots=True)
class Facts:
    """What the peers know of this rehearsal: where the data is, and what was learned in the last cycle."""

    bucket_url: str
    episodes: int
    batch_size: int
    lead_in_frames: int


def watchers_handoff(roster: Roster, facts: Facts) -> str:
    """The cycle's opening, with the card's two lessons in this rehearsal's sizes.

    The first names what went wrong and leaves the remedy to Training; the second says what to do.
    """
    return (
        f"{roster.mention(Peer.TRAINING)} [HANDOFF] Cycle {CYCLE} 학습을 시작해 주세요.\n"
        f"SSOT: {facts.bucket_url}/ssot/PLAN.md\n"
        "레슨런:\n"
        f"- [학습] batch_size {facts.batch_size}에서 GPU 메모리 부족으로 학습 중단 발생\n"
        f"- [데이터] 에피소드 첫 {facts.lead_in_frames}프레임은 카메라 스윙으로 무효\n"
        f"  → 적용: 데이터 로드 시 각 에피소드 첫 {facts.lead_in_frames}프레임 스킵 처리"
    )


def developers_handoff(roster: Roster, facts: Facts) -> str:
    return (
        f"{roster.mention(Peer.TRAINING)} [HANDOFF] 데이터 생성 완료.\n"
        f"Cycle: {CYCLE}\n"
        f"데이터: {facts.bucket_url}/dataset/\n"
        f"에피소드 수: {facts.episodes}개"
    )


def approval(roster: Roster, named: str) -> str:
    return f"{to_training(roster)} [APPROVE] {named}"


def to_training(roster: Roster) -> str:
    return roster.mention(Peer.TRAINING)


def evaluations_report(roster: Roster, numbers: str) -> str:
    return f"{roster.mention(Peer.WATCHER)} [REPORT] ACT 평가 완료.\n{numbers}"


def evaluation_failed(roster: Roster, problem: str) -> str:
    return (
        f"{roster.mention(Peer.WATCHER)} [BLOCKED] 평가 실패.\n"
        f"문제: {problem}\n"
        "요청: Training에게 checkpoint 확인 요청"
    )


def tag(entry: Entry) -> str:
    """The tag a message begins with after its mentions (`REPORT`), or nothing."""
    found = _TAG.match(entry.content)
    return found["tag"] if found else ""


def has(entry: Entry, kind: str, heading: str = "") -> bool:
    """Is it a message with this tag, and this right behind it?"""
    found = _TAG.match(entry.content)
    return found is not None and found["tag"] == kind and found["heading"].startswith(heading)


def promised(entry: Entry) -> dict[str, bool]:
    """The paths in the bucket that a message says are there, and whether they were. An ALERT says none: it
    names the place that something did not get to."""
    return {} if tag(entry) == "ALERT" else dict(entry.paths)


def is_progress(entry: Entry) -> bool:
    return has(entry, "REPORT", PROGRESS) and field(entry.content, "Epoch") is not None


def field(text: str, label: str) -> str | None:
    """The value behind `label:` at a line's beginning."""
    return next(
        (one["value"].strip() for one in _FIELD.finditer(text) if one["label"].strip() == label), None
    )


def asked_approval(text: str) -> str | None:
    """The hash that a proposal asks to be approved by `[APPROVE] <hash>`."""
    found = _APPROVE.search(text)
    return found["hash"] if found else None


def asked_lines(text: str) -> tuple[int, ...]:
    """The numbers of a proposal's lines."""
    return tuple(int(number) for number in _LINE.findall(text))


def changes(text: str) -> set[tuple[str, str]]:
    """The fields that a proposal or a report would have otherwise, and their values then."""
    return {(found["field"], found["after"].strip()) for found in _CHANGE.finditer(text)}
