"""What the detectors make of the recorded histories: causes found and when, false alarms.

    python -m benches.histories.table [--half counted|tuning|both]

Thresholds were chosen by looking at the tuning half alone. Exits 1 if a cause was not found, or a healthy
run has an alarm.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from benches.histories.plants import PLANTS
from benches.histories.recording import HEALTHY, Recording, recordings


@dataclass(frozen=True)
class Row:
    """`fact` is the first that tells of the cause, `within` how many epochs after it was planted."""

    run: Recording
    fact: str | None
    within: int | None
    others: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        return not self.others if self.run.cause == HEALTHY else self.fact is not None


def row_of(run: Recording) -> Row:
    told = run.told()
    wanted = PLANTS[run.cause].facts if run.cause in PLANTS else ()
    right = sorted((epoch, fact) for fact, epoch in told.items() if fact in wanted)
    epoch, fact = right[0] if right else (None, None)
    within = epoch - run.planted_at if epoch is not None else None
    return Row(run, fact, within, tuple(sorted(set(told) - set(wanted))))


def rows(half: str) -> list[Row]:
    return [row_of(run) for run in recordings() if half in ("both", run.half)]


def table(found: Sequence[Row]) -> list[str]:
    """The causes one a line, then the healthy runs in sum."""
    planted = [row for row in found if row.run.cause != HEALTHY]
    healthy = [row for row in found if row.run.cause == HEALTHY]
    alarms = [f"{row.run.name}: {', '.join(row.others)}" for row in healthy if row.others]
    return [
        "| planted | found as | within epochs | also told |",
        "|---|---|---|---|",
        *map(_line, planted),
        f"healthy runs: {len(healthy)}, false alarms: {'; '.join(alarms) or 'none'}",
        f"causes: {len(planted)}, found: {sum(row.is_right for row in planted)}",
    ]


def _line(row: Row) -> str:
    cause = row.run.cause if row.run.real else f"{row.run.cause} (made up)"
    found = f"{row.fact} | {row.within}" if row.fact else "not found | -"
    return f"| {cause} | {found} | {', '.join(row.others) or '-'} |"


@click.command()
@click.option("--half", type=click.Choice(["counted", "tuning", "both"]), default="counted")
def main(half: str) -> None:
    """Print the table."""
    found = rows(half)
    click.echo("\n".join(table(found)))
    sys.exit(0 if found and all(row.is_right for row in found) else 1)


if __name__ == "__main__":
    main()
