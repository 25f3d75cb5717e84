"""A shop with years behind it: one real sale, with every row that hangs on it, written again as often as wanted."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, func, literal_column, select, text

from pos.store.base import Base, Moment

# Clones lie in the past: their ids are negative, so that the shop's own go on from where they were.
_CHUNK = 50_000
_SALES_A_SHIFT = 400


class Clones:
    """Rows of ``sale_id`` and of all that points at it, table by table, in the order in which they may be inserted."""

    def __init__(self, connection: Connection, sale_id: str, shift_id: int | None = None) -> None:
        self.connection, self.shift_id = connection, shift_id
        self.sqlite = connection.dialect.name == "sqlite"
        self.templates: dict[str, list[dict[str, object]]] = {}
        wanted: dict[str, set[object]] = {"sales": {sale_id}}
        for table in Base.metadata.sorted_tables:
            found = self._rows(table, wanted)
            if found:
                self.templates[table.name] = found
                key = table.primary_key.columns.keys()[0]
                wanted[table.name] = {row[key] for row in found}

    def _rows(self, table: Table, wanted: dict[str, set[object]]) -> list[dict[str, object]]:
        if table.name == "sales":
            chosen = select(table).where(table.c.id.in_(wanted["sales"]))
        elif table.name == "journal":
            told = {str(one) for ids in wanted.values() for one in ids}
            chosen = select(table).where(table.c.object_id.in_(told), table.c.object_kind.in_(("sale", "renewal")))
        else:
            tied = [
                (column, key.column.table.name)
                for column in table.c
                for key in column.foreign_keys
                if key.column.table.name in wanted and key.column.table.name in self.templates
            ] + [(table.c[name], noun) for name, noun in (("sale_id", "sales"), ("renewal_id", "renewals")) if name in table.c]
            if not tied:
                return []
            column, noun = tied[0]
            chosen = select(table).where(column.in_(wanted.get(noun, set())))
        return [dict(row._mapping) for row in self.connection.execute(chosen)]

    def write(self, first: int, last: int) -> int:
        """Clone number ``first`` to ``last``; how many rows that were."""
        rows = self._write_shifts(first, last) if self.shift_id is None else 0
        for name, templates in self.templates.items():
            table = Base.metadata.tables[name]
            for position, row in enumerate(templates):
                rows += self._write_one(table, row, position, len(templates), first, last)
        return rows

    def _write_shifts(self, first: int, last: int) -> int:
        """A closed shift for every few hundred sales, as a shop would have had them."""
        table = Base.metadata.tables["shifts"]
        own: dict[str, ColumnElement[object]] = {
            "id": literal_column("-n - 1"),
            "number": literal_column("-n"),
            "z_number": literal_column(self._padded("'OLD-Z-'", "n")),
        }
        columns = [own.get(column.name, column).label(column.name) for column in table.c]
        template = self.templates["sales"][0]["shift_id"]
        begin = (first - 1) // _SALES_A_SHIFT + (1 if (first - 1) % _SALES_A_SHIFT else 0)
        return self._insert(table, columns, [table.c.id == template], begin, last // _SALES_A_SHIFT)

    def _write_one(self, table: Table, row: dict[str, object], position: int, siblings: int, first: int, last: int) -> int:
        columns = [self._value(table, column.name, row, position, siblings) for column in table.c]
        return self._insert(table, columns, [column == row[column.name] for column in table.primary_key.columns], first, last)

    def _insert(self, table: Table, columns: list, where: list, first: int, last: int) -> int:  # type: ignore[type-arg]
        if last < first:
            return 0
        numbers = text(
            "WITH RECURSIVE n(n) AS (SELECT CAST(:first AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n < :last) SELECT n FROM n"
        )
        source = numbers.columns(literal_column("n")).subquery("numbers")
        chosen = select(*columns).select_from(table.join(source, text("true"))).where(*where)
        self.connection.execute(
            table.insert().from_select([column.name for column in table.c], chosen), {"first": first, "last": last}
        )
        return last - first + 1

    def _value(self, table: Table, name: str, row: dict[str, object], position: int, siblings: int):  # type: ignore[no-untyped-def]
        column = table.c[name]
        if row[name] is None:
            return column
        if name == "shift_id" and self.shift_id is not None:
            return literal_column(str(self.shift_id)).label(name)
        if name == "shift_id":
            return literal_column(f"-(n / {_SALES_A_SHIFT}) - 1").label(name)
        own_key = column.primary_key and len(table.primary_key.columns) == 1
        target = next((key.column.table.name for key in column.foreign_keys), None)
        if name in ("sale_id", "renewal_id") and target is None:
            target = {"sale_id": "sales", "renewal_id": "renewals"}[name]
        if own_key and target is None:
            return self._id(isinstance(row[name], int), position, siblings)
        if target in self.templates:
            ids = [next(iter(template.values())) for template in self.templates[target]]
            keys = [template[Base.metadata.tables[target].primary_key.columns.keys()[0]] for template in self.templates[target]]
            where = keys.index(row[name]) if row[name] in keys else 0
            return self._id(isinstance(row[name], int), where, len(ids))
        if table.name == "journal" and name in ("chain", "seq", "object_id"):
            spelled = {"chain": "'OLD'", "seq": f"n * {siblings} + {position}", "object_id": self._uuid(0)}
            return literal_column(spelled[name]).label(name)
        if name == "sequence":
            return literal_column("n + 1000000000").label(name)
        if name == "number_look_up" or name == "look_up":
            return literal_column(self._padded("'old-'", "(n % 200000)")).label(name)
        if isinstance(column.type, Moment):
            return literal_column(self._earlier(f"{table.name}.{name}")).label(name)
        if column.unique or name == "receipt_number" or (table.name == "receipts" and name == "number"):
            return literal_column(self._padded("'OLD-'", "n")).label(name)
        return column

    def _earlier(self, column: str) -> str:
        """A day and ``n`` minutes before: nothing of the past belongs to today."""
        if self.sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%f000', {column}, '-' || (n + 1440) || ' minutes')"
        return f"({column} - (n + 1440) * interval '1 minute')"

    def _id(self, number: bool, position: int, siblings: int):  # type: ignore[no-untyped-def]
        if number:
            return literal_column(f"-(n * {siblings} + {position})")
        return literal_column(self._uuid(position))

    def _uuid(self, position: int) -> str:
        return self._padded(f"'{position:08d}-0000-4000-8000-'", "n")

    def _padded(self, before: str, number: str) -> str:
        if self.sqlite:
            return f"({before} || printf('%012d', {number}))"
        return f"({before} || lpad(({number})::text, 12, '0'))"


def write(connection: Connection, sale_id: str, how_many: int, begun: int = 0) -> int:
    """Clones ``begun`` to ``how_many`` of a sale, in pieces, then fresh statistics for the planner."""
    clones, rows = Clones(connection, sale_id), 0
    for first in range(begun + 1, how_many + 1, _CHUNK):
        rows += clones.write(first, min(first + _CHUNK - 1, how_many))
    connection.execute(text("ANALYZE"))
    return rows


def write_into(connection: Connection, sale_id: str, shift_id: int, first: int, how_many: int) -> int:
    """So many clones of a sale in one open shift, with its running totals; how many rows that were."""
    rows = Clones(connection, sale_id, shift_id).write(first, first + how_many - 1)
    signs = "CASE WHEN kind IN ('change', 'refund', 'paid_out', 'drop') THEN -amount_minor ELSE amount_minor END"
    moved = f"(SELECT sum({signs}) FROM cash_movements WHERE shift_id = :shift)"
    sold = "(SELECT count(*) FROM sales WHERE shift_id = :shift)"
    says = f"UPDATE shifts SET expected_minor = {moved}, sales_count = {sold} WHERE id = :shift"
    connection.execute(text(says), {"shift": shift_id})
    connection.execute(text("ANALYZE"))
    return rows


def count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(Base.metadata.tables["sales"])) or 0
