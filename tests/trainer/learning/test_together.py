"""Two processes learn what one learns."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from protocol.progress import Started
from trainer.learning.feed import Feed
from trainer.learning.ranks import Ranks, joined
from trainer.saving.checkpoint import read_state

from .in_float64 import wide
from .runs import Run


@pytest.fixture
def float64(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Feed, "batch", wide)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def torchrun(run: Run, processes: int) -> None:
    folder = run.folder.attempt(1)
    folder.path.mkdir(parents=True)
    folder.job.write_text(run.job().model_dump_json())
    command = [
        *(sys.executable, "-m", "torch.distributed.run"),
        *("--standalone", "--local-addr=127.0.0.1", f"--nproc-per-node={processes}"),
        *(Path(__file__).with_name("in_float64.py"), folder.job),
    ]
    loopback = {"GLOO_SOCKET_IFNAME": "lo"}
    ran = subprocess.run(command, env={**os.environ, **loopback}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr + folder.log.read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("float64")
def test_two_processes_learn_what_one_learns_with_half_the_batch_twice(new_run: Callable[..., Run]) -> None:
    card = {"training.epochs": 1, "training.lr": 1e-4}
    together = new_run("together", **card)
    torchrun(together, processes=2)
    alone = new_run("alone", **card, **{"training.batch_size": 4, "training.gradient_accumulation": 2})
    alone.train()
    ours, theirs = (
        load_file(run.folder.checkpoint(1) / "pretrained_model" / "model.safetensors")
        for run in (together, alone)
    )
    assert ours["model.action_head.weight"].dtype == torch.float64
    apart = max(float((ours[name] - theirs[name]).abs().max()) for name in ours)
    assert apart < 1e-12
    said = [line for line in together.lines() if isinstance(line, Started)]
    assert len(said) == 1
    mine, other = (read_state(run.folder.checkpoint(1)) for run in (together, alone))
    assert mine is not None
    assert other is not None
    assert [epoch.loss for epoch in mine.history] == pytest.approx([epoch.loss for epoch in other.history])
    assert mine.l1_by_episode[-1] == pytest.approx(other.l1_by_episode[-1])


def test_a_process_that_torchrun_did_not_start_is_alone() -> None:
    with joined("cpu") as ranks, ranks.first_alone():
        assert ranks == Ranks()
        assert (ranks.any(True), ranks.any(False), ranks.leads) == (True, False, True)
