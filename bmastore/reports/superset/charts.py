"""What a chart asks, and how Superset is to draw it."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

Chart = Mapping[str, Any]
_MOST_ROWS = 10_000


@cache
def spec() -> dict[str, Any]:
    """What ``spec.toml`` says: formats, kinds of charts, dashboards and charts."""
    return tomllib.loads(Path(__file__).with_name("spec.toml").read_text(encoding="utf-8"))


def charts_of(view: str) -> list[Chart]:
    """The charts that ask a view."""
    return [chart for chart in spec()["charts"] if chart["view"] == view]


def measures(view: str) -> list[dict[str, Any]]:
    """What charts measure in a view, as metrics of its dataset."""
    found = {
        name: {
            "metric_name": name,
            "verbose_name": name,
            "expression": expression,
            "d3format": chart.get("format"),
        }
        for chart in charts_of(view)
        for name, expression in chart.get("measures", {}).items()
    }
    return list(found.values())


def query(chart: Chart) -> dict[str, Any]:
    """The question of a chart, as Superset's charts ask it."""
    asked = list(chart.get("measures", {}))
    order = [[name, way == "asc"] for name, way in chart.get("order", ())]
    if chart["kind"] == "pie":
        order = [[asked[0], False]]
    if "x" in chart:
        order = [[chart["x"], True]]
    return {
        "columns": _columns(chart),
        "metrics": asked,
        "filters": [],
        "extras": {"where": f"({chart['where']})"} if "where" in chart else {},
        "orderby": order,
        "row_limit": chart.get("limit", _MOST_ROWS),
        "annotation_layers": [],
    }


def form(chart: Chart) -> dict[str, Any]:
    """A chart as the form in which Superset edits it."""
    kind = spec()["kinds"][chart["kind"]]
    asked = list(chart.get("measures", {}))
    where = {
        "clause": "WHERE",
        "expressionType": "SQL",
        "sqlExpression": chart.get("where"),
        "filterOptionName": "filter_where",
    }
    filled = {
        **kind["params"],
        "viz_type": kind["viz_type"],
        "adhoc_filters": [where] if "where" in chart else [],
        "time_range": "No filter",
        "row_limit": chart.get("limit", _MOST_ROWS),
        "color_scheme": "supersetColors",
    }
    if chart["kind"] == "table":
        filled |= {
            "all_columns": chart["columns"],
            "order_by_cols": [
                f'["{name}", {str(way == "asc").lower()}]' for name, way in chart["order"]
            ],
            "column_config": {name: _column_config(name) for name in chart["columns"]},
        }
    elif chart["kind"] in ("number", "pie"):
        filled |= {"metric": asked[0], "groupby": chart.get("by", [])}
    else:
        filled |= {"metrics": asked, "groupby": chart.get("by", []), "x_axis": chart["x"]}
    if "format" in chart:
        filled |= {"y_axis_format": chart["format"], "number_format": chart["format"]}
    return filled


def _column_config(column: str) -> dict[str, str]:
    """How a table shows a column."""
    for one in spec()["formats"]:
        if re.search(one["names"], column):
            is_time = one["format"].startswith("%")
            return {"d3TimeFormat" if is_time else "d3NumberFormat": one["format"]}
    return {}


def rows(charts: Sequence[tuple[int, Chart]], width: int) -> list[list[tuple[int, Chart]]]:
    """Charts with their numbers, row by row, as many as a row has room for."""
    found: list[list[tuple[int, Chart]]] = []
    used = width
    for number, chart in charts:
        if used + chart["width"] > width:
            found.append([])
            used = 0
        found[-1].append((number, chart))
        used += chart["width"]
    return found


def _columns(chart: Chart) -> list[str]:
    x = [chart["x"]] if "x" in chart else []
    return [*x, *chart.get("by", ()), *chart.get("columns", ())]
