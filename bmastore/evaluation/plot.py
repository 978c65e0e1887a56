"""Draws a backtest: skill, calibration and weights."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bmastore.errors import ConfigError
from bmastore.evaluation.scores import PIT_BINS
from bmastore.storage.outputs import check_output, written_whole

if TYPE_CHECKING:
    from bmastore.evaluation.report import BacktestReport

# What the story is about, in colour; the other members are grey in the background.
_COLOURS = {
    "ensemble": "#0b5fa5",
    "pooled": "#2a9d8f",
    "equal": "#e9a23b",
    "baseline": "#c8443c",
    "zero": "#b8bec6",
    "mean": "#8d99a6",
    "rf": "#7fb069",
    "xgb": "#b57edc",
    "lgbm": "#d98c5f",
}
_GREY = "#9aa3ad"
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
    """Draw cumulative rank IC, calibration, and mean weights by cutoff; the ending is the format.

    Raises
    ------
    BmastoreError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    skill, calibration, weights = figure.subplots(1, 3)
    _draw_skill(skill, report)
    _draw_calibration(calibration, report)
    _draw_weights(weights, report)
    n = len(report.cutoffs)
    figure.suptitle(
        f"Backtest of {report.n_stocks:,} stocks, {n} cutoff{'s' if n > 1 else ''} from "
        f"{report.cutoffs[0]} to {report.cutoffs[-1]}",
        fontsize=13,
        x=0.01,
        ha="left",
    )
    for axes in (skill, calibration, weights):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e5e8eb", linewidth=0.8)
        axes.set_axisbelow(True)
    with written_whole(path, "picture") as file:
        figure.savefig(file, format=path.suffix[1:].lower(), dpi=130)


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
            color=_COLOURS.get(name, _GREY) if in_story else "#d3d8dd",
            linewidth=2.6 if name == "ensemble" else 1.6 if in_story else 1.0,
            label=f"{name}  {total[-1] / len(mine):+.3f} a day" if in_story else None,
        )
    for cutoff in report.cutoffs:
        axes.axvline(cutoff, color="#c4cad0", linewidth=0.8, linestyle=":")
    axes.axhline(0, color="#5c6670", linewidth=0.8)
    axes.set_title("Cumulative daily rank IC (dotted: cutoffs; grey: other members)", fontsize=10)
    axes.legend(frameon=False, fontsize=9)
    axes.tick_params(axis="x", labelrotation=30)


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
        colour = _COLOURS.get(name, _GREY)
        if name == "ensemble":
            axes.bar(left, shares, 1 / PIT_BINS, align="edge", color=colour, alpha=0.35)
        axes.stairs(shares, np.append(left, 1.0), color=colour, linewidth=1.8, label=label)
    axes.axhline(1, color="#5c6670", linewidth=0.8, linestyle="--")
    axes.set_ylim(0, 1.35 * axes.get_ylim()[1])  # room for the legend
    axes.set_xlim(0, 1)
    axes.set_title(
        "Where targets fell in their predictive distributions (flat: honest)", fontsize=10
    )
    axes.legend(frameon=False, fontsize=9, loc="upper center")


def _draw_weights(axes: Any, report: "BacktestReport") -> None:
    rows = report.weights.records()
    members = list(dict.fromkeys(row["member"] for row in rows))
    cutoffs = [str(cutoff) for cutoff in report.cutoffs]
    weight = {(str(row["cutoff"]), row["member"]): row["weight"] for row in rows}
    bottom = np.zeros(len(cutoffs))
    mean = {name: np.mean([weight.get((day, name), 0.0) for day in cutoffs]) for name in members}
    for name in sorted(members, key=lambda name: -mean[name]):
        shares = np.array([weight.get((day, name), 0.0) for day in cutoffs])
        label = f"{name}  {mean[name]:.2f}"
        axes.bar(cutoffs, shares, 0.8, bottom, color=_COLOURS.get(name, _GREY), label=label)
        bottom += shares
    axes.set_ylim(0, 1)
    axes.margins(x=0.02)
    axes.set_title("Mean weight of each member, by cutoff", fontsize=10)
    axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes.tick_params(axis="x", labelrotation=30)
