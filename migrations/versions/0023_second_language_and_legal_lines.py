"""A receipt may say its title and total in two languages, and what the law of the place wants said."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("stores", sa.Column("second_language", sa.String(length=10), nullable=False, server_default=""))
    op.add_column("stores", sa.Column("legal_lines", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("stores", "legal_lines")
    op.drop_column("stores", "second_language")
