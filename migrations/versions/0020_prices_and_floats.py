"""What the owner asks for plans, and what every carrier's wallet said last."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "price_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.String(40)),
        sa.Column("line", sa.String(40)),
        sa.Column("margin_basis_points", sa.Integer(), nullable=False),
        sa.Column("add_minor", sa.BigInteger(), nullable=False),
        sa.Column("round_to_minor", sa.BigInteger(), nullable=False),
        sa.Column("cost_currency", sa.String(3)),
        sa.Column("rate_millionths", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_price_rules"),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_price_rules_store_id_stores"),
    )
    op.create_table(
        "floats",
        sa.Column("carrier", sa.String(40), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("available_minor", sa.BigInteger(), nullable=False),
        sa.Column("held_minor", sa.BigInteger()),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("low_water_minor", sa.BigInteger()),
        sa.Column("low_since", sa.DateTime(timezone=True)),
        sa.Column("unexplained_minor", sa.BigInteger(), nullable=False),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("carrier", "currency", name="pk_floats"),
    )
    op.create_index("ix_ledger_transfers_carrier_at", "ledger_transfers", ["carrier", "at"])
    op.add_column("plans", sa.Column("own_price_minor", sa.BigInteger()))
    op.add_column("plans", sa.Column("withheld", sa.String(40)))
    op.add_column("stores", sa.Column("price_ceiling_minor", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("stores", "price_ceiling_minor")
    op.drop_column("plans", "withheld")
    op.drop_column("plans", "own_price_minor")
    op.drop_index("ix_ledger_transfers_carrier_at", table_name="ledger_transfers")
    op.drop_table("floats")
    op.drop_table("price_rules")
