"""The shelf track: what was learned, on its way to safety in the bucket."""

from datetime import datetime
from pathlib import Path
from typing import Any

from bot.core.effects import ForgetCheckpoint, PublishBest, PublishCheckpoint, PublishCurve
from bot.core.events import (
    BestLost,
    BestPublished,
    CheckpointForgotten,
    CheckpointLost,
    CheckpointPublished,
)
from bot.core.moves import Move, now, say
from bot.core.policy import Policy
from bot.core.state import Admitted, Best, Checkpoint, Cycle, Shelf, Stalled, Starting, Stopping, Training
from bot.core.tracks.retention import superseded
from protocol.folders import RunFolder
from protocol.messages import Receipt
from protocol.progress import Saved


def saved(cycle: Cycle, line: Saved) -> Move:
    """The trainer put a whole folder on the disk."""
    match line.what:
        case "checkpoint":
            return _checkpoint_saved(_to_go_on_from(cycle, line), line)
        case "best":
            return _best_saved(cycle, line)
        case _:  # a resume point needs no upload
            return _to_go_on_from(cycle, line), ()


def _to_go_on_from(cycle: Cycle, line: Saved) -> Cycle:
    name = line.folder.rpartition("/")[2]
    return now(cycle, shelf=now(cycle.shelf, newest=(name, line.epoch)))


def checkpoint_published(cycle: Cycle, event: CheckpointPublished, policy: Policy) -> Move:
    safe = _marked(cycle.shelf, event.epoch, status="safe", safe_at=event.at)
    epochs = [one.epoch for one in safe.checkpoints if one.status == "safe"]
    best = cycle.shelf.best.epoch if cycle.shelf.best else None
    after, orders = _forget(now(cycle, shelf=safe), superseded(epochs, best, policy.keep_checkpoints))
    told = say(_superseding(event.retired, policy)) if event.retired else ()
    return after, (*told, *orders)


def adopted(shelf: Shelf, epochs: tuple[int, ...], at: datetime) -> Shelf:
    """Checkpoints in the bucket of a run that was lost, and is gone on from; here nothing lies of them."""
    found = [Checkpoint(epoch=epoch, folder=_folder(epoch), status="safe", safe_at=at) for epoch in epochs]
    return now(shelf, checkpoints=tuple(sorted((*shelf.checkpoints, *found), key=lambda one: one.epoch)))


def given_up(cycle: Cycle, what: str) -> Cycle:
    """`what`: an epoch, or `best`. Its upload need not succeed any more; it is tried again all the same."""
    if what != "best":
        return now(cycle, shelf=_marked(cycle.shelf, int(what), status="given_up"))
    assert cycle.shelf.best is not None, "there is one that waits"
    return now(cycle, shelf=now(cycle.shelf, best=now(cycle.shelf.best, given_up=True)))


def checkpoint_lost(cycle: Cycle, event: CheckpointLost, policy: Policy) -> Move:
    """It keeps its place on the shelf: nobody shall wonder where it is."""
    after = now(cycle, shelf=_marked(cycle.shelf, event.epoch, status="lost"))
    return after, say(_lost("checkpoint", event, "다른 checkpoint와 best는 그대로 진행", policy))


def best_lost(cycle: Cycle, event: BestLost, policy: Policy) -> Move:
    """The one in the bucket is the best there is; a better one may come still."""
    best = cycle.shelf.best
    if best is None or best.safe_epoch is None or best.epoch != event.epoch:
        return cycle, ()
    safe = best.safe_epoch
    former = now(best, epoch=safe, asked_epoch=safe, loss=None, given_up=False, lost_epoch=event.epoch)
    told = _lost("best", event, f"버킷에 있는 epoch {safe}의 best로 진행", policy)
    return now(cycle, shelf=now(cycle.shelf, best=former)), say(told)


def checkpoint_forgotten(cycle: Cycle, event: CheckpointForgotten) -> Move:
    left = tuple(one for one in cycle.shelf.checkpoints if one.epoch != event.epoch)
    return now(cycle, shelf=now(cycle.shelf, checkpoints=left)), ()


def best_published(cycle: Cycle, event: BestPublished) -> Move:
    if cycle.shelf.best is None:
        return cycle, ()
    return now(cycle, shelf=now(cycle.shelf, best=now(cycle.shelf.best, safe_epoch=event.epoch))), ()


