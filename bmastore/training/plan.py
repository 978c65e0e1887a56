"""What a pass will do, as a value made from reads alone; a dry run shows the same value."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from bmastore.calendar import utc_now
from bmastore.errors import ArtifactError
from bmastore.ledger import causes, folds, runs, universes
from bmastore.ledger.causes import History, Inputs, NewestAttempt, StaleRules
from bmastore.ledger.entries import Planned
from bmastore.models.config import FitConfig, TrainConfig
from bmastore.models.members.registry import shared_among
from bmastore.models.universe import open_universe
from bmastore.panel.read import iterate_rows, spacing
from bmastore.panel.series import (
    Series,
    choose_features,
    choose_series,
    choose_target,
    describe,
    feature_columns,
    target_horizons,
)
from bmastore.storage import artifacts
from bmastore.storage.session import Session
from bmastore.training.kept import Kept, is_behind, keep
from bmastore.training.options import PassOptions, worker_count
from bmastore.training.universe import anchor_of


@dataclass(frozen=True)
class UniversePlan:
    """What stocks will share: its anchor date, and its bytes; empty if it is to be made."""

    anchor: date
    blob: bytes = b""


@dataclass(frozen=True)
class Plan:
    """What a pass will do.

    Attributes
    ----------
    config:
        What the fits are told.
    options:
        How the pass goes about it.
    stocks:
        Those that are trained, longest history first.
    kept:
        Those that their ensembles forecast anew.
    workers:
        How many.
    universe:
        What they share; ``None`` where they share nothing.
    folds_remembered:
        Folds that may be used again, if neither their training rows nor their features
        have changed.
    seconds_per_stock:
        CPU seconds per stock in the last run of this preset; ``None`` before the first.
    """

    config: FitConfig
    options: PassOptions
    stocks: tuple[Planned, ...]
    kept: tuple[Kept, ...]
    workers: int
    universe: UniversePlan | None
    folds_remembered: int
    seconds_per_stock: float | None

    @cached_property
    def stocks_by_cause(self) -> dict[str, int]:
        """How many stocks are trained for each cause, the most frequent first."""
        return dict(Counter(stock.cause for stock in self.stocks).most_common())

    def outline(self) -> "Outline":
        """The plan in numbers."""
        universe = "none"
        if self.universe is not None:
            how = "stored" if self.universe.blob else "to be made"
            universe = f"{how}, as of {self.universe.anchor}"
        return Outline(
            self.config.target,
            len(self.stocks),
            len(self.kept),
            self.stocks_by_cause,
            self.config.preset,
            self.workers,
            universe,
            self.folds_remembered,
            self.seconds_per_stock,
            self.seconds,
        )

    @property
    def seconds(self) -> float | None:
        """Expected wall time; ``None`` before the first run."""
        if self.seconds_per_stock is None:
            return None
        return self.seconds_per_stock * len(self.stocks) / self.workers


@dataclass(frozen=True)
class Outline:
    """A plan in numbers, for people and programs; see :class:`Plan`."""

    target: str
    selected: int
    only_forecast: int
    causes: dict[str, int]
    preset: str
    workers: int
    universe: str
    folds_remembered: int
    seconds_per_stock: float | None
    seconds: float | None


def targets_of(session: Session, config: TrainConfig) -> tuple[str | None, ...]:
    """The targets that a config names, or all that the store has; ``None`` where it has none."""
    if config.target is None:
        return tuple(target_horizons(session.duck)) or (None,)
    return (config.target,) if isinstance(config.target, str) else config.target


def resolve(session: Session, config: TrainConfig) -> FitConfig:
    """A config of one target with the names of the store's target and features.

    Raises
    ------
    ConfigError, StoreError
        If the store has no such target or features.
    """
    named = config.target if isinstance(config.target, str | None) else None
    target, horizon = choose_target(session.duck, named)
    features = choose_features(session.duck, config.features)
    return config.resolve(target, horizon, features, spacing(session.duck, target))


def make_plan(session: Session, config: FitConfig, options: PassOptions) -> Plan:
    """What a pass with these settings will do now.

    Raises
    ------
    UnknownTickerError
        If a named ticker is not in the store.
    """
    stocks, kept = _plan_stocks(session, config, options)
    changed = [stock.ticker for stock in stocks if stock.cause == "data"]
    return Plan(
        config,
        options,
        stocks,
        kept,
        worker_count(options.workers, options.max_memory, len(stocks)),
        _plan_universe(session, config, options) if stocks else None,
        folds.count_remembered(session.duck, config, changed),
        runs.cost_per_stock(session, config.target, config.preset),
    )


def _plan_stocks(
    session: Session, config: FitConfig, options: PassOptions
) -> tuple[tuple[Planned, ...], tuple[Kept, ...]]:
    """The stocks that are trained, and those that are only forecast."""
    series = choose_series(session.duck, config.target, options.tickers)
    if options.as_of is not None:
        series = _series_as_of(session, series, config.target, options.as_of)
    newest = causes.newest_attempts(session, config.target)
    config_hash, code = config.digest(), config.code_version()
    planned, kept, oldest = [], [], None
    if options.max_age is not None:
        oldest = utc_now() - timedelta(days=options.max_age)
    rules = StaleRules(options.stale_after, oldest)
    for one in series:
        last, now = newest.get(one.ticker), Inputs(one.digest, config_hash, code)
        cause = causes.select_cause(
            last,
            now,
            History(one.n_rows, one.history_since),
            rules,
            force=options.force,
            retry_failed=options.retry_failed,
        )
        if cause is not None:
            planned.append(_plan_stock(one, last, now, cause, options.as_of))
        elif last is not None and is_behind(one, last, now):
            kept.append(keep(one.ticker, last))
    chosen = planned[: options.limit]
    trained = tuple(sorted(chosen, key=lambda stock: (-stock.history.n_rows, stock.ticker)))
    return trained, tuple(kept)


def _plan_stock(
    one: Series, last: NewestAttempt | None, now: Inputs, cause: str, as_of: date | None
) -> Planned:
    before = last.cutoff if last else None
    cutoff = as_of or one.last_date
    # Without a date as of which to train, a fit may see all there is. Where the newest rows
    # have been removed since the last attempt, it is no look back.
    if as_of is None and before is not None and (cutoff is None or cutoff < before):
        cutoff = before
    return Planned(
        one.ticker,
        cause,
        last.attempts + 1 if last else 1,
        now,
        History(one.n_rows, one.history_since),
        cutoff,
        last.current_artifact if last else None,
        before is not None and cutoff is not None and cutoff < before,
    )


def _plan_universe(
    session: Session, config: FitConfig, options: PassOptions
) -> UniversePlan | None:
    """The stored universe if it serves; it is made anew where all stocks are forced."""
    if not shared_among(config.members):
        return None
    anchor = anchor_of(session, config, options.as_of)
    if anchor is None:
        return None
    if options.force and options.tickers is None:
        return UniversePlan(anchor)
    sha256 = universes.find_universe(session, config, anchor)
    if sha256 is None:
        return UniversePlan(anchor)
    try:
        blob = artifacts.read(session.models, sha256)
        open_universe(blob)
    except ArtifactError:  # a damaged one is made anew
        return UniversePlan(anchor)
    return UniversePlan(anchor, blob)


def _series_as_of(
    session: Session, series: Sequence[Series], target: str, as_of: date
) -> list[Series]:
    """Digests and sizes of stocks as they were on a date."""
    features, horizon = feature_columns(session.duck), target_horizons(session.duck)[target]
    cutoff = np.datetime64(as_of, "D")
    tickers = [one.ticker for one in series]
    # What was known then is the beginning of what is known now.
    since = {one.ticker: one.history_since for one in series}
    return [
        replace(describe(stock.as_of(cutoff), features, horizon), history_since=since[stock.ticker])
        for stock in iterate_rows(session.duck, tickers, target, features)
    ]
