"""`python -m bot.rehearsal.troubles`: every fault of Discord's against the real daemon, one row each."""

import asyncio
import logging
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bot.rehearsal.discord.session import Op
from bot.rehearsal.troubles import TROUBLES, Trouble
from bot.rehearsal.troubles.trial import Trial, Wrong, trial
from bot.shell.machine.logs import set_up_logs

LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """`did` is what connections and requests showed of the daemon, `wrong` why that is not well."""

    name: str
    did: str
    asked: int
    lost: int
    doubled: int
    took_s: float
    wrong: str = ""


async def suffer(trouble: Trouble, folder: Path) -> Outcome:
    """Inject it, go on asking, and count the answers."""
    began = time.monotonic()
    async with trial(folder, trouble.limits, quiet_s=trouble.quiet_s) as one:
        gateway, said = len(one.server.gateway.log), one.server.rest.tries
        try:
            async with asyncio.timeout(LONGEST_S):
                wrong = await _endured(trouble, one)
        except Wrong as error:
            wrong = str(error)
        except TimeoutError:
            wrong = f"not over after {LONGEST_S:.0f} s"
        did = _did(one, gateway, said) if not trouble.fatal else f"exit 2: {wrong or trouble.fatal}"
        lost, doubled = ([], []) if trouble.fatal else (one.lost(), one.doubled())
        took_s = time.monotonic() - began
        return Outcome(trouble.name, did, len(one.asked), len(lost), len(doubled), took_s, wrong)


async def _endured(trouble: Trouble, one: Trial) -> str:
    await trouble.inject(one)
    if trouble.fatal:
        why = str(await one.ended())
        return "" if trouble.fatal in why else f"ended with {why!r}"
    await one.ask()
    await one.all_answered()
    return ""


def _did(one: Trial, gateway: int, said: int) -> str:
    log = one.server.gateway.log[gateway:]
    counts = {
        "connect": log.count(Op.HELLO),
        "RESUME": log.count(Op.RESUME),
        "IDENTIFY": log.count(Op.IDENTIFY),
        "send": one.server.rest.tries - said,
    }
    return ", ".join(f"{name} ×{count}" for name, count in counts.items() if count)


async def _suffer_all(names: tuple[str, ...], folder: Path, console: Console) -> list[Outcome]:
    chosen = [one for one in TROUBLES if not names or any(name in one.name for name in names)]
    outcomes: list[Outcome] = []
    for number, trouble in enumerate(chosen, 1):
        console.print(f"[{number}/{len(chosen)}] {trouble.name} …", style="dim", markup=False)
        outcomes.append(await suffer(trouble, folder / f"{number:02d}"))
    return outcomes


def _table(outcomes: list[Outcome]) -> Table:
    table = Table("fault", "what the daemon did", "asked", "lost", "doubled", "s", "")
    for one in outcomes:
        verdict = one.wrong or ("ok" if not (one.lost or one.doubled) else "FAILED")
        counts = (str(one.asked), str(one.lost), str(one.doubled), f"{one.took_s:.1f}")
        table.add_row(one.name, one.did, *counts, verdict)
    return table


@click.command()
@click.argument("names", nargs=-1)
@click.option("--log", type=click.Path(path_type=Path), default=None, help="Where the daemon's log goes.")
def main(names: tuple[str, ...], log: Path | None) -> None:
    """Play every fault whose name contains one of NAMES; all of them, if none is given.

    Exit codes: 0 nothing lost, nothing doubled; 1 otherwise.
    """
    console = Console() if sys.stdout.isatty() else Console(width=140)
    with tempfile.TemporaryDirectory(prefix="claw-faults-") as folder:
        place = Path(folder)
        with (log or place / "log").open("w", encoding="utf-8") as stream:
            set_up_logs("rehearsal.Training-Claw.token")
            for handler in logging.getLogger().handlers:
                if isinstance(handler, logging.StreamHandler):
                    handler.setStream(stream)  # pyright: ignore[reportUnknownMemberType]
            outcomes = asyncio.run(_suffer_all(names, place, console))
            logging.getLogger().handlers.clear()
    console.print(_table(outcomes))
    sys.exit(any(one.lost or one.doubled or one.wrong for one in outcomes))


if __name__ == "__main__":
    main()
