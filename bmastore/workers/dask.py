"""Workers on a Dask cluster: how it is found, and what is sent to it.

What chunks share goes to each worker once. The rest goes from here to a worker and back, and not
by way of the scheduler, where workers can be reached. Each job says which libraries it expects:
forecasts are the same to the bit only where the same ones grow the trees.
"""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from bmastore.cross_section import CrossSections
from bmastore.errors import ConfigError, WorkersError
from bmastore.workers.chunks import Chunk
from bmastore.workers.cluster import threads_by_address
from bmastore.workers.parcel import Parcel

Result = TypeVar("Result")

# What changes results where it differs.
_LIBRARIES = (
    "bmastore",
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-learn-intelex",
    "lightgbm",
    "xgboost",
    "xgboost-cpu",
)
_NOTHING_SHARED = b"", None
_PATIENCE_S = 10
# How often it is asked who the workers are, and how long one may take to be reached.
_ASK_AGAIN_S, _REACHED_S = 2.0, 2.0
# What takes from fits: Dask's own look at what workers do, a hundred times per second, and memory
# that goes back to the system whenever some is freed, a tenth of their time.
_FOR_FITS = {
    "distributed.worker.profile.enabled": False,
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
}


@dataclass(frozen=True)
class Cluster:
    """A cluster that is connected: what makes executors on it, for so many jobs at once."""

    make_executor: Callable[[int], Executor]
    workers: int


