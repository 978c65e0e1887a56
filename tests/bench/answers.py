"""A worker that remembers what it has answered: what is left of a pass is the coordinator's.

It lies in a module of its own, which workers can import.
"""

from concurrent.futures import Executor

from bmastore.workers.chunks import Chunk

# What this worker has answered, by question.
_answers = {}


class Remembering(Executor):
    """One worker that remembers what it has answered, in passes that ask the same."""

    def __init__(self, executor):
        self._executor = executor
        self._asked = 0
        # The client of a Dask cluster, known by this name.
        self._client = getattr(executor, "_client", None)

    def submit(self, job, *args):
        self._asked += 1
        about = args[0].rows.tickers if args and isinstance(args[0], Chunk) else ()
        return self._executor.submit(remembered, (self._asked, *about), job, *args)

    def everywhere(self, question):
        return self._executor.everywhere(question)

    def shutdown(self, wait=True, *, cancel_futures=False):
        """The pass is over, and the worker stays for the next."""
        self._asked = 0


def remembered(question, job, *args):
    """What a job gives, or has given to the same question before."""
    if question not in _answers:
        _answers[question] = job(*args)
    return _answers[question]
