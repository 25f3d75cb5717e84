"""What carriers set aside before a customer pays."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

OPEN = sa.text("state IN ('asked', 'held', 'lost', 'given_up')")


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("renewal_id", sa.String(36), nullable=False),
        sa.Column("carrier", sa.String(40), nullable=False),
        sa.Column("ref", sa.String(36), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("provider_ref", sa.String(80)),
        sa.Column("reason", sa.String(40)),
        sa.Column("raw_code", sa.String(80)),
        sa.Column("held_until", sa.DateTime(timezone=True)),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("times_asked", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        sa.UniqueConstraint("ref", name="uq_holds_ref"),
        sa.ForeignKeyConstraint(["renewal_id"], ["renewals.id"], name="fk_holds_renewal_id_renewals"),
    )
    op.create_index("ix_holds_renewal_id", "holds", ["renewal_id"])
    op.add_column("attempts", sa.Column("held_as", sa.String(80)))
    op.create_index("ix_holds_open", "holds", ["carrier", "due_at"], unique=False, sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    with op.batch_alter_table("attempts") as attempts:
        attempts.drop_column("held_as")
    op.drop_index("ix_holds_open", table_name="holds")
    op.drop_index("ix_holds_renewal_id", table_name="holds")
    op.drop_table("holds")
