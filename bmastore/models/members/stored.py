"""Scikit-learn estimators as bytes, by skops: never a pickle, and only of trusted types."""

import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any

from bmastore.errors import ArtifactError, ConfigError, UntrustedError

_SCHEMA = "schema.json"
# Zip archives carry a time of day; a fixed one keeps equal models equal bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)
# Types that skops does not trust by itself, of which nothing runs when they are read: they hold
# numbers. Others are their owner's to trust.
TRUSTED = (
    "numpy.dtype",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn._loss._loss.CyHalfSquaredError",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)


def needs_skops() -> Any:
    """The library.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    try:
        import skops.io
    except ModuleNotFoundError:
        raise ConfigError(
            "members that are scikit-learn estimators are stored by skops; "
            "pip install 'bmastore[estimators]'"
        ) from None
    return skops.io


def to_bytes(estimator: Any) -> bytes:
    """A fitted estimator as bytes, equal for equal estimators."""
    return _numbered(needs_skops().dumps(estimator))


def from_bytes(blob: bytes, trusted: Iterable[str]) -> Any:
    """The estimator that :func:`to_bytes` wrote.

    Parameters
    ----------
    trusted:
        Types that may be read beside :data:`TRUSTED`, as ``package.module.Name``.

    Raises
    ------
    ArtifactError
        If it holds another type, or is malformed.
    """
    unknown = sorted(set(types_in(blob)) - set(trusted))
    if unknown:
        raise UntrustedError(
            f"it holds a {unknown[0]}, which is not trusted; `bmastore explain --trust` lists "
            f"such types, and says how to trust them"
        )
    try:
        return needs_skops().loads(blob, trusted=[*TRUSTED, *trusted])
    except Exception as error:  # noqa: BLE001  whatever is wrong with its bytes
        raise ArtifactError(f"an estimator in it cannot be read: {error}") from None


def types_in(blob: bytes) -> list[str]:
    """Types in an estimator's bytes that are read only if their owner trusts them."""
    try:
        found = needs_skops().get_untrusted_types(data=blob)
    except Exception as error:  # noqa: BLE001  whatever is wrong with its bytes
        raise ArtifactError(f"an estimator in it cannot be read: {error}") from None
    return sorted(set(found) - set(TRUSTED))


def _numbered(blob: bytes) -> bytes:
    """The archive with objects numbered in their order: skops names them by where they lay."""
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        schema = json.loads(archive.read(_SCHEMA))
        numbers: dict[int, int] = {}
        names: dict[str, str] = {}
        _number(schema, numbers, names, iter(range(1, 1 << 62)))
        files = {names.get(name, name): archive.read(name) for name in archive.namelist()}
    files[_SCHEMA] = json.dumps(schema, separators=(",", ":")).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as numbered:
        for name in sorted(files):
            numbered.writestr(zipfile.ZipInfo(name, _EPOCH), files[name])
    return buffer.getvalue()


def _number(node: Any, numbers: dict[int, int], names: dict[str, str], unused: Any) -> None:
    """Number a node and what is below it, in place."""
    if isinstance(node, list):
        for one in node:
            _number(one, numbers, names, unused)
    if not isinstance(node, dict):
        return
    if "__id__" in node:
        # Whether two equal numbers or texts are one object is chance, and nobody asks.
        of_value = node.get("__loader__") == "JsonNode"
        old = node["__id__"]
        node["__id__"] = next(unused) if of_value else numbers.setdefault(old, next(unused))
        name = node.get("file")
        if name is not None:
            ending = name.rpartition(".")[2]
            node["file"] = names.setdefault(name, f"{node['__id__']}.{ending}")
    for key, value in node.items():
        if key != "__id__":
            _number(value, numbers, names, unused)
