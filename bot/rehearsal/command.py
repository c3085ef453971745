"""`training-claw rehearse`: what a person can choose about a rehearsal."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from bot.rehearsal import play
from bot.rehearsal.cast import cast_of
from bot.rehearsal.console import Onlooker, Review
from bot.rehearsal.judging.judge import passed
from bot.rehearsal.play import Direction, Encore
from bot.rehearsal.players.tempers import Temper
from bot.rehearsal.stage import FAST, Sizes, Stage, strike
from protocol.roster import Peer, Roster

MIN_EPISODES = 50
"""The card's least data set."""

ABSENT = (Peer.WATCHER, Peer.DEVELOPER, Peer.EVALUATION)
"""Whose part may be left to somebody else's bot."""

_INTERRUPTED = 130
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Examples(click.Command):
    """Shows `epilog` as it was written."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        formatter.write(f"\nExamples:\n{self.epilog}\n")


@click.command(
    "rehearse",
    cls=Examples,
    epilog="""\
  training-claw rehearse
  training-claw rehearse --web                # in a browser
  training-claw rehearse --web --watcher silent   # … and it is you who approves or rejects what is proposed
  training-claw rehearse --web --port 8000    # … on another machine, after ssh -L 8000:127.0.0.1:8000 HOST
  training-claw rehearse --fast --transcript talk.jsonl
  training-claw rehearse --dir /tmp/rehearsal --episodes 80
  training-claw rehearse --fast --watcher rejecting       # or acknowledging, partial, choosy, silent
  training-claw rehearse --dir play --without Developer
  python examples/developer.py play/Developer.env         # … in another terminal, plays this part""",
)
@click.option("--episodes", type=click.IntRange(MIN_EPISODES), help="Size of the data set.  [default: 56]")
@click.option("--epochs", type=click.IntRange(2), help="Epochs to train.  [default: 20]")
@click.option("--fast", is_flag=True, help="The smallest set that still plays every part.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything goes, and stays: a new or empty folder.  [default: a temporary one]",
)
@click.option("--keep", is_flag=True, help="Keep data, checkpoints and state of a temporary folder, too.")
@click.option(
    "--transcript",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was said to this file, one JSON object a line.",
)
@click.option("--web", is_flag=True, help="Watch it in a browser, and join in; it stays until Ctrl-C.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Of --web, on 127.0.0.1.  [default: a free one]"
)
@click.option(
    "--without",
    "guests",
    type=click.Choice([peer.value for peer in ABSENT]),
    multiple=True,
    help="Leave this part to a bot of yours; PART.env in the folder says how it joins.",
)
@click.option(
    "--watcher",
    "temper",
    type=click.Choice([temper.value for temper in Temper]),
    default=Temper.APPROVING.value,
    help="How Watcher takes a proposal.  [default: approving]",
)
@click.option(
    "--patience", "patience_s", default=900.0, hidden=True, help="Seconds the play may take in all."
)
@click.option("--kill-bot-at-epoch", "kill_at_epoch", default=0, hidden=True, help="kill -9 the daemon then.")
def rehearse(
    *,
    episodes: int | None,
    epochs: int | None,
    fast: bool,
    folder: Path | None,
    keep: bool,
    transcript: Path | None,
    web: bool,
    port: int,
    guests: tuple[str, ...],
    temper: str,
    patience_s: float,
    kill_at_epoch: int,
) -> None:
    """Play one whole cycle on this machine: no accounts, no network, no GPU.

    An embedded Discord, a bucket in a folder, peers who play their parts; the daemon, its trainer and the
    learning are real. Exit status 0 only if the whole play took place.
    """
    if port and not web:
        raise click.UsageError("--port is the browser's; add --web, or leave it out")
    encore = Encore(_free(port)) if web else None
    written = _writable(transcript) if transcript else None
    stage = Stage(_folder(folder), _sizes(fast=fast, episodes=episodes, epochs=epochs))
    direction = Direction(
        stage,
        written or stage.transcript,
        patience_s,
        kill_at_epoch,
        _peers(guests),
        encore,
        Temper(temper),
    )
    with Onlooker(cast_of(Roster())) as onlooker:
        review = asyncio.run(_interruptible(direction, onlooker))
    if review is None:
        _leave(stage, kept=keep or folder is not None)
        click.echo("interrupted; nothing is left running", err=True)
        sys.exit(_INTERRUPTED)
    won = passed(review.acts)
    kept = keep or folder is not None or not won
    _leave(stage, kept=kept)
    onlooker.verdict(review if kept else replace(review, folder=None))
    if not kept:
        click.echo(
            "data and checkpoints were removed; --keep keeps them. --web shows all of this in a browser"
        )
    sys.exit(0 if won else 1)


async def _interruptible(direction: Direction, onlooker: Onlooker) -> Review | None:
    """The review, or None when a signal ended the play. Only the first signal counts: then we clear away."""
    playing = asyncio.create_task(play.rehearse(direction, onlooker))
    loop = asyncio.get_running_loop()

    def leave() -> None:
        for number in _ENDING_SIGNALS:
            loop.add_signal_handler(number, lambda: None)
        if direction.encore is not None and direction.encore.began:
            direction.encore.over.set()
        else:
            playing.cancel()

    for number in _ENDING_SIGNALS:
        loop.add_signal_handler(number, leave)
    try:
        return await playing
    except asyncio.CancelledError:
        return None


def _peers(names: Sequence[str]) -> frozenset[Peer]:
    return frozenset(Peer(name) for name in names)


def _folder(given: Path | None) -> Path:
    if given is None:
        return Path(tempfile.mkdtemp(prefix="training-claw-rehearsal-"))
    if given.exists() and any(given.iterdir()):
        raise click.UsageError(f"--dir {given} is not empty; name a new folder")
    try:
        given.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"--dir {given} cannot be made ({error.strerror}); name another") from None
    if not os.access(given, os.W_OK):
        raise click.UsageError(f"--dir {given} cannot be written to; name another")
    return given.resolve()


def _writable(transcript: Path) -> Path:
    """Seen now rather than after the play."""
    try:
        transcript.touch()
    except OSError as error:
        raise click.UsageError(
            f"--transcript {transcript} cannot be written ({error.strerror}); name another file"
        ) from None
    return transcript


def _free(port: int) -> int:
    """Seen before anything is made. 0 is any port that is free."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            raise click.UsageError(
                f"--port {port} cannot be had ({error.strerror}); leave --port out for a free one"
            ) from None
    return port


def _sizes(*, fast: bool, episodes: int | None, epochs: int | None) -> Sizes:
    sizes = FAST if fast else Sizes()
    return replace(sizes, episodes=episodes or sizes.episodes, epochs=epochs or sizes.epochs)


def _leave(stage: Stage, *, kept: bool) -> None:
    if not kept:
        strike(stage)
