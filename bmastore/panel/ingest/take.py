"""Conducts an ingest: rows in, and at the end features, targets and digests that say what changed.

The chain of temporary relations, each made out of the one before:

=================  ==================================================================
``batch_<i>``      a part of the input whose columns are alike, as it was read
``files``          what the names of files say of their rows
``source``         keys and numbers of all batches
``judged``         the same with the reason why a row cannot be taken (a view)
``incoming``       rows that are taken, one per stock and day, in order
``changed``        those of them that are new or differ from the store's
``touched``        the stocks of these
``computed``, …    from prices: features and labels of what is touched
``fresh``          features on their way into the store
=================  ==================================================================
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from bmastore.errors import InputError
from bmastore.panel.ingest import prices, ready
from bmastore.panel.ingest.frames import first_line
from bmastore.panel.ingest.given_targets import join_targets
from bmastore.panel.ingest.options import IngestOptions, as_targets
from bmastore.panel.ingest.report import Count, IngestReport
from bmastore.panel.ingest.sources import open_sources
from bmastore.storage.session import Session, Writer

# Of DuckDB; what is larger goes to the disk. Its own default is most of the machine's.
_DUCKDB_MEMORY = "2GB"


def ingest(
    session: Session,
    data: Any,
    options: IngestOptions | None = None,
    *,
    target: Any = None,
    at_end: Callable[[Writer], object] = lambda writer: None,
) -> IngestReport:
    """Take prices, or a panel if there is a target, in one transaction.

    Parameters
    ----------
    session:
        The store; one that is no :class:`Writer` is told what would be taken, and no more.
    data:
        As for :meth:`bmastore.Store.ingest`, or a :class:`bmastore.panel.ingest.database.Query`.
    options:
        How it is to be read.
    target:
        Columns to forecast, or targets by ticker or beside the frame.
    at_end:
        What else is to be done in the same transaction, when all is stored.

    Raises
    ------
    InputError
        If the input cannot be read. The store is then as it was before.
    """
    options = options or IngestOptions()
    said: list[Count] = []
    if target is not None and not _names_columns(target):
        data, name, said = join_targets(data, target)
        options = replace(options, targets=(name,))
    elif target is not None:
        options = replace(options, targets=as_targets(target))
    panel = bool(options.targets)
    fits = partial(ready.fits, options=options) if panel else prices.fits
    duck = session.duck
    duck.execute(f"set memory_limit = '{_DUCKDB_MEMORY}'")
    with (
        _readable_errors(session.path),
        open_sources(duck, data, options, panel=panel, fits=fits) as sources,
    ):
        prepare = ready.prepare_panel if panel else prices.prepare_prices
        report, store = prepare(duck, sources, options)
        report = replace(report, notes=(*said, *report.notes))
        if not isinstance(session, Writer):
            return replace(report, dry_run=True)
        with session.transaction():
            store()
            at_end(session)
    return report


def _names_columns(target: Any) -> bool:
    """Whether a target is given by the names of columns, not by its values."""
    if isinstance(target, str):
        return True
    if isinstance(target, Mapping):
        return bool(target) and all(
            isinstance(value, int) and not isinstance(value, bool) for value in target.values()
        )
    return isinstance(target, list | tuple) and all(
        isinstance(item, str)
        or (isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str))
        for item in target
    )


@contextlib.contextmanager
def _readable_errors(store: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        if str(store) in str(error):  # not the input: the store cannot be read or written
            raise
        raise InputError(f"cannot take this input: {first_line(error)}") from None
    except OSError as error:
        raise InputError(f"cannot read this input: {error}") from None
    except UnicodeEncodeError as error:
        raise InputError(f"{error.object!r} in this input is not valid Unicode") from None
