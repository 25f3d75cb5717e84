"""Why card money left the drawer; a renewal that replaces another one; what a clerk may give back."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("stores", sa.Column("refund_limit_minor", sa.BigInteger(), nullable=True))
    op.add_column("refunds", sa.Column("reason", sa.String(length=200), nullable=True))
    op.add_column("renewals", sa.Column("replaces", sa.String(length=36), nullable=True))
    op.create_index(op.f("ix_renewals_replaces"), "renewals", ["replaces"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_renewals_replaces"), table_name="renewals")
    op.drop_column("renewals", "replaces")
    op.drop_column("refunds", "reason")
    op.drop_column("stores", "refund_limit_minor")
