"""What befalls a request: refused, throttled, late, reset, done and yet answered with an error."""

from aiohttp import web

from bot.rehearsal.cast import OPERATOR_ID
from bot.rehearsal.discord.bodies import is_send
from bot.rehearsal.discord.rest import Interference
from bot.rehearsal.discord.throttle import Throttle
from bot.rehearsal.troubles.answers import (
    Inject,
    is_anything,
    is_attachment,
    is_history,
    is_me,
    json_answer,
    status,
    times,
)
from bot.rehearsal.troubles.trial import ROSTER, Trial, Wrong

PICTURE = b"\x89PNG of a loss curve" * 100


def sends(count: int, answer: Interference) -> Inject:
    """The next `count` sends are answered like this, and nothing is posted."""

    async def inject(trial: Trial) -> None:
        trial.server.rest.interferences.append(times(count, is_send, answer))
        await trial.ask()

    return inject


def sent_but(count: int, answer: Interference) -> Inject:
    """The next `count` sends are posted, and then answered like this."""

    async def inject(trial: Trial) -> None:
        trial.server.rest.lost_answers.append(times(count, is_send, answer))
        await trial.ask()

    return inject


def at_login(count: int, answer: Interference) -> Inject:
    """The daemon starts, and its login is answered like this so many times."""

    async def inject(trial: Trial) -> None:
        await trial.crash()
        trial.server.rest.interferences.append(times(count, is_me, answer))
        await trial.start()
        await trial.ask()

    return inject


async def history_away(trial: Trial) -> None:
    trial.server.rest.interferences.append(times(2, is_history, status(503)))
    await trial.server.gateway.invalidate(resumable=False)
    await trial.ask()


async def history_breaks_off(trial: Trial) -> None:
    """The second page of what was missed does not come at first."""
    pages = 0

    def is_second_page(request: web.Request) -> bool:
        nonlocal pages
        pages += is_history(request)
        return is_history(request) and pages == 2

    await trial.crash()
    await trial.ask(60)
    trial.server.rest.interferences.append(times(1, is_second_page, status(502)))
    await trial.start()


async def throttled(trial: Trial) -> None:
    """Discord's own rate bucket, shortened; a client that minds its headers is never refused."""
    throttle = trial.server.rest.throttle = Throttle(limit=5, window_s=1.0)
    await trial.ask(10)
    await trial.all_answered()
    trial.server.rest.throttle = None
    if throttle.refused:
        raise Wrong(f"{throttle.refused} × 429")


async def refused(trial: Trial) -> None:
    """One message is refused for good; operators are told, and the others go on."""
    answer = json_answer(400, {"code": 50035, "message": "Invalid Form Body"})
    trial.server.rest.interferences.append(times(1, is_send, answer))
    await trial.server.say(ROSTER.watcher, f"<@{ROSTER.training}> 상태?")
    await trial.server.record.until(lambda entry: "[ALERT]" in entry.content)
    await trial.ask()


async def unheard(trial: Trial) -> None:
    await trial.ask()
    trial.server.guild.deaf_ears = 1
    await trial.all_answered()


async def as_a_file(trial: Trial) -> None:
    """A peer's long message comes as `message.txt`, which cannot be fetched at first."""
    trial.server.rest.interferences.append(times(1, is_attachment, status(503)))
    await trial.ask_in_a_file()


async def picture(trial: Trial) -> None:
    """An answer with a picture fails at first; the picture is whole all the same."""
    await _draw_a_curve(trial)
    trial.server.rest.interferences.append(times(2, is_send, status(503)))
    await trial.server.say(OPERATOR_ID, "!plot")
    shown = await trial.server.record.until(lambda entry: bool(entry.attachments))
    (attached,) = trial.server.guild.main_channel.messages[shown.id].attachments
    if attached.content != PICTURE:
        raise Wrong(f"{len(attached.content)} of {len(PICTURE)} bytes arrived")
    await trial.ask()


async def picture_refused(trial: Trial) -> None:
    """Discord takes no file of ours at all: the text goes alone."""
    await _draw_a_curve(trial)
    before = len(trial.server.record.entries)
    too_large = json_answer(413, {"code": 40005, "message": "Request entity too large"})
    has_file = times(9, lambda request: is_send(request) and "multipart" in request.content_type, too_large)
    trial.server.rest.interferences.append(has_file)
    await trial.server.say(OPERATOR_ID, "!plot")
    shown = await trial.server.record.until(
        lambda entry: OPERATOR_ID in entry.mentions and "Cycle 7" in entry.content, since=before
    )
    if shown.attachments:
        raise Wrong("it has a file")
    await trial.ask()


async def everything_away(trial: Trial) -> None:
    """Gateway and REST are gone for a while; what is owed waits."""
    await trial.ask()
    trial.server.rest.interferences.append(times(5, is_anything, status(503)))
    trial.server.gateway.cut_cables()
    await trial.ask()


async def _draw_a_curve(trial: Trial) -> None:
    """Open a cycle, and put a picture where its run keeps one."""
    await trial.open_cycle()
    curve = trial.curve()
    curve.parent.mkdir(parents=True, exist_ok=True)
    curve.write_bytes(PICTURE)
