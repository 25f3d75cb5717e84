"""Each chain keeps a hash over all its rows, made without a key, so that a signed Z lets people outside check the journal."""

import datetime
import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

FIELDS = ("chain", "seq", "at", "business_day", "kind", "actor", "object_kind", "object_id", "content", "key_id", "prev_mac")


def canonical(row: sa.Row) -> bytes:
    """The bytes that the journal's seal covers, as docs/journal.md describes them."""
    # SQLite gives back UTC without a zone, PostgreSQL the zone of its session.
    at = row.at.astimezone(datetime.UTC) if row.at.tzinfo else row.at
    texts = [at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if name == "at" else str(getattr(row, name)) for name in FIELDS]
    raws = [text.encode() for text in texts]
    return b"\x01simcounter journal" + b"".join(len(raw).to_bytes(4, "big") + raw for raw in raws)


def upgrade() -> None:
    # 64 noughts are the hash of a chain without a row.
    op.add_column("journal_heads", sa.Column("rows_hash", sa.String(length=64), nullable=False, server_default="0" * 64))
    connection = op.get_bind()
    journal = sa.table("journal", *(sa.column(name) for name in FIELDS))
    journal.c.at.type, journal.c.business_day.type = sa.DateTime(), sa.Date()
    heads = sa.table("journal_heads", sa.column("chain"), sa.column("rows_hash"))
    for chain in connection.execute(sa.select(heads.c.chain)).scalars().all():
        so_far = "0" * 64
        chosen = sa.select(journal).where(journal.c.chain == chain).order_by(journal.c.seq)
        for row in connection.execute(chosen.execution_options(yield_per=2000)):
            so_far = hashlib.sha256(bytes.fromhex(so_far) + canonical(row)).hexdigest()
        connection.execute(sa.update(heads).where(heads.c.chain == chain).values(rows_hash=so_far))


def downgrade() -> None:
    op.drop_column("journal_heads", "rows_hash")
