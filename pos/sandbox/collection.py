"""What every TM Forum collection can do: filters, pages with their count headers, and chosen fields."""

from __future__ import annotations

from typing import Any

from pos.sandbox.carrier import Carrier
from pos.sandbox.refusals import Refusal
from pos.sandbox.shapes import Json
from pos.sandbox.wire import Answer, json_answer

PAGING = ("fields", "offset", "limit")


def needed(query: dict[str, str], name: str) -> str:
    """A query parameter without which this carrier does not list. Raises Refusal."""
    if not query.get(name):
        raise Refusal("INVALID_QUERY", f"{name} is needed")
    return query[name]


def matching(query: dict[str, str], found: list[Json]) -> list[Json]:
    """Those that carry every value the query names (TMF630, attribute filtering)."""
    for name in query.keys() - set(PAGING):
        found = [entity for entity in found if query[name] in _values(entity, name)]
    return found


def _values(entity: Any, path: str) -> list[str]:
    """What a filter like ``category.id`` compares with: every value found on the way, as text."""
    name, _, rest = path.partition(".")
    held = entity.get(name) if isinstance(entity, dict) else None
    parts = held if isinstance(held, list) else [held]
    if rest:
        return [value for part in parts for value in _values(part, rest)]
    return [str(part).lower() if isinstance(part, bool) else str(part) for part in parts if part is not None]


def page(carrier: Carrier, query: dict[str, str], found: list[Json]) -> Answer:
    """One page with TM Forum's count headers (design guidelines TMF630, pagination)."""
    try:
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", carrier.settings.page_size))
    except ValueError as error:
        raise Refusal("INVALID_QUERY", "offset and limit are whole numbers") from error
    if offset < 0 or not 0 < limit <= 100:
        raise Refusal("INVALID_QUERY", "offset is at least 0, limit 1 to 100")
    shown = [only(query, entity) for entity in found[offset : offset + limit]]
    return json_answer(200, shown, X_Total_Count=str(len(found)), X_Result_Count=str(len(shown)))


def only(query: dict[str, str], entity: Json) -> Json:
    """``fields=a,b``: those members of the first level, and always id, href, @type."""
    if "fields" not in query:
        return entity
    wanted = {"id", "href", "@type", *query["fields"].split(",")}
    return {name: value for name, value in entity.items() if name in wanted}
