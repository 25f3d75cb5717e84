"""Which keys of the ring rows still name, asked of the database itself."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Kept:
    """A column whose values begin with the id of the key that made them. ``sealed``: a zero byte follows it, not a colon."""

    table: str
    column: str
    sealed: bool = False


KEPT = (
    Kept("number_checks", "sealed", sealed=True),
    Kept("renewals", "number_sealed", sealed=True),
    Kept("deliveries", "sealed", sealed=True),
    Kept("receipt_mails", "address_sealed", sealed=True),
    Kept("number_checks", "look_up"),
    Kept("renewals", "number_look_up"),
    Kept("deliveries", "iccid_look_up"),
    Kept("attempts", "open_number"),
    Kept("sales", "request_digest"),
    Kept("identity_checks", "number_hmac"),
    Kept("staff", "pin_hash"),
)
# Columns that hold nothing but the id.
NAMED = (("journal", "key_id"), ("z_reports", "key_id"))


# These cannot be written anew: what they were made of is not kept.
FOR_GOOD = frozenset({("sales", "request_digest"), ("identity_checks", "number_hmac"), ("staff", "pin_hash")})


def ids_in_use(connection: Connection, *, rewritten_only: bool = False) -> dict[str, int]:
    """Key id -> how many values name it. ``rewritten_only``: of those that a rotation writes anew."""
    found: dict[str, int] = {}
    for kept in KEPT:
        if rewritten_only and (kept.table, kept.column) in FOR_GOOD:
            continue
        for key_id, count in connection.execute(text(_question(kept, connection.dialect.name))):
            if key_id:
                found[key_id] = found.get(key_id, 0) + count
    for table, column in () if rewritten_only else NAMED:
        for key_id, count in connection.execute(text(f"SELECT {column}, count(*) FROM {table} GROUP BY {column}")):  # noqa: S608
            found[key_id] = found.get(key_id, 0) + count
    return found


def _question(kept: Kept, engine: str) -> str:
    """The part in front, grouped. Names of tables and columns are ours, from the list above."""
    name = kept.column
    if engine == "postgresql":
        first = (
            f"split_part(encode(substr({name}, 1, 24), 'escape'), '\\000', 1)" if kept.sealed else f"split_part({name}, '\\:', 1)"
        )
    else:
        end = "x'00'" if kept.sealed else "'\\:'"
        first = f"CAST(substr({name}, 1, instr({name}, {end}) - 1) AS TEXT)"
    asked = f"SELECT {first} AS key_id, count(*) FROM {kept.table} WHERE {name} IS NOT NULL AND length({name}) > 0"  # noqa: S608
    return f"{asked} GROUP BY 1"


def heads(connection: Connection) -> dict[str, list[object]]:
    """Chain -> last number and seal."""
    asked = text("SELECT chain, seq, mac FROM journal_heads ORDER BY chain")
    return {chain: [seq, mac] for chain, seq, mac in connection.execute(asked)}
