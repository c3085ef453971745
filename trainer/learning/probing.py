"""Does a step fit into memory? Answered before the first one, by the real pass at the real size."""

import resource
from collections.abc import Callable

import torch

from protocol.progress import Memory
from trainer.learning import device as devices
from trainer.learning.feed import Feed
from trainer.learning.learner import Learner
from trainer.learning.passes import Pass
from trainer.process import memory
from trainer.process.attempt import JobError


def probed(learner: Learner, feed: Feed, batch_size: int, one_pass: Pass) -> Memory:
    """What the pass took at its most, room for the optimizer's moments included.

    Raises:
        JobError: out_of_memory, with the largest batch that fits.
    """
    moments = _room_for_moments(learner)

    def attempt(size: int) -> None:
        samples = torch.arange(size, device=feed.device) % len(feed)
        valid, count = feed.valid_frames(samples), torch.full((), size, device=feed.device)
        try:
            one_pass(learner, feed, samples, valid, count, 0)
            devices.finish(feed.device)
        finally:
            learner.optimizer.zero_grad()

    must_fit(batch_size, attempt)
    del moments
    return Memory(
        data_bytes=sum(frames.nbytes for frames in feed.frames.values()),
        peak_bytes=peak_bytes(feed.device),
        total_bytes=total_bytes(feed.device),
    )


def must_fit(batch_size: int, attempt: Callable[[int], None]) -> None:
    """Raises JobError as `probed` does. `attempt` takes a pass over so many samples."""
    if fits(batch_size, attempt):
        return
    size = batch_size // 2
    while size and not fits(size, attempt):
        size //= 2
    if not size:
        raise JobError(
            "out_of_memory", "out of memory even with batch_size 1; free the device or take another"
        )
    passes = -(-batch_size // size)
    raise JobError(
        "out_of_memory",
        f"out of memory with batch_size {batch_size}; batch_size {size} fits, and with gradient_accumulation "
        f"{passes} times as large a step is the same",
        fits_batch_size=size,
    )


def fits(batch_size: int, attempt: Callable[[int], None]) -> bool:
    try:
        attempt(batch_size)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not devices.tells_of_memory(error):
            raise
        return False
    return True


def _room_for_moments(learner: Learner) -> list[torch.Tensor]:
    """The optimizer takes its memory with its first step, after this: hold as much meanwhile."""
    if learner.optimizer.state:
        return []
    return [torch.empty_like(weight) for weight in learner.policy.parameters() for _ in range(2)]


def peak_bytes(device: torch.device) -> int:
    """The most this process has held: of the GPU's memory, or of main memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def total_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[1]
    return memory.total_bytes()
