"""Receipts by e-mail: an outbox whose addresses are sealed and emptied when the letter has gone."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

UNDER_WAY = sa.text("state IN ('queued', 'sending', 'waiting')")


def upgrade() -> None:
    op.create_table(
        "receipt_mails",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("receipt_id", sa.Integer(), nullable=False),
        sa.Column("till_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_receipt_mails_receipt_id_receipts")),
        sa.ForeignKeyConstraint(["till_id"], ["tills.id"], name=op.f("fk_receipt_mails_till_id_tills")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_receipt_mails_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_mails")),
    )
    op.create_index(op.f("ix_receipt_mails_receipt_id"), "receipt_mails", ["receipt_id"])
    op.create_index(
        "ix_receipt_mails_under_way", "receipt_mails", ["due_at"], sqlite_where=UNDER_WAY, postgresql_where=UNDER_WAY
    )


def downgrade() -> None:
    op.drop_index("ix_receipt_mails_under_way", table_name="receipt_mails")
    op.drop_index(op.f("ix_receipt_mails_receipt_id"), table_name="receipt_mails")
    op.drop_table("receipt_mails")
