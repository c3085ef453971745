"""What a machine must have before the daemon can work on it, looked at one by one. Nothing is changed."""

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
import sysconfig
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from bot.shell.bucket import open_bucket
from bot.shell.bucket.errors import StoreError
from bot.shell.bucket.probing import Finding, probe
from bot.shell.doctor import sandbox
from bot.shell.doctor.installation import ANEW, PROGRAM, PYTHON, Launch, as_user
from bot.shell.machine.places import Places
from bot.shell.outlook.looking import is_locked
from bot.shell.remembering import tables
from bot.shell.remembering.soundness import damage_of
from bot.shell.remembering.store import StoreUnusable, open_to_read
from bot.shell.supervising.gpu import SMI
from protocol.training import ModelConfig

LEAST_BYTES, COMFORTABLE_BYTES = 10 * 10**9, 60 * 10**9
TORCH_S = 180.0
MAKE_ROOM = f"make room: `{PROGRAM} state tidy --days 0 --dry-run` shows what goes without --dry-run"
REQUESTS = "training-claw-trainer.path"
WEIGHTS, CARDS_BACKBONE = "resnet*-*.pth", ModelConfig().backbone
ASK_TORCH = """
import json, socket, torch
told = {"torch": torch.__version__, "cuda": torch.version.cuda, "gpu": None}
told["network"] = [name for _, name in socket.if_nameindex() if name != "lo"]
if torch.cuda.is_available():
    free, total = torch.cuda.mem_get_info()
    one = torch.ones(64, 64, device="cuda", requires_grad=True)
    (one @ one).sum().backward()
    torch.cuda.synchronize()
    told |= {"gpu": torch.cuda.get_device_name(), "free": free, "total": total}
print(json.dumps(told))
"""
"""In a process of its own: the daemon never imports torch. Its last act is one real step on the GPU."""


def gigabytes(count: int) -> str:
    """
    >>> gigabytes(40_000_000_000)
    '40 GB'
    """
    return f"{count / 1e9:.0f} GB"


def compiler() -> Finding:
    """What torch.compile needs beside itself; without it training is only slower."""
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    missing = [] if shutil.which("cc") or shutil.which("gcc") else ["gcc"]
    missing += [] if header.is_file() else [f"python3-dev ({header})"]
    if missing:
        return Finding("compiler", "warning", f"install {' and '.join(missing)}, or nothing is compiled")
    return Finding("compiler", "fine", "and Python's headers")


def second_witness() -> Finding:
    """Who tells whether a trainer that has fallen silent works all the same."""
    if there := shutil.which(SMI):
        return Finding("nvidia-smi", "fine", there)
    return Finding("nvidia-smi", "warning", "is not installed: silence alone decides whether a trainer hangs")


def state_folder(places: Places) -> Finding:
    folder = places.path
    if not folder.is_dir():
        return Finding("STATE_DIR", "fault", f"{folder} is no folder; create it for the daemon's user")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("STATE_DIR", "fault", f"{folder} cannot be written by this user; correct its owner")
    runs = is_locked(places.lock)
    return Finding("STATE_DIR", "fine", f"{folder}, {'a daemon works in it' if runs else 'no daemon runs'}")


def disk(free_bytes: int, folder: Path) -> Finding:
    said = f"{gigabytes(free_bytes)} free at {folder}"
    if free_bytes < LEAST_BYTES:
        return Finding("disk", "fault", f"{said}, at least {gigabytes(LEAST_BYTES)} are needed; {MAKE_ROOM}")
    if free_bytes < COMFORTABLE_BYTES:
        return Finding("disk", "warning", f"{said}, a data set and its runs may not fit; {MAKE_ROOM}")
    return Finding("disk", "fine", said)


def database(places: Places) -> Finding:
    if not places.database.is_file():
        return Finding("database", "fine", "none yet; the daemon makes it")
    try:
        with closing(open_to_read(places.database)) as db:
            damage = damage_of(db)
            if not damage:
                tables.load(db)
    except (StoreUnusable, sqlite3.Error) as error:
        return Finding("database", "fault", f"{error}; docs/operating.md, The database is damaged")
    if damage:
        return Finding("database", "fault", f"{damage}; docs/operating.md, The database is damaged")
    return Finding("database", "fine", "whole")


