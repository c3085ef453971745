"""Many small errands at a time, and the first trouble as itself rather than in a group."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

DOWN = 16
UP = 4
COPIES = 8
"""How many transfers at once; measured on small machines, more only pays with more cores."""


async def gather[T, R](errand: Callable[[T], Awaitable[R]], over: Iterable[T], at_once: int) -> tuple[R, ...]:
    """`errand(each)` for every one, at most `at_once` at a time, results in order.

    The first error stops the others and is raised as it is.
    """
    gate = asyncio.Semaphore(at_once)

    async def run(each: T) -> R:
        async with gate:
            return await errand(each)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(each)) for each in over]
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return tuple(task.result() for task in tasks)
