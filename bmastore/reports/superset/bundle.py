"""A bundle for Superset: a database, datasets, charts and dashboards, as one file to import.

Every part has an id that follows from the store's, so that a second import updates what the first
has made. Files are JSON, which is YAML too.
"""

import json
import re
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bmastore.errors import ConfigError, StoreNotFoundError
from bmastore.reports.superset import charts
from bmastore.storage.identity import store_id
from bmastore.storage.outputs import written_whole
from bmastore.storage.paths import results_path
from bmastore.storage.session import Reader, open_reader
from bmastore.storage.statements import run
from bmastore.storage.urls import parse_url, without_secrets

# What Superset writes in place of a password when it exports, and asks for when it imports.
_MASK = "XXXXXXXXXX"
# Of the format of bundles.
_VERSION = "1.0.0"
# A dashboard is so many columns wide.
_WIDTH = 12
# When a row is of, the first of these that a view has.
_TIMES = ("date", "cutoff", "finished_at", "started_at", "last_date")
# Of every file in a bundle, so that the same store gives the same bundle.
_MOMENT = (2000, 1, 1, 0, 0, 0)


def write_bundle(store: Path, output: Path, url: str | None = None) -> int:
    """Write dashboards over a store's results; returns how many charts there are.

    Parameters
    ----------
    output:
        The file, a zip.
    url:
        PostgreSQL database of the ledger or of a mirror, by default the published results. A
        password is not written: Superset asks for it when it imports.

    Raises
    ------
    ConfigError
        If the URL is none, a secret is in its options, or there is something else at the output.
    StoreNotFoundError
        If there is no store, or nothing is published.
    """
    uri, extra = _of_server(url) if url is not None else _of_file(results_path(store))
    with open_reader(store) as reader:
        views = {
            view: _columns(reader, view)
            for view in sorted({chart["view"] for chart in charts.spec()["charts"]})
        }
        key = uuid.UUID(store_id(reader.duck) or "0" * 32)
    bundle = _Bundle(store.stem, key, uri, extra, views)
    with written_whole(output, "zip") as file, zipfile.ZipFile(file, "w") as written:
        for path, content in bundle.files():
            info = zipfile.ZipInfo(f"bmastore/{path}", _MOMENT)
            written.writestr(info, json.dumps(content, indent=2) + "\n", zipfile.ZIP_DEFLATED)
    return len(charts.spec()["charts"])


@dataclass(frozen=True)
class _Column:
    """A column of a view, and what it means."""

    name: str
    kind: str
    comment: str | None

    @property
    def is_time(self) -> bool:
        """Whether it is a date or a time."""
        return self.kind == "DATE" or self.kind.startswith("TIMESTAMP")