def weights(environ: Mapping[str, str], launch: Launch = "process", device: str = "cuda") -> Finding:
    """Are ImageNet's weights where torch.hub keeps them, and whole? Their name ends with their hash.

    PLAN.md, which is not here, may name another backbone than the card's; a rehearsal's wants no weights.
    """
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(environ.get("TORCH_HOME") or cache / "torch") / "hub" / "checkpoints"
    found = sorted(folder.glob(WEIGHTS))
    whole = {_backbone(file): file for file in found if _is_whole(file)}
    damaged = [_backbone(file) for file in found if _backbone(file) not in whole]
    if not damaged and CARDS_BACKBONE in whole:
        return Finding("weights", "fine", ", ".join(map(str, whole.values())))
    wanted, wrong = (damaged[0], "are damaged") if damaged else (CARDS_BACKBONE, "are not there")
    fetch = f"env TORCH_HOME={folder.parents[1]} {PYTHON} -m trainer weights --backbone {wanted}"
    said = f"{folder}: ImageNet's weights of {wanted} {wrong}; run `{as_user(launch, fetch)}`"
    if device == "cpu":
        return Finding("weights", "warning", f"{said}, unless PLAN.md wants none, as in a rehearsal")
    if whole and not damaged:
        return Finding(
            "weights", "warning", f"{said}, unless PLAN.md has another backbone: {', '.join(whole)}"
        )
    return Finding("weights", "fault", said)


def _is_whole(file: Path) -> bool:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest().startswith(file.stem.rpartition("-")[2])


def _backbone(file: Path) -> str:
    return file.stem.rpartition("-")[0]


async def path_unit() -> Finding:
    """Without it nobody starts the trainers that the daemon asks for."""
    asked = await asyncio.create_subprocess_exec(
        *("systemctl", "is-active", REQUESTS), stdout=asyncio.subprocess.PIPE
    )
    said = (await asked.communicate())[0].decode().strip()
    if asked.returncode:
        fix = f"is {said}; sudo systemctl enable --now {REQUESTS}"
        return Finding("requests", "fault", f"{REQUESTS} {fix}")
    return Finding("requests", "fine", f"{REQUESTS} is {said}")


async def torch(device: str, code: str = ASK_TORCH, *, in_unit: bool = False) -> Finding:
    """`in_unit`: in the sandbox of the trainer's unit, which must be installed, as root."""
    command = (str(PYTHON), "-c", code)
    if in_unit:
        command = sandbox.within(sandbox.text_of(sandbox.UNIT), command)
    asked = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(asked.communicate(), TORCH_S)
    except TimeoutError:
        asked.kill()
        await asked.wait()
        return Finding("torch", "fault", f"does not answer within {TORCH_S:.0f} s; look at nvidia-smi")
    if asked.returncode:
        last = (err.decode(errors="replace").strip().splitlines() or ["no word"])[-1]
        return Finding("torch", "fault", f"{last[:200]}; look at nvidia-smi; if it is well, {ANEW}")
    told = json.loads(out)
    if in_unit and told["network"]:
        return Finding(
            "sandbox", "fault", f"the unit has a network ({', '.join(told['network'])}); install it anew"
        )
    if told["gpu"] is None:
        said = f"{told['torch']} (CUDA {told['cuda']}) sees no GPU"
        if device == "cuda":
            return Finding("torch", "fault", f"{said}; install the driver, or set DEVICE=cpu to rehearse")
        return Finding("torch", "fine", f"{said}, and DEVICE is cpu")
    memory = f"{gigabytes(told['free'])} of {gigabytes(told['total'])} free"
    return Finding("torch", "fine", f"{told['torch']}, {told['gpu']}, {memory}")


async def bucket(url: str) -> tuple[Finding, ...]:
    try:
        store = open_bucket(url)
    except StoreError as error:
        return (Finding("open", "fault", str(error)),)
    try:
        return await probe(store)
    finally:
        await store.close()
