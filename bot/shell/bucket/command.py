"""`training-claw bucket`: the bucket by hand, with the daemon's own checks and bounds.

Exit codes: 0 done, 1 the bucket said no, 2 the command line did not make sense, 4 `verify` found damage.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from bot.shell.bucket import errands
from bot.shell.bucket.errors import BadName, NotFound, StoreError
from bot.shell.bucket.manifest import read_manifest
from bot.shell.bucket.names import PLACES, BucketUrl
from bot.shell.bucket.opening import open_bucket
from bot.shell.bucket.retention import take_away
from bot.shell.bucket.shelf import list_checkpoints
from bot.shell.bucket.showing import bar, size, standing_of, table
from bot.shell.bucket.store import ObjectStore

DAMAGED = 4


class Examples(click.Command):
    """Shows `epilog` as it was written."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        formatter.write(f"\nExamples:\n{self.epilog}\n")


class Bucket:
    """What all commands share: which bucket is meant, and how a refusal is told."""

    def __init__(self, configured: str | None, emulator: str) -> None:
        self._configured = configured
        self._emulator = emulator

    def locate(self, text: str) -> tuple[BucketUrl, str]:
        """With BUCKET set, only that bucket; else the one the URL names. Raises BadName, NotFound."""
        if not self._configured:
            bucket, name = BucketUrl.split(text)
            _look_for_folder(bucket)
            return bucket, name
        bucket = BucketUrl.parse(self._configured)
        return bucket, bucket.locate(text)

    @asynccontextmanager
    async def opened(self, text: str) -> AsyncGenerator[tuple[ObjectStore, BucketUrl, str]]:
        url, name = self.locate(text)
        store = open_bucket(url, emulator=self._emulator)
        try:
            yield store, url, name
        finally:
            await store.close()


def _look_for_folder(bucket: BucketUrl) -> None:
    """Raises NotFound: what of the URL is not there may be one of a bucket's own folders, written wrongly."""
    folder = Path(bucket.root)
    if bucket.scheme == "file" and not folder.is_dir():
        above = next(one for one in folder.parents if one.is_dir())
        wrong = folder.relative_to(above).parts[0]
        near = get_close_matches(wrong, PLACES, 1)
        what_to_do = f"did you mean {near[0]}/?" if near else "correct the URL, or create it"
        raise NotFound(f"{above} holds no folder {wrong}: {what_to_do}")


def _run(work: Coroutine[Any, Any, int]) -> None:
    try:
        code = asyncio.run(work)
    except BadName as error:
        click.echo(f"training-claw bucket: {error}", err=True)
        code = 2
    except BrokenPipeError:  # who read us has seen enough
        raise
    except (StoreError, OSError) as error:
        click.echo(f"training-claw bucket: {error}", err=True)
        code = 1
    sys.exit(code)


@click.group(
    "bucket",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  training-claw bucket ls gs://ralphton-handoff/checkpoints/
  training-claw bucket pull gs://ralphton-handoff/checkpoints/act_best/ act_best
  training-claw bucket verify gs://ralphton-handoff/checkpoints/act_best/""",
)
@click.option(
    "--bucket", envvar="BUCKET", help="Stay in this bucket; then URL may be a path in it.  [env: BUCKET]"
)
@click.option("--emulator", default="", hidden=True, help="A stand-in for Google's servers, for tests.")
@click.pass_context
def bucket(ctx: click.Context, bucket: str | None, emulator: str) -> None:
    """Look into the bucket, bring things home, publish by hand.

    URL is gs://NAME/path or file:///folder/path. Only checkpoints/ is ever written to.
    """
    ctx.obj = Bucket(bucket, emulator)


@bucket.command(
    cls=Examples,
    epilog="""\
  training-claw bucket ls gs://ralphton-handoff/
  training-claw bucket ls gs://ralphton-handoff/checkpoints/cycle03/""",
)
@click.argument("url")
@click.pass_obj
def ls(at: Bucket, url: str) -> None:
    """List what lies at URL; of checkpoints, too, whose they are.

    Whether one is whole is what `verify` looks at.
    """
    _run(_ls(at, url))


async def _ls(at: Bucket, text: str) -> int:
    async with at.opened(text) as (store, _, name):
        rows = await errands.rows_at(store, name)
        listed = await list_checkpoints(store) if name.startswith("checkpoints") else ()
    notes = {each.path: standing_of(each) for each in listed}
    counts = [f"{row.objects} in it" if row.name.endswith("/") else "" for row in rows]
    table(
        (size(row.bytes), row.name, notes.get(row.name, count))
        for row, count in zip(rows, counts, strict=True)
    )
    return 0


@bucket.command(
    cls=Examples,
    epilog="""\
  training-claw bucket stat gs://ralphton-handoff/checkpoints/act_best/
  training-claw bucket stat gs://ralphton-handoff/ssot/PLAN.md""",
)
@click.argument("url")
@click.pass_obj
def stat(at: Bucket, url: str) -> None:
    """Show what is known of an object, or of a checkpoint."""
    _run(_stat(at, url))


async def _stat(at: Bucket, text: str) -> int:
    async with at.opened(text) as (store, url, name):
        manifest = await read_manifest(store, name) if name.startswith("checkpoints/") else None
        facts: dict[str, object] = {"path": url.url(name)}
        if manifest:
            facts |= manifest.model_dump(exclude={"schema_number", "files"}) | {"hash": manifest.hash}
            facts |= {"files": len(manifest.files)}
        else:
            found = await errands.stat_at(store, name)
            facts |= {"bytes": found.size, "crc32c": found.crc32c, "generation": found.generation}
    table((key, str(value)) for key, value in facts.items() if value not in ("", None))
    return 0


