"""The books: transfers between two accounts. The database itself refuses to change one."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

PROTECTED = ("ledger_transfers",)


def protect(table: str) -> None:
    """Refuse UPDATE and DELETE in the database, whoever asks."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {table}_is_final() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is added to, never changed' USING ERRCODE = '23000'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_is_final BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_is_final()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is added to, never changed'); END"
        )


def unprotect(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER {table}_is_final ON {table}")
        op.execute(f"DROP FUNCTION {table}_is_final()")
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(f"DROP TRIGGER {table}_no_{event.lower()}")


def upgrade() -> None:
    op.create_table(
        "ledger_transfers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("till_id", sa.Integer(), nullable=False),
        sa.Column("shift_id", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("debit", sa.String(length=40), nullable=False),
        sa.Column("credit", sa.String(length=40), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=True),
        sa.Column("sale_id", sa.String(length=36), nullable=True),
        sa.Column("renewal_id", sa.String(length=36), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_ledger_transfers_positive")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_ledger_transfers_two_accounts")),
        sa.ForeignKeyConstraint(["renewal_id"], ["renewals.id"], name=op.f("fk_ledger_transfers_renewal_id_renewals")),
        sa.ForeignKeyConstraint(["sale_id"], ["sales.id"], name=op.f("fk_ledger_transfers_sale_id_sales")),
        sa.ForeignKeyConstraint(["shift_id"], ["shifts.id"], name=op.f("fk_ledger_transfers_shift_id_shifts")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_ledger_transfers_store_id_stores")),
        sa.ForeignKeyConstraint(["till_id"], ["tills.id"], name=op.f("fk_ledger_transfers_till_id_tills")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transfers")),
    )
    op.create_index(
        op.f("ix_ledger_transfers_business_day_store_id"), "ledger_transfers", ["business_day", "store_id"], unique=False
    )
    op.create_index(op.f("ix_ledger_transfers_renewal_id"), "ledger_transfers", ["renewal_id"], unique=False)
    for table in PROTECTED:
        protect(table)


def downgrade() -> None:
    for table in PROTECTED:
        unprotect(table)
    op.drop_table("ledger_transfers")
