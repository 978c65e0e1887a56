"""Draws a backtest: skill, calibration and weights."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bmastore.errors import ConfigError
from bmastore.evaluation.scores import PIT_BINS
from bmastore.reports.picture import COLOURS, GREY, LINE, Picture, blank, draw_weights
from bmastore.storage.outputs import check_output, written_whole

if TYPE_CHECKING:
    from bmastore.evaluation.report import BacktestReport

# What the story is about, in colour; the other members are grey in the background.
_STORY = ("ensemble", "pooled", "equal", "baseline")


def check_picture(path: Path) -> None:
    """See that a picture can be written, before hours of work are to end in one.

    Raises
    ------
    ConfigError
        If there is no such folder, or the ending is that of no picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    check_output(path, "picture")
    known = FigureCanvasAgg.get_supported_filetypes()
    if path.suffix.lstrip(".").lower() not in known:
        raise ConfigError(f"cannot draw {path}: its ending must be one of {', '.join(known)}")


def plot_backtest(report: "BacktestReport", path: Path) -> None:
    """Write what :func:`draw_backtest` draws to a file, whose ending is the format.

    Raises
    ------
    BmastoreError
        If the file cannot be written.
    """
    figure = draw_backtest(report)
    with written_whole(path, "picture") as file:
        figure.savefig(file, format=path.suffix[1:].lower(), dpi=130)


def draw_backtest(report: "BacktestReport") -> Picture:
    """Cumulative rank IC, calibration, and mean weights by cutoff."""
    n = len(report.cutoffs)
    title = (
        f"Backtest of {report.n_stocks:,} stocks, {n} cutoff{'s' if n > 1 else ''} from "
        f"{report.cutoffs[0]} to {report.cutoffs[-1]}"
    )
    figure, (skill, calibration, weights) = blank(3, title, (15, 4.8))
    _draw_skill(skill, report)
    _draw_calibration(calibration, report)
    _draw_weights(weights, report)
    return figure


def _draw_skill(axes: Any, report: "BacktestReport") -> None:
    days = report.days.records()
    forecasters = list(dict.fromkeys(row["forecaster"] for row in days))
    for name in sorted(forecasters, key=lambda name: name in _STORY):
        mine = [row for row in days if row["forecaster"] == name and row["ic"] is not None]
        if not mine:
            continue
        total = np.cumsum([row["ic"] for row in mine])
        in_story = name in _STORY
        axes.plot(
            [row["date"] for row in mine],
            total,
            color=COLOURS.get(name, GREY) if in_story else "#d3d8dd",
            linewidth=2.6 if name == "ensemble" else 1.6 if in_story else 1.0,
            label=f"{name}  {total[-1] / len(mine):+.3f} per day" if in_story else None,
        )
    for cutoff in report.cutoffs:
        axes.axvline(cutoff, color="#c4cad0", linewidth=0.8, linestyle=":")
    axes.axhline(0, color=LINE, linewidth=0.8)
    axes.set_title("Cumulative daily rank IC (dotted: cutoffs; grey: other members)", fontsize=10)
    axes.legend(frameon=False, fontsize=9)


def _draw_calibration(axes: Any, report: "BacktestReport") -> None:
    scores = {row["forecaster"]: row for row in report.scores.records() if row["slice"] == "all"}
    left = np.arange(PIT_BINS) / PIT_BINS
    names = [name for name in ("ensemble", "baseline", "always_zero") if name in scores]
    for name in names:
        row = scores[name]
        label = (
            f"{name}: {row['coverage_50']:.0%} / {row['coverage_80']:.0%} / "
            f"{row['coverage_90']:.0%} in 50 / 80 / 90 %"
        )
        shares = np.array(json.loads(row["pit"])) * PIT_BINS
        colour = COLOURS.get(name, GREY)
        if name == "ensemble":
            axes.bar(left, shares, 1 / PIT_BINS, align="edge", color=colour, alpha=0.35)
        axes.stairs(shares, np.append(left, 1.0), color=colour, linewidth=1.8, label=label)
    axes.axhline(1, color=LINE, linewidth=0.8, linestyle="--")
    axes.set_ylim(0, 1.35 * axes.get_ylim()[1])  # room for the legend
    axes.set_xlim(0, 1)
    axes.set_title(
        "Where targets fell in their predictive distributions (flat: honest)", fontsize=10
    )
    axes.legend(frameon=False, fontsize=9, loc="upper center")


def _draw_weights(axes: Any, report: "BacktestReport") -> None:
    by_cutoff: dict[str, dict[str, float]] = {str(cutoff): {} for cutoff in report.cutoffs}
    for row in report.weights.records():
        by_cutoff[str(row["cutoff"])][row["member"]] = row["weight"]
    axes.set_title("Mean weight of each member, by cutoff", fontsize=10)
    draw_weights(axes, list(by_cutoff), list(by_cutoff.values()))
