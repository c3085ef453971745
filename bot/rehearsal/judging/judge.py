"""Did the whole play take place? A pure function of what was said, as the embedded Discord took it down.

The judge knows the rules of the channel and nothing of the daemon: it reads only what everybody could read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.rehearsal.discord.record import Entry
from bot.rehearsal.judging.etiquette import mention_faults, names
from bot.rehearsal.players import script
from bot.rehearsal.players.numbers import (
    LEAST_BETTER_THAN_BLANK,
    LEAST_BETTER_THAN_MEAN,
    MOST_OF_FIRST_L1,
    Numbers,
    read_numbers,
)
from protocol.roster import MENTION, Roster

LESSON_WORDS = ("batch_size", "프레임")
"""By which DONE's lines about our own Watcher's two lessons are known."""

_SHOWN_CHARS = 90


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that had to happen, and what shows that it did, or why it did not."""

    name: str
    passed: bool
    evidence: str


class Missing(Exception):
    """The act did not take place; the message says what was not found."""


@dataclass(frozen=True)
class Play:
    """What the judge looks at: the log, who is who, and words by which each lesson is recognised in DONE."""

    entries: Sequence[Entry]
    roster: Roster
    operators: tuple[int, ...]
    lesson_words: tuple[str, ...] = LESSON_WORDS

    def by(self, author_id: int, wanted: Callable[[Entry], bool] = lambda _: True) -> list[Entry]:
        return [one for one in self.entries if one.author_id == author_id and not one.edited and wanted(one)]

    def training(self, wanted: Callable[[Entry], bool] = lambda _: True) -> list[Entry]:
        return self.by(self.roster.training, wanted)


type Look = Callable[[Play], str]
"""Says what shows that an act took place. Raises Missing."""


def judge(play: Play, acts: Mapping[str, Look] | None = None) -> tuple[Act, ...]:
    """Every act in the order of the play, the usual one unless others are given. Passed when all are."""
    return tuple(_judged(name, look, play) for name, look in (acts or ACTS).items())


def passed(acts: Sequence[Act]) -> bool:
    return all(act.passed for act in acts)


def numbers_of(play: Play) -> Numbers | None:
    """What Evaluation measured; None when it never said."""
    read = (read_numbers(one.content) for one in play.by(play.roster.evaluation))
    return next((numbers for numbers in read if numbers is not None), None)


def _judged(name: str, look: Look, play: Play) -> Act:
    try:
        return Act(name, passed=True, evidence=look(play))
    except Missing as missing:
        return Act(name, passed=False, evidence=str(missing))


# --- the acts ---------------------------------------------------------------


def _watchers_handoff(play: Play) -> str:
    return _receipt(play, first(play.by(play.roster.watcher, _is_handoff), "Watcher's HANDOFF"))


def _developers_handoff(play: Play) -> str:
    return _receipt(play, first(play.by(play.roster.developer, _is_handoff), "Developer's HANDOFF"))


def _changes_before_the_start(play: Play) -> str:
    start = start_report(play)
    reports = play.training(lambda one: script.has(one, "REPORT", script.CHANGES))
    report = first(reports, "a report of the config changes")
    if report.id > start.id:
        raise Missing("the config changes were reported only after the start")
    return shown(report)


def _proposal_approved(play: Play) -> str:
    start = start_report(play)
    proposed = {
        one.id: named for one in play.training() if (named := script.asked_approval(one.content)) is not None
    }
    for approval in play.by(play.roster.watcher, lambda one: one.id < start.id):
        for proposal_id, named in proposed.items():
            if proposal_id < approval.id and named in approval.content:
                return f"{named}: proposed, approved by Watcher, then started"
    raise Missing("no proposal was approved by Watcher before the start")


def _started(play: Play) -> str:
    return shown(start_report(play))


def _progress(play: Play) -> str:
    start, end = start_report(play), _only(play, "DONE", "")
    reports = play.training(lambda one: script.is_progress(one) and start.id < one.id < end.id)
    earliest = first(reports, "a progress REPORT with its Epoch between the start and DONE")
    return f"{len(reports)} of them, the first at epoch {script.field(earliest.content, 'Epoch')}"


def _operator_answered(play: Play) -> str:
    asked = [one for one in play.entries if one.author_id in play.operators and "!status" in one.content]
    question = first(asked, "an operator's !status")
    answers = play.training(lambda one: one.id > question.id and question.author_id in one.mentions)
    answer = first(answers, "an answer to the operator's !status")
    if answer.id > _only(play, "DONE", "").id:
        raise Missing("the operator was answered only when training was over")
    return shown(answer)


def _paths_exist(play: Play) -> str:
    named = [(path, there) for entry in play.training() for path, there in script.promised(entry).items()]
    absent = sorted({path for path, there in named if not there})
    if absent:
        raise Missing(f"named and not there at that moment: {', '.join(absent)}")
    checkpoints = {path for path, _ in named if "/act_epoch_" in path}
    if not checkpoints:
        raise Missing("no message names a checkpoint")
    return (
        f"{len({path for path, _ in named})} paths named, {len(checkpoints)} of them checkpoints; all there"
    )


