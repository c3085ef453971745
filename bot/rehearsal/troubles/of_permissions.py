"""A permission that is missing at start is said plainly; once it is there, all is made up for."""

from bot.rehearsal.discord.guild import EVERYTHING_NEEDED, May
from bot.rehearsal.troubles.answers import Inject
from bot.rehearsal.troubles.trial import Trial


def missing(permission: May, named: str) -> Inject:
    """The daemon starts without it, having missed something, and is told of it at last."""

    async def inject(trial: Trial) -> None:
        await trial.crash()
        await trial.ask(2)
        trial.server.guild.permissions = EVERYTHING_NEEDED & ~permission
        await trial.start()
        await trial.server.record.until(lambda entry: named in entry.content and "[ALERT]" in entry.content)
        await trial.ask()
        trial.server.gateway.permit(EVERYTHING_NEEDED)

    return inject


async def may_not_send(trial: Trial) -> None:
    """Nobody can be told in the channel; the log and the doctor say it, and nothing owed is lost."""
    await trial.crash()
    await trial.ask(2)
    trial.server.guild.permissions = EVERYTHING_NEEDED & ~May.SEND_MESSAGES
    tried = trial.server.rest.tries
    await trial.start()
    await trial.server.rest.until(lambda: trial.server.rest.tries > tried + 1)
    await trial.ask()
    trial.server.gateway.permit(EVERYTHING_NEEDED)
