"""Has one thread of its own do something again and again while the caller goes on.

What is committed keeps the disk busy, and what is read and handed out the workers: one need not
wait for the other.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec

Given = ParamSpec("Given")

# What waits for the thread at most, in memory: whoever gives it more waits. It is more than the
# chunks of one batch, so that the others go on for as long as a commit takes.
_WAITING = 32


@contextmanager
def beside(do: Callable[Given, None]) -> Iterator[Callable[Given, None]]:
    """Gives what has ``do`` done, in the order in which it is called; at the end all is done.

    An error in it is raised by the next call, or at the end; nothing more is done after it.
    Where an error ends the context, what is being done is waited for, and the rest is dropped.
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

    with ThreadPoolExecutor(1, "beside") as thread:
        try:
            yield give
            while given:
                given.popleft().result()
        finally:
            is_over = True