def _loss_curve(play: Play) -> str:
    curves = play.training(
        lambda one: (
            "loss_curve.png" in one.attachments or any(path.endswith("loss_curve.png") for path in one.paths)
        )
    )
    return shown(first(curves, "the loss curve, attached or by its path"))


def _done(play: Play) -> str:
    done = _only(play, "DONE", "")
    if f"Cycle {script.CYCLE} 학습 완료." not in done.content:
        raise Missing(f"DONE does not name Cycle {script.CYCLE}: {shown(done)}")
    lines = lesson_lines(play)
    for words in play.lesson_words:
        if not any(words in line for line in lines):
            raise Missing(f"DONE does not account for the lesson about {words}")
    return " / ".join(line.lstrip("- ") for line in lines)


def lesson_lines(play: Play) -> list[str]:
    """What DONE says of each lesson."""
    _, heading, lessons = _only(play, "DONE", "").content.partition("레슨런 적용:")
    if not heading:
        raise Missing("DONE has no `레슨런 적용:`")
    return [line for line in lessons.splitlines() if line.lstrip("- ").startswith(("✅", "⛔", "❔"))]


def _handoff(play: Play) -> str:
    handoff = _only(play, "HANDOFF", script.ENDING)
    if handoff.mentions != (play.roster.evaluation,):
        raise Missing(
            f"the final HANDOFF goes to {names(handoff.mentions, play.roster)}, not to Evaluation alone"
        )
    return shown(handoff)


def _mentions(play: Play) -> str:
    said = [one for one in play.entries if one.author_id == play.roster.training]
    first(said, "a message of Training")
    faults = [
        f"{fault}: {shown(one)}" for one in said for fault in mention_faults(one, play.roster, play.operators)
    ]
    if faults:
        raise Missing("; ".join(faults[:3]) + (f"; and {len(faults) - 3} more" if len(faults) > 3 else ""))
    return f"all {len(said)} messages"


def _learned(play: Play) -> str:
    numbers = _numbers(play)
    return _bound(
        f"last epoch's L1 is {numbers.remaining_l1:.0%} of the first's",
        holds=numbers.remaining_l1 <= MOST_OF_FIRST_L1,
        bound=f"at most {MOST_OF_FIRST_L1:.0%}",
    )


def _beats_the_mean(play: Play) -> str:
    better = _numbers(play).better_than_mean
    return _bound(
        f"held-out L1 is {better:.0%} below the constant mean action's",
        holds=better >= LEAST_BETTER_THAN_MEAN,
        bound=f"at least {LEAST_BETTER_THAN_MEAN:.0%}",
    )


def _sees(play: Play) -> str:
    better = _numbers(play).better_than_blank
    return _bound(
        f"held-out L1 is {better:.0%} below that on blanked pictures",
        holds=better >= LEAST_BETTER_THAN_BLANK,
        bound=f"at least {LEAST_BETTER_THAN_BLANK:.0%}",
    )


ACTS: dict[str, Look] = {
    "Watcher's HANDOFF was heard": _watchers_handoff,
    "Developer's HANDOFF was heard": _developers_handoff,
    "Changes were reported before the start": _changes_before_the_start,
    "What was inferred was proposed and approved": _proposal_approved,
    "The start was reported": _started,
    "Progress was reported": _progress,
    "The operator was answered": _operator_answered,
    "Every path named was there": _paths_exist,
    "The loss curve was shown": _loss_curve,
    "DONE accounts for every lesson, once": _done,
    "Evaluation got the HANDOFF, alone and once": _handoff,
    "Every message reaches whom it must": _mentions,
    "It learned": _learned,
    "It beats the mean action": _beats_the_mean,
    "It looks at the picture": _sees,
}


# --- looking ----------------------------------------------------------------


def _is_handoff(entry: Entry) -> bool:
    return script.has(entry, "HANDOFF")


def start_report(play: Play) -> Entry:
    return first(play.training(lambda one: script.has(one, "REPORT", script.START)), "a report of the start")


def _receipt(play: Play, handoff: Entry) -> str:
    """The first answer to whoever handed over that is not a report: a receipt."""
    answers = play.training(
        lambda one: (
            one.id > handoff.id
            and handoff.author_id in one.mentions
            and (
                one.reply_to == handoff.id or script.tag(one) not in {"REPORT", "DONE", "BLOCKED", "HANDOFF"}
            )
        )
    )
    return shown(first(answers, f"a receipt for {handoff.author}'s HANDOFF"))


def _only(play: Play, kind: str, phrase: str) -> Entry:
    found = play.training(lambda one: script.has(one, kind, phrase))
    only = first(found, f"[{kind}] {phrase}".strip())
    if len(found) > 1:
        raise Missing(f"[{kind}] was posted {len(found)} times")
    return only


def first[T](found: Sequence[T], what: str) -> T:
    if not found:
        raise Missing(f"not found: {what}")
    return found[0]


def _numbers(play: Play) -> Numbers:
    numbers = numbers_of(play)
    if numbers is None:
        raise Missing("Evaluation did not report its numbers")
    return numbers


def _bound(said: str, *, holds: bool, bound: str) -> str:
    if not holds:
        raise Missing(f"{said}; it must be {bound}")
    return said


def shown(entry: Entry) -> str:
    """A message in one short line, mentions left out."""
    text = " ".join(MENTION.sub("", entry.content).split())
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
