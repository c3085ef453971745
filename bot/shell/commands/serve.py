"""`training-claw serve`."""

import faulthandler
import sys
from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  training-claw serve --env-file /etc/training-claw/training-claw.env
  DISCORD_TOKEN=… DISCORD_CHANNEL_ID=… training-claw serve

Exit codes: 0 stopped by SIGTERM or Ctrl-C, 1 a fault of its own (a supervisor starts it again), 2 a setting
that a person has to put right."""
)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="NAME=value lines; the environment stands above them. deploy/systemd/ has an example.",
)
def serve(env_file: Path | None) -> None:
    """Run the daemon that speaks for Training."""
    import asyncio  # noqa: PLC0415  nobody pays for the daemon but who runs it

    import structlog  # noqa: PLC0415

    from bot.settings import SettingsError, read_settings  # noqa: PLC0415
    from bot.shell.daemon import TaskDied  # noqa: PLC0415
    from bot.shell.daemon import serve as run_daemon  # noqa: PLC0415
    from bot.shell.machine import journal  # noqa: PLC0415
    from bot.shell.machine.fatal import Fatal  # noqa: PLC0415
    from bot.shell.machine.logs import set_up_logs  # noqa: PLC0415
    from bot.wrong_settings import NO_OPERATORS  # noqa: PLC0415

    faulthandler.enable()  # a watchdog's SIGABRT leaves every thread's stack in the log
    try:
        settings = read_settings(env_file)
        set_up_logs(settings.discord_token.get_secret_value())
        if not settings.operator_ids:
            structlog.stdlib.get_logger("serve").warning(NO_OPERATORS)
        asyncio.run(run_daemon(settings))
    except (SettingsError, Fatal) as error:
        click.echo(journal.complaint(str(error)), err=True)
        sys.exit(2)
    except TaskDied as error:
        click.echo(journal.complaint(str(error)), err=True)
        sys.exit(1)
