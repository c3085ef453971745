"""What must come of each temper of Watcher's: acts in place of the usual ones."""

from collections.abc import Callable

from bot.rehearsal.discord.record import Entry
from bot.rehearsal.judging.judge import ACTS, Look, Missing, Play, first, lesson_lines, shown, start_report
from bot.rehearsal.players import script
from bot.rehearsal.players.tempers import NOD, REASON, RIDDLE, SLOW, STAYS, Temper

LEAST_WAITING_REPORTS = 3

_PROPOSED = "What was inferred was proposed and approved"
_REPORTED = "Changes were reported before the start"


def acts_with(temper: Temper, *, guest_watcher: bool = False) -> dict[str, Look]:
    """The whole play, with this temper's acts where the usual approval stands.

    A guest's lessons may leave nothing to change: then nothing has to be reported, proposed or approved.
    """
    if guest_watcher:
        return ACTS | {name: _where_there_was_cause(ACTS[name], cause) for name, cause in _CAUSES.items()}
    if temper is Temper.SILENT:
        return {name: ACTS[name] for name in _OF_ANY_PLAY} | _SILENT
    usual = {name: look for name, look in ACTS.items() if name != _PROPOSED or temper is Temper.APPROVING}
    return usual | _INSTEAD.get(temper, {})


def _where_there_was_cause(look: Look, cause: Callable[[Entry], bool]) -> Look:
    def looked(play: Play) -> str:
        started = start_report(play).id
        return look(play) if play.training(lambda one: one.id < started and cause(one)) else "no cause"

    return looked


def _changes(entry: Entry) -> bool:
    return script.has(entry, "REPORT", script.CHANGES)


def _asks(entry: Entry) -> bool:
    return script.asked_approval(entry.content) is not None


def _rejected(play: Play) -> str:
    return _line(play, "⛔", "batch_size", REASON)


def _riddle_asked(play: Play) -> str:
    asked = play.training(lambda one: script.has(one, "QUESTION") and RIDDLE in one.content)
    return shown(first(asked, "a question about the lesson nobody understands"))


def _riddle_open(play: Play) -> str:
    return _line(play, "❔", RIDDLE)


def _asked_back(play: Play) -> str:
    nod = first(play.by(play.roster.watcher, lambda one: NOD in one.content), "Watcher's nod")
    asked = [one for one in play.training(lambda one: script.has(one, "QUESTION")) if one.id > nod.id]
    question = first(asked, "a question in yes/no form after the nod")
    if len(asked) > 1:
        raise Missing(f"it was asked back {len(asked)} times")
    if start_report(play).id < question.id:
        raise Missing("training started on a nod")
    return shown(question)


def _approved_in_the_end(play: Play) -> str:
    return _line(play, "✅", "batch_size")


def _half_applied(play: Play) -> str:
    return f"{_line(play, '✅', 'batch_size')} / {_line(play, '⛔', SLOW)}"


def _rest_proposed_again(play: Play) -> str:
    asked = _proposals(play)
    lines = [script.asked_lines(one.content) for one in asked]
    if lines != [(1, 2), (2,)]:
        raise Missing(f"of lines 1 and 2 the second was not proposed again by itself: {lines}")
    if SLOW not in asked[1].content:
        raise Missing(f"the second proposal is about something else: {shown(asked[1])}")
    return " / ".join(shown(one) for one in asked)


def _rest_rejected(play: Play) -> str:
    return f"{_line(play, '✅', 'batch_size')} / {_line(play, '⛔', SLOW, STAYS)}"


def _only_approved_is_trained(play: Play) -> str:
    first, last = _proposals(play)[0], _proposals(play)[-1]
    refused = script.changes(last.content)
    trained = script.changes(start_report(play).content)
    if wrong := refused & trained:
        raise Missing(f"it trains with what was rejected: {wrong}")
    approved = script.changes(first.content) - refused
    if absent := approved - trained:
        raise Missing(f"it trains without what was approved: {absent}")
    return ", ".join(f"{field} {after}" for field, after in sorted(approved))


def _proposals(play: Play) -> list[Entry]:
    found = play.training(lambda one: script.has(one, "REPORT", script.PROPOSAL))
    first(found, "a proposal")
    return found


def _proposed(play: Play) -> str:
    return shown(_proposal(play))


def _never_started(play: Play) -> str:
    if play.training(lambda one: script.has(one, "REPORT", script.START)):
        raise Missing("training started without Watcher's word")
    return "no word, no start"


def _waiting_is_visible(play: Play) -> str:
    asked = _proposal(play)
    named = script.asked_approval(asked.content)
    reports = play.training(lambda one: script.has(one, "REPORT") and one.id > asked.id)
    silent = [one for one in reports if script.asked_approval(one.content) != named]
    if silent:
        raise Missing(f"a report does not say what is waited for: {shown(silent[0])}")
    if len(reports) < LEAST_WAITING_REPORTS:
        raise Missing(f"{len(reports)} reports while waiting; there must be {LEAST_WAITING_REPORTS}")
    return f"{len(reports)} reports, each with [APPROVE] {named}"


def _operators_told(play: Play) -> str:
    alerts = play.training(lambda one: script.has(one, "ALERT"))
    if len(alerts) > 1:
        raise Missing(f"operators were told {len(alerts)} times")
    return shown(first(alerts, "an alert to the operators"))


_CAUSES: dict[str, Callable[[Entry], bool]] = {_REPORTED: _changes, _PROPOSED: _asks}

_OF_ANY_PLAY = (
    "Watcher's HANDOFF was heard",
    "Developer's HANDOFF was heard",
    "Every message reaches whom it must",
)

_SILENT: dict[str, Look] = {
    "What was inferred was proposed": _proposed,
    "Silence was not taken for consent": _never_started,
    "Every report says what is waited for": _waiting_is_visible,
    "Operators were told, once": _operators_told,
}

_INSTEAD: dict[Temper, dict[str, Look]] = {
    Temper.REJECTING: {
        "The rejected lesson stands in DONE with its reason": _rejected,
        "What nobody understands was asked back": _riddle_asked,
        "What nobody answered stands in DONE as open": _riddle_open,
    },
    Temper.ACKNOWLEDGING: {
        "A nod was asked back, once": _asked_back,
        "The yes that followed was applied": _approved_in_the_end,
    },
    Temper.CHOOSY: {
        "What was left open was proposed again, by itself": _rest_proposed_again,
        "One line was applied, the other was rejected": _rest_rejected,
        "It trained with what was approved": _only_approved_is_trained,
        "What nobody understands was asked back": _riddle_asked,
        "What nobody answered stands in DONE as open": _riddle_open,
    },
    Temper.PARTIAL: {"One line was applied, the other was not": _half_applied},
}


def _line(play: Play, *words: str) -> str:
    """The line of DONE that has them all."""
    lines = [line.lstrip("- ") for line in lesson_lines(play) if all(word in line for word in words)]
    return first(lines, f"in DONE a line with {', '.join(words)}")


def _proposal(play: Play) -> Entry:
    return first(play.training(_asks), "a proposal")