@bucket.command(
    cls=Examples,
    epilog="""\
  training-claw bucket pull gs://ralphton-handoff/checkpoints/act_best/ act_best
  training-claw bucket pull gs://ralphton-handoff/dataset/ data --mirror""",
)
@click.argument("url")
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--mirror", is_flag=True, help="Remove what else lies in FOLDER.")
@click.pass_obj
def pull(at: Bucket, url: str, folder: Path | None, mirror: bool) -> None:
    """Bring URL to FOLDER, every byte checked.

    What is there already does not travel again.
    """
    _run(_pull(at, url, folder, mirror=mirror))


async def _pull(at: Bucket, text: str, folder: Path | None, *, mirror: bool) -> int:
    async with at.opened(text) as (store, url, name):
        dest = folder or Path(name.removesuffix("/").rpartition("/")[2] or ".")
        with bar(name) as progress:
            manifest, got = await errands.pull(store, name, dest, progress, mirror=mirror)
    what = f"epoch {manifest.epoch} of cycle {manifest.cycle}" if manifest else url.url(name)
    click.echo(f"{what} is in {dest}: {got.files} files, {size(got.bytes)}; {size(got.new_bytes)} travelled")
    return 0


@bucket.command(
    cls=Examples,
    epilog="""\
  training-claw bucket push ./epoch_050 gs://ralphton-handoff/checkpoints/cycle03/act_epoch_050/
  training-claw bucket push ./mine gs://ralphton-handoff/checkpoints/mine/ --cycle 3 --epoch 120""",
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("url")
@click.option("--cycle", type=click.IntRange(0), help="Which cycle, where URL does not say.")
@click.option("--epoch", type=click.IntRange(0), help="Which epoch, where URL does not say.")
@click.option("--run", default=errands.BY_HAND, show_default=True, help="Whose it is.")
@click.option("--replace", is_flag=True, help="Take the place of what stands there.")
@click.pass_obj
def push(
    at: Bucket, folder: Path, url: str, cycle: int | None, epoch: int | None, run: str, replace: bool
) -> None:
    """Publish FOLDER as a checkpoint at URL, whole or not at all. Repeat it after an interruption."""
    _run(_push(at, folder, url, cycle, epoch, run, replace=replace))


async def _push(
    at: Bucket, folder: Path, text: str, cycle: int | None, epoch: int | None, run: str, *, replace: bool
) -> int:
    async with at.opened(text) as (store, url, name):
        label = errands.label_of(name, run, cycle, epoch)
        with bar(name) as progress:
            placed = await errands.push(store, folder, name, label, progress, replace=replace)
    click.echo(
        f"{url.url(placed.path)} is published: {size(placed.manifest.total_bytes)}, {placed.manifest.hash}"
    )
    click.echo(f"{placed.sent_files} files travelled" if placed.sent_files else "it stood there already")
    if placed.set_aside:
        click.echo(f"what stood there and was not ours is now at {url.url(placed.set_aside)}")
    return 0


@bucket.command(
    cls=Examples,
    epilog="""\
  training-claw bucket verify gs://ralphton-handoff/checkpoints/act_best/
  training-claw bucket verify gs://ralphton-handoff/checkpoints/ --quick""",
)
@click.argument("url")
@click.option("--quick", is_flag=True, help="Compare the bucket's own checksums; read nothing again.")
@click.pass_obj
def verify(at: Bucket, url: str, quick: bool) -> None:
    """Read every byte of the checkpoints at or below URL.

    Each is held against its manifest.
    """
    _run(_verify(at, url, quick=quick))


async def _verify(at: Bucket, text: str, *, quick: bool) -> int:
    damaged = False
    async with at.opened(text) as (store, _, name):
        for each in await errands.published_below(store, name):
            if each.complete:
                with bar(each.path) as progress:
                    faults = await errands.faults_of(store, each.path, progress, quick=quick)
            elif broken := await errands.broken_manifest(store, each):
                faults = (broken,)
            else:
                click.echo(f"{'-':8}{each.path}  {standing_of(each)}: nothing to hold it against")
                continue
            damaged = damaged or bool(faults)
            click.echo(f"{'DAMAGED' if faults else 'whole':8}{each.path}  {standing_of(each)}")
            for fault in faults:
                click.echo(f"        {fault}")
    return DAMAGED if damaged else 0


@bucket.command(
    cls=Examples,
    epilog="""\
  training-claw bucket retention gs://ralphton-handoff
  training-claw bucket retention gs://ralphton-handoff --apply""",
)
@click.argument("url")
@click.option(
    "--keep", type=click.IntRange(1), default=3, show_default=True, help="The newest cycle's last ones."
)
@click.option("--apply", is_flag=True, help="Take it away, once all that stays is verified.")
@click.pass_obj
def retention(at: Bucket, url: str, keep: int, apply: bool) -> None:
    """Show what of ours retention would take away.

    That is never what is foreign, the best, or a cycle's last.
    """
    _run(_retention(at, url, keep, apply=apply))


async def _retention(at: Bucket, text: str, keep: int, *, apply: bool) -> int:
    async with at.opened(text) as (store, _, _name):
        listed, drops = await errands.droppable(store, keep)
        table((each.path, each.why) for each in drops)
        if not apply:
            click.echo(f"{len(drops)} of {len(listed)} would go; --apply takes them away")
            return 0
        gone, troubles = await take_away(store, listed, drops)
    click.echo(f"{len(gone)} of {len(listed)} went")
    for trouble in troubles:
        click.echo(f"training-claw bucket: {trouble}", err=True)
    return 1 if troubles else 0
