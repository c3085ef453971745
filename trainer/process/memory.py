"""How this process keeps its memory."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""The parameters' numbers in glibc's malloc.h."""

LARGE = 1 << 30
MOST = (1 << 31) - 1


def keep_what_was_freed() -> bool:
    """Whether glibc keeps freed memory for us from now on. It would give back any large piece, and fetch it
    page by page when it is wanted again: on a CPU that is a tenth of a small model's step."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(
        mallopt(what, most) for what, most in ((M_MMAP_THRESHOLD, LARGE), (M_TRIM_THRESHOLD, MOST))
    )
