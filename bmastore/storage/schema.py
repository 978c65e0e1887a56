"""The tables of the ledger, for SQLAlchemy and Alembic.

They lie in the store's file, or in PostgreSQL, beside a copy of what views show of the panel. No
foreign keys (DuckDB's break updates of the parent), no indexes (they double a table's size there);
a missing time zone means UTC.
"""

from sqlalchemy import ARRAY, Column, Date, Double, Integer, MetaData, String, Table
from sqlalchemy import TIMESTAMP as Timestamp
from sqlalchemy.types import REAL

# What a forecast says.
FORECAST = ("mean", "sd", "q05", "q25", "q50", "q75", "q95", "p_up")
# How an ensemble did on the rows that set its weights.
OOF_SCORES = (
    "oof_rmse",
    "oof_mse_vs_zero",
    "oof_log_score",
    "oof_coverage_80",
    "oof_coverage_90",
)
# How the forecasts of a date did, and how far their ranking was from that of the date before.
DAY_SCORES = (
    "ic",
    "squared_error",
    "zero_squared_error",
    "crps",
    "zero_crps",
    "log_score",
    "coverage_50",
    "coverage_80",
    "coverage_90",
    "zero_coverage_50",
    "zero_coverage_80",
    "zero_coverage_90",
    "brier",
)
# Sums over the outcomes of a stock, and over those of the 60 newest dates that have any.
STOCK_SUMS = (
    *("error", "squares", "zero_squares", "crps", "zero_crps"),
    *("held_50", "held_80", "held_90", "brier"),
    *("squares_60", "zero_squares_60", "crps_60", "zero_crps_60", "held_80_60", "held_90_60"),
)
TURNOVER = ("turnover_highest", "turnover_lowest", "rank_correlation")

ledger_metadata = MetaData()

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
    # Stocks that stored ensembles forecast anew, and labels after which a stock is trained again;
    # NULL in runs from before this was recorded.
    Column("only_forecast", Integer),
    Column("stale_after", Integer),
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
    Column("universe_sha256", String),
    # One value per member, in the order of `members`; NULL where nothing was trained.
    Column("members", ARRAY(String)),
    Column("weights", ARRAY(Double)),
    Column("oof_log_scores", ARRAY(Double)),
    Column("oof_rmses", ARRAY(Double)),
    Column("scales", ARRAY(Double)),
    # Trees of each member that boosts; NULL for the others.
    Column("rounds", ARRAY(Integer)),
    Column("oof_rows", Integer),
    *(Column(name, Double) for name in OOF_SCORES),
    # Of its series when it was made; NULL in entries from before this was recorded.
    Column("history_since", Timestamp),
    # Why members have failed on the stock; NULL where none has.
    Column("member_errors", ARRAY(String)),
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
    # What splits of pooled members have gained; NULL for the others.
    Column("features", ARRAY(String)),
    Column("shares", ARRAY(Double)),
)

# Of each ensemble in use its file, and what its splits have gained: a value per member and feature
# that has any share; NULL where it has no trees of its own.
ensembles = Table(
    "ensembles",
    ledger_metadata,
    Column("ticker", String, nullable=False),
    Column("target", String, nullable=False),
    Column("entry_id", String, nullable=False),
    Column("artifact_sha256", String, nullable=False),
    Column("members", ARRAY(String)),
    Column("features", ARRAY(String)),
    Column("shares", ARRAY(Double)),
)

# Which entries of a stock count now: its newest attempt, the one in use, when they ended, how many
# there are, of which date its newest forecast is, and when that was made. Told by the
# ledger, and kept so that nobody has to look through all of its history: what is joined by time too
# is read where it lies.
standings = Table(
    "standings",
    ledger_metadata,
    Column("ticker", String, nullable=False),
    Column("target", String, nullable=False),
    Column("newest_entry", String, nullable=False),
    Column("newest_at", Timestamp, nullable=False),
    Column("current_entry", String),
    Column("current_at", Timestamp),
    Column("attempts", Integer, nullable=False),
    Column("forecast_date", Date),
    Column("forecast_at", Timestamp),
)

# How members were weighed by cutoff, over the stocks that were trained as of it.
member_days = Table(
    "member_days",
    ledger_metadata,
    Column("target", String, nullable=False),
    Column("cutoff", Date, nullable=False),
    Column("member", String, nullable=False),
    Column("stocks", Integer, nullable=False),
    *(Column(name, Double, nullable=False) for name in ("weight", "share_led")),
    *(Column(name, Double) for name in ("oof_log_score", "oof_rmse")),
)

# The newest forecast of each stock and date: one by a newer entry takes its place, and one by the
# same entry where the stock's newest rows have changed.
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
    Column("made_at", Timestamp),
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
    *(Column(name, Double, nullable=False) for name in ("actual", "pit", "crps", "log_score")),
    # NULL where the settings leave out the member `zero`.
    *(Column(name, Double) for name in ("zero_pit", "zero_crps", "zero_log_score")),
    # All of the mixture, where the entry does not tell it, and in rows from before 0014; else NULL.
    Column("components", ARRAY(REAL)),
    # What the entry does not say of it: where its members with weight stand, but for `zero`, and
    # the scale of the first with weight, `zero` before the others.
    Column("centres", ARRAY(Double)),
    Column("scale", Double),
)

# How the forecasts of a date did over its stocks: what views of days show, so that nobody has to
# look through all outcomes. pits and zero_pits count stocks by tenth of the predictive
# distributions; fifths are those of the date's stocks by their forecast, the lowest first.
outcome_days = Table(
    "outcome_days",
    ledger_metadata,
    Column("target", String, nullable=False),
    Column("date", Date, nullable=False),
    Column("stocks", Integer, nullable=False),
    *(Column(name, Double) for name in DAY_SCORES),
    Column("pits", ARRAY(Integer), nullable=False),
    Column("zero_pits", ARRAY(Integer), nullable=False),
    Column("fifth_stocks", ARRAY(Integer), nullable=False),
    Column("fifth_forecasts", ARRAY(Double), nullable=False),
    Column("fifth_actuals", ARRAY(Double), nullable=False),
    # Stocks that have a forecast of the date before too, and how the ranking has changed.
    Column("stocks_before", Integer, nullable=False),
    *(Column(name, Double) for name in TURNOVER),
)

# How the forecasts of a stock did over its dates, as sums: held_80 counts targets inside the 80 %
# interval, brier is summed over the outcomes that have a p_up.
outcome_stocks = Table(
    "outcome_stocks",
    ledger_metadata,
    Column("ticker", String, nullable=False),
    Column("target", String, nullable=False),
    Column("outcomes", Integer, nullable=False),
    Column("outcomes_60", Integer, nullable=False),
    Column("outcomes_with_p_up", Integer, nullable=False),
    Column("first_date", Date, nullable=False),
    Column("last_date", Date, nullable=False),
    *(Column(name, Double) for name in STOCK_SUMS),
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
