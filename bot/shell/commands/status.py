"""`training-claw status`: what the daemon knows, without asking it."""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.shell.commands.state_dir import STATE_DIR

if TYPE_CHECKING:
    from bot.shell.outlook.looking import Look

EVERY_S = 2.0


@click.command(
    epilog="""\b
Examples:
  training-claw status
  training-claw status --watch
  training-claw status --json | jq .process

It reads STATE_DIR and nothing else, by the settings that the daemon there went by: it may run or not.
Exit code 1: there is nothing to read."""
)
@STATE_DIR
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@click.option("--watch", is_flag=True, help=f"Look again every {EVERY_S:.0f} s, until Ctrl-C.")
def status(state_dir: Path, as_json: bool, watch: bool) -> None:
    """What is going on: cycle, epoch, checkpoints, the trainer, what is still owed."""
    from bot.shell.machine.places import Places  # noqa: PLC0415  half a second nobody else pays
    from bot.shell.outlook.looking import look  # noqa: PLC0415
    from bot.shell.remembering.store import StoreUnusable  # noqa: PLC0415

    word = as_object if as_json else as_text

    def told() -> str:
        return word(look(Places(state_dir), None, datetime.now(UTC)))

    try:
        if watch and sys.stdout.isatty():
            _watch(told)
        else:
            _repeat(told, watch)
    except KeyboardInterrupt:
        return
    except StoreUnusable as error:
        click.echo(f"training-claw status: {error}", err=True)
        sys.exit(1)


def _repeat(told: Callable[[], str], again: bool) -> None:
    """For a pipe: one after the other."""
    click.echo(told())
    while again:
        time.sleep(EVERY_S)
        click.echo(told())


def _watch(told: Callable[[], str]) -> None:
    """For eyes: in one place, without flicker; afterwards the last of it stays in the terminal."""
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    with Live(Text(told()), auto_refresh=False) as live:
        while True:
            time.sleep(EVERY_S)
            live.update(
                Text(f"{told()}\n\n{datetime.now().astimezone():%H:%M:%S}, Ctrl-C ends"), refresh=True
            )


def as_text(seen: "Look") -> str:
    from bot.core.showing.status import status  # noqa: PLC0415
    from bot.shell.machine.pulse import owed  # noqa: PLC0415

    daemon = "runs" if seen.daemon_runs else "does not run"
    trainer = seen.process or _none_yet(seen)
    return "\n".join(
        (
            status(seen.state, seen.gauges, seen.at, seen.policy),
            f"daemon: {daemon}, trainer: {trainer}",
            owed(seen.backlog),
        )
    )


def _none_yet(seen: "Look") -> str:
    from bot.core.state import Cooling  # noqa: PLC0415

    run = seen.state.cycle and seen.state.cycle.run
    if not isinstance(run, Cooling):
        return "none needed"
    return f"starts again in {max(0.0, (run.until - seen.at).total_seconds()):.0f} s"


def as_object(seen: "Look") -> str:
    from bot.shell.outlook.facts import facts  # noqa: PLC0415

    return json.dumps(facts(seen), ensure_ascii=False, indent=2)
