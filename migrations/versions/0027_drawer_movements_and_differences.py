"""Cash without a sale, counts in between, several terminals, and differences that a manager approves."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

LIMITS = ("movement_limit_minor", "drawer_limit_minor", "difference_limit_minor")


def upgrade() -> None:
    for limit in LIMITS:
        op.add_column("stores", sa.Column(limit, sa.BigInteger()))
    op.add_column("shifts", sa.Column("difference_code", sa.String(20)))
    op.add_column("shifts", sa.Column("approval_wanted", sa.Boolean()))
    op.add_column("cash_movements", sa.Column("code", sa.String(20)))
    op.add_column("cash_movements", sa.Column("approved_by", sa.Integer()))
    op.add_column("cash_movements", sa.Column("request_id", sa.String(36)))
    op.create_index("ix_cash_movements_request_id", "cash_movements", ["request_id"], unique=True)
    op.add_column("drawer_counts", sa.Column("expected_minor", sa.BigInteger()))
    op.add_column("drawer_counts", sa.Column("taken_by", sa.Integer()))
    op.create_table(
        "card_batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shift_id", sa.Integer(), nullable=False),
        sa.Column("terminal", sa.String(20), nullable=False),
        sa.Column("batch", sa.String(20), nullable=False),
        sa.Column("count", sa.Integer()),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.ForeignKeyConstraint(["shift_id"], ["shifts.id"], name="fk_card_batches_shift_id_shifts"),
        sa.PrimaryKeyConstraint("id", name="pk_card_batches"),
    )
    op.create_index("ix_card_batches_shift_id", "card_batches", ["shift_id"])
    op.create_table(
        "difference_approvals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shift_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["shift_id"], ["shifts.id"], name="fk_difference_approvals_shift_id_shifts"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_difference_approvals_staff_id_staff"),
        sa.PrimaryKeyConstraint("id", name="pk_difference_approvals"),
        sa.UniqueConstraint("shift_id", name="uq_difference_approvals_shift_id"),
    )


def downgrade() -> None:
    op.drop_table("difference_approvals")
    op.drop_table("card_batches")
    op.drop_column("drawer_counts", "taken_by")
    op.drop_column("drawer_counts", "expected_minor")
    op.drop_index("ix_cash_movements_request_id", table_name="cash_movements")
    for name in ("request_id", "approved_by", "code"):
        op.drop_column("cash_movements", name)
    for name in ("approval_wanted", "difference_code"):
        op.drop_column("shifts", name)
    for limit in reversed(LIMITS):
        op.drop_column("stores", limit)
