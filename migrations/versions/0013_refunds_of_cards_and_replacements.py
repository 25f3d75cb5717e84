"""A card refund that came to nothing may be followed by another; a replaced renewal; a clerk's limit."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("stores", sa.Column("refund_limit_minor", sa.BigInteger(), nullable=True))
    op.add_column("renewals", sa.Column("replaces", sa.String(length=36), nullable=True))
    op.create_index(op.f("ix_renewals_replaces"), "renewals", ["replaces"], unique=True)
    with op.batch_alter_table("refunds") as refunds:
        refunds.add_column(sa.Column("counts_for", sa.String(length=36), nullable=True))
        refunds.add_column(sa.Column("reason", sa.String(length=200), nullable=True))
        refunds.drop_constraint(op.f("uq_refunds_renewal_id"), type_="unique")
    # Until now there was no refund that came to nothing.
    op.execute("UPDATE refunds SET counts_for = renewal_id")
    op.create_index(op.f("ix_refunds_counts_for"), "refunds", ["counts_for"], unique=True)
    op.create_index(op.f("ix_refunds_renewal_id"), "refunds", ["renewal_id"], unique=False)


def downgrade() -> None:
    """Stops where a renewal has two refunds: the older schema has no place for the one that came to nothing."""
    op.drop_index(op.f("ix_refunds_renewal_id"), table_name="refunds")
    op.drop_index(op.f("ix_refunds_counts_for"), table_name="refunds")
    with op.batch_alter_table("refunds") as refunds:
        refunds.create_unique_constraint(op.f("uq_refunds_renewal_id"), ["renewal_id"])
        refunds.drop_column("reason")
        refunds.drop_column("counts_for")
    op.drop_index(op.f("ix_renewals_replaces"), table_name="renewals")
    op.drop_column("renewals", "replaces")
    op.drop_column("stores", "refund_limit_minor")
