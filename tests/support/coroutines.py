"""Coroutines in tests that are none."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def run(
    coroutine: Coroutine[Any, Any, Result], loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
) -> Result:
    """In a thread of its own: in the main one Playwright's event loop runs, once a browser has been started."""

    def to_its_end() -> Result:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(coroutine)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(to_its_end).result()
