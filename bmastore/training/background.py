"""Calls a function in a background thread, call after call, while the caller goes on.

What is committed keeps the disk busy, and what is read and handed out the workers: one need not
wait for the other.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec

Given = ParamSpec("Given")

# Calls that wait for the thread at most, with what they hold in memory: who makes more of them
# waits. A batch has fewer chunks by default, so that reading goes on while one is committed.
_WAITING = 32


@contextmanager
def in_background(do: Callable[Given, None]) -> Iterator[Callable[Given, None]]:
    """Gives a function that has ``do`` called in the background, in order; at the end all is done.

    An error in one call is raised by the next that is made, or at the end; no more are done after
    it. Where an error ends the context, the call that is being done is waited for, and the rest is
    dropped.
    """
    given: deque[Future[None]] = deque()
    is_over = False

    def do_in_turn(*args: Given.args, **kwargs: Given.kwargs) -> None:
        nonlocal is_over
        if is_over:
            raise CancelledError
        try:
            do(*args, **kwargs)
        except BaseException:
            is_over = True
            raise

    def give(*args: Given.args, **kwargs: Given.kwargs) -> None:
        given.append(thread.submit(do_in_turn, *args, **kwargs))
        while given and (given[0].done() or len(given) > _WAITING):
            given.popleft().result()

    with ThreadPoolExecutor(1, "background") as thread:
        try:
            yield give
            while given:
                given.popleft().result()
        finally:
            is_over = True
