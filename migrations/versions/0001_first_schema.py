"""The first schema: panel, ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String, nullable=nullable)


def _real(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.REAL, nullable=nullable)


def _double(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Double, nullable=nullable)


def _integer(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer, nullable=False)


def _date(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Date, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.TIMESTAMP, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "prices",
        _text("ticker"),
        _date("date"),
        _real("open"),
        _real("high"),
        _real("low"),
        _real("close", nullable=False),
        _double("volume", nullable=True),
        _real("adj_close"),
    )
    op.create_table("features", _text("ticker"), _date("date"))
    op.create_table(
        "targets",
        _text("ticker"),
        _date("date"),
        _text("target"),
        _integer("horizon"),
        _double("value"),
        _date("label_end"),
    )
    op.create_table(
        "series",
        _text("ticker"),
        _text("target"),
        _integer("n_rows"),
        _date("first_date", nullable=True),
        _date("last_date", nullable=True),
        _text("digest"),
        _time("updated_at"),
    )
    op.create_table(
        "folds",
        _text("ticker"),
        _text("target"),
        _integer("fold"),
        _text("entry_id"),
        _text("config_hash"),
        _text("code_version"),
        _integer("n_train"),
        _integer("n_test"),
        _text("train_digest"),
        _text("test_digest"),
        _text("rounds"),
        sa.Column("members", sa.ARRAY(sa.String), nullable=False),
        sa.Column("dates", sa.ARRAY(sa.Date), nullable=False),
        sa.Column("predictions", sa.ARRAY(sa.REAL), nullable=False),
    )
    op.create_table("settings", _text("name"), _text("value"))
    op.create_table(
        "runs",
        _text("run_id"),
        _text("status"),
        _time("started_at"),
        _time("finished_at", nullable=True),
        _text("target"),
        _integer("horizon"),
        _date("as_of", nullable=True),
        _double("time_per_stock", nullable=True),
        _text("preset"),
        _text("config_hash"),
        _text("config"),
        _text("code_version"),
        _integer("workers"),
        _integer("selected"),
        _integer("trained"),
        _integer("failed"),
        _integer("skipped"),
        _double("wall_s", nullable=True),
        _double("fit_cpu_s", nullable=True),
        _double("peak_rss_mb", nullable=True),
    )
    op.create_table(
        "ledger",
        _text("entry_id"),
        _text("run_id"),
        _text("ticker"),
        _text("target"),
        _text("status"),
        _text("cause"),
        _text("data_digest"),
        _text("config_hash"),
        _text("code_version"),
        _text("preset"),
        _integer("n_rows"),
        _date("first_date", nullable=True),
        _date("last_date", nullable=True),
        _date("cutoff", nullable=True),
        _integer("attempt"),
        _double("fit_s"),
        _time("started_at"),
        _time("finished_at"),
        _text("error_type", nullable=True),
        _text("error_message", nullable=True),
        _text("artifact_sha256", nullable=True),
        _text("universe_sha256", nullable=True),
    )
    op.create_table(
        "universes",
        _text("universe_id"),
        _text("run_id"),
        _text("target"),
        _date("anchor"),
        _text("config_hash"),
        _text("code_version"),
        _integer("n_rows"),
        _integer("n_stocks"),
        _double("fit_s"),
        _time("finished_at"),
        _text("artifact_sha256"),
        _text("member"),
        _double("prior_weight"),
        _double("advantage"),
        _double("spread"),
    )
    op.create_table(
        "weights",
        _text("entry_id"),
        _text("member"),
        _double("weight"),
        _double("oof_log_score"),
        _double("oof_rmse"),
        _double("scale"),
    )
    op.create_table("metrics", _text("entry_id"), _text("name"), _double("value"))
    op.create_table(
        "predictions",
        _text("entry_id"),
        _text("ticker"),
        _date("date"),
        _text("target"),
        *(_double(name) for name in ("mean", "sd", "q05", "q25", "q50", "q75", "q95")),
    )
