"""The device that learns: is it there, how full is it, and what its running out of memory looks like."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from protocol.progress import Gpu
from trainer.process import memory
from trainer.process.attempt import JobError

MEMORY_SIGNS = (
    *("out of memory", "can't allocate memory", "not enough memory"),
    *("cublas_status_alloc_failed", "cudnn_status_alloc_failed", "cusolver_status_alloc_failed"),
)
log = logging.getLogger(__name__)

DRIVER = Path("/proc/driver/nvidia/version")


def pick(kind: str) -> torch.device:
    """The device called `cpu` or `cuda`, set up for training.

    Raises:
        JobError: no_device, naming the driver and torch.
    """
    if kind == "cuda":
        _need_cuda()
        torch.set_float32_matmul_precision("high")  # TF32, as lerobot-train
        torch.backends.cudnn.benchmark = True
    return torch.device(kind)


def name(device: torch.device) -> str:
    """What people call it."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def precision(device: torch.device) -> str:
    """What matrices are multiplied in. On a CPU bfloat16 gained 0.9 to 1.4 times for the rehearsal's small
    model, only where the CPU has it, and would end the bit-exact comparison of runs; so float32 it is."""
    return "tf32" if device.type == "cuda" else "fp32"


def gauge(device: torch.device) -> Gpu | None:
    """How full and how busy a GPU is, other processes included; None for a CPU."""
    if device.type != "cuda":
        return None
    free_bytes, total_bytes = torch.cuda.mem_get_info(device)
    return Gpu(used_bytes=total_bytes - free_bytes, total_bytes=total_bytes, busy_share=busy_share(device))


def free_bytes(device: torch.device) -> int:
    """Of the GPU's memory, or of main memory."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else memory.free_bytes()


def busy_share(device: torch.device) -> float | None:
    """How much of the last moments a GPU computed; None where nobody can tell.

    torch asks NVIDIA's management library: it may be missing, or not know (a slice of a GPU, MIG, has no such
    figure), and each has an error of its own. A gauge must never cost the training that it reads.
    """
    try:
        return torch.cuda.utilization(device) / 100
    except Exception as error:
        log.debug("how busy %s is cannot be told: %s", device, error)
        return None


def peak_memory(device: torch.device) -> Gpu | None:
    """How full the GPU was when this process held the most of it; None for a CPU."""
    now = gauge(device)
    if now is None:
        return None
    given_back = torch.cuda.max_memory_reserved(device) - torch.cuda.memory_reserved(device)
    return Gpu(used_bytes=min(now.used_bytes + given_back, now.total_bytes), total_bytes=now.total_bytes)


@contextmanager
def out_of_memory_named(batch_size: int) -> Iterator[None]:
    """Raises JobError("out_of_memory") for torch's ways of saying that memory is used up."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not tells_of_memory(error):
            raise
        said = " ".join(str(error).split())[:160]
        raise JobError(
            "out_of_memory", f"out of memory with batch_size {batch_size}; halve it and double "
            f"gradient_accumulation ({said})",
        ) from error  # fmt: skip


def tells_of_memory(error: Exception) -> bool:
    """torch's, cuBLAS's and cuDNN's ways of saying it."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(sign in str(error).lower() for sign in MEMORY_SIGNS)


def finish(device: torch.device) -> None:
    """Wait until the device has done all it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _need_cuda() -> None:
    try:
        torch.zeros(1, device="cuda")
    except (RuntimeError, AssertionError) as error:
        raise unusable(error) from error


def unusable(error: Exception) -> JobError:
    """What there is to say of a GPU that does not work."""
    said = " ".join(str(error).split())[:160]
    return JobError(
        "no_device",
        f"cuda is not usable ({said}); driver: {_driver()}; torch {torch.__version__} built for CUDA "
        f"{torch.version.cuda}; repair the driver, or set DEVICE=cpu",
    )


def _driver() -> str:
    return DRIVER.read_text().splitlines()[0] if DRIVER.is_file() else "no NVIDIA driver is loaded"
