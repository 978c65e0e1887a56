"""Of its mixture, an outcome keeps what its entry does not say.

Weights and scales are those of the entry. Outcomes from before keep all of it. Digests of rows have
12 digits, for they are kept per entry.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.alter_column("outcomes", "components", nullable=True)
    op.add_column("outcomes", sa.Column("centres", sa.ARRAY(sa.Double()), nullable=True))
    op.add_column("outcomes", sa.Column("scale", sa.Double(), nullable=True))
    op.execute("update ledger set data_digest = left(data_digest, 12)")
    op.execute(
        "update series set digest = left(digest, 12), labelled_digest = left(labelled_digest, 12)"
    )
