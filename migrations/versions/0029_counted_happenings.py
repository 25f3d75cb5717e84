"""Rare happenings that every Z counts, and sales by the carrier's references, are found without reading whole tables."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

COUNTED = sa.text(
    "kind IN ('staff.pin_failed', 'identity.overridden', 'duplicate.overridden', 'refund.in_cash', "
    "'code.reissued', 'verdict.agreed', 'drawer.opened', 'difference.approved', 'renewal.reversed')"
)


def upgrade() -> None:
    op.create_index(
        "ix_journal_counted", "journal", ["chain", "seq"], sqlite_where=COUNTED, postgresql_where=COUNTED
    )
    op.create_index("ix_renewals_provider_ref", "renewals", ["provider_ref"])
    op.create_index("ix_renewals_operator_ref", "renewals", ["operator_ref"])


def downgrade() -> None:
    op.drop_index("ix_renewals_operator_ref", table_name="renewals")
    op.drop_index("ix_renewals_provider_ref", table_name="renewals")
    op.drop_index("ix_journal_counted", table_name="journal")
