"""Prices as they are given: DOUBLE in place of FLOAT."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    if op.get_bind().dialect.name != "duckdb":
        return  # a ledger on a server has no prices
    # Written out and read again, a FLOAT of at most seven digits is the number that was given:
    # 123.45, where its exact value is 123.44999695.
    for name in ("open", "high", "low", "close", "adj_close"):
        op.execute(
            f"alter table prices alter column {name} "
            f"set data type double using {name}::varchar::double"
        )
