"""A sale remembers the request that opened it, so that its id with other content is refused."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("sales", sa.Column("request_digest", sa.String(length=80), nullable=True))


def downgrade() -> None:
    op.drop_column("sales", "request_digest")
