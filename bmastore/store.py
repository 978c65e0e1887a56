"""The Python interface: a store as an object."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bmastore import report
from bmastore.config import TrainConfig
from bmastore.report import Explanation, Status
from bmastore.storage.migrate import migrate
from bmastore.storage.publish import publish
from bmastore.storage.session import open_reader, open_writer

if TYPE_CHECKING:
    import pandas as pd

    from bmastore.backtest import BacktestReport
    from bmastore.dispatch import Progress
    from bmastore.panel.forget import Forgotten
    from bmastore.panel.ingest.report import IngestReport
    from bmastore.plan import PassOptions
    from bmastore.predict import PredictionReport
    from bmastore.train import RunSummary


class Store:
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

    Notes
    -----
    The file is open only while a method runs. One process may write it; while
    it does, reading methods answer from the published results.
    """

    def __init__(self, path: str | Path = "bma.duckdb", ledger: str | None = None) -> None:
        self.path = Path(path)
        self.ledger = ledger

    def ingest(
        self,
        data: Any = None,
        *,
        target: Any = None,
        horizon: "int | str | Sequence[int] | None" = None,
        ticker_col: str | None = None,
        date_col: str | None = None,
        features_sql: str | None = None,
        exclude: Sequence[str] = (),
        keep_suspicious: bool = False,
        vendor: str | None = None,
        date_format: str | None = None,
        time_zone: str | None = None,
        aggregate: str | None = None,
        encoding: str | None = None,
        decimal: str | None = None,
        from_url: str | None = None,
        query: str | None = None,
        dry_run: bool = False,
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
        ticker_col, date_col:
            Names of the key columns where they are not the usual ones.
        features_sql:
            For prices: SQL in the manner of ``sql/features/ohlcv.sql`` that
            computes features and target. The store remembers it.
        exclude:
            Columns that are no features. The store remembers them.
        keep_suspicious:
            Take features that look as if they knew the future.
        vendor:
            Whose layout it is, where it is not recognised.
        date_format:
            How dates are written, such as ``"%d/%m/%Y"``, or ``"excel"``.
        time_zone:
            Zone of the market, where dates are instants of UTC.
        aggregate:
            ``"daily"`` makes one bar per day out of several.
        encoding, decimal:
            Encoding of text files, and the decimal sign in them.
        from_url, query:
            In place of ``data``: the rows of a query to a database.
        dry_run:
            Report what would be taken, and store nothing.

        Raises
        ------
        InputError
            If the data cannot be read, none of its rows can be taken, or what
            it says may mean two things.
        ConfigError
            If an option has no such value.
        StoreLockedError
            If another process holds the store.
        """
        from bmastore.errors import ConfigError
        from bmastore.panel.ingest.database import Query
        from bmastore.panel.ingest.options import IngestOptions, as_horizons
        from bmastore.panel.ingest.take import ingest

        if (from_url is None) != (query is None) or (data is None) == (from_url is None):
            raise ConfigError("give either data (files, frames), or a database's URL and a query")
        if from_url is not None and query is not None:
            data = Query(from_url, query)
        options = IngestOptions(
            horizons=as_horizons(horizon),
            ticker_col=ticker_col,
            date_col=date_col,
            exclude=(exclude,) if isinstance(exclude, str) else tuple(exclude),
            keep_suspicious=keep_suspicious,
            date_format=date_format,
            time_zone=time_zone,
            aggregate=aggregate,
            vendor=vendor,
            encoding=encoding,
            decimal=decimal,
            features_sql=features_sql,
        )
        fresh = not self.path.exists()
        try:
            with open_writer(self.path, ledger_url=self.ledger, create=True) as writer:
                taken = ingest(writer, data, options, target=target, dry_run=dry_run)
                if not dry_run:
                    publish(writer)
                return taken
        finally:
            if fresh and dry_run:
                self.path.unlink(missing_ok=True)

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
        target:
            Only the labels of this target, not the features.
        before:
            Only rows before this date.
        dry_run:
            Say what would be forgotten, and forget nothing.

        Raises
        ------
        ConfigError
            If nothing says what to forget, or there is no such target.
        UnknownTickerError
            If the store has no such ticker.
        """
        from bmastore.panel.forget import forget

        named = (tickers,) if isinstance(tickers, str) else tuple(tickers)
        with open_writer(self.path, ledger_url=self.ledger) as writer:
            found = forget(writer, named, target=target, before=before, dry_run=dry_run)
            if not dry_run:
                publish(writer)
            return found

    def export(self, what: str, path: str | Path, *, fmt: str = "parquet") -> int:
        """Write the panel to a file: ``"prices"``, or ``"features"`` with the targets.

        The file can be ingested again: ``--target NAME --horizon N`` names its targets.

        Parameters
        ----------
        what:
            ``"prices"`` or ``"features"``.
        path:
            The file.
        fmt:
            ``"parquet"`` or ``"csv"``.

        Returns
        -------
        int
            How many rows were written.

        Raises
        ------
        ConfigError
            If there is no such part or format.
        StoreLockedError
            If another process holds the store.
        """
        from bmastore.panel.export import export_panel

        return export_panel(self.path, what, Path(path), fmt)

    def train(
        self,
        config: TrainConfig | None = None,
        options: "PassOptions | None" = None,
        *,
        on_progress: "Callable[[Progress], None] | None" = None,
        make_executor: Callable[[int], Executor] | None = None,
        say: Callable[[str], None] = lambda sentence: None,
    ) -> "RunSummary":
        """Train what is new or stale, and record every stock's outcome.

        Parameters
        ----------
        config:
            What changes results: preset, members, weighting, folds, seed.
        options:
            What does not: which stocks, workers, memory, batch size.
        on_progress:
            Called after each chunk of stocks, and when the last are committed.
        make_executor:
            Gives an executor for a number of workers, for instance a
            ``distributed.Client``'s; by default worker processes here.
        say:
            Told in a sentence which preset a time budget chose.

        Raises
        ------
        ConfigError, StoreError
            If the store does not have what the config names.
        StoreLockedError
            If another process holds the store.
        """
        from bmastore.executors import local_executor
        from bmastore.plan import PassOptions
        from bmastore.train import run_pass

        with open_writer(self.path, ledger_url=self.ledger) as writer:
            return run_pass(
                writer,
                config or TrainConfig(),
                options or PassOptions(),
                on_progress,
                make_executor or local_executor,
                say,
            )

    def backtest(
        self,
        config: TrainConfig | None = None,
        *,
        cutoffs: int = 4,
        every: int = 20,
        as_of: date | None = None,
        tickers: Sequence[str] | None = None,
        workers: int | None = None,
        on_progress: "Callable[[Progress], None] | None" = None,
        make_executor: Callable[[int], Executor] | None = None,
    ) -> "BacktestReport":
        """Walk forward over cutoffs: train as of each, forecast up to the next, score.

        Every forecaster is scored on the same rows: each member, all of them
        with ``equal`` weights, the ``ensemble``, ``always_zero`` and the plain
        ``recipe``. Scores go to tables of their own; what stocks have been
        trained and forecast stays as it is.

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
        workers:
            Worker processes; ``None`` means one a core.
        on_progress, make_executor:
            As for :meth:`train`.

        Raises
        ------
        ConfigError, StoreError
            If the store does not have what is asked for, or too little history.
        StoreLockedError
            If another process holds the store.
        """
        from bmastore.backtest import run_backtest
        from bmastore.executors import local_executor

        with open_writer(self.path, ledger_url=self.ledger) as writer:
            return run_backtest(
                writer,
                config or TrainConfig(),
                cutoffs=cutoffs,
                every=every,
                as_of=as_of,
                tickers=tickers,
                workers=workers,
                on_progress=on_progress,
                make_executor=make_executor or local_executor,
            )

    def predict(
        self,
        *,
        tickers: Sequence[str] | None = None,
        since: date | None = None,
        until: date | None = None,
        target: str | None = None,
    ) -> "PredictionReport":
        """Forecast rows with the stored ensembles; the last row of each stock by default.

        Parameters
        ----------
        tickers:
            Stocks to score; ``None`` means all that are trained.
        since, until:
            First and last date to score. Without ``since``, the last row up to ``until``.
        target:
            The target, where the store has several.

        Returns
        -------
        PredictionReport
            A frame with the columns of ``v_predictions`` in units of the
            target, and the stocks that could not be scored.

        Raises
        ------
        StoreLockedError
            If a pass holds the store: features are not published.
        """
        from bmastore.predict import predict

        with open_reader(self.path, needs_panel=True) as reader:
            return predict(reader, target=target, tickers=tickers, since=since, until=until)

    def sql(self, query: str, parameters: dict[str, Any] | None = None) -> "pd.DataFrame":
        """Run a read-only query over tables and views.

        Raises
        ------
        QueryError
            If the query is not valid SQL, or tries to write.
        """
        with open_reader(self.path) as reader:
            return report.query(reader, query, parameters).frame()

    def status(self) -> Status:
        """Counts of stocks by status, and the newest run."""
        with open_reader(self.path) as reader:
            return report.status(reader)

    def explain(self, ticker: str) -> Explanation:
        """Why a stock has the status it has: ``facts``, a row a target, and ``members``.

        Raises
        ------
        UnknownTickerError
            If the store has no such ticker.
        """
        with open_reader(self.path) as reader:
            return report.explain(reader, ticker)

    def migrate(self) -> tuple[str, str, Path | None]:
        """Bring an older store up to date, after a backup.

        Returns
        -------
        (schema version before, after, path of the backup or ``None``).
        """
        return migrate(self.path, self.ledger)
