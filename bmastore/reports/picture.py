"""Pictures: how they look, and the one of a stock."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bmastore.errors import ConfigError, UnknownTickerError
from bmastore.storage.session import Reader
from bmastore.storage.statements import ask, run

COLOURS = {
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
GREY, LINE = "#9aa3ad", "#5c6670"
_INSIDE = "#2b3440"


class Picture(Figure):
    """A figure of matplotlib that a notebook shows, whether or not pyplot is in use."""

    def _repr_png_(self) -> bytes:
        from io import BytesIO

        file = BytesIO()
        self.savefig(file, format="png", dpi=90)
        return file.getvalue()


def blank(n: int, title: str, size: tuple[float, float]) -> tuple[Picture, Sequence[Any]]:
    """A figure with a title and ``n`` places side by side; ``size`` is in inches."""
    figure = Picture(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=13, x=0.01, ha="left")
    places = figure.subplots(1, n, squeeze=False)[0]
    for axes in places:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e5e8eb", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(axis="x", labelrotation=30)
    return figure, places


def draw_stock(reader: Reader, ticker: str, target: str | None) -> Picture:
    """A stock's price, its forecasts against what came, and its weights by training.

    Raises
    ------
    UnknownTickerError
        If the store has no such ticker.
    ConfigError
        If it has several targets and none is named, or not that one.
    """
    known = ask(
        reader.duck, "select target from v_status where ticker = $ticker order by 1", ticker=ticker
    ).fetchall()
    targets = [name for (name,) in known]
    if not targets:
        raise UnknownTickerError("ticker", [ticker])
    if (target is None and len(targets) > 1) or target not in (None, *targets):
        raise ConfigError(f"name one of the targets of {ticker}: {', '.join(targets)}")
    asked = {"target": target or targets[0], "ticker": ticker}
    prices = run(reader.duck, "dashboard/stock_prices", ticker=ticker).fetchall()
    forecasts = run(reader.duck, "report/stock_forecasts", **asked).fetchall()
    weights = run(reader.duck, "dashboard/stock_weights", **asked).fetchall()
    title = f"{ticker}: {asked['target']}"
    figure, places = blank(2 + bool(prices), title, (5 * (2 + bool(prices)), 4.2))
    if prices:
        dates, closes = zip(*prices, strict=True)
        places[0].plot(dates, closes, color=_INSIDE, linewidth=1.4)
        places[0].set_title("Price", fontsize=10)
    _draw_forecasts(places[-2], forecasts)
    _draw_weights(places[-1], weights)
    return figure


def _draw_forecasts(axes: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    axes.set_title("Forecasts with their 90 % intervals, and what came", fontsize=10)
    if not rows:
        axes.text(0.5, 0.5, "no forecast yet", ha="center", transform=axes.transAxes, color=LINE)
        return
    dates, means, low, high, came = zip(*rows, strict=True)
    axes.fill_between(dates, low, high, color=COLOURS["ensemble"], alpha=0.18, linewidth=0)
    axes.plot(dates, means, color=COLOURS["ensemble"], linewidth=1.8, marker=".", label="forecast")
    for label, colour, is_inside in (
        ("came, inside", _INSIDE, True),
        ("outside", "#c8443c", False),
    ):
        points = [
            (day, actual)
            for day, least, most, actual in zip(dates, low, high, came, strict=True)
            if actual is not None and (least <= actual <= most) == is_inside
        ]
        if points:
            axes.scatter(*zip(*points, strict=True), s=12, color=colour, label=label)
    axes.axhline(0, color=LINE, linewidth=0.8)
    axes.legend(frameon=False, fontsize=9)


def _draw_weights(axes: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    axes.set_title("Weight of each member, by training", fontsize=10)
    by_entry: dict[Any, dict[str, float]] = {}
    for finished_at, member, weight in rows:
        by_entry.setdefault(finished_at, {})[member] = weight
    entries = [by_entry[moment] for moment in sorted(by_entry)]
    labels = [f"{moment:%Y-%m-%d %H:%M}" for moment in sorted(by_entry)]
    draw_weights(axes, labels, entries)


def draw_weights(axes: Any, labels: Sequence[str], weights: Sequence[dict[str, float]]) -> None:
    """Weights by member as stacked bars, one per label, the heaviest member at the bottom."""
    members = list(dict.fromkeys(name for one in weights for name in one))
    mean = {name: np.mean([one.get(name, 0.0) for one in weights]) for name in members}
    places, bottom = np.arange(len(labels)), np.zeros(len(labels))
    for name in sorted(members, key=lambda name: -mean[name]):
        shares = np.array([one.get(name, 0.0) for one in weights])
        label = f"{name}  {mean[name]:.2f}"
        axes.bar(places, shares, 0.8, bottom, color=COLOURS.get(name, GREY), label=label)
        bottom += shares
    step = max(1, len(labels) // 6)
    axes.set_xticks(places[::step], labels[::step])
    axes.set_ylim(0, 1)
    axes.margins(x=0.02)
    if members:
        axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
