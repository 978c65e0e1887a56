"""Worker processes on this machine."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import Any

# Never fork: a forked OpenMP runtime hangs. A fork server imports the libraries once for
# all workers and every later one, which on a short pass is most of the time; macOS's
# system libraries do not survive it.
_START_METHOD = "spawn" if sys.platform == "darwin" else "forkserver"
_BASE = multiprocessing.get_context(_START_METHOD)
# How long a pool may take to see for itself that a worker has ended.
_PATIENCE_S = 1.0
# Between tries to start a worker.
_PAUSES_S = (0.05, 0.2, 1.0)
# What Linux grants to everybody.
_PIPE_BYTES = 2**20
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class LocalExecutor(ProcessPoolExecutor):
    """Worker processes on this machine, which can be ended whatever they do."""

    def __init__(self, workers: int, context: "_Context") -> None:
        super().__init__(workers, mp_context=context, initializer=_prepare_worker)
        self._own_context = context
        _widen(self._call_queue._writer)  # type: ignore[attr-defined]

    def everywhere(self, question: Callable[[], bool]) -> bool:
        """Whether all workers say yes: they are of this machine, and run as who is asked here."""
        return question()

    def kill(self) -> None:
        """End all workers now, also one that is stopped."""
        self._own_context.kill()


def local_executor(workers: int) -> Executor:
    """A pool of worker processes on this machine, each with one thread."""
    context = _Context()
    if _START_METHOD == "forkserver":
        from multiprocessing import forkserver

        # It imports the libraries while the coordinator reads the first rows.
        context.set_forkserver_preload(["bmastore.workers.preload"])
        with _without_main(), _deaf_to_ctrl_c():
            forkserver.ensure_running()
    return LocalExecutor(workers, context)


def _widen(pipe: Any) -> None:
    """Give a pipe room for a chunk of stocks: through Linux's 64 KB it goes in a dozen steps."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):  # the system grants less: only slower
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Keep new processes from importing the user's main script, which may lack a main guard."""
    main = sys.modules["__main__"]
    names = ("__spec__", "__file__")
    hidden: dict[str, Any] = {n: main.__dict__[n] for n in names if n in main.__dict__}
    main.__spec__ = None
    main.__dict__.pop("__file__", None)
    try:
        yield
    finally:
        main.__dict__.update(hidden)


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Have new processes not hear Ctrl-C, not even while they import libraries.

    It reaches all processes of a terminal; the coordinator, which hears it a moment later, decides
    what ends.
    """
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # as it begins, it lets the signal through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Process(_BASE.Process):  # type: ignore[name-defined, misc]
    def start(self) -> None:
        """Start it; again, where the fork server is killed meanwhile and another takes its place.

        For a moment after that, it is taken to be there still.
        """
        with _without_main(), _deaf_to_ctrl_c():
            for pause in _PAUSES_S:
                with contextlib.suppress(ConnectionError, EOFError):
                    super().start()
                    return
                time.sleep(pause)
            super().start()


class _Context(type(_BASE)):  # type: ignore[misc]
    """Makes the processes of one pool, and sees to it that they end together.

    A worker that is killed while it writes a result leaves half a message in the pipe of
    all results and that pipe locked: ``concurrent.futures`` would read on, and the other
    workers wait, forever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._workers: list[Any] = []
        self._results: Any = None

    def SimpleQueue(self) -> Any:  # noqa: N802  as multiprocessing names it
        """The pipe of all results."""
        self._results = super().SimpleQueue()
        _widen(self._results._writer)
        return self._results

    def Process(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802  as multiprocessing names it
        """A worker, not started yet."""
        if not self._workers:
            threading.Thread(target=self._end_together, daemon=True).start()
        self._workers.append(_Process(*args, **kwargs))
        return self._workers[-1]

    def _end_together(self) -> None:
        """When a worker has ended, end the others, and then whoever reads their results."""
        while not wait(list(self._started()), timeout=_PATIENCE_S):
            pass
        # Mostly the pool sees the end of a worker itself, and says which work was lost.
        time.sleep(_PATIENCE_S)
        self.kill()
        self._results._writer.close()

    def kill(self) -> None:
        """End all processes now."""
        for worker in self._workers:
            if worker.pid is not None:
                worker.kill()

    def _started(self) -> Iterator[int]:
        for worker in self._workers:
            with contextlib.suppress(ValueError):  # not started yet
                yield worker.sentinel


def one_thread() -> None:
    """Have this process's numerical libraries, not imported yet, run on one thread each.

    Threads inside each of many processes would only fight over the cores. A worker calls
    it: the caller of bmastore keeps its environment as it is.
    """
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))


def _prepare_worker() -> None:
    one_thread()
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """End this worker when its coordinator is killed, rather than wait for work forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
