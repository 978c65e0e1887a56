"""What changes a result: presets, members, folds and seed, and their fingerprints.

Nothing here needs NumPy, so that the command line knows the names before anything is imported.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from numbers import Integral
from typing import TYPE_CHECKING, Any

from bmastore import digests
from bmastore.errors import ConfigError, unknown
from bmastore.models.presets import PRESETS, Params

if TYPE_CHECKING:
    from bmastore.models.members.estimators import Estimator

# Raised by hand whenever a change to what computes (models, cross_section, the pooled rows of
# arrays) changes results: every stock fitted by an older recipe is then stale, cause `code`.
RECIPE = 13

# More folds would take days, and older cells than a century hold nothing.
_MOST_FOLDS, _MOST_DAYS = 100, 36_525
_DEFAULT_MEMBERS = ("rf", "xgb", "lgbm", "zero", "mean", "pooled")
WEIGHTINGS = ("pseudo-bma", "pseudo-bma+", "stacking", "em", "bic", "equal")


@dataclass(frozen=True)
class Splits:
    """How a stock's labelled rows are cut into walk-forward folds.

    Folds are cells of ``fold_days`` calendar days on a grid that starts at
    1970-01-01, so they are the same for all stocks and do not move when rows
    are appended. Where rows lie further apart than those of daily data, a cell
    is as many times as long (:meth:`stretched`). The newest ``n_folds`` cells
    are predicted, each by members trained on the rows before it; cells with
    fewer than ``min_train_rows`` rows to train on are left out, and a stock
    with fewer than ``min_oof_rows`` out-of-fold rows in total is skipped.
    """

    n_folds: int = 3
    fold_days: int = 126
    min_train_rows: int = 100
    min_oof_rows: int = 60
    # Share of the training rows, the newest, on which the boosters stop early.
    tail_share: float = 0.2
    # What stocks share is made anew when the calendar enters another cell of so many days.
    refresh_days: int = 21

    def stretched(self, factor: int) -> "Splits":
        """Cells ``factor`` times as long, for rows that lie so many times as far apart."""
        return replace(
            self, fold_days=self.fold_days * factor, refresh_days=self.refresh_days * factor
        )


@dataclass(frozen=True)
class TrainConfig:
    """Everything that changes a result; nothing that does not (no workers, no paths).

    Parameters
    ----------
    preset:
        ``"ultrafast"``, ``"fast"``, ``"standard"`` or ``"high"``.
    members:
        Names out of ``rf``, ``xgb``, ``lgbm``, ``zero``, ``mean``, ``pooled``, ``rf-sklearn``;
        scikit-learn regressors as :class:`bmastore.Estimator`, as ``"name=package.module:name"``
        to import one, or by a name that an installed package brings. With ``pooled``, which is
        fitted over all stocks, the weights of each stock also borrow strength from the others'.
    weighting:
        Formula of the members' weights: ``"pseudo-bma"``, ``"pseudo-bma+"``,
        ``"stacking"``, ``"em"``, ``"bic"`` or ``"equal"``; see :mod:`bmastore.models.weights`.
    target:
        Name of the target to forecast, or several; ``None`` means all that the store has.
    features:
        Feature columns to use; ``None`` means all columns of the store.
    splits:
        The walk-forward folds.
    seed:
        Seed of every random choice of the members.
    params:
        Parameters of members in place of their preset's, as ``{"xgb": {"max_depth": 3}}``;
        ``bmastore docs config`` lists them. Those of members that are not used change nothing.

    Raises
    ------
    ConfigError
        If a name is unknown or a number is out of range.
    """

    preset: str = "standard"
    members: "tuple[str | Estimator, ...]" = _DEFAULT_MEMBERS
    weighting: str = "pseudo-bma"
    target: str | tuple[str, ...] | None = None
    features: tuple[str, ...] | None = None
    splits: Splits = Splits()
    seed: int = 0
    # A dict has no hash; configs that differ in it alone differ all the same.
    params: Mapping[str, Params] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _one_of("preset", self.preset, PRESETS)
        _one_of("weighting", self.weighting, WEIGHTINGS)
        from bmastore.models.members.registry import (
            REGISTRY,
            checked_params,
            packages_among,
            shared_among,
        )
        from bmastore.models.members.stored import needs_skops

        object.__setattr__(self, "members", _found(self.members))
        if not self.members or len(set(self.names)) != len(self.members):
            raise ConfigError(
                f"members must be distinct and at least one, not {self.members!r}; "
                f"choose from {', '.join(REGISTRY)}"
            )
        if self.features is not None and not self.features:
            raise ConfigError("features must be at least one")
        _whole("seed", self.seed)
        if not 0 <= self.seed < 2**31:
            raise ConfigError(f"seed must lie in 0 … 2³¹ - 1, not {self.seed}")
        for split in fields(self.splits):
            if split.name != "tail_share":
                _whole(f"splits.{split.name}", getattr(self.splits, split.name))
            if getattr(self.splits, split.name) <= 0:
                raise ConfigError(f"splits.{split.name} must be positive")
        if self.splits.n_folds > _MOST_FOLDS or self.splits.fold_days > _MOST_DAYS:
            raise ConfigError(
                f"there may be at most {_MOST_FOLDS} folds of at most {_MOST_DAYS:,} days, not "
                f"{self.splits.n_folds:,} of {self.splits.fold_days:,}"
            )
        if self.splits.tail_share >= 1:
            raise ConfigError("splits.tail_share must be below 1")
        if set(self.names) == set(shared_among(self.names)):
            raise ConfigError(f"the member {self.names[0]} needs company, for instance zero")
        if packages_among(self.names):
            needs_skops()
        # A copy, as plain numbers: whoever gave it may change it.
        object.__setattr__(self, "params", checked_params(self.params))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members."""
        return tuple(one if isinstance(one, str) else one.name for one in self.members)

    def params_of(self, member: str) -> Params:
        """All parameters of a member: its own, and for the others its preset's."""
        return _params_of(member, self)

    def resolve(
        self, target: str, horizon: int, features: tuple[str, ...], stretch: int = 1
    ) -> "FitConfig":
        """This config for a store's target.

        Parameters
        ----------
        target, horizon:
            Its name, and the rows that it looks ahead.
        features:
            Feature columns.
        stretch:
            How many times as far apart as those of daily data its rows lie.
        """
        return FitConfig(
            preset=self.preset,
            params={name: self.params[name] for name in self.names if name in self.params},
            members=self.names,
            weighting=self.weighting,
            target=target,
            horizon=horizon,
            features=features,
            splits=self.splits.stretched(stretch),
            seed=self.seed,
            estimators=tuple(one for one in self.members if not isinstance(one, str)),
        )


