"""What there is to know of a Dask cluster behind an executor, without importing Dask."""

from concurrent.futures import Executor
from typing import Any


def count_workers(executor: Executor) -> int | None:
    """Jobs that the workers of a Dask cluster do at once, now; -1 if it is gone.

    ``None`` for other executors.
    """
    client = getattr(executor, "_client", None)  # an executor of Dask's has no other way to it
    if client is None or not type(client).__module__.startswith("distributed"):
        return None
    if client.status in ("closed", "closing"):
        return -1
    if client.status != "running":  # it connects again, or cannot
        return 0
    return sum(threads_by_address(client).values())


def threads_by_address(client: Any) -> dict[str, int]:
    """Where the workers listen that there are now, and how many jobs each does at once."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return {address: int(worker["nthreads"]) for address, worker in workers.items()}


def is_killed_worker(error: BaseException) -> bool:
    """Whether an error is Dask's for a job on which workers died."""
    return type(error).__name__ == "KilledWorker"
