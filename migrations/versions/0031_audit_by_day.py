"""The audit trail is read a day at a time, newest first, however many days there were before."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.create_index(op.f("ix_journal_business_day_at"), "journal", ["business_day", "at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_journal_business_day_at"), table_name="journal")