def publish_best(cycle: Cycle) -> Move:
    """Send the best weights up, unless they are there or on their way."""
    best = cycle.shelf.best
    if best is None or best.epoch == best.asked_epoch:
        return cycle, ()
    asked = now(cycle, shelf=now(cycle.shelf, best=now(best, asked_epoch=best.epoch)))
    order = PublishBest(
        cycle=cycle.number,
        run=cycle.run_name,
        epoch=best.epoch,
        folder=best.folder,
        meta=_meta(cycle, best.epoch, best.loss),
    )
    return asked, (order,)


def _checkpoint_saved(cycle: Cycle, line: Saved) -> Move:
    """Announced again (by a process that went on from it), it is the same checkpoint still."""
    if any(one.epoch == line.epoch for one in cycle.shelf.checkpoints):
        return cycle, ()
    fresh = Checkpoint(epoch=line.epoch, folder=line.folder, status="saved")
    on_shelf = now(cycle, shelf=now(cycle.shelf, checkpoints=(*cycle.shelf.checkpoints, fresh)))
    after, best = publish_best(on_shelf)
    order = PublishCheckpoint(
        cycle=cycle.number,
        run=cycle.run_name,
        epoch=line.epoch,
        folder=line.folder,
        meta=_meta(cycle, line.epoch, line.loss),
    )
    curve = PublishCurve(cycle=cycle.number, run=cycle.run_name, epoch=line.epoch)
    return after, (order, *best, curve)


def _best_saved(cycle: Cycle, line: Saved) -> Move:
    former = cycle.shelf.best
    best = Best(
        epoch=line.epoch,
        folder=line.folder,
        loss=line.loss,
        asked_epoch=former.asked_epoch if former else None,
        safe_epoch=former.safe_epoch if former else None,
    )
    return now(cycle, shelf=now(cycle.shelf, best=best)), ()


def _forget(cycle: Cycle, epochs: tuple[int, ...]) -> Move:
    orders = tuple(
        ForgetCheckpoint(cycle=cycle.number, run=cycle.run_name, epoch=one.epoch, folder=one.folder)
        for one in cycle.shelf.checkpoints
        if one.epoch in epochs
    )
    shelf = cycle.shelf
    for epoch in epochs:
        shelf = _marked(shelf, epoch, status="forgetting")
    return now(cycle, shelf=shelf), orders


def _folder(epoch: int) -> str:
    """Where the trainer would have put it."""
    return RunFolder(Path()).checkpoint(epoch).as_posix()


def _marked(shelf: Shelf, epoch: int, **fields: Any) -> Shelf:
    return now(
        shelf,
        checkpoints=tuple(now(one, **fields) if one.epoch == epoch else one for one in shelf.checkpoints),
    )


def _meta(cycle: Cycle, epoch: int, loss: float | None) -> dict[str, str | int | float]:
    """What the manifest in the bucket says beside the files."""
    meta: dict[str, str | int | float] = {"cycle": cycle.number, "epoch": epoch}
    if loss is not None:
        meta["loss"] = loss
    if isinstance(cycle.data, Admitted):
        meta["certificate"] = cycle.data.certificate
    if isinstance(cycle.run, Starting | Training | Stalled | Stopping):
        meta["config"] = cycle.run.config.hash
    return meta


def _lost(what: str, event: CheckpointLost | BestLost, next_step: str, policy: Policy) -> Receipt:
    return Receipt(
        to=(policy.roster.watcher,),
        understood=(
            f"Cycle {event.cycle}: epoch {event.epoch}의 {what}를 올리지 못함 (operator가 포기)",
            f"손상: {event.damage}",
        ),
        next_step=next_step,
    )


def _superseding(retired: tuple[str, ...], policy: Policy) -> Receipt:
    """Another run of this very cycle published before. Readers find ours now; nothing of it is lost yet."""
    return Receipt(
        to=(policy.roster.watcher,),
        understood=tuple(f"이전 실행의 checkpoint 대체: {policy.bucket}/{path}" for path in retired),
        next_step="이전 파일은 새 best가 검증될 때까지 보존",
    )
