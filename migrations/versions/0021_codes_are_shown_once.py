"""Plans that are delivered as a code or as an eSIM, and the sealed code with how often it was shown and printed."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

AWAITED = "sealed IS NULL"


def upgrade() -> None:
    op.add_column("plans", sa.Column("fulfilment", sa.String(length=10), nullable=False, server_default="direct"))
    op.add_column("plans", sa.Column("redeem", sa.String(length=600), nullable=True))
    op.add_column("plans", sa.Column("country", sa.String(length=2), nullable=True))
    op.add_column("renewals", sa.Column("fulfilment", sa.String(length=10), nullable=False, server_default="direct"))
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("renewal_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("masked", sa.String(length=30), nullable=False),
        sa.Column("iccid_look_up", sa.String(length=80), nullable=True),
        sa.Column("times_shown", sa.Integer(), nullable=False),
        sa.Column("first_shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shown_for", sa.String(length=64), nullable=True),
        sa.Column("times_printed", sa.Integer(), nullable=False),
        sa.Column("first_printed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("times_asked", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["renewal_id"], ["renewals.id"], name=op.f("fk_deliveries_renewal_id_renewals")),
        sa.ForeignKeyConstraint(["job_id"], ["print_jobs.id"], name=op.f("fk_deliveries_job_id_print_jobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("renewal_id", name=op.f("uq_deliveries_renewal_id")),
    )
    op.create_index(op.f("ix_deliveries_iccid_look_up"), "deliveries", ["iccid_look_up"], unique=False)
    op.create_index(op.f("ix_deliveries_job_id"), "deliveries", ["job_id"], unique=False)
    where = sa.text(AWAITED)
    op.create_index("ix_deliveries_awaited", "deliveries", ["due_at"], unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("ix_deliveries_awaited", table_name="deliveries")
    op.drop_index(op.f("ix_deliveries_job_id"), table_name="deliveries")
    op.drop_index(op.f("ix_deliveries_iccid_look_up"), table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_column("renewals", "fulfilment")
    op.drop_column("plans", "country")
    op.drop_column("plans", "redeem")
    op.drop_column("plans", "fulfilment")
