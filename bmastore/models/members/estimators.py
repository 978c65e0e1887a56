"""Members of one's own: any scikit-learn regressor."""

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmastore import digests
from bmastore.errors import ConfigError, MemberError
from bmastore.models.members import stored
from bmastore.models.members.base import FittedMember, TrainingRows

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,29}")
_ENTRY_POINTS = "bmastore.members"
# Parameters that say how fast it is, and not what comes out.
_THREADS = ("n_jobs", "thread_count", "num_threads", "nthread", "n_threads")
_SEEDS = ("random_state", "random_seed", "seed")
_NO_GAPS = (
    "it takes no missing features, and some are missing; put an imputer before it, for instance "
    "make_pipeline(SimpleImputer(), …)"
)


@dataclass(frozen=True)
class Estimator:
    """A scikit-learn regressor as a member.

    For each fit it is cloned, given one thread, and seeded where it has a seed that is not set.

    Parameters
    ----------
    name:
        What it is called: lower-case letters, digits, ``_`` and ``-``.
    estimator:
        The regressor, or a pipeline that ends in one; it is not fitted.
    weighted:
        Fit with sample weights: the inverse square of each row's width, so that a calm day says as
        much as a wild one (generalized least squares, Aitken, 1935).
    permuted:
        Measure permutation importances of each ensemble in which it has weight.

    Raises
    ------
    ConfigError
        If the name is none, or it is no regressor, or takes no sample weights where it is asked to.
    """

    name: str
    estimator: Any = field(hash=False)
    weighted: bool = False
    permuted: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(str(self.name)):
            raise ConfigError(
                f"{self.name!r} cannot be a member's name; take lower-case letters, digits, - and _"
            )
        from bmastore.models.members.registry import REGISTRY

        if self.name in REGISTRY:
            raise ConfigError(f"a member {self.name} comes with bmastore; give yours another name")
        stored.needs_skops()
        if isinstance(self.estimator, type) or not all(
            hasattr(type(self.estimator), method)
            for method in ("fit", "predict", "get_params", "set_params")
        ):
            raise ConfigError(
                f"member {self.name}: {self.estimator!r} is no scikit-learn regressor; it needs "
                f"fit, predict, get_params and set_params"
            )
        if self.weighted and _weight_parameter(self.estimator) is None:
            raise ConfigError(
                f"member {self.name}: {type(self.estimator).__name__} takes no sample weights"
            )
        self.describe()

    def describe(self) -> dict[str, Any]:
        """What of it changes a result: classes and parameters, as plain values.

        Raises
        ------
        ConfigError
            If a parameter is something of which nobody can say whether two are the same.
        """
        content = {"estimator": _described(self.name, self.estimator)}
        asked = ("weighted", "permuted")
        return content | {name: True for name in asked if getattr(self, name)}

    def sources(self) -> dict[str, str]:
        """Where its classes come from: packages with their versions, or hashes of the code."""
        packages = _packages()
        found = {}
        for path, cls in classes_of(self.estimator).items():
            root = cls.__module__.partition(".")[0]
            if root in packages:
                found[packages[root]] = metadata.version(packages[root])
            else:
                found[path] = _hash_of_code(path, cls)
        return found

    def fit(self, rows: TrainingRows, seed: int) -> "FittedEstimator":
        """A clone of it, fitted.

        Raises
        ------
        MemberError
            If it fails.
        """
        model, told = _prepared(self.estimator, seed), {}
        if self.weighted:
            parameter = _weight_parameter(self.estimator)
            assert parameter is not None, "it was asked when the member was made"
            told[parameter] = rows.weights
        try:
            # What it has to say of its convergence it would say a thousand times.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(rows.X, rows.around_drift(), **told)
        except Exception as error:  # noqa: BLE001  whatever somebody's code raises
            raise MemberError(self.name, _reason(error, rows.X)) from None
        return FittedEstimator(self.name, model)

    def gains_of(
        self, fitted: FittedMember, X: NDArray[np.float32], y: NDArray[np.float64], seed: int
    ) -> NDArray[np.float64]:
        """By how much its squared error grows when a feature is shuffled, shape (p,), at least 0.

        Means of five shuffles. Breiman, "Random forests", Machine Learning 45 (2001).

        Raises
        ------
        MemberError
            If it fails.
        """
        from sklearn.inspection import permutation_importance

        assert isinstance(fitted, FittedEstimator)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = permutation_importance(
                    fitted.model, X, y, scoring="neg_mean_squared_error", random_state=seed
                )
        except Exception as error:  # noqa: BLE001  whatever somebody's code raises
            raise MemberError(self.name, _reason(error, X)) from None
        gains: NDArray[np.float64] = np.maximum(found.importances_mean, 0.0)
        return gains

    def trusted(self) -> tuple[str, ...]:
        """Its types, which whoever made it trusts."""
        return tuple(sorted(classes_of(self.estimator)))

    @classmethod
    def imported(cls, name: str, path: str, **asked: bool) -> "Estimator":
        """The regressor at ``package.module:name``, or what a function there gives.

        ``asked`` are ``weighted`` and ``permuted``.

        Raises
        ------
        ConfigError
            If there is none.
        """
        from importlib import import_module

        module, _, attribute = path.partition(":")
        try:
            found = import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except Exception as error:  # noqa: BLE001  whatever somebody's code raises
            raise ConfigError(
                f"member {name}: {path!r} cannot be imported ({error}); write it as "
                f"package.module:name"
            ) from None
        return cls(name, _made(name, found), **asked)


