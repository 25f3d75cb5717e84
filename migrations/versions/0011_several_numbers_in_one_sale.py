"""A family renews several SIMs with one payment, so a sale has as many numbers as it has lines."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

KEPT = "sale_id, kind, sealed, look_up, salt, masked, carrier, operator, state, plan_name, expires_at, balances, asked_at"


def upgrade() -> None:
    # A primary key cannot be exchanged in place on both engines, so the rows step aside for a moment.
    op.execute("CREATE TABLE number_checks_before AS SELECT * FROM number_checks")
    op.drop_table("number_checks")
    op.create_table(
        "number_checks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sale_id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        *checked(),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["sale_id"], ["sales.id"], name=op.f("fk_number_checks_sale_id_sales")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_checks")),
        sa.UniqueConstraint("sale_id", "place", name=op.f("uq_number_checks_sale_id_place")),
    )
    op.create_index(op.f("ix_number_checks_look_up"), "number_checks", ["look_up"], unique=False)
    # A number is sealed under the name of its row: the first number of a sale keeps the name of the sale.
    op.execute(f"INSERT INTO number_checks (id, place, {KEPT}) SELECT sale_id, 1, {KEPT} FROM number_checks_before")
    op.drop_table("number_checks_before")
    op.add_column("renewals", sa.Column("number_check_id", sa.String(length=36), nullable=False, server_default=""))
    op.execute("UPDATE renewals SET number_check_id = sale_id")


def downgrade() -> None:
    """Of several numbers the first is kept; each renewal has its own copy of its number."""
    op.drop_column("renewals", "number_check_id")
    op.execute("CREATE TABLE number_checks_before AS SELECT * FROM number_checks WHERE id = sale_id")
    op.drop_table("number_checks")
    op.create_table(
        "number_checks",
        sa.Column("sale_id", sa.String(length=36), nullable=False),
        *checked(),
        sa.ForeignKeyConstraint(["sale_id"], ["sales.id"], name=op.f("fk_number_checks_sale_id_sales")),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_number_checks")),
    )
    op.create_index(op.f("ix_number_checks_look_up"), "number_checks", ["look_up"], unique=False)
    op.execute(f"INSERT INTO number_checks ({KEPT}) SELECT {KEPT} FROM number_checks_before")
    op.drop_table("number_checks_before")


def checked() -> list[sa.Column]:
    """What is known of a number, the same before and after."""
    return [
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("look_up", sa.String(length=80), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("masked", sa.String(length=30), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("operator", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("plan_name", sa.String(length=120), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("balances", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
    ]
