"""A device is called usable only after it has done what training does."""

import pytest
import torch

from protocol.job import ProbeJob
from trainer.learning.probe import probe
from trainer.process.attempt import JobError


def test_a_cpu_is_usable() -> None:
    probed = probe(ProbeJob(device="cpu"))
    assert probed.device == "CPU"
    assert probed.gpu is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the GPU whose absence is the point")
def test_a_gpu_that_is_not_there_is_named_with_driver_and_torch() -> None:
    with pytest.raises(JobError, match=rf"driver: .*torch {torch.__version__.partition('+')[0]}") as refused:
        probe(ProbeJob(device="cuda"))
    assert refused.value.failed.failure == "no_device"
