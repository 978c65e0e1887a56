"""Everything that can go wrong, as one tree.

A message says what is wrong, where, and what to do next; the command line
prints it and leaves with the class's ``exit_code``.
"""

from collections.abc import Collection, Iterable


class BmastoreError(Exception):
    """Root of every error that bmastore raises on purpose."""

    exit_code = 2


class ConfigError(BmastoreError, ValueError):
    """A setting is out of range, or names something that does not exist."""


class InputError(BmastoreError, ValueError):
    """What was handed over cannot be read as prices or as a panel, or cannot be learnt from."""


class QueryError(BmastoreError):
    """A query is not valid SQL, or tries to write."""


class StoreError(BmastoreError):
    """The store cannot be used as it is."""


class StoreNotFoundError(StoreError):
    """There is no store at this path."""


class StoreLockedError(StoreError):
    """Another process holds the store."""

    exit_code = 3


class StoreDamagedError(StoreError):
    """The file is there, and cannot be read as DuckDB's."""


class SchemaTooOldError(StoreError):
    """The store was written by an older bmastore."""


class SchemaTooNewError(StoreError):
    """The store was written by a newer bmastore."""


class UnknownTickerError(StoreError):
    """The store has no such tickers, or no ensembles of them."""

    def __init__(self, lacks: str, tickers: Iterable[str]) -> None:
        super().__init__(
            f"the store has no {lacks} {', '.join(tickers)}; what it has: "
            f"bmastore sql 'from v_status'"
        )


class WorkersError(BmastoreError):
    """There are no workers, or none that can do the work."""


class StoppedError(BmastoreError):
    """Somebody stopped it; what is done stays done."""

    exit_code = 130


class StockError(BmastoreError):
    """One stock cannot be trained or forecast; the others go on.

    In the ledger, ``error_type`` is the class's name and ``error_message`` its
    text.
    """


class TooFewRowsError(StockError):
    """The stock has fewer rows than the walk-forward folds need."""


class ConstantTargetError(StockError):
    """Every label of the stock is the same: there is nothing to learn."""


class NotFiniteError(StockError):
    """A member, or the ensemble, predicted something that is not a finite number."""


class MemberError(StockError):
    """A member of somebody's own fails on the stock, which is averaged without it."""

    def __init__(self, member: str, reason: str) -> None:
        # Both as they are, so that it can come from a worker.
        super().__init__(member, reason)
        self.member, self.reason = member, reason

    def __str__(self) -> str:
        return f"member {self.member}: {self.reason}"


class WorkerDiedError(StockError):
    """The worker process died twice on this stock, the second time alone."""


class ArtifactError(StockError):
    """A stored ensemble is missing, or its bytes are not those that were stored."""


class UntrustedError(ArtifactError):
    """A stored ensemble holds a type that its reader has not said to trust."""


def unknown(what: str, name: object, known: Collection[str]) -> str:
    """Says that a name is none of those that are known, and which it may have meant."""
    import difflib

    near = difflib.get_close_matches(str(name), known, n=1)
    meant = f" did you mean {near[0]}? Choose" if near else " choose"
    there = f"{meant} from {', '.join(known)}" if known else " there is none"
    return f"unknown {what} {name!r};{there}"
