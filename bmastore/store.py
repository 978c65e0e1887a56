"""The Python interface: a store as an object."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from bmastore.errors import ConfigError
from bmastore.looks import Looks
from bmastore.models.config import TrainConfig
from bmastore.progress import told
from bmastore.storage.paths import named_path, real_path
from bmastore.storage.publish import publish
from bmastore.storage.session import open_dry, open_reader
from bmastore.training.options import PassOptions

if TYPE_CHECKING:
    from bmastore.evaluation.report import BacktestReport
    from bmastore.panel.forget import Forgotten
    from bmastore.panel.ingest.options import Asked
    from bmastore.panel.ingest.report import IngestReport
    from bmastore.training.plan import Plan
    from bmastore.training.run import RunSummary
    from bmastore.workers.dispatch import Progress

Settings = TypeVar("Settings", TrainConfig, PassOptions)


class Store(Looks):
    """A store of features, targets, ensembles and forecasts in one DuckDB file.

    Parameters
    ----------
    path:
        The file; the first ``ingest`` makes it. Artifacts lie beside it in
        ``<name>.models/``, published results in ``<name>.results.duckdb``.
    ledger:
        URL of a PostgreSQL database for the ledger, for instance
        ``postgresql://user@host/database``; by default it lies in the same
        file. Give it again whenever the store is written.
    lock_timeout:
        Seconds to wait while other processes have the store open.
    say:
        Told in a sentence what is worth knowing: which preset a time budget chose, that
        the published results answer while another process writes the store.

    Notes
    -----
    The file is open only while a method runs. One process may write it; while
    it does, reading methods answer from the published results.

    Besides what each method names, all raise :class:`StoreNotFoundError` if there is no
    store, :class:`SchemaTooOldError` or :class:`SchemaTooNewError` if it needs another
    bmastore, and :class:`StoreLockedError` if others hold it for longer than
    ``lock_timeout``, or a pass runs and what is asked for is not published.
    """

    def __init__(
        self,
        path: str | Path = "bma.duckdb",
        ledger: str | None = None,
        *,
        lock_timeout: float = 30.0,
        say: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        super().__init__(real_path(path), ledger, lock_timeout, say)

    def ingest(
        self,
        data: Any = None,
        *,
        target: Any = None,
        horizon: "int | str | Sequence[int] | None" = None,
        dry_run: bool = False,
        **options: "Unpack[Asked]",
    ) -> "IngestReport":
        """Take daily prices, or a panel of features with targets, in one transaction.

        Ingest is an upsert by (ticker, date): the same data twice changes
        nothing, a revised row makes its stock stale and no other.

        Parameters
        ----------
        data:
            Paths, globs or folders of Parquet, CSV, Arrow, Excel or zip files
            (one or a list), a pandas, Polars or Arrow table, a reader of
            record batches, or a dict of frames or series by ticker, whose
            index holds the dates. ``bmastore docs data`` shows it by vendor.
        target:
            For a panel: the column to forecast, ``"name"`` or ``"name:horizon"``,
            a list of these, or a dict of horizons by name. All other columns
            but ticker and date are features and are stored as 32-bit floats,
            except those that are targets of the store. Rows without a target
            are kept: they are what is forecast. Or the targets themselves: with
            a dict of frames, a dict of series by ticker, joined by date, or of
            arrays; with a frame, a series or array. They are then named
            ``target``.
        horizon:
            Trading days that the target looks ahead; for prices one or several,
            5 unless said otherwise once.
        dry_run:
            Report what would be taken, and store nothing.
        **options:
            How the input is to be read, where it does not tell:
            :class:`bmastore.panel.ingest.options.Asked`.

        Raises
        ------
        InputError
            If the data cannot be read, none of its rows can be taken, or what
            it says may mean two things.
        ConfigError
            If an option has no such value.
        """
        from bmastore.panel.ingest.options import read_options
        from bmastore.panel.ingest.take import ingest

        data, read = read_options(data, horizon, options)
        if dry_run:
            with open_dry(self.path) as session:
                return ingest(session, data, read, target=target)
        from bmastore.ledger.outcomes import settle, settle_beside

        with self._writing(create=True) as writer:
            if writer.server is None:
                taken = ingest(writer, data, read, target=target, at_end=settle)
            else:
                taken = ingest(writer, data, read, target=target)
                settle_beside(writer, self._say)
            publish(writer)
            return taken

    def ingest_stocks(self, path: str | Path, *, dry_run: bool = False) -> "IngestReport":
        """Take what is known of stocks from CSV or Parquet: ``ticker``, ``name``, ``sector``, …

        A row takes the place of its stock's. Raises :class:`InputError` if it cannot be read.
        """
        from bmastore.panel.ingest.stocks import ingest_stocks

        if dry_run:
            with open_dry(self.path) as session:
                return ingest_stocks(session, path)
        with self._writing(create=True) as writer:
            taken = ingest_stocks(writer, path)
            publish(writer)
            return taken

    def forget(
        self,
        tickers: Sequence[str] = (),
        *,
        target: str | None = None,
        before: date | None = None,
        dry_run: bool = False,
    ) -> "Forgotten":
        """Remove stocks, a target or old rows from the panel; the ledger keeps its history.

        Parameters
        ----------
        tickers:
            Stocks; without any, all.
        target, before:
            Only the labels of this target, not the features; only rows before this date.
        dry_run:
            Say what would be forgotten, and forget nothing.

        Raises
        ------
        ConfigError, UnknownTickerError
            If nothing says what to forget, or there is no such target or ticker.
        """
        from bmastore.panel.forget import forget

        named = (tickers,) if isinstance(tickers, str) else tuple(tickers)
        if dry_run:
            with open_dry(self.path) as session:
                return forget(session, named, target=target, before=before)
        with self._writing() as writer:
            found = forget(writer, named, target=target, before=before)
            publish(writer)
            return found

    def train(
        self,
        config: TrainConfig | None = None,
        options: PassOptions | None = None,
        *,
        on_progress: "Callable[[Progress], None] | None" = None,
        make_executor: Callable[[int], Executor] | None = None,
    ) -> "RunSummary":
        """Train what is new or stale, and record every stock's outcome.

        Parameters
        ----------
        config:
            What changes results: preset, members, weighting, folds, seed.
        options:
            What does not: which stocks, workers, memory, batch size.
        on_progress:
            Called after each chunk of stocks, and when the last are committed, by the thread that
            commits. Without it, a notebook that has ``ipywidgets`` shows a bar.
        make_executor:
            Gives an executor for a number of workers, for instance a
            ``distributed.Client``'s; by default worker processes here.

        Raises
        ------
        ConfigError, StoreError
            If the store does not have what the config names.
        """
        from bmastore.training.run import run_passes
        from bmastore.workers.local import local_executor

        with told(on_progress) as show, self._writing() as writer:
            return run_passes(
                writer,
                _given(TrainConfig, config),
                _given(PassOptions, options),
                show,
                make_executor or local_executor,
                self._say,
            )

    def plan(
        self, config: TrainConfig | None = None, options: PassOptions | None = None
    ) -> "tuple[Plan, ...]":
        """What :meth:`train` would do now: which stocks and why, what is used again, the cost.

        A plan per target. Reads, and changes nothing; raises what :meth:`train` raises.
        """
        from bmastore.training.run import plan_passes

        with open_reader(self.path, needs_panel=True) as reader:
            return plan_passes(reader, _given(TrainConfig, config), _given(PassOptions, options))

    def backtest(
        self,
        config: TrainConfig | None = None,
        *,
        cutoffs: int = 4,
        every: int = 20,
        as_of: date | None = None,
        tickers: Sequence[str] | None = None,
        workers: int | None = None,
        max_memory: int | None = None,
        report: str | Path | None = None,
        on_progress: "Callable[[Progress], None] | None" = None,
        make_executor: Callable[[int], Executor] | None = None,
    ) -> "BacktestReport":
        """Walk forward over cutoffs: train as of each, forecast up to the next, score.

        Every forecaster is scored on the same rows: each member, all of them
        with ``equal`` weights, the ``ensemble``, ``always_zero`` and the plain
        ``baseline``. Scores go to tables of their own; what stocks have been
        trained and forecast stays as it is. A cutoff that is done is kept: the
        same backtest, called again after it was stopped or killed, goes on.

        Parameters
        ----------
        config:
            As for :meth:`train`.
        cutoffs, every:
            How many cutoffs, and how many trading days apart; the last span
            ends with the newest label.
        as_of:
            Use only labels known on this date, the newest ones by default.
        tickers:
            Stocks to forecast; ``None`` means all. What stocks share is learnt
            from all.
        workers, max_memory:
            Worker processes, by default one per core, and bytes that all may hold.
        report:
            Write it to this file, as one HTML page that loads nothing; needs ``[dashboard]``.
        on_progress, make_executor:
            As for :meth:`train`, but that the caller's thread tells of progress.

        Raises
        ------
        ConfigError, StoreError
            If the store does not have what is asked for or too little history, or there is
            anything but a report at its path.
        StoppedError
            If SIGINT or SIGTERM stopped it.
        """
        from bmastore.dashboard.report import check_report, write_report
        from bmastore.evaluation.backtest import plan_backtest, run_backtest
        from bmastore.workers.local import local_executor

        file = None if report is None else named_path(report)
        if file is not None:
            check_report(file)
        with told(on_progress) as show, self._writing() as writer:
            plan = plan_backtest(
                writer,
                _given(TrainConfig, config),
                cutoffs=cutoffs,
                every=every,
                as_of=as_of,
                tickers=(tickers,) if isinstance(tickers, str) else tickers,
                workers=workers,
                max_memory=max_memory,
            )
            found = run_backtest(
                writer,
                plan,
                max_memory=max_memory,
                on_progress=show,
                make_executor=make_executor or local_executor,
            )
        if file is not None:
            write_report(self.path, found, file)
        return found


def _given(kind: type[Settings], settings: Settings | None) -> Settings:
    """Settings, the usual ones where there are none."""
    if settings is not None and not isinstance(settings, kind):
        name = kind.__name__
        raise ConfigError(f"{settings!r} is no {name}; write bmastore.{name}(…), options by name")
    return kind() if settings is None else settings
