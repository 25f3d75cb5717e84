"""Cash without a sale, counts in between, several terminals, and differences that a manager approves."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

LIMITS = ("movement_limit_minor", "drawer_limit_minor", "difference_limit_minor")


def upgrade() -> None:
    for limit in LIMITS:
        op.add_column("stores", sa.Column(limit, sa.BigInteger()))
    with op.batch_alter_table("shifts") as shifts:
        shifts.add_column(sa.Column("difference_code", sa.String(20)))
        shifts.add_column(sa.Column("approval_wanted", sa.Boolean()))
    with op.batch_alter_table("cash_movements") as movements:
        movements.add_column(sa.Column("code", sa.String(20)))
        movements.add_column(sa.Column("approved_by", sa.Integer()))
        movements.add_column(sa.Column("request_id", sa.String(36)))
        movements.create_foreign_key("fk_cash_movements_approved_by_staff", "staff", ["approved_by"], ["id"])
        movements.create_unique_constraint("uq_cash_movements_request_id", ["request_id"])
    with op.batch_alter_table("drawer_counts") as counts:
        counts.alter_column("why", existing_type=sa.String(10), type_=sa.String(40), existing_nullable=False)
        counts.add_column(sa.Column("expected_minor", sa.BigInteger()))
        counts.add_column(sa.Column("taken_by", sa.Integer()))
        counts.create_foreign_key("fk_drawer_counts_taken_by_staff", "staff", ["taken_by"], ["id"])
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
    with op.batch_alter_table("drawer_counts") as counts:
        counts.drop_constraint("fk_drawer_counts_taken_by_staff", type_="foreignkey")
        counts.drop_column("taken_by")
        counts.drop_column("expected_minor")
        counts.alter_column("why", existing_type=sa.String(40), type_=sa.String(10), existing_nullable=False)
    with op.batch_alter_table("cash_movements") as movements:
        movements.drop_constraint("uq_cash_movements_request_id", type_="unique")
        movements.drop_constraint("fk_cash_movements_approved_by_staff", type_="foreignkey")
        for name in ("request_id", "approved_by", "code"):
            movements.drop_column(name)
    with op.batch_alter_table("shifts") as shifts:
        shifts.drop_column("approval_wanted")
        shifts.drop_column("difference_code")
    for limit in reversed(LIMITS):
        op.drop_column("stores", limit)
