"""The interface of the original script."""

import json

import numpy as np
import pandas as pd
import pytest

from bmastore import MassiveStockBMAProcessor, Store
from bmastore.datasets import planted_panel
from tests.helpers import TARGET


@pytest.fixture(scope="module")
def stocks():
    """Features and targets of five stocks by ticker, as dicts."""
    panel = planted_panel(n_stocks=5, n_days=320)
    frames = {t: f.drop(columns=["ticker"]).set_index("date") for t, f in panel.groupby("ticker")}
    features = {t: f.drop(columns=TARGET).astype("float64") for t, f in frames.items()}
    return features, {t: f[TARGET] for t, f in frames.items()}


def processor(**options):
    return MassiveStockBMAProcessor(target_time_per_stock=1e-6, batch_size=2, **options)


def test_summary_results_and_files(stocks, tmp_path):
    features, targets = stocks
    found = processor().process_all_stocks(features, targets, save_dir=tmp_path)
    summary = found["summary"]
    assert set(summary) == {
        "total_stocks", "successful_stocks", "failed_stocks", "success_rate",
        "total_training_time_hours", "average_time_per_stock", "peak_memory_gb",
    }  # fmt: skip
    assert (summary["total_stocks"], summary["success_rate"]) == (5, 1.0)
    stock = found["results"]["DEMO01"]
    assert sum(stock["weights"].values()) == pytest.approx(1)
    assert stock["metrics"]["oof_rows"] > 0
    assert stock["seconds"] > 0
    assert stock["error"] is None
    (path,) = tmp_path.glob("bma_5_results_*.json")
    assert json.loads(path.read_text()) == found
    batches = sorted(tmp_path.glob("checkpoint_batch_*.json"))
    assert [path.name for path in batches] == [f"checkpoint_batch_{n}.json" for n in (1, 2, 3)]
    assert json.loads(batches[-1].read_text())["done"] == 5


def test_without_checkpointing_there_are_no_checkpoint_files(stocks, tmp_path):
    processor(enable_checkpointing=False).process_all_stocks(*stocks, save_dir=tmp_path)
    assert list(tmp_path.glob("checkpoint*")) == []


def test_a_second_call_goes_on_where_the_first_ended(stocks, tmp_path):
    features, targets = stocks
    some = {t: features[t] for t in ("DEMO00", "DEMO01")}
    processor().process_all_stocks(some, targets, save_dir=tmp_path)
    found = processor().process_all_stocks(features, targets, save_dir=tmp_path)
    assert found["summary"]["successful_stocks"] == 5
    entries = Store(tmp_path / "bma.duckdb").sql("select ticker from ledger order by ticker")
    assert entries["ticker"].tolist() == sorted(features)


def test_bad_input_is_handled_a_stock(stocks, tmp_path):
    features, targets = ({**part} for part in stocks)
    features["EMPTY"] = pd.DataFrame()
    features["NO TARGET"] = features["DEMO00"]
    features["SHORT"], targets["SHORT"] = features["DEMO00"].head(15), targets["DEMO00"]
    features["ELSEWHERE"] = features["DEMO00"].set_index(
        features["DEMO00"].index + pd.Timedelta("9999D")
    )
    targets["ELSEWHERE"] = targets["DEMO00"]
    features["MISALIGNED"] = features["DEMO00"].iloc[10:]
    targets["MISALIGNED"] = targets["DEMO00"].iloc[:-3].sample(frac=1, random_state=0)
    features["NAN"] = features["DEMO00"].mask(np.random.default_rng(0).random((320, 5)) < 0.2)
    targets["NAN"] = targets["DEMO00"]
    features["NUMBERED"] = features["DEMO00"].reset_index(drop=True)
    targets["NUMBERED"] = targets["DEMO00"].reset_index(drop=True)
    found = processor().process_all_stocks(features, targets, save_dir=tmp_path)
    statuses = {ticker: result["status"] for ticker, result in found["results"].items()}
    assert {t for t, s in statuses.items() if s != "trained"} == {
        "EMPTY", "NO TARGET", "SHORT", "ELSEWHERE",
    }  # fmt: skip
    assert found["summary"]["failed_stocks"] == 4
    errors = {t: found["results"][t]["error"] for t in ("EMPTY", "NO TARGET", "ELSEWHERE", "SHORT")}
    assert errors["EMPTY"] == "the frame of features is empty"
    assert errors["NO TARGET"] == "there is no target"
    assert errors["ELSEWHERE"] == "features and target have no row in common"
    assert "TooFewRowsError" in errors["SHORT"]


def test_nothing_usable_is_a_result_too(tmp_path):
    found = processor().process_all_stocks({"A": pd.DataFrame()}, {}, save_dir=tmp_path)
    assert found["summary"]["success_rate"] == 0
    assert found["results"]["A"]["error"]
