"""What a person can do about an errand to the bucket that fails by itself, and where to look."""

import errno
from pathlib import Path

from bot.core.effects import Effect, ForgetCheckpoint, HandOn, PublishBest, PublishCheckpoint
from bot.shell.bucket import BucketUrl
from bot.shell.bucket.errors import (
    AccessDenied,
    BadContent,
    IntegrityError,
    NoSpace,
    NotFound,
    NotWhole,
    PreconditionFailed,
    StoreError,
    WriteDenied,
)
from bot.shell.deciding.lanes import Later
from bot.shell.machine.places import Places
from protocol import paths

ACCESS = "버킷 권한"
DISK = "디스크"
TIDY = (
    "공간 확보: `training-claw state tidy --days 0 --dry-run`이 지워도 되는 것을 보여 주고, `--dry-run` 없이 "
    "실행하면 지움"
)
OURS = "이 기계의 폴더 권한과 디스크 확인 (`training-claw doctor`)"

_BY_ERROR: tuple[tuple[type[StoreError], str], ...] = (
    (AccessDenied, "버킷 권한을 부여: `training-claw doctor`가 없는 role이나 막힌 경로를 알려 줌"),
    (NoSpace, TIDY),
    (WriteDenied, "그 경로의 내용 확인: `training-claw bucket stat`"),
    (PreconditionFailed, "같은 경로에 쓰는 다른 데몬이나 사람이 있는지 확인"),
    (IntegrityError, "올리는 동안 파일이 바뀌었거나 손상됨: 폴더와 디스크 확인"),
    (BadContent, "버킷에 있는 그 파일을 확인: `training-claw bucket stat`"),
    (NotFound, "버킷에서 없어진 것을 확인하고 되돌려 놓기: `training-claw bucket ls`"),
)


def later(order: Effect, error: StoreError | OSError, url: BucketUrl, places: Places) -> Later:
    """`error` is one that does not pass by itself."""
    return Later(
        str(error)
        if isinstance(error, StoreError)
        else f"{error.filename or places.path}: {error.strerror or error}",
        alarming=True,
        about=_about(error),
        where=_where(order, url, places),
        remedy=_remedy(order, error),
    )


def _about(error: Exception) -> str:
    """What all orders meet alike is told once."""
    if isinstance(error, AccessDenied):
        return ACCESS
    return DISK if _is_out_of_room(error) else ""


def _remedy(order: Effect, error: Exception) -> str:
    if isinstance(error, NotWhole):
        return _put_back(order)
    if _is_out_of_room(error):
        return TIDY
    return next((told for kind, told in _BY_ERROR if isinstance(error, kind)), OURS)


def _put_back(order: Effect) -> str:
    told = "그 폴더의 파일을 되돌려 놓으면 저절로 올라감. 다른 업로드와 학습은 계속됨"
    what = order.epoch if isinstance(order, PublishCheckpoint) else "best"
    return f"{told}. 되돌릴 수 없으면 `!abandon {what}`"


def _folder(order: Effect, places: Places) -> Path | None:
    """What is to be published lies there."""
    if isinstance(order, PublishCheckpoint | PublishBest):
        return places.run(order.run).path / order.folder
    return None


def _is_out_of_room(error: Exception) -> bool:
    return isinstance(error, NoSpace) or (isinstance(error, OSError) and error.errno == errno.ENOSPC)


def _where(order: Effect, url: BucketUrl, places: Places) -> str:
    """From where on this machine to where in the bucket; empty where the reason says it all."""
    match order:
        case PublishCheckpoint() | ForgetCheckpoint():
            there = url.url(paths.act_epoch(order.epoch, order.cycle))
        case PublishBest() | HandOn():
            there = url.url(paths.act_best(order.cycle))
        case _:
            return ""
    here = _folder(order, places)
    return f"{here} → {there}" if here else there
