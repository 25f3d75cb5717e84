"""A till may have a spare printer that takes its slips when its own is not ready."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("tills", sa.Column("spare_printer_id", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("tills", "spare_printer_id")
