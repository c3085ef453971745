"""How busy a GPU is: a figure where somebody can tell, and never the end of a training."""

import pynvml
import pytest
import torch

from trainer.learning import device as devices

CUDA = torch.device("cuda")


def test_a_gpu_s_share_is_read_or_unknown() -> None:
    share = devices.busy_share(CUDA)
    assert share is None or 0 <= share <= 1
    assert torch.cuda.is_available() or share is None


def test_a_cpu_has_no_gauge() -> None:
    assert devices.gauge(torch.device("cpu")) is None


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("nvidia-ml-py does not seem to be installed"),
        RuntimeError("cuda driver can't be loaded, is cuda enabled?"),
        pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND),
        pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED),  # a slice of a GPU
    ],
)
def test_whatever_keeps_it_from_being_read_it_is_unknown(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: torch.device) -> int:
        raise error

    monkeypatch.setattr(torch.cuda, "utilization", refuse)
    assert devices.busy_share(CUDA) is None


def test_a_percentage_becomes_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "utilization", lambda _: 97)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (10, 40))
    gauge = devices.gauge(CUDA)
    assert gauge is not None
    assert (gauge.used_bytes, gauge.total_bytes, gauge.busy_share) == (30, 40, 0.97)
