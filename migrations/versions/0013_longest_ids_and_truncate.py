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
    for name in ("provider_ref", "operator_ref"):
        resize(name, 80, 120)
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
    for name in ("operator_ref", "provider_ref"):
        resize(name, 120, 80)


def resize(name: str, before: int, after: int) -> None:
    """SQLite would copy the table and drop the old one, which others point at: with a single attempt in the books it refuses.
    A new column takes the place of the old one instead."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("renewals", name, existing_type=sa.String(before), type_=sa.String(after), existing_nullable=True)
        return
    op.add_column("renewals", sa.Column(f"{name}_wide", sa.String(after), nullable=True))
    op.execute(f"UPDATE renewals SET {name}_wide = {name}")  # noqa: S608 - names of this file
    op.drop_column("renewals", name)
    op.execute(f"ALTER TABLE renewals RENAME COLUMN {name}_wide TO {name}")
