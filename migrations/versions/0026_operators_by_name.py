"""What the operator of a number is called, where a reseller knows it by an id."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("number_checks", sa.Column("operator_name", sa.String(60)))


def downgrade() -> None:
    op.drop_column("number_checks", "operator_name")
