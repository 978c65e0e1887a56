"""A trained ensemble: fitted members, their weights and error scales, its forecasts, its bytes.

As bytes it is an archive: a head, and one file per member in its library's own format.
Beside the members lie those of the newest walk-forward fold, which tomorrow predict that
fold's new rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bmastore.arrays import Dates
from bmastore.errors import NotFiniteError
from bmastore.models import mixture
from bmastore.models.archive import Format
from bmastore.models.components import components_of, with_zero_first
from bmastore.models.inputs import Inputs
from bmastore.models.members.base import FittedMember, Lent, Needs, shares_in
from bmastore.models.members.registry import REGISTRY, kind_of, read_member
from bmastore.models.members.stored import types_in
from bmastore.models.results import Contributions, Forecasts
from bmastore.models.universe import NOTHING_SHARED, open_universe
from bmastore.models.width import Moves

# Raise it with what Format says; an ensemble of another number is that stock's error until it
# is trained again, and tests/models/test_archive.py holds what that means.
_FORMAT = Format("ensemble", 2, "bmastore train --all")


@dataclass(frozen=True)
class FoldModels:
    """The members of one walk-forward fold, as bytes, in the order of the config's members."""

    number: int
    blobs: tuple[bytes, ...]

    def members(
        self, names: Sequence[str], lent: Lent, trusted: Sequence[str]
    ) -> list[FittedMember]:
        """The members, read back, with what the universe lends in this fold.

        Raises
        ------
        ArtifactError
            If one is of a type that is not ``trusted``.
        """
        return [
            read_member(name, blob, lent, trusted)
            for name, blob in zip(names, self.blobs, strict=True)
        ]


@dataclass(frozen=True)
class Ensemble:
    """Members with their weights and error scales, in the same order.

    Attributes
    ----------
    names:
        Members' names, length k.
    members:
        The fitted members, length k.
    weights, scales:
        float64, shape (k,): posterior weights, and scales of the members'
        Student-t errors in units of a row's width.
    moves:
        How the stock moves.
    features:
        Names of the p columns that ``forecast`` expects, in order.
    universe_sha256:
        Artifact of the universe whose pooled fit it uses, if any.
    zero_scale:
        Scale of the member `zero`, with which every forecast can be compared, whether it has weight
        or not; ``None`` where it was not fitted.
    """

    names: tuple[str, ...]
    members: tuple[FittedMember, ...]
    weights: NDArray[np.float64]
    scales: NDArray[np.float64]
    moves: Moves
    features: tuple[str, ...]
    universe_sha256: str | None = None
    zero_scale: float | None = None

    def forecast(self, dates: Dates, inputs: Inputs) -> Forecasts:
        """Forecasts for n rows at ``dates``, shape (n,).

        Raises
        ------
        NotFiniteError
            If one is NaN or infinite.
        """
        widths = self.moves.widths(inputs)[:, None]
        now = self.moves.now(widths[:, 0])
        centres = predict_with(self.names, self.members, inputs, now)
        relative = centres / widths
        components = components_of(centres, widths * self.scales, self.weights)
        zero_scale = None if self.zero_scale is None else self.zero_scale * widths[:, 0]
        found = Forecasts(
            dates,
            widths[:, 0] * mixture.mixture_mean(relative, self.weights),
            widths[:, 0] * mixture.mixture_sd(relative, self.scales, self.weights),
            widths * mixture.mixture_quantiles(relative, self.scales, self.weights),
            mixture.mixture_p_up(relative, self.scales, self.weights),
            with_zero_first(components, self.names, zero_scale),
        )
        parts = (found.mean, found.sd, found.quantiles, found.p_up)
        if not all(np.isfinite(part).all() for part in parts):
            raise NotFiniteError(
                "its forecast is NaN or infinite; look for extreme values in the features"
            )
        return found

    def contributions(self, dates: Dates, inputs: Inputs) -> Contributions:
        """The means that :meth:`forecast` gives of the same rows, as sums.

        By TreeSHAP: Lundberg et al., "From local explanations to global understanding with
        explainable AI for trees", Nature Machine Intelligence 2 (2020).
        """
        now = self.moves.now(self.moves.widths(inputs))
        parts = []
        for name, member in zip(self.names, self.members, strict=True):
            # The libraries take no table without rows.
            found = member.contributions(_taken(name, inputs)) if len(dates) else None
            if found is None:
                found = np.full((len(dates), len(self.features) + 1), np.nan)
            parts.append(found * now[:, None] if kind_of(name).is_shared else found)
        return Contributions(
            dates,
            self.names,
            self.features,
            inputs.X,
            self.weights,
            predict_with(self.names, self.members, inputs, now),
            np.stack(parts, axis=1) * self.weights[:, None],
        )

    def importances(self) -> dict[str, NDArray[np.float64]]:
        """Shares of each feature in the gain of splits, shape (p,), by member with own trees."""
        gains = {
            name: member.gains() for name, member in zip(self.names, self.members, strict=True)
        }
        return {name: shares_in(gain) for name, gain in gains.items() if gain is not None}