@dataclass(frozen=True)
class FitConfig:
    """A :class:`TrainConfig` with every name resolved: what a fit is told."""

    preset: str
    params: Mapping[str, Params]
    members: tuple[str, ...]
    weighting: str
    target: str
    horizon: int
    features: tuple[str, ...]
    splits: Splits
    seed: int
    estimators: "tuple[Estimator, ...]" = ()

    def params_of(self, member: str) -> Params:
        """As :meth:`TrainConfig.params_of`."""
        return _params_of(member, self)

    def estimator(self, member: str) -> "Estimator":
        """The member of somebody's own that has this name."""
        return next(one for one in self.estimators if one.name == member)

    def asks_for_weights(self) -> bool:
        """Whether a member is fitted with weights of the rows."""
        return any(one.weighted for one in self.estimators)

    def trusted(self) -> tuple[str, ...]:
        """Types that may be read back, for the config itself brings them."""
        return tuple(path for one in self.estimators for path in one.trusted())

    def code_version(self) -> str:
        """``code_version`` of the ledger: what the members that are used stand on."""
        from bmastore.models.members.registry import packages_among

        sources = packages_among(self.members)
        for one in self.estimators:
            sources |= one.sources()
        return " ".join([code_version(), *(f"{name}={of}" for name, of in sorted(sources.items()))])

    def to_json(self) -> str:
        """Canonical JSON, whole: sorted keys, no spaces, and every parameter of every member."""
        params = {name: self.params_of(name) for name in self.members}
        return _canonical({**self._content(), "params": params, "preset_name": self.preset})

    def digest(self) -> str:
        """``config_hash`` of the ledger: 32 hex digits over all that changes a result."""
        # A preset is its sizes, whatever it is called.
        return digests.of_text(_canonical(self._content()))

    def _content(self) -> dict[str, Any]:
        from bmastore.models.members.registry import params_of, sizes_of

        content: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        content |= {"preset": sizes_of(self.preset), "splits": asdict(self.splits)}
        del content["params"], content["estimators"]
        changed = {
            member: dict(own.items() - params_of(member, self.preset).items())
            for member, own in self.params.items()
        }
        # Without any it is what it was before members had parameters.
        if any(changed.values()):
            content["params"] = {member: own for member, own in changed.items() if own}
        if self.estimators:
            content["estimators"] = {one.name: one.describe() for one in self.estimators}
        return content


def _found(members: "Iterable[str | Estimator]") -> "tuple[str | Estimator, ...]":
    """Members as they are, imported, or brought by an installed package."""
    from bmastore.models.members.registry import REGISTRY

    return tuple(
        one if not isinstance(one, str) or one in REGISTRY else _own(one) for one in members
    )


def _own(text: str) -> "Estimator":
    from bmastore.models.members.estimators import Estimator, entry_points
    from bmastore.models.members.registry import REGISTRY

    name, _, path = text.partition("=")
    brought = entry_points()
    if not path and name not in brought:
        raise ConfigError(unknown("member", name, (*REGISTRY, *brought)))
    return Estimator.imported(name, path or brought[name])


def _params_of(member: str, config: TrainConfig | FitConfig) -> Params:
    from bmastore.models.members.registry import params_of

    return {**params_of(member, config.preset), **config.params.get(member, {})}


def _canonical(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def code_version() -> str:
    """The recipe and the libraries that grow the trees, on which every entry stands."""
    return f"recipe={RECIPE} {_libraries()}"


@cache
def _libraries() -> str:
    from importlib.metadata import version

    try:
        xgboost = version("xgboost-cpu")
    except ModuleNotFoundError:
        xgboost = version("xgboost")
    parts = {"lightgbm": version("lightgbm"), "xgboost": xgboost}
    return " ".join(f"{name}={'.'.join(text.split('.')[:2])}" for name, text in parts.items())


def _whole(what: str, value: Any) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ConfigError(f"{what} must be a whole number, not {value!r}")


def _one_of(what: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise ConfigError(unknown(what, value, known))
