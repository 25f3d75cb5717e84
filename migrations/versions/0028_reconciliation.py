"""Statements of acquirers, banks and carriers line by line, the items that are still open, and what two people booked of them."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "statement_imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_statement_imports_store_id_stores")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_statement_imports_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_imports")),
        sa.UniqueConstraint(
            "store_id", "direction", "source", "digest", name=op.f("uq_statement_imports_store_id_direction_source_digest")
        ),
    )
    op.create_table(
        "open_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=60), nullable=False),
        sa.Column("bucket", sa.String(length=40), nullable=False),
        sa.Column("differs", sa.String(length=80), nullable=False),
        sa.Column("actions", sa.String(length=80), nullable=False),
        sa.Column("ref", sa.String(length=80), nullable=False),
        sa.Column("tail", sa.String(length=4), nullable=False),
        sa.Column("ours_minor", sa.BigInteger(), nullable=True),
        sa.Column("ours_currency", sa.String(length=3), nullable=True),
        sa.Column("theirs_minor", sa.BigInteger(), nullable=True),
        sa.Column("theirs_currency", sa.String(length=3), nullable=True),
        sa.Column("fee_minor", sa.BigInteger(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("next_on", sa.Date(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=True),
        sa.Column("evidence", sa.String(length=200), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("agreed_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_open_items_store_id_stores")),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name=op.f("fk_open_items_owner_id_staff")),
        sa.ForeignKeyConstraint(["decided_by"], ["staff.id"], name=op.f("fk_open_items_decided_by_staff")),
        sa.ForeignKeyConstraint(["agreed_by"], ["staff.id"], name=op.f("fk_open_items_agreed_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_items")),
        sa.UniqueConstraint("store_id", "direction", "subject", name=op.f("uq_open_items_store_id_direction_subject")),
    )
    op.create_index(op.f("ix_open_items_store_id_business_day"), "open_items", ["store_id", "business_day"])
    op.create_table(
        "statement_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_day_only", sa.Boolean(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("ref", sa.String(length=80), nullable=False),
        sa.Column("tail", sa.String(length=4), nullable=False),
        sa.Column("is_other_number", sa.Boolean(), nullable=False),
        sa.Column("ours_key", sa.String(length=60), nullable=True),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"], ["statement_imports.id"], name=op.f("fk_statement_lines_import_id_statement_imports")
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_statement_lines_store_id_stores")),
        sa.ForeignKeyConstraint(["item_id"], ["open_items.id"], name=op.f("fk_statement_lines_item_id_open_items")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_lines")),
        sa.UniqueConstraint(
            "store_id", "direction", "source", "identity", name=op.f("uq_statement_lines_store_id_direction_source_identity")
        ),
    )
    op.create_index(
        op.f("ix_statement_lines_store_id_direction_business_day"), "statement_lines", ["store_id", "direction", "business_day"]
    )
    op.create_index(op.f("ix_statement_lines_store_id_ours_key"), "statement_lines", ["store_id", "ours_key"])
    op.create_index(op.f("ix_statement_lines_store_id_ref"), "statement_lines", ["store_id", "ref"])
    op.create_index(op.f("ix_statement_lines_item_id"), "statement_lines", ["item_id"])
    # No foreign key: SQLite would copy the books for it. The proof of the books looks.
    op.add_column("ledger_transfers", sa.Column("item_id", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("ledger_transfers", "item_id")
    op.drop_table("statement_lines")
    op.drop_table("open_items")
    op.drop_table("statement_imports")
