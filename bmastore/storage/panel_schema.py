"""The tables of the panel, for SQLAlchemy: they always lie in DuckDB, in the store's file."""

from sqlalchemy import ARRAY, Column, Date, Double, Integer, MetaData, String, Table
from sqlalchemy import TIMESTAMP as Timestamp
from sqlalchemy.types import REAL

from bmastore.storage.schema import FORECAST

panel_metadata = MetaData()

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
    # Of the labelled rows, and since when rows have only been added to them; NULL until ingest
    # touches the stock, where the store is from before this was recorded.
    Column("labelled_digest", String),
    Column("history_since", Timestamp),
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

# What lies on a server: the ledger, and of the panel what views show.
SHOWN_OF_PANEL = (series, prices)
