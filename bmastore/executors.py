"""Where fits run: a ``concurrent.futures.Executor`` for this machine."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import Any

# Never fork: a forked OpenMP runtime hangs. A fork server imports the libraries once for
# all workers and every later one, which on a short pass is most of the time; macOS's
# system libraries do not survive it.
_START_METHOD = "spawn" if sys.platform in ("darwin", "win32") else "forkserver"
_BASE = multiprocessing.get_context(_START_METHOD)
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def local_executor(workers: int) -> Executor:
    """A pool of worker processes on this machine, each with one thread."""
    context = _Context()
    if _START_METHOD == "forkserver":
        from multiprocessing import forkserver

        # It imports the libraries while the coordinator reads the first rows.
        context.set_forkserver_preload(["bmastore.fit"])
        with _without_main():
            forkserver.ensure_running()
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker)


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


class _Process(_BASE.Process):  # type: ignore[name-defined, misc]
    def start(self) -> None:
        with _without_main():
            super().start()


class _Context(type(_BASE)):  # type: ignore[misc]
    Process = _Process


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Have processes that start meanwhile run their numerical libraries on one thread each.

    The libraries read these variables when they are imported; threads inside
    each of many processes would only fight over the cores.
    """
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _prepare_worker() -> None:
    # Ctrl-C reaches the whole process group; the coordinator decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """End this worker when its coordinator is killed, rather than wait for work forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
