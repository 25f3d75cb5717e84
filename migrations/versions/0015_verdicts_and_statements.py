"""What people decide by hand, successes that come too late, how each carrier stands, and lines that agree with a statement."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("renewal_id", sa.String(length=36), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("says", sa.String(length=40), nullable=False),
        sa.Column("evidence", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("provider_ref", sa.String(length=80), nullable=True),
        sa.Column("proposed_by", sa.Integer(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("open_renewal", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(["decided_by"], ["staff.id"], name=op.f("fk_verdicts_decided_by_staff")),
        sa.ForeignKeyConstraint(["proposed_by"], ["staff.id"], name=op.f("fk_verdicts_proposed_by_staff")),
        sa.ForeignKeyConstraint(["renewal_id"], ["renewals.id"], name=op.f("fk_verdicts_renewal_id_renewals")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_verdicts_store_id_stores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
        sa.UniqueConstraint("open_renewal", name=op.f("uq_verdicts_open_renewal")),
    )
    op.create_index(op.f("ix_verdicts_renewal_id"), "verdicts", ["renewal_id"], unique=False)
    op.create_table(
        "conflicts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("renewal_id", sa.String(length=36), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("was", sa.String(length=40), nullable=False),
        sa.Column("never_sent", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("provider_ref", sa.String(length=80), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["renewal_id"], ["renewals.id"], name=op.f("fk_conflicts_renewal_id_renewals")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_conflicts_store_id_stores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflicts")),
        sa.UniqueConstraint("renewal_id", name=op.f("uq_conflicts_renewal_id")),
    )
    op.create_table(
        "standings",
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("unasked_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dry_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wanted_minor", sa.BigInteger(), nullable=True),
        sa.Column("wanted_currency", sa.String(length=3), nullable=True),
        sa.Column("statement_day", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("carrier", name=op.f("pk_standings")),
    )
    op.create_table(
        "agreements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("renewal_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("line", sa.String(length=80), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("cost_currency", sa.String(length=3), nullable=False),
        sa.Column("line_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["renewal_id"], ["renewals.id"], name=op.f("fk_agreements_renewal_id_renewals")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
        sa.UniqueConstraint("carrier", "line", "kind", name=op.f("uq_agreements_carrier_line_kind")),
        sa.UniqueConstraint("renewal_id", "kind", name=op.f("uq_agreements_renewal_id_kind")),
    )


def downgrade() -> None:
    op.drop_table("agreements")
    op.drop_table("standings")
    op.drop_table("conflicts")
    op.drop_table("verdicts")
