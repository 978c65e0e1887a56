"""Workers that do jobs, wherever they run, and others in their place when one has died."""

import contextlib
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from typing import Any, TypeVar

from bmastore.errors import StoppedError, WorkersError
from bmastore.workers.cluster import count_workers, is_killed_worker

Result = TypeVar("Result")

_POLL_S = 0.25
# How often a cluster is asked for its workers, and how long it may have none.
_ASK_AGAIN_S, _PATIENCE_S = 2.0, 60.0
# How long workers that are killed may take to have ended.
_KILLED_S = 5.0


class Pool:
    """Workers that do jobs, and others in their place when one of them has died.

    Parameters
    ----------
    make_executor:
        Gives an executor for so many workers.
    workers:
        How many. An executor that ``follows`` its cluster may have more or fewer in time.
    patience:
        Seconds for which a cluster may have no workers.
    check:
        Asked whenever workers are waited for; what it raises ends the wait.
    """

    def __init__(
        self,
        make_executor: Callable[[int], Executor],
        workers: int,
        patience: float = _PATIENCE_S,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.workers = workers
        self._make_executor = make_executor
        self._patience = patience
        self._check = check
        self._executor = make_executor(workers)
        self._asked_at = self._manned_at = time.monotonic()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            # All work is done: who does not wait for workers that never end loses nothing.
            with contextlib.suppress(StoppedError):
                self._end()
                return
        # What has failed or was stopped twice waits for no worker: one may never answer.
        kill = getattr(self._executor, "kill", None)
        if kill is not None:
            kill()
            # Those that are killed have soon ended. Python prints a traceback of its own where a
            # process exits while its pool ends.
            wait([self._ending()], timeout=_KILLED_S)
            return
        # Dask's own executor cannot be shut down without a scheduler: told is why it ends.
        with contextlib.suppress(Exception):
            self._executor.shutdown(wait=False)

    def _end(self) -> None:
        """Let workers end by themselves, and wait for it."""
        ended = self._ending()
        while not ended.done():
            self._check()
            wait([ended], timeout=_POLL_S)
        ended.result()

    def _ending(self) -> Future[None]:
        """The end of the workers, once they have done what they are at."""
        ended: Future[None] = Future()

        def end() -> None:
            try:
                self._executor.shutdown()
            except BaseException as error:  # noqa: BLE001  who waits for it is told
                ended.set_exception(error)
            else:
                ended.set_result(None)

        threading.Thread(target=end, daemon=True).start()
        return ended

    def submit(self, job: Callable[..., Result], *args: Any) -> Future[Result]:
        """Have a job done; if its worker dies, its future and those of all others say so."""
        try:
            return self._executor.submit(job, *args)
        except BrokenExecutor:  # a worker has died since the last job
            self._executor.shutdown(wait=False)
            self._executor = self._make_executor(self.workers)
            return self._executor.submit(job, *args)

    def wait(self, jobs: Collection[Future[Any]]) -> set[Future[Any]]:
        """Those of some jobs that are done, as soon as one is or a moment has passed.

        Raises
        ------
        WorkersError
            If there is nobody, and has not been for as long as the pool is patient.
        """
        self._check()
        done = wait(jobs, timeout=_POLL_S, return_when=FIRST_COMPLETED).done
        self._look_at_workers(is_idle=not done)
        return done

    def result(self, job: Future[Result]) -> Result:
        """What a job gives.

        Raises
        ------
        BrokenExecutor
            If its worker has died.
        WorkersError
            If there are no workers, or they cannot do such jobs.
        """
        while not job.done():
            self.wait([job])
        try:
            return job.result()
        except ImportError as error:
            raise WorkersError(
                f"the workers cannot do their work: {error}; install there the bmastore that "
                f"runs here, with the same libraries"
            ) from None
        except CancelledError:
            if (count_workers(self._executor) or 0) > 0:  # what the job stood on was lost
                raise BrokenExecutor("a worker that held what stocks share is gone") from None
            raise _left() from None
        except Exception as error:
            if is_killed_worker(error):
                raise BrokenExecutor(str(error)) from None
            raise

    def everywhere(self, question: Callable[[], bool]) -> bool:
        """Whether all workers that there are say yes to a question, which must be picklable.

        No, where an executor cannot tell, or has no workers yet.
        """
        ask = getattr(self._executor, "everywhere", None)
        return ask is not None and bool(ask(question))

    def of_one(self) -> "Pool":
        """A pool of one worker, for jobs of which one may have killed its worker."""
        return Pool(self._make_executor, 1, self._patience, self._check)

    def _look_at_workers(self, *, is_idle: bool) -> None:
        """See, now and then, how many there are; where nothing is done, that there is anybody."""
        now = time.monotonic()
        if now < self._asked_at + _ASK_AGAIN_S:
            return
        self._asked_at = now
        count = count_workers(self._executor)
        if count is None or count > 0:
            self._manned_at = now
            if count is not None and getattr(self._executor, "follows", False):
                self.workers = count
        elif is_idle and count < 0:
            raise _left()
        elif is_idle and now > self._manned_at + self._patience:
            raise WorkersError(
                f"the cluster has had no workers for {self._patience:g} s; what was committed is "
                f"kept: start workers, and run the same command again to go on"
            )


def _left() -> WorkersError:
    return WorkersError(
        "the cluster's scheduler, or the connection to it, is closed; what was committed is kept: "
        "connect again, and run the same command to go on"
    )
