"""The store closes its day over the Zs of its tills, and its month and year over its days."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def protect() -> None:
    """Refuse UPDATE, DELETE and TRUNCATE in the database, whoever asks."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION closings_is_final() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'closings is added to, never changed' USING ERRCODE = '23000'; END $$"
        )
        op.execute(
            "CREATE TRIGGER closings_is_final BEFORE UPDATE OR DELETE ON closings "
            "FOR EACH ROW EXECUTE FUNCTION closings_is_final()"
        )
        op.execute(
            "CREATE TRIGGER closings_is_whole BEFORE TRUNCATE ON closings "
            "FOR EACH STATEMENT EXECUTE FUNCTION closings_is_final()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER closings_no_{event.lower()} BEFORE {event} ON closings "
            "BEGIN SELECT RAISE(ABORT, 'closings is added to, never changed'); END"
        )


def unprotect() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER closings_is_whole ON closings")
        op.execute("DROP TRIGGER closings_is_final ON closings")
        op.execute("DROP FUNCTION closings_is_final()")
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(f"DROP TRIGGER closings_no_{event.lower()}")


def upgrade() -> None:
    op.create_table(
        "closings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("grand_total_minor", sa.BigInteger(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("own_hash", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_closings_staff_id_staff")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_closings_store_id_stores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closings")),
        sa.UniqueConstraint("number", name=op.f("uq_closings_number")),
        sa.UniqueConstraint("store_id", "period", "first_day", name=op.f("uq_closings_store_id_period_first_day")),
        sa.UniqueConstraint("store_id", "period", "sequence", name=op.f("uq_closings_store_id_period_sequence")),
    )
    protect()


def downgrade() -> None:
    unprotect()
    op.drop_table("closings")
