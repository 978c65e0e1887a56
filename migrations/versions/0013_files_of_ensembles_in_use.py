"""What is kept of ensembles in use alone: their files, and importances of features.

An entry names no file: but for the ensemble in use, there is none any more. Digests of rows have
16 digits, for they are kept per entry.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_ENSEMBLES = """
insert into ensembles
select
    made.ticker, made.target, made.entry_id, made.artifact_sha256,
    importances.members, importances.features, importances.shares
from (
    select
        ticker, target, entry_id, artifact_sha256,
        row_number() over (
            partition by ticker, target order by cutoff desc nulls last, attempt desc
        ) as place
    from ledger
    where status = 'trained' and artifact_sha256 is not null
) as made
left join importances on importances.entry_id = made.entry_id
where made.place = 1
"""


def upgrade() -> None:
    op.create_table(
        "ensembles",
        sa.Column("ticker", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("artifact_sha256", sa.String(), nullable=False),
        sa.Column("members", sa.ARRAY(sa.String()), nullable=True),
        sa.Column("features", sa.ARRAY(sa.String()), nullable=True),
        sa.Column("shares", sa.ARRAY(sa.Double()), nullable=True),
    )
    op.execute(_ENSEMBLES)
    op.drop_table("importances")
    op.drop_column("ledger", "artifact_sha256")
    op.execute("update ledger set data_digest = left(data_digest, 16)")
    op.execute(
        "update series set digest = left(digest, 16), labelled_digest = left(labelled_digest, 16)"
    )