@dataclass(frozen=True)
class _Bundle:
    """What is to be written: for which store, read from which database.

    Attributes
    ----------
    name:
        What everything is called after: Superset lists what several stores show side by side.
    key:
        What ids are made from.
    uri, extra:
        How Superset reaches the results.
    views:
        Columns of each view that charts ask.
    """

    name: str
    key: uuid.UUID
    uri: str
    extra: Mapping[str, Any]
    views: Mapping[str, Sequence[_Column]]

    def id_of(self, kind: str, name: str) -> str:
        """The id of a part, the same in every bundle of this store."""
        return str(uuid.uuid5(self.key, f"{kind} {name}"))

    def files(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every file, by its path in the bundle."""
        yield "metadata.yaml", {"version": _VERSION}
        yield f"databases/{_file(self.name)}.yaml", self._database()
        for view, columns in self.views.items():
            yield f"datasets/{_file(self.name)}/{view}.yaml", self._dataset(view, columns)
        for chart in charts.spec()["charts"]:
            path = f"charts/{_file(self.name)}_{_file(chart['name'])}.yaml"
            yield path, self._chart(chart)
        for title in charts.spec()["dashboards"]:
            path = f"dashboards/{_file(self.name)}_{_file(title)}.yaml"
            yield path, self._dashboard(title)

    def _database(self) -> dict[str, Any]:
        return {
            "database_name": f"bmastore {self.name}",
            "sqlalchemy_uri": self.uri,
            "cache_timeout": None,
            "expose_in_sqllab": True,
            "allow_run_async": False,
            "allow_ctas": False,
            "allow_cvas": False,
            "allow_dml": False,
            "allow_csv_upload": False,
            "extra": {"allows_virtual_table_explore": True, **self.extra},
            "uuid": self.id_of("database", "results"),
            "version": _VERSION,
        }

    def _dataset(self, view: str, columns: Sequence[_Column]) -> dict[str, Any]:
        times = [column.name for column in columns if column.is_time]
        return {
            # A name of its own: those of two stores would be one to whoever looks for it.
            "table_name": f"{self.name} {view}",
            "sql": f"select * from {view}",  # noqa: S608
            "schema": None,
            "main_dttm_col": next((name for name in _TIMES if name in times), None),
            "description": None,
            "cache_timeout": None,
            "filter_select_enabled": True,
            "extra": {},
            "metrics": charts.measures(view),
            "columns": [
                {
                    "column_name": column.name,
                    "type": column.kind,
                    "is_dttm": column.is_time,
                    "is_active": True,
                    "groupby": True,
                    "filterable": True,
                    "description": column.comment,
                }
                for column in columns
            ],
            "uuid": self.id_of("dataset", view),
            "database_uuid": self.id_of("database", "results"),
            "version": _VERSION,
        }

    def _chart(self, chart: charts.Chart) -> dict[str, Any]:
        form = charts.form(chart)
        context = {
            "datasource": {"id": 0, "type": "table"},  # Superset puts in its own
            "force": False,
            "queries": [charts.query(chart)],
            "form_data": form,
            "result_format": "json",
            "result_type": "full",
        }
        return {
            "slice_name": f"{chart['name']} ({self.name})",
            "viz_type": form["viz_type"],
            "params": form,
            "query_context": json.dumps(context),
            "cache_timeout": None,
            "uuid": self.id_of("chart", f"{chart['dashboard']} {chart['name']}"),
            "dataset_uuid": self.id_of("dataset", chart["view"]),
            "version": _VERSION,
        }

    def _dashboard(self, title: str) -> dict[str, Any]:
        filters = charts.spec()["dashboards"][title]["filters"]
        return {
            "dashboard_title": f"{self.name}: {title}",
            "slug": f"bmastore-{_file(self.name)}-{self.key.hex[:8]}-{title.lower()}",
            "description": None,
            "css": "",
            "published": True,
            "uuid": self.id_of("dashboard", title),
            "position": self._position(title),
            "metadata": {
                "native_filter_configuration": [
                    self._filter(title, number, one) for number, one in enumerate(filters)
                ],
                # Results are renewed: so often it looks, in seconds.
                "refresh_frequency": 60,
                "color_scheme": "supersetColors",
                "cross_filters_enabled": True,
            },
            "version": _VERSION,
        }

    def _filter(self, title: str, number: int, one: Mapping[str, Any]) -> dict[str, Any]:
        is_single = one.get("is_single", False)
        dataset = self.id_of("dataset", one["view"])
        return {
            "id": f"NATIVE_FILTER-{title}-{number}",
            "type": "NATIVE_FILTER",
            "filterType": "filter_select",
            "name": one["name"],
            "description": "",
            # Charts wait for the value with which it begins.
            "requiredFirst": is_single,
            "targets": [{"column": {"name": one["column"]}, "datasetUuid": dataset}],
            "controlValues": {
                "multiSelect": not is_single,
                "enableEmptyFilter": is_single,
                "defaultToFirstItem": is_single,
                "inverseSelection": False,
                "searchAllOptions": True,
                "sortAscending": True,
            },
            "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
            "cascadeParentIds": [],
            "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        }

    def _position(self, title: str) -> dict[str, Any]:
        """Where each chart of a dashboard stands: from left to right, in rows."""
        numbered = list(enumerate(charts.spec()["charts"], 1))
        own = [(number, chart) for number, chart in numbered if chart["dashboard"] == title]
        rows = {f"ROW-{i}": row for i, row in enumerate(charts.rows(own, _WIDTH))}
        position: dict[str, Any] = {
            "DASHBOARD_VERSION_KEY": "v2",
            "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
            "GRID_ID": _place("GRID_ID", "GRID", list(rows), ["ROOT_ID"]),
            "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": title}},
        }
        for name, row in rows.items():
            within = ["ROOT_ID", "GRID_ID"]
            position[name] = _place(name, "ROW", [f"CHART-{number}" for number, _ in row], within)
            position[name]["meta"] = {"background": "BACKGROUND_TRANSPARENT"}
            for number, chart in row:
                place = _place(f"CHART-{number}", "CHART", [], [*within, name])
                place["meta"] = {
                    "chartId": number,
                    "uuid": self.id_of("chart", f"{title} {chart['name']}"),
                    "sliceName": f"{chart['name']} ({self.name})",
                    "width": chart["width"],
                    "height": chart["height"],
                }
                position[place["id"]] = place
        return position


def _place(name: str, kind: str, children: list[str], within: list[str]) -> dict[str, Any]:
    return {"id": name, "type": kind, "children": children, "parents": within}


def _file(name: str) -> str:
    """A name as part of a path in a bundle."""
    return re.sub(r"[^\w.-]+", "_", name)


def _columns(reader: Reader, view: str) -> list[_Column]:
    return [_Column(*row) for row in run(reader.duck, "superset/columns", view=view).fetchall()]


def _of_file(results: Path) -> tuple[str, dict[str, Any]]:
    """How Superset reaches published results: read-only, or it would lock out all others."""
    if not results.is_file():
        raise StoreNotFoundError(
            f"there are no published results at {results}; `bmastore ingest` and `bmastore train` "
            f"publish them"
        )
    path = str(results.resolve())
    if re.search(r"[?#%]", path):
        raise ConfigError(f"the name of {path} cannot be part of a URL; call it something else")
    return f"duckdb:///{path}", {"engine_params": {"connect_args": {"read_only": True}}}


def _of_server(url: str) -> tuple[str, dict[str, Any]]:
    """How Superset reaches a database on a server, without the password."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "postgresql" or not parsed.database:
        raise ConfigError(
            "Superset reads PostgreSQL, at a URL like postgresql://user@host/database"
        )
    return without_secrets(parsed.set(drivername="postgresql"), _MASK), {}
