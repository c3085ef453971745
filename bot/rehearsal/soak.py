"""`python -m bot.rehearsal.soak`: many messages in and out of the real daemon, with faults and kills.

The daemon is a process of its own, killed with SIGKILL now and then; the embedded Discord misbehaves at
random, but by a seed, so that a run can be repeated. What is asked must be answered once, and in order.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.progress import Progress

from bot.rehearsal.cast import OPERATOR_ID, cast_of
from bot.rehearsal.discord_server import DiscordServer
from bot.rehearsal.guild import Guild
from bot.rehearsal.news import News
from bot.rehearsal.processes import Daemon
from bot.rehearsal.trial import QUIET_S, ROSTER
from bot.rehearsal.troubles import brief_faults

MARK = "q{:06d}"
IN_FLIGHT = 40
"""So many questions may be open at once: the channel is talkative, not flooded."""


@dataclass(slots=True)
class Tally:
    """`asked_at` and `answered_at` are monotonic seconds by question; `sizes_kb` the daemon's, as it goes."""

    asked_at: dict[int, float] = field(default_factory=dict[int, float])
    answered_at: dict[int, float] = field(default_factory=dict[int, float])
    answers: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    order: list[int] = field(default_factory=list[int])
    sizes_kb: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    news: News = field(default_factory=News)

    def heard(self, number: int, message_id: int) -> None:
        if number not in self.answered_at:
            self.answered_at[number] = time.monotonic()
            self.order.append(number)
        self.answers.setdefault(number, set()).add(message_id)
        self.news.announce()

    def waiting(self) -> int:
        return len(self.asked_at) - len(self.answered_at)

    def summary(self) -> dict[str, object]:
        waits_s = sorted(self.answered_at[one] - self.asked_at[one] for one in self.answered_at)
        return {
            "asked": len(self.asked_at),
            "lost": self.waiting(),
            "doubled": sum(len(ids) > 1 for ids in self.answers.values()),
            "out of order": sum(
                later < earlier for earlier, later in zip(self.order, self.order[1:], strict=False)
            ),
            "latency s (median, p99, max)": [round(_at(waits_s, share), 2) for share in (0.5, 0.99, 1.0)],
            "daemon (asked, RSS kB, descriptors)": [*self.sizes_kb[:1], *self.sizes_kb[-1:]],
        }


async def soak(
    messages: int, kills: int, faults: float, seed: int, folder: Path, shown: Callable[[int], None]
) -> Tally:
    """Ask `messages` questions; a share `faults` of the moments between them has a fault."""
    dice = random.Random(seed)  # noqa: S311  repeatable, not secret
    tally = Tally()
    async with DiscordServer(Guild(cast_of(ROSTER))) as server:
        daemon = _daemon(server, folder)
        await daemon.start()
        listening = asyncio.create_task(_listen(server, tally), name="listening")
        killed_at = set(dice.sample(range(1, messages), min(kills, messages - 1)))
        trouble = brief_faults(server)
        try:
            for number in range(messages):
                await tally.news.until(lambda: tally.waiting() < IN_FLIGHT)
                tally.asked_at[number] = time.monotonic()
                await server.say(OPERATOR_ID, "!" + MARK.format(number))
                if number in killed_at:
                    await daemon.kill()
                    await daemon.start()
                elif dice.random() < faults:
                    await dice.choice(trouble)()
                if number % 50 == 49:
                    tally.sizes_kb += _size(daemon, number)
                shown(number + 1)
            await tally.news.until(lambda: not tally.waiting())
        finally:
            listening.cancel()
            await daemon.stop()
    return tally


async def _listen(server: DiscordServer, tally: Tally) -> None:
    number = 0
    while True:
        entry = await server.record.entry(number)
        number += 1
        mark = entry.content.partition("`!q")[2][:6]
        if entry.author_id == ROSTER.training and mark.isdigit() and OPERATOR_ID in entry.mentions:
            tally.heard(int(mark), entry.id)


def _at(ordered: list[float], share: float) -> float:
    """The value below which this share of `ordered` lies; 0 if there are none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _size(daemon: Daemon, asked: int) -> list[tuple[int, int, int]]:
    try:
        status = Path(f"/proc/{daemon.pid}/status").read_text(encoding="utf-8")
        descriptors = len(os.listdir(f"/proc/{daemon.pid}/fd"))  # noqa: PTH208  counted, not read
        return [(asked, int(status.partition("VmRSS:")[2].split()[0]), descriptors)]
    except (OSError, IndexError):  # it is just being killed
        return []


def _daemon(server: DiscordServer, folder: Path) -> Daemon:
    (folder / "bucket").mkdir()
    lines = {
        "DISCORD_TOKEN": server.guild.people[ROSTER.training].token,
        "DISCORD_CHANNEL_ID": server.channel_id,
        "DISCORD_API_BASE": server.api_base,
        "DISCORD_GATEWAY_URL": server.gateway_url,
        "BUCKET": (folder / "bucket").as_uri(),
        "STATE_DIR": folder / "state",
        "OPERATOR_IDS": OPERATOR_ID,
        "DEVICE": "cpu",
        "QUIET_S": QUIET_S,
        "ANSWERS_A_MINUTE": 1_000_000,
    }
    env_file = folder / "soak.env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), encoding="utf-8")
    return Daemon(env_file, folder / "daemon.log")


@click.command()
@click.option("--messages", default=10_000, show_default=True, help="How many questions are asked.")
@click.option("--kills", default=20, show_default=True, help="How often the daemon is killed in between.")
@click.option(
    "--faults", default=0.01, show_default=True, help="The share of questions that a fault follows."
)
@click.option("--seed", default=0, show_default=True, help="The same seed, the same faults.")
def main(messages: int, kills: int, faults: float, seed: int) -> None:
    """Ask, misbehave, count. Exit codes: 0 nothing lost, doubled or out of order; 1 otherwise."""
    with tempfile.TemporaryDirectory(prefix="claw-soak-") as folder, Progress() as progress:
        task = progress.add_task("asked", total=messages)
        tally = asyncio.run(
            soak(
                messages,
                kills,
                faults,
                seed,
                Path(folder),
                lambda done: progress.update(task, completed=done),
            )
        )
    summary = tally.summary()
    for name, value in summary.items():
        click.echo(f"{name}: {value}")
    sys.exit(any(summary[name] for name in ("lost", "doubled", "out of order")))


if __name__ == "__main__":
    main()
