"""A PIN that somebody else gave is changed at its first use, and a person whose PIN was guessed at all day waits for a manager."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.add_column("staff", sa.Column("pin_given_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("staff", sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("staff", "locked_at")
    op.drop_column("staff", "pin_given_until")
