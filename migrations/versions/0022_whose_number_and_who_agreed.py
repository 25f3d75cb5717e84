"""Until when an ended plan can be renewed; whose number it is, what the carrier said attribute by attribute, and who agreed to a check that the rules stop."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("number_checks", sa.Column("grace_ends_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("identity_checks", sa.Column("whose", sa.String(length=10), server_default="own", nullable=False))
    op.add_column("identity_checks", sa.Column("matches", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("identity_checks", sa.Column("approved_by", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_identity_checks_staff_id_checked_at"), "identity_checks", ["staff_id", "checked_at"], unique=False)
    op.create_index(op.f("ix_identity_checks_checked_at"), "identity_checks", ["checked_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_identity_checks_checked_at"), table_name="identity_checks")
    op.drop_index(op.f("ix_identity_checks_staff_id_checked_at"), table_name="identity_checks")
    op.drop_column("identity_checks", "approved_by")
    op.drop_column("identity_checks", "matches")
    op.drop_column("identity_checks", "whose")
    op.drop_column("number_checks", "grace_ends_at")