class ClusterExecutor(Executor):
    """Does jobs on a cluster, given a ``distributed.Client``.

    ``follows`` says whether as many are to be in work as the cluster has workers for, which may
    come and go; ``is_here``, whether all of its workers are of this machine.
    """

    def __init__(self, client: Any, follows: bool = True, is_here: bool = False) -> None:
        self.follows = follows
        self._is_here = is_here
        self._is_open = True
        self._workers = _Workers(client)
        self._client = client  # known by this name to bmastore.workers.cluster, as in Dask's own
        self._executor = client.get_executor(pure=False)
        self._shared: tuple[Chunk, Any] | None = None

    def submit(self, job: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        """Have a job done; what a chunk shares with others is sent before it, once."""
        shared = next((self._share(one) for one in args if _is_sharing(one)), _NOTHING_SHARED)
        sent = [Parcel.of(one) if isinstance(one, Chunk) else one for one in args]

        def send(given: Any) -> Future[Result]:
            found: Future[Result] = self._executor.submit(
                _do, job, given, kwargs, libraries(), shared
            )
            return found

        worker = self._workers.least_busy()
        placed = None if worker is None else self._place(sent, worker)
        if worker is None or placed is None:
            return send(sent)

        def again() -> Future[Result] | None:
            goes_on = self._is_open and self._client.status == "running"
            return send(sent) if goes_on else None

        found = _unless_lost(send(placed), again)
        self._workers.count(worker, found)
        return found

    def _place(self, sent: list[Any], worker: str) -> Any:
        """What a job is given, sent to a worker who is to do it; Dask may still move it.

        ``None`` where it could not be sent.
        """
        try:
            (placed,) = self._client.scatter(
                [sent], workers=[worker], direct=True, hash=False, timeout=_REACHED_S
            )
        except (TimeoutError, KeyError):  # it has just left, so that the scheduler knows it no more
            return None
        except OSError:  # it is out of reach, as others of its host may be
            self._client.direct_to_workers = False
            return None
        return placed

    def everywhere(self, question: Callable[[], bool]) -> bool:
        """Whether all workers that there are now say yes to a question."""
        if self._is_here:
            return question()
        there = threads_by_address(self._client)
        asked = [self._client.submit(question, workers=[one], pure=False) for one in there]
        try:
            return bool(asked) and all(one.result(timeout=_PATIENCE_S) is True for one in asked)
        except Exception:  # noqa: BLE001  whatever keeps one from answering, it has not said yes
            return False

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let go of the cluster, which goes on."""
        self._shared, self._is_open = None, False
        self._executor.shutdown(wait=wait)

    def _share(self, chunk: Chunk) -> Any:
        """A future of what a chunk shares; it is sent again where the workers have lost it.

        Where it could not be sent, what the chunk shares itself: it goes with the job.
        """
        if self._shared is not None:
            like, sent = self._shared
            is_same = like.universe is chunk.universe and like.recent is chunk.recent
            if is_same and sent.status not in ("lost", "cancelled", "error"):
                return sent
        what = (chunk.universe, chunk.recent)
        try:
            (sent,) = self._client.scatter([what], broadcast=True, hash=False, timeout=_REACHED_S)
        except (OSError, TimeoutError, KeyError):  # a worker has just left, or there is none yet
            return what
        self._shared = (chunk, sent)
        return sent


def _unless_lost(
    first: Future[Result], again: Callable[[], Future[Result] | None]
) -> Future[Result]:
    """A job that is sent again, by way of the scheduler, if the worker that held its data has gone.

    The scheduler can give it to another worker; it cannot give data that it never had. ``again``
    gives ``None`` where there is no scheduler either.
    """
    found: Future[Result] = Future()

    def pass_on(done: Future[Result]) -> None:
        if done.cancelled():
            found.cancel()
        if not found.set_running_or_notify_cancel():
            return
        error = done.exception()
        if error is None:
            found.set_result(done.result())
        else:
            found.set_exception(error)

    def look(done: Future[Result]) -> None:
        second = again() if done.cancelled() and not found.cancelled() else None
        if second is None:
            pass_on(done)
        else:
            second.add_done_callback(pass_on)

    first.add_done_callback(look)
    found.add_done_callback(lambda done: done.cancelled() and first.cancel())
    return found


class _Workers:
    """The workers that can be reached from here, and what was sent to each of them."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._threads: dict[str, int] = {}
        self._jobs: dict[str, list[Future[Any]]] = {}
        self._asked_at = -_ASK_AGAIN_S

    def least_busy(self) -> str | None:
        """Address of one; ``None`` where what is sent has to go by way of the scheduler."""
        if not self._client.direct_to_workers or self._client.status != "running":
            return None
        now = time.monotonic()
        if now >= self._asked_at + _ASK_AGAIN_S:
            self._threads, self._asked_at = threads_by_address(self._client), now
        return min(self._threads, key=self._load, default=None)

    def count(self, address: str, job: Future[Any]) -> None:
        """Count a job for a worker until it is done."""
        self._jobs.setdefault(address, []).append(job)

    def _load(self, address: str) -> float:
        """Jobs per thread."""
        self._jobs[address] = [job for job in self._jobs.get(address, ()) if not job.done()]
        return len(self._jobs[address]) / self._threads[address]


def _reaches_workers(client: Any) -> bool:
    """Whether a worker can be reached from here, and not by way of the scheduler alone."""
    there = list(threads_by_address(client))[:1]
    settings: Any = import_module("dask.config")
    try:
        with settings.set({"distributed.comm.timeouts.connect": _REACHED_S}):
            return bool(there) and bool(client.scatter([b""], workers=there, direct=True))
    except (OSError, TimeoutError):
        return False


def _is_sharing(argument: Any) -> bool:
    return isinstance(argument, Chunk) and bool(argument.universe)


def _do(
    job: Callable[..., Result],
    args: list[Any],
    kwargs: dict[str, Any],
    expected: dict[str, str],
    shared: tuple[bytes, CrossSections | None],
) -> Result:
    """A job as a worker does it."""
    found = libraries()
    differ = [f"{name} {expected[name]}, not {found[name]}" for name in expected
              if expected[name] != found[name]]  # fmt: skip
    if differ:
        raise ImportError(f"a worker needs {' and '.join(differ)}")
    whole = [one.unpacked(*shared) if isinstance(one, Parcel) else one for one in args]
    # A worker of a cluster is not ours to freeze, as local ones are: it is asked for a second or
    # two not to look for garbage, of which fits leave next to none.
    collects = gc.isenabled()
    gc.disable()
    try:
        return job(*whole, **kwargs)
    finally:
        if collects:
            gc.enable()


@cache
def libraries() -> dict[str, str]:
    """Versions of Python and of the libraries that change results, ``none`` where there is none."""
    found = {"Python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


@contextmanager
def connected(address: str, workers: int | None = None) -> Iterator[Cluster]:
    """A cluster.

    Parameters
    ----------
    address:
        ``tcp://host:port`` or ``tls://host:port`` of a scheduler, whose certificates Dask's own
        configuration names; the path of a scheduler file; or ``local:N``, which starts one of N
        workers here for as long as it is needed.
    workers:
        Jobs to have in work at once; ``None`` means as many as the cluster has workers for.

    Raises
    ------
    ConfigError
        If the address is none, or Dask is not installed.
    WorkersError
        If no scheduler answers there.
    """
    try:
        dask: Any = import_module("distributed")
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"a cluster needs {error.name}; run: pip install 'bmastore[cluster]'"
        ) from None
    kind, _, rest = address.partition(":")
    if kind == "local":
        if not rest.isdigit() or int(rest) < 1:
            raise ConfigError(f"{address!r} is no number of workers; write local:4")
        settings: Any = import_module("dask.config")
        with (
            settings.set(_FOR_FITS),
            dask.LocalCluster(
                n_workers=0,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                preload="bmastore.workers.preload",
            ) as cluster,
            dask.Client(cluster, direct_to_workers=True) as client,
        ):
            # They import the libraries while the coordinator plans and reads the first rows.
            cluster.scale(int(rest))
            yield _of(client, workers, int(rest), is_here=True)
        return
    if "@" in address and not Path(address).is_file():
        # It is not repeated, for it may hold a password.
        raise ConfigError(
            "the address of a cluster has no user and no password; write tcp://host:port, or "
            "tls://host:port with Dask's own configuration of certificates"
        )
    if not rest.startswith("//") and not Path(address).is_file():
        raise ConfigError(
            f"{address!r} is no cluster; write tcp://host:port or tls://host:port of its "
            f"scheduler, the path of a scheduler file, or local:N"
        )
    where = {"address": address} if rest.startswith("//") else {"scheduler_file": address}
    try:
        client = dask.Client(timeout=_PATIENCE_S, **where)
    except (OSError, TimeoutError, ValueError) as error:
        raise WorkersError(
            f"no scheduler answers at {address}: {str(error).strip() or type(error).__name__}"
        ) from None
    try:
        client.direct_to_workers = _reaches_workers(client)
        yield _of(client, workers)
    finally:
        with suppress(TimeoutError, OSError):  # a scheduler that is gone says no goodbye
            client.close(timeout=2)


def _of(client: Any, workers: int | None, coming: int = 0, *, is_here: bool = False) -> Cluster:
    there = max(1, coming, sum(client.nthreads().values()))
    return Cluster(lambda _: ClusterExecutor(client, workers is None, is_here), workers or there)
