"""The tables of a store, for SQLAlchemy and Alembic.

The panel tables always lie in DuckDB. The ledger tables lie in the same file,
or in PostgreSQL, beside a copy of what views show of the panel. No foreign keys
(DuckDB's break updates of the parent), no indexes (they double a table's size
there); a missing time zone means UTC.
"""

from sqlalchemy import (
    ARRAY,
    Column,
    Date,
    Double,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy import TIMESTAMP as Timestamp
from sqlalchemy.types import REAL

# What a forecast says.
FORECAST = ("mean", "sd", "q05", "q25", "q50", "q75", "q95", "p_up")

panel_metadata = MetaData()
ledger_metadata = MetaData()

prices = Table(
    "prices",
    panel_metadata,
    Column("ticker", String, nullable=False),
    Column("date", Date, nullable=False),
    Column("open", Double),
    Column("high", Double),
    Column("low", Double),
    Column("close", Double, nullable=False),
    Column("volume", Double),
    Column("adj_close", Double),
)

# One REAL column per feature is added by ingest.
features = Table(
    "features",
    panel_metadata,
    Column("ticker", String, nullable=False),
    Column("date", Date, nullable=False),
)

targets = Table(
    "targets",
    panel_metadata,
    Column("ticker", String, nullable=False),
    Column("date", Date, nullable=False),
    Column("target", String, nullable=False),
    Column("horizon", Integer, nullable=False),
    Column("value", Double, nullable=False),
    Column("label_end", Date, nullable=False),
)

series = Table(
    "series",
    panel_metadata,
    Column("ticker", String, nullable=False),
    Column("target", String, nullable=False),
    Column("n_rows", Integer, nullable=False),
    Column("first_date", Date),
    Column("last_date", Date),
    Column("digest", String, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
)

# The walk-forward folds of each stock's last trained entry: what they were made from, and
# their predictions, date after date, one value per member. entry_id is the entry that last
# changed the fold. The view `oof` shows one prediction per row; so many rows of text keys
# would make each checkpoint ten times slower.
folds = Table(
    "folds",
    panel_metadata,
    Column("ticker", String, nullable=False),
    Column("target", String, nullable=False),
    Column("fold", Integer, nullable=False),
    Column("entry_id", String, nullable=False),
    Column("config_hash", String, nullable=False),
    Column("code_version", String, nullable=False),
    Column("n_train", Integer, nullable=False),
    Column("n_test", Integer, nullable=False),
    Column("train_digest", String, nullable=False),
    Column("test_digest", String, nullable=False),
    Column("rounds", String, nullable=False),
    Column("members", ARRAY(String), nullable=False),
    Column("dates", ARRAY(Date), nullable=False),
    Column("predictions", ARRAY(REAL), nullable=False),
)

# First forecasts of rows whose label is not known yet, as they were made; settling takes them out.
# known_until is the newest date of which anything was known then, of whatever stock. components:
# weight, centre and scale of `zero` and of each member with weight, one after another.
awaited = Table(
    "awaited",
    panel_metadata,
    Column("entry_id", String, nullable=False),
    Column("ticker", String, nullable=False),
    Column("target", String, nullable=False),
    Column("date", Date, nullable=False),
    Column("made_at", Timestamp, nullable=False),
    Column("known_until", Date, nullable=False),
    *(Column(name, Double, nullable=False) for name in FORECAST),
    Column("components", ARRAY(REAL), nullable=False),
)

# Labels that have changed since they were known: settling looks whether a forecast was judged
# by what they were before.
relabelled = Table(
    "relabelled",
    panel_metadata,
    Column("ticker", String, nullable=False),
    Column("target", String, nullable=False),
    Column("date", Date, nullable=False),
)

# What ingest remembers: the feature SQL in use, its horizons, columns to leave out.
settings = Table(
    "settings",
    panel_metadata,
    Column("name", String, nullable=False),
    Column("value", String, nullable=False),
)

# What a ledger says of itself: the id of its store; a published copy, also when it was made and
# of what state of the store.
meta = Table(
    "meta",
    ledger_metadata,
    Column("name", String, nullable=False),
    Column("value", String, nullable=False),
)

runs = Table(
    "runs",
    ledger_metadata,
    Column("run_id", String, nullable=False),
    Column("status", String, nullable=False),
    Column("started_at", Timestamp, nullable=False),
    Column("finished_at", Timestamp),
    Column("target", String, nullable=False),
    Column("horizon", Integer, nullable=False),
    Column("as_of", Date),
    Column("time_per_stock", Double),
    Column("preset", String, nullable=False),
    Column("config_hash", String, nullable=False),
    Column("config", String, nullable=False),
    Column("code_version", String, nullable=False),
    Column("workers", Integer, nullable=False),
    Column("selected", Integer, nullable=False),
    Column("trained", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("wall_s", Double),
    Column("fit_cpu_s", Double),
    Column("peak_rss_mb", Double),
    # In days; NULL where entries of any age are current.
    Column("max_age", Double),
)

ledger = Table(
    "ledger",
    ledger_metadata,
    Column("entry_id", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("ticker", String, nullable=False),
    Column("target", String, nullable=False),
    Column("status", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("data_digest", String, nullable=False),
    Column("config_hash", String, nullable=False),
    Column("code_version", String, nullable=False),
    Column("preset", String, nullable=False),
    Column("n_rows", Integer, nullable=False),
    Column("first_date", Date),
    Column("last_date", Date),
    Column("cutoff", Date),
    Column("attempt", Integer, nullable=False),
    Column("fit_s", Double, nullable=False),
    Column("started_at", Timestamp, nullable=False),
    Column("finished_at", Timestamp, nullable=False),
    Column("error_type", String),
    Column("error_message", String),
    Column("artifact_sha256", String),
    Column("universe_sha256", String),
)

# What stocks borrow from each other: one row per member of each universe.
universes = Table(
    "universes",
    ledger_metadata,
    Column("universe_id", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("target", String, nullable=False),
    Column("anchor", Date, nullable=False),
    Column("config_hash", String, nullable=False),
    Column("code_version", String, nullable=False),
    Column("n_rows", Integer, nullable=False),
    Column("n_stocks", Integer, nullable=False),
    Column("fit_s", Double, nullable=False),
    Column("finished_at", Timestamp, nullable=False),
    Column("artifact_sha256", String, nullable=False),
    Column("member", String, nullable=False),
    Column("prior_weight", Double, nullable=False),
    Column("advantage", Double, nullable=False),
    Column("spread", Double, nullable=False),
)

weights = Table(
    "weights",
    ledger_metadata,
    Column("entry_id", String, nullable=False),
    Column("member", String, nullable=False),
    Column("weight", Double, nullable=False),
    Column("oof_log_score", Double, nullable=False),
    Column("oof_rmse", Double, nullable=False),
    Column("scale", Double, nullable=False),
)

metrics = Table(
    "metrics",
    ledger_metadata,
    Column("entry_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("value", Double, nullable=False),
)

predictions = Table(
    "predictions",
    ledger_metadata,
    Column("entry_id", String, nullable=False),
    Column("ticker", String, nullable=False),
    Column("date", Date, nullable=False),
    Column("target", String, nullable=False),
    Column("mean", Double, nullable=False),
    Column("sd", Double, nullable=False),
    Column("q05", Double, nullable=False),
    Column("q25", Double, nullable=False),
    Column("q50", Double, nullable=False),
    Column("q75", Double, nullable=False),
    Column("q95", Double, nullable=False),
    # NULL in entries from before it was recorded.
    Column("p_up", Double),
)

# Forecasts as they were first made before their label was known, joined with the label that came.
# revision counts labels that were revised since: the one with the highest number holds.
outcomes = Table(
    "outcomes",
    ledger_metadata,
    Column("entry_id", String, nullable=False),
    Column("ticker", String, nullable=False),
    Column("target", String, nullable=False),
    Column("date", Date, nullable=False),
    Column("label_end", Date, nullable=False),
    Column("made_at", Timestamp, nullable=False),
    Column("known_until", Date, nullable=False),
    Column("settled_at", Timestamp, nullable=False),
    Column("revision", Integer, nullable=False),
    *(Column(name, Double, nullable=False) for name in FORECAST),
    *(Column(name, Double, nullable=False) for name in ("actual", "error")),
    *(Column(name, Double, nullable=False) for name in ("pit", "crps", "log_score")),
    # NULL where the settings leave out the member `zero`.
    *(Column(name, Double) for name in ("zero_pit", "zero_crps", "zero_log_score")),
    Column("components", ARRAY(REAL), nullable=False),
)

# How the features of all stocks stood on a date, and how far that was from the dates that models
# learnt from; stability is NULL where there were too few of these.
feature_days = Table(
    "feature_days",
    ledger_metadata,
    Column("date", Date, nullable=False),
    Column("feature", String, nullable=False),
    Column("stocks", Integer, nullable=False),
    *(Column(name, Double) for name in ("median", "quartile_distance")),
    Column("share_missing", Double, nullable=False),
    Column("stability", Double),
    Column("measured_at", Timestamp, nullable=False),
)

# Stocks whose intervals were found to hold no longer: what made them stale.
decays = Table(
    "decays",
    ledger_metadata,
    Column("ticker", String, nullable=False),
    Column("target", String, nullable=False),
    Column("marked_at", Timestamp, nullable=False),
    Column("outcomes", Integer, nullable=False),
    Column("last_date", Date, nullable=False),
    Column("coverage_80", Double, nullable=False),
    Column("p", Double, nullable=False),
)

# What people know of stocks, as it was last ingested.
stocks = Table(
    "stocks",
    ledger_metadata,
    Column("ticker", String, nullable=False),
    *(Column(name, String) for name in ("name", "sector", "industry", "country")),
)

backtests = Table(
    "backtests",
    ledger_metadata,
    Column("backtest_id", String, nullable=False),
    Column("target", String, nullable=False),
    Column("horizon", Integer, nullable=False),
    Column("as_of", Date),
    Column("cutoffs", Integer, nullable=False),
    Column("every", Integer, nullable=False),
    Column("n_stocks", Integer, nullable=False),
    Column("preset", String, nullable=False),
    Column("config_hash", String, nullable=False),
    Column("config", String, nullable=False),
    Column("code_version", String, nullable=False),
    Column("started_at", Timestamp, nullable=False),
    Column("finished_at", Timestamp, nullable=False),
)

backtest_scores = Table(
    "backtest_scores",
    ledger_metadata,
    Column("backtest_id", String, nullable=False),
    Column("slice", String, nullable=False),
    Column("part", String, nullable=False),
    Column("forecaster", String, nullable=False),
    Column("n_rows", Integer, nullable=False),
    Column("n_days", Integer, nullable=False),
    Column("mse_vs_zero", Double),
    Column("ic", Double),
    Column("icir", Double),
    Column("ic_t", Double),
    Column("crps_vs_zero", Double),
    Column("log_score", Double, nullable=False),
    Column("coverage_50", Double, nullable=False),
    Column("coverage_80", Double, nullable=False),
    Column("coverage_90", Double, nullable=False),
    Column("pit", String, nullable=False),
    Column("dm", Double),
    Column("dm_p", Double),
    # NULL in backtests from before these were scored; so are those of the days.
    Column("brier_vs_half", Double),
    Column("signs_right", Double),
)

backtest_days = Table(
    "backtest_days",
    ledger_metadata,
    Column("backtest_id", String, nullable=False),
    Column("date", Date, nullable=False),
    Column("forecaster", String, nullable=False),
    Column("n_stocks", Integer, nullable=False),
    Column("ic", Double),
    Column("squared_error", Double, nullable=False),
    Column("crps", Double, nullable=False),
    Column("coverage_50", Double),
    Column("coverage_80", Double),
    Column("coverage_90", Double),
    Column("brier", Double),
)

backtest_weights = Table(
    "backtest_weights",
    ledger_metadata,
    Column("backtest_id", String, nullable=False),
    Column("cutoff", Date, nullable=False),
    Column("member", String, nullable=False),
    Column("weight", Double, nullable=False),
    Column("n_stocks", Integer, nullable=False),
)

# Cutoffs of backtests that are done: a backtest that is killed goes on after them. The
# artifact holds the scored rows until the backtest is done; inputs_digest covers settings,
# code, the stocks' data digests and the cutoff's dates.
backtest_cutoffs = Table(
    "backtest_cutoffs",
    ledger_metadata,
    Column("inputs_digest", String, nullable=False),
    Column("target", String, nullable=False),
    Column("cutoff", Date, nullable=False),
    Column("until", Date, nullable=False),
    Column("n_stocks", Integer, nullable=False),
    Column("finished_at", Timestamp, nullable=False),
    Column("artifact_sha256", String, nullable=False),
)

# What lies on a server: the ledger, and of the panel what views show.
SHOWN_OF_PANEL = (series, prices)
