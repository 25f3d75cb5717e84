"""Carriers' ids may be 100 signs long, and PostgreSQL forgets a whole table without asking the triggers of its rows.

SQLite neither counts the signs of a column nor knows TRUNCATE; there the types are written down, and nothing else changes."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

FINAL = ("journal", "ledger_transfers", "receipts", "receipt_documents", "z_reports")


def upgrade() -> None:
    with op.batch_alter_table("renewals") as table:
        table.alter_column("provider_ref", existing_type=sa.String(80), type_=sa.String(120), existing_nullable=True)
        table.alter_column("operator_ref", existing_type=sa.String(80), type_=sa.String(120), existing_nullable=True)
    if op.get_bind().dialect.name == "postgresql":
        for name in FINAL:
            op.execute(
                f"CREATE TRIGGER {name}_is_whole BEFORE TRUNCATE ON {name} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_is_final()"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in FINAL:
            op.execute(f"DROP TRIGGER {name}_is_whole ON {name}")
    with op.batch_alter_table("renewals") as table:
        table.alter_column("operator_ref", existing_type=sa.String(120), type_=sa.String(80), existing_nullable=True)
        table.alter_column("provider_ref", existing_type=sa.String(120), type_=sa.String(80), existing_nullable=True)
