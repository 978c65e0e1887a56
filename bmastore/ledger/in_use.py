"""Asks the ensembles in use for what they say of rows of stocks."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cache, partial
from typing import TYPE_CHECKING, TypeVar

from bmastore.arrays import Dates, StockArrays
from bmastore.cross_section import CrossSections
from bmastore.errors import ArtifactError, StockError
from bmastore.models.inputs import Inputs
from bmastore.models.results import Contributions, Forecasts
from bmastore.panel.read import read_cross_sections, read_rows
from bmastore.panel.series import feature_columns
from bmastore.storage import artifacts
from bmastore.storage.session import Session

if TYPE_CHECKING:
    from bmastore.models.ensemble import Ensemble

_READ_BATCH = 200

Said = TypeVar("Said")
Question = Callable[["Ensemble", Dates, Inputs], Said]


def forecast(ensemble: "Ensemble", dates: Dates, inputs: Inputs) -> Forecasts:
    """The question what it forecasts of some rows."""
    return ensemble.forecast(dates, inputs)


def contributions(ensemble: "Ensemble", dates: Dates, inputs: Inputs) -> Contributions:
    """The question what its forecasts of some rows are the sums of."""
    return ensemble.contributions(dates, inputs)


def ask_in_use(
    session: Session,
    target: str,
    hashes: Mapping[str, str],
    trusted: Sequence[str],
    question: Question[Said],
    choose: Callable[[StockArrays], StockArrays],
    *,
    rows_since: date = date.min,
    sections_since: date | None,
    until: date | None = None,
) -> Iterator[tuple[str, Said | str]]:
    """What ensembles say of some stocks, one after another, or why they say nothing.

    Parameters
    ----------
    hashes:
        Artifact of each stock's ensemble.
    trusted:
        Types that members of somebody's own may be of.
    question:
        :func:`forecast` or :func:`contributions`.
    choose:
        Gives the rows of a stock that its ensemble is asked of.
    rows_since:
        Rows of earlier dates are not read.
    sections_since:
        Date of the oldest row of which an ensemble asks where other stocks stood; ``None`` where
        none does.
    until:
        Nothing of later dates is asked for.
    """
    features, wanted = feature_columns(session.duck), list(hashes)
    sections = CrossSections.none(len(features))
    if sections_since is not None:
        sections = read_cross_sections(session.duck, features, since=sections_since, until=until)
    read = partial(artifacts.read, session.models)
    # Nearly all ensembles share a universe: it is read and verified once.
    ask = partial(_ask, question, read, cache(read), trusted, hashes, features, sections)
    # LightGBM and XGBoost let go of the interpreter while they parse a model and predict.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(wanted), _READ_BATCH):
            batch = wanted[start : start + _READ_BATCH]
            rows = read_rows(session.duck, batch, target, features, rows_since)
            yield from pool.map(ask, [choose(stock) for stock in rows])


def _ask(
    question: Question[Said],
    read: Callable[[str], bytes],
    read_universe: Callable[[str], bytes],
    trusted: Sequence[str],
    hashes: Mapping[str, str],
    features: tuple[str, ...],
    sections: CrossSections,
    rows: StockArrays,
) -> tuple[str, Said | str]:
    """What an ensemble says of one stock's rows, or why it says nothing."""
    # LightGBM and XGBoost are for those who forecast, not for whoever plans to.
    from bmastore.models.ensemble import load

    try:
        ensemble = load(read(hashes[rows.ticker]), read_universe, trusted)
        absent = [name for name in ensemble.features if name not in features]
        if absent:
            raise ArtifactError(f"its ensemble needs feature {absent[0]!r}, which the store lacks")
        columns = [features.index(name) for name in ensemble.features]
        inputs = Inputs.among(sections, rows.dates, rows.X).columns(columns)
        return rows.ticker, question(ensemble, rows.dates, inputs)
    except StockError as error:
        return rows.ticker, str(error)
