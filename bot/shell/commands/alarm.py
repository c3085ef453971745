"""`training-claw alarm`: say through a webhook that a unit stays down. The daemon cannot say that itself."""

import asyncio
import os
import sys
from pathlib import Path

import click

from bot.shell.machine.webhook import Unsent, webhook

LIMIT_S = 30.0


@click.command(
    epilog="""\b
Example:
  training-claw alarm training-claw.service

The webhook's URL is read from the file alarm_webhook in $CREDENTIALS_DIRECTORY."""
)
@click.argument("unit")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The daemon's settings, as `serve` takes them: who the operators are.",
)
def alarm(unit: str, env_file: Path | None) -> None:
    """Tell operators and Watcher that UNIT stays down and a person is needed."""
    from bot.shell.machine import journal  # noqa: PLC0415

    try:
        url = webhook(os.environ)
        asyncio.run(_send(url, *alarm_of(unit, env_file)))
    except Unsent as error:
        click.echo(journal.complaint(f"training-claw alarm: {error}"), err=True)
        sys.exit(1)


def alarm_of(unit: str, env_file: Path | None = None) -> tuple[str, tuple[int, ...]]:
    """The words, past the gate, and who is pinged. Settings may be why: what is right in them is used."""
    from bot.settings import look  # noqa: PLC0415  half a second
    from protocol import Voice, check, recipients_of, render  # noqa: PLC0415
    from protocol.messages import Alert  # noqa: PLC0415

    settings = look(env_file).settings
    voice = Voice(roster=settings.roster(), operators=settings.operator_ids)
    body = (
        f"`{unit}` 서비스가 멈췄고 스스로 다시 시작하지 않는다. 실행 중인 학습 프로세스는 계속된다.\n"
        f"원인: `journalctl -u {unit} -n 20`, 점검: `training-claw doctor`"
    )
    message = Alert(to=(*voice.operators, voice.roster.watcher), body=body, ref=f"alarm-{os.getpid():x}")
    recipients = recipients_of(message, voice)
    texts = render(message, voice=voice)
    check(texts, recipients, voice)
    return "\n".join(texts), recipients


async def _send(url: str, text: str, recipients: tuple[int, ...]) -> None:
    import aiohttp  # noqa: PLC0415

    told = {"content": text, "allowed_mentions": {"users": [str(one) for one in recipients]}}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(LIMIT_S)) as session,
            session.post(url, json=told) as answer,
        ):
            if answer.status >= 300:
                raise Unsent(f"Discord answers {answer.status}; make the webhook anew")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unsent(
            f"Discord cannot be reached ({type(error).__name__}); look at the network, then try again"
        ) from None
