"""What befalls the daemon itself, and what befalls Discord for longer than anybody waits."""

import asyncio
from datetime import timedelta

from aiohttp import web

from bot.core.events import Ticked
from bot.rehearsal.discord.bodies import is_send
from bot.rehearsal.troubles.answers import always, is_anything, reset, status, times
from bot.rehearsal.troubles.trial import ROSTER, Trial, Wrong
from bot.shell.deciding.desk import STAMPED, Note

HOURS_AWAY = 5


async def away(trial: Trial) -> None:
    await trial.crash()
    await trial.ask(60)
    await trial.start()
    await trial.ask()


async def crash_while_quiet(trial: Trial) -> None:
    await trial.ask()
    await trial.crash()
    await trial.start()
    await trial.ask()


async def crash_after_sending(trial: Trial) -> None:
    """Discord has the message, and the daemon dies before it can note that."""
    await _die_between_send_and_note(trial)
    await trial.start()


async def crash_after_sending_and_rest(trial: Trial) -> None:
    """The same, and by the time it lives again Discord has long forgotten the nonce."""
    await _die_between_send_and_note(trial)
    trial.clock.forward(timedelta(hours=1))
    await trial.start()


async def _die_between_send_and_note(trial: Trial) -> None:
    sent = asyncio.Event()

    async def hold(_: web.Request) -> web.StreamResponse | None:
        sent.set()
        await asyncio.sleep(0.3)
        return None

    trial.server.rest.lost_answers.append(times(1, is_send, hold))
    await trial.ask()
    await sent.wait()
    await trial.crash()


async def stopped(trial: Trial) -> None:
    """SIGTERM in the midst of it: what was heard is kept, what is owed goes out now or after the start."""
    await trial.ask(5)
    await trial.stop()
    await trial.ask(5)
    await trial.start()


async def away_for_hours(trial: Trial) -> None:
    """Discord is gone for five hours while REPORTs fall due: what is owed waits, of the REPORTs one is sent.

    One answer was sent before, though we did not hear so, and its nonce is forgotten by then.
    """
    await trial.open_cycle()
    trial.server.rest.lost_answers.append(times(1, is_send, reset))
    sends_fail = always(is_send, status(503))
    tried = trial.server.rest.tries
    await trial.ask()
    await trial.server.rest.until(lambda: trial.server.rest.tries > tried)
    trial.server.rest.interferences.append(sends_fail)
    await trial.ask()
    await trial.server.rest.until(lambda: trial.server.rest.tries > tried + 2)
    trial.server.rest.interferences[:] = [always(is_anything, status(503))]
    trial.server.gateway.cut_cables()
    for _ in range(2 * HOURS_AWAY):
        trial.clock.forward(timedelta(minutes=30))
        await trial.house.desk.tell(Note(event=Ticked(at=STAMPED)))
    back = len(trial.server.record.entries)
    trial.server.rest.interferences.clear()
    await trial.ask()
    await trial.all_answered()
    reports = [one for one in trial.server.record.entries[back:] if "[REPORT]" in one.content]
    if not 1 <= len(reports) <= 2 or ROSTER.watcher not in reports[0].mentions:
        raise Wrong(f"{len(reports)} REPORTs after {HOURS_AWAY} hours")