def predict_with(
    names: Sequence[str],
    members: Sequence[FittedMember],
    inputs: Inputs,
    now: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Predictions of k members for n rows, shape (n, k).

    ``now``, shape (n,), is what the stock moves at each of them; see :meth:`Moves.now`.
    """
    columns = []
    for name, member in zip(names, members, strict=True):
        predicted = member.predict(_taken(name, inputs))
        columns.append(predicted * now if kind_of(name).is_shared else predicted)
    return np.column_stack(columns)


def _taken(name: str, inputs: Inputs) -> NDArray[np.float32]:
    """What a member predicts from."""
    return inputs.relative if kind_of(name).needs is Needs.RELATIVE else inputs.X


def dump(ensemble: Ensemble, newest_fold: FoldModels) -> bytes:
    """The ensemble and its newest fold as bytes, equal for equal models."""
    head = {
        "members": list(ensemble.names),
        "weights": ensemble.weights.tolist(),
        "scales": ensemble.scales.tolist(),
        "moves": [ensemble.moves.usual, ensemble.moves.unit, ensemble.moves.level],
        "features": list(ensemble.features),
        "universe": ensemble.universe_sha256,
        "zero_scale": ensemble.zero_scale,
        "fold": newest_fold.number,
        "fold_members": len(newest_fold.blobs),
    }
    files = {
        f"member.{name}": member.to_bytes()
        for name, member in zip(ensemble.names, ensemble.members, strict=True)
    }
    files |= {f"fold.{i}": blob for i, blob in enumerate(newest_fold.blobs)}
    return _FORMAT.pack(head, files)


def dump_fold(newest_fold: FoldModels) -> bytes:
    """The models of a fold alone, for :func:`load_fold`."""
    head = {"fold": newest_fold.number, "fold_members": len(newest_fold.blobs)}
    return _FORMAT.pack(head, {f"fold.{i}": blob for i, blob in enumerate(newest_fold.blobs)})


@_FORMAT.reader
def load(
    blob: bytes, read_universe: Callable[[str], bytes], trusted: Sequence[str] = ()
) -> Ensemble:
    """The ensemble that :func:`dump` wrote.

    Parameters
    ----------
    read_universe:
        Gives the verified bytes of a universe by its hash.
    trusted:
        Types that members of somebody's own may be of; see
        :func:`bmastore.models.members.stored.from_bytes`.

    Raises
    ------
    ArtifactError
        If another bmastore wrote them, they are malformed, or hold another type.
    """
    archive = _FORMAT.open(blob)
    head = archive.head
    names = tuple(head["members"])
    sha256 = head["universe"]
    universe = open_universe(read_universe(sha256)) if sha256 else NOTHING_SHARED
    lent = universe.of_final_fit()
    return Ensemble(
        names,
        tuple(read_member(name, archive.file(f"member.{name}"), lent, trusted) for name in names),
        np.asarray(head["weights"]),
        np.asarray(head["scales"]),
        Moves(lent.widths, *map(float, head["moves"])),
        tuple(head["features"]),
        sha256,
        # Ensembles of before it was told are read as well: the null member is then not judged.
        head.get("zero_scale"),
    )


@_FORMAT.reader
def own_types(blob: bytes) -> dict[str, tuple[str, ...]]:
    """Types that somebody's own members in an ensemble's bytes are read by if they are trusted.

    By member; nothing of them is read.

    Raises
    ------
    ArtifactError
        If another bmastore wrote them, or they are malformed.
    """
    archive = _FORMAT.open(blob)
    names = [name for name in archive.head["members"] if name not in REGISTRY]
    return {name: tuple(types_in(archive.file(f"member.{name}"))) for name in names}


@_FORMAT.reader
def load_fold(blob: bytes) -> FoldModels:
    """The models of the newest fold that :func:`dump` or :func:`dump_fold` wrote.

    Raises
    ------
    ArtifactError
        If another bmastore wrote them, or they are malformed.
    """
    archive = _FORMAT.open(blob)
    count = archive.head["fold_members"]
    return FoldModels(archive.head["fold"], tuple(archive.file(f"fold.{i}") for i in range(count)))
