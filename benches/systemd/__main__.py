"""`python -m benches.systemd`: play all cases on a machine of their own and print what came of each."""

import asyncio
import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benches.systemd.cases import CASES, FIRST, Case
from benches.systemd.ground import Ground, apart
from benches.systemd.machine import CannotBoot, Machine, image
from benches.systemd.world import ROSTER, World, Wrong
from bot.rehearsal.cast import cast_of
from bot.rehearsal.discord.guild import Guild
from bot.rehearsal.discord.server import DiscordServer

CASE_S = 1800.0

Row = tuple[Case, str, str, float]


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/var/cache/training-claw-systemd"),
    show_default=True,
    help="Where the image, the machine's disk and its logs lie; not below what a unit's sandbox hides.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([case.__name__ for case in CASES]),
    help="Play these cases alone, after the start of a training; may be given several times.",
)
def main(folder: Path, only: tuple[str, ...]) -> None:
    """The units of deploy/systemd/ under a real systemd, on the embedded Discord. Needs root."""
    try:
        made = image(folder)
        apart()
        cases = tuple(case for case in CASES if not only or case in FIRST or case.__name__ in only)
        rows = asyncio.run(play(Ground(folder, made), cases))
    except CannotBoot as error:
        click.echo(f"systemd-test: {error}", err=True)
        sys.exit(1)
    show(rows)
    sys.exit(0 if all(verdict == "ok" for _, verdict, _, _ in rows) else 1)


async def play(ground: Ground, cases: tuple[Case, ...]) -> list[Row]:
    """Every case in order; the first that goes wrong is the last."""
    async with DiscordServer(Guild(cast_of(ROSTER))) as discord:
        network = Path(f"/proc/{_ourselves()}/ns/net")
        machine = Machine(ground.root, ground.lent, network, ground.folder / "console.log")
        world = World(machine, ground, discord)
        ground.set_up(discord, discord.guild.people[ROSTER.training].token, await world.listen())
        rows: list[Row] = []
        try:
            await machine.boot()
            for case in cases:
                rows.append(await _row(case, world))
                click.echo(f"{rows[-1][1]:5} {case.__doc__}: {rows[-1][2]}", err=True)
                if rows[-1][1] != "ok":
                    break
        finally:
            await _keep(world)
            await machine.power_off()
        return rows


async def _row(case: Case, world: World) -> Row:
    began = time.monotonic()
    try:
        async with asyncio.timeout(CASE_S):
            seen = await case(world)
    except (Wrong, TimeoutError, CannotBoot) as wrong:
        return case, "WRONG", str(wrong) or f"no end within {CASE_S:.0f} s", time.monotonic() - began
    return case, "ok", seen, time.monotonic() - began


async def _keep(world: World) -> None:
    """What a person wants to see if something went wrong."""
    (world.ground.folder / "journal.log").write_text(await world.machine.ask("journalctl", "--no-pager"))
    world.discord.record.save(world.ground.folder / "transcript.jsonl")


def _ourselves() -> int:
    return int(Path("/proc/self").readlink().name)


def show(rows: list[Row]) -> None:
    table = Table(title="training-claw under systemd", show_lines=True)
    for column in ("", "what must hold", "what was seen", "s"):
        table.add_column(column, justify="right" if column == "s" else "left")
    for case, verdict, seen, took_s in rows:
        table.add_row(verdict, case.__doc__, seen, f"{took_s:.0f}")
    played = [case for case, *_ in rows]
    for case in CASES:
        if case not in played:
            table.add_row("-", case.__doc__, "not played", "")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
