"""What carriers called us about, so that the same message counts once and unknown references are kept in sight."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("ref", sa.String(length=36), nullable=True),
        sa.Column("renewal_id", sa.String(length=36), nullable=True),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["renewal_id"], ["renewals.id"], name=op.f("fk_notifications_renewal_id_renewals")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("carrier", "digest", name=op.f("uq_notifications_carrier_digest")),
    )
    op.create_index(op.f("ix_notifications_asked_at"), "notifications", ["asked_at"], unique=False)


def downgrade() -> None:
    op.drop_table("notifications")
