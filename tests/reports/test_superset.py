"""bmastore superset: a bundle whose every chart is answered, and that says no secret."""

import json
import zipfile

import psycopg
import pytest

from bmastore import Store
from bmastore.errors import ConfigError, StoreNotFoundError
from bmastore.reports.superset.charts import query, spec
from bmastore.storage.statements import quoted
from tests.helpers import FAST, HORIZON, TARGET, cli


def content(path):
    """What is in a bundle, by its name there."""
    with zipfile.ZipFile(path) as bundle:
        return {name: json.loads(bundle.read(name)) for name in bundle.namelist()}


def part(found, folder):
    return [one for name, one in found.items() if name.startswith(f"bmastore/{folder}/")]


@pytest.fixture
def bundle(trained, tmp_path):
    """A bundle of a trained store."""
    trained.superset(tmp_path / "assets.zip")
    return content(tmp_path / "assets.zip")


def test_a_bundle_has_all_that_superset_imports(bundle, trained):
    assert bundle["bmastore/metadata.yaml"] == {"version": "1.0.0"}
    (database,) = part(bundle, "databases")
    results = trained.path.with_name("bma.results.duckdb")
    assert database["sqlalchemy_uri"] == f"duckdb:///{results}"
    assert database["extra"]["engine_params"]["connect_args"] == {"read_only": True}
    titles = {one["dashboard_title"] for one in part(bundle, "dashboards")}
    assert titles == {"bma: Overview", "bma: Live", "bma: Stock", "bma: Backtest"}
    assert all(one["table_name"].startswith("bma v_") for one in part(bundle, "datasets"))


def test_every_part_refers_to_parts_that_are_there(bundle):
    ids = {
        folder: {one["uuid"] for one in part(bundle, folder)}
        for folder in ("databases", "datasets", "charts", "dashboards")
    }
    assert sum(map(len, ids.values())) == len(bundle) - 1
    assert {one["database_uuid"] for one in part(bundle, "datasets")} == ids["databases"]
    assert {one["dataset_uuid"] for one in part(bundle, "charts")} == ids["datasets"]
    placed = [
        place["meta"]["uuid"]
        for dashboard in part(bundle, "dashboards")
        for name, place in dashboard["position"].items()
        if name.startswith("CHART-")
    ]
    assert sorted(placed) == sorted(ids["charts"])
    filtered = {
        target["datasetUuid"]
        for dashboard in part(bundle, "dashboards")
        for one in dashboard["metadata"]["native_filter_configuration"]
        for target in one["targets"]
    }
    assert filtered <= ids["datasets"]


def test_the_same_store_gives_the_same_bundle_and_another_store_other_ids(
    bundle, trained, tmp_path, panel
):
    trained.superset(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "assets.zip").read_bytes()
    trained.train(FAST)
    trained.superset(tmp_path / "again.zip")
    assert content(tmp_path / "again.zip") == bundle
    other = Store(tmp_path / "other.duckdb")
    other.ingest(panel, target=TARGET, horizon=HORIZON)
    other.superset(tmp_path / "other.zip")
    ids = {one["uuid"] for one in bundle.values() if "uuid" in one}
    assert ids.isdisjoint(one.get("uuid") for one in content(tmp_path / "other.zip").values())


def as_sql(chart):
    """The question of a chart as Superset writes it down."""
    asked = query(chart)
    measured = [f"{chart['measures'][name]} as {quoted(name)}" for name in asked["metrics"]]
    text = f"select {', '.join([*asked['columns'], *measured])} from {chart['view']} as asked"
    if asked["extras"]:
        text += f" where {asked['extras']['where']}"
    if measured and asked["columns"]:
        text += f" group by {', '.join(asked['columns'])}"
    if asked["orderby"]:
        order = [f"{quoted(name)} {'asc' if up else 'desc'}" for name, up in asked["orderby"]]
        text += f" order by {', '.join(order)}"
    return text + f" limit {asked['row_limit']}"


def test_every_chart_is_answered_by_both_databases(trained, url):
    trained.publish(url)
    with psycopg.connect(url) as there:
        for chart in spec()["charts"]:
            asked = as_sql(chart)
            found = there.execute(asked).fetchall()
            assert len(found) == len(trained.query(asked).rows), chart["name"]


def test_charts_fill_the_rows_of_their_dashboard():
    for title in spec()["dashboards"]:
        assert sum(c["width"] for c in spec()["charts"] if c["dashboard"] == title) % 12 == 0


def test_a_password_is_not_written(trained, tmp_path):
    out = tmp_path / "assets.zip"
    secret = "postgresql://me:hunter2@host:5433/bma?sslmode=require"
    done = cli("superset", "--output", out, "--database-url", secret, "--store", trained.path)
    assert "charts in" in done.stderr
    (database,) = part(content(out), "databases")
    expected = "postgresql://me:XXXXXXXXXX@host:5433/bma?sslmode=require"
    assert database["sqlalchemy_uri"] == expected
    assert b"hunter2" not in out.read_bytes()
    with pytest.raises(ConfigError, match="not among the options") as error:
        trained.superset(out, "postgresql://me@host/bma?password=hunter2")
    assert "hunter2" not in str(error.value)
    with pytest.raises(ConfigError, match="Superset reads PostgreSQL"):
        trained.superset(out, "mysql://me@host/bma")


def test_what_cannot_be_written_is_said(trained, tmp_path):
    with pytest.raises(ConfigError, match="is not written over"):
        trained.superset(trained.path)
    with pytest.raises(StoreNotFoundError, match="no published results"):
        Store(tmp_path / "none.duckdb").superset(tmp_path / "a.zip")
    odd = Store(tmp_path / "a?b.duckdb")
    trained.path.with_name("bma.results.duckdb").rename(tmp_path / "a?b.results.duckdb")
    with pytest.raises(ConfigError, match="cannot be part of a URL"):
        odd.superset(tmp_path / "a.zip")
