"""Workers that do jobs, wherever they run, and others in their place when one has died."""

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any, TypeVar

Result = TypeVar("Result")


class Pool:
    """Workers that do jobs, and others in their place when one of them has died.

    Parameters
    ----------
    make_executor:
        Gives an executor for so many workers.
    workers:
        How many.
    """

    def __init__(self, make_executor: Callable[[int], Executor], workers: int) -> None:
        self.workers = workers
        self._make_executor = make_executor
        self._executor = make_executor(workers)

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *error: object) -> None:
        self._executor.shutdown(wait=True)

    def submit(self, job: Callable[..., Result], *args: Any) -> Future[Result]:
        """Have a job done; if its worker dies, its future and those of all others say so."""
        try:
            return self._executor.submit(job, *args)
        except BrokenExecutor:  # a worker has died since the last job
            self._executor.shutdown(wait=False)
            self._executor = self._make_executor(self.workers)
            return self._executor.submit(job, *args)

    def of_one(self) -> "Pool":
        """A pool of one worker, for jobs of which one may have killed its worker."""
        return Pool(self._make_executor, 1)