def entry_points() -> dict[str, str]:
    """Where the members are that installed packages bring, by name.

    Entry points of the group ``bmastore.members``.
    """
    return {one.name: one.value for one in metadata.entry_points(group=_ENTRY_POINTS)}


def own_from_bytes(name: str, blob: bytes, trusted: Iterable[str]) -> FittedMember:
    """The member that :meth:`FittedEstimator.to_bytes` wrote.

    Raises
    ------
    ArtifactError
        See :func:`bmastore.models.members.stored.from_bytes`.
    """
    return FittedEstimator(name, stored.from_bytes(blob, trusted))


@dataclass(frozen=True)
class FittedEstimator:
    """A regressor after its fit, under its member's name."""

    name: str
    model: Any
    rounds: int = 0

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predictions, shape (n,).

        Raises
        ------
        MemberError
            If it fails.
        """
        if not len(X):
            return np.zeros(0)
        try:
            return np.asarray(self.model.predict(X), dtype=np.float64).reshape(len(X))
        except Exception as error:  # noqa: BLE001  whatever somebody's code raises
            raise MemberError(self.name, _reason(error, X)) from None

    def contributions(self, X: NDArray[np.float32]) -> None:
        """They cannot be told of just any regressor."""

    def gains(self) -> None:
        """Nor can the gains of its splits, if it has any."""

    def to_bytes(self) -> bytes:
        """By skops."""
        try:
            return stored.to_bytes(self.model)
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001  whatever skops cannot take
            raise MemberError(self.name, f"skops cannot store it: {error}") from None


def _reason(error: Exception, X: NDArray[np.float32]) -> str:
    if isinstance(error, ValueError) and "NaN" in str(error) and np.isnan(X).any():
        return _NO_GAPS
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}"


def _made(name: str, found: Any) -> Any:
    """A regressor, or what a function or class without arguments gives."""
    if not isinstance(found, type) and hasattr(found, "get_params"):
        return found
    try:
        return found()
    except Exception as error:  # noqa: BLE001  whatever somebody's code raises
        raise ConfigError(f"member {name}: calling {found!r} failed: {error}") from None


def _prepared(estimator: Any, seed: int) -> Any:
    """A clone with one thread, and with a seed wherever none is set."""
    from sklearn.base import clone

    model = clone(estimator)
    told: dict[str, Any] = {}
    for name, value in model.get_params(deep=True).items():
        last = name.rpartition("__")[2]
        if last in _THREADS:
            told[name] = 1
        elif last in _SEEDS and value is None:
            told[name] = seed
    if type(model).__module__.partition(".")[0] == "catboost":
        # It tells only those parameters that were set.
        given = model.get_params()
        told |= {"thread_count": 1, "allow_writing_files": False, "verbose": False}
        if not given.keys() & set(_SEEDS):
            told["random_seed"] = seed
    return model.set_params(**told)


def _weight_parameter(estimator: Any) -> str | None:
    """The name by which its ``fit`` takes sample weights; ``None`` if it takes none."""
    from sklearn.utils.validation import has_fit_parameter

    steps = getattr(estimator, "steps", None)
    if steps:
        name, last = steps[-1]
        inner = _weight_parameter(last)
        return None if inner is None else f"{name}__{inner}"
    return "sample_weight" if has_fit_parameter(estimator, "sample_weight") else None


def _described(name: str, value: Any) -> Any:
    """A parameter as plain values; of an estimator, its class and parameters."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else repr(value)
    if isinstance(value, np.generic):
        return _described(name, value.item())
    if isinstance(value, np.ndarray):
        return {"array": digests.of_arrays(value), "shape": list(value.shape)}
    if isinstance(value, list | tuple):
        return [_described(name, one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _described(name, one) for key, one in value.items()}
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return _path(value)
    if hasattr(value, "get_params"):
        params = value.get_params(deep=False)
        own = {key: _described(name, one) for key, one in params.items() if key not in _THREADS}
        return {"class": _path(type(value)), "params": own}
    raise ConfigError(
        f"member {name}: nobody can say whether two {type(value).__name__} are the same, so that "
        f"{value!r} cannot be a parameter; give a number, a text or an estimator"
    )


def _path(named: Any) -> str:
    return f"{named.__module__}.{named.__qualname__}"


def classes_of(value: Any) -> dict[str, type]:
    """Classes of an estimator and of those in its parameters, by ``package.module.Name``."""
    if hasattr(value, "get_params") and not isinstance(value, type):
        found = {_path(type(value)): type(value)}
        for one in value.get_params(deep=False).values():
            found |= classes_of(one)
        return found
    if isinstance(value, list | tuple):
        return {path: cls for one in value for path, cls in classes_of(one).items()}
    return {}


@cache
def _packages() -> dict[str, str]:
    """The distribution that brings each package."""
    return {root: names[0] for root, names in metadata.packages_distributions().items()}


def _hash_of_code(path: str, cls: type) -> str:
    import inspect

    try:
        return digests.of_text(inspect.getsource(inspect.getmodule(cls) or cls))[:12]
    except (OSError, TypeError):
        raise ConfigError(f"the code of {path} cannot be found; put it into a module") from None
