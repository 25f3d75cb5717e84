"""${message}: say here why the shop needs it.

A change of a table with a shop's money in it: take a backup first, know how long it locks, import nothing from the product.
"""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
