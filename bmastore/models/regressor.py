"""The averaged ensemble as a scikit-learn estimator, for one series without a store."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from bmastore.arrays import StockArrays
from bmastore.errors import ConfigError, InputError, StockError
from bmastore.models import mixture
from bmastore.models.config import Splits, TrainConfig
from bmastore.models.ensemble import predict_with
from bmastore.models.fit import average, fit_ensemble
from bmastore.models.inputs import Inputs
from bmastore.models.universe import NOTHING_SHARED

_N_FOLDS = 3
_FEWEST_ROWS_TO_TRAIN = 5


class BMARegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Bayesian-model-averaged forest, XGBoost, LightGBM and null models.

    The rows are a series, oldest first. Members are compared on three
    walk-forward folds, the newer half of the rows; a row whose target was not
    known when a fold began has no part in it.

    Parameters
    ----------
    members:
        Names out of ``rf``, ``xgb``, ``lgbm``, ``zero``, ``mean``.
    weighting:
        Formula of the weights: ``"pseudo-bma"``, ``"pseudo-bma+"``,
        ``"stacking"``, ``"em"``, ``"bic"`` or ``"equal"``; see :mod:`bmastore.models.weights`.
    horizon:
        Rows until a target is known. Targets that overlap count that many times
        less. In cross-validation give ``TimeSeriesSplit(gap=horizon)``.
    preset:
        ``"ultrafast"``, ``"fast"``, ``"standard"`` or ``"high"``.
    random_state:
        Seed, generator or ``None``.

    Attributes
    ----------
    weights_:
        float64, shape (k,): posterior weights, in the order of ``members``.
    scales_:
        float64, shape (k,): scales of the members' Student-t errors, in units of the target.
    ensemble_:
        The fitted :class:`bmastore.models.ensemble.Ensemble`.
    n_features_in_, feature_names_in_:
        As in scikit-learn.
    """

    def __init__(
        self,
        members: tuple[str, ...] = ("rf", "xgb", "lgbm", "zero", "mean"),
        weighting: str = "pseudo-bma",
        horizon: int = 1,
        preset: str = "standard",
        random_state: Any = 0,
    ) -> None:
        self.members = members
        self.weighting = weighting
        self.horizon = horizon
        self.preset = preset
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> "BMARegressor":
        """Fit to features, shape (n, p), NaN allowed, and targets, shape (n,), oldest first.

        Raises
        ------
        ConfigError
            If a parameter is out of range.
        InputError
            If the rows are too few for the folds, or all targets the same.
        """
        checked: tuple[NDArray[np.float32], NDArray[Any]] = validate_data(
            self, X, y, dtype=np.float32, ensure_all_finite="allow-nan", y_numeric=True
        )
        features, targets = checked
        n = len(targets)
        if "pooled" in self.members:
            raise ConfigError(
                "the pooled member learns from many stocks; BMARegressor has one series"
            )
        if self.horizon < 1:
            raise ConfigError(f"horizon must be at least 1, not {self.horizon}")
        config = TrainConfig(
            preset=self.preset,
            members=tuple(self.members),
            weighting=self.weighting,
            splits=Splits(
                n_folds=_N_FOLDS,
                fold_days=max(1, n // (2 * _N_FOLDS)),
                min_train_rows=_FEWEST_ROWS_TO_TRAIN,
                min_oof_rows=1,
            ),
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
        ).resolve("y", self.horizon, tuple(f"x{i}" for i in range(features.shape[1])))
        rows = _as_series(features, targets, config.horizon)
        try:
            found = average(rows, config, NOTHING_SHARED)
        except StockError as error:
            raise InputError(f"n_samples={n}: {error}") from None
        self.ensemble_ = fit_ensemble(rows, config, NOTHING_SHARED, found)
        self.weights_, self.scales_ = found.weights, found.scales
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predictive means, shape (n,), for features of shape (n, p)."""
        return mixture.mixture_mean(self._centres(X), self.ensemble_.weights)

    def predict_interval(self, X: ArrayLike, coverage: float = 0.8) -> NDArray[np.float64]:
        """Central predictive intervals, shape (n, 2): lower and upper ends.

        Parameters
        ----------
        X:
            Features, shape (n, p).
        coverage:
            Probability that a target lies inside, 0 < coverage < 1.

        Raises
        ------
        InputError
            If ``coverage`` is out of range.
        """
        if not 0 < coverage < 1:
            raise InputError(f"coverage must lie between 0 and 1, not {coverage}")
        levels = (0.5 - coverage / 2, 0.5 + coverage / 2)
        centres, ensemble = self._centres(X), self.ensemble_
        return mixture.mixture_quantiles(centres, ensemble.scales, ensemble.weights, levels)

    def _centres(self, X: ArrayLike) -> NDArray[np.float64]:
        check_is_fitted(self)
        features: NDArray[np.float32] = validate_data(
            self, X, dtype=np.float32, ensure_all_finite="allow-nan", reset=False
        )
        ensemble = self.ensemble_
        inputs = Inputs.alone(features)
        now = ensemble.moves.now(ensemble.moves.widths(inputs))
        return predict_with(ensemble.names, ensemble.members, inputs, now)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _as_series(X: NDArray[np.float32], y: NDArray[Any], horizon: int) -> StockArrays:
    """Rows with a day each, the last one -1: so the newest cell of the folds' grid is full."""
    days = (np.arange(len(y)) - len(y)).astype("datetime64[D]")
    return StockArrays("", days, days + horizon, np.ascontiguousarray(X), y.astype(np.float64))
