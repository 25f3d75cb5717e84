"""Further lines of a sale: one more number while no money is here, or one less."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pos.api.keys import bp, desk, door, kit, refuses, takes
from pos.api.lines import NewLineBody, dropped_or_meant
from pos.api.numbers import target
from pos.api.sales import SaleAnswer, choose_where_none, shown
from pos.domain.permissions import Permission
from pos.services import numbers, sales


@bp.route("/sales/<uuid:sale_id>/lines", methods=["POST"], tags=["Sales"])
@door(Permission.SELL)
@takes(NewLineBody, example={"id": "7b6e1a52-4f0c-4b7e-9a53-0f4f5d6c7e81", "number": "07700 900124"})
@bp.response(200, SaleAnswer)
@refuses(404, 409, 503)
def add_line(sent: dict[str, Any], sale_id: UUID) -> Any:
    """One more number in an open sale, under an id that the caller made; again changes nothing."""
    number, kind = target(sent["number"])
    numbers.ask_about_another(str(sale_id), sent["id"], number, kind, desk(), kit=kit())
    if "plan" in sent:
        choose_where_none(str(sale_id), sent["id"], sent["plan"])
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/lines/<string(minlength=1, maxlength=36):line>", methods=["DELETE"], tags=["Sales"])
@door(Permission.SELL)
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def drop_line(sale_id: UUID, line: str) -> Any:
    """Take a line out before any money, by its position or its id; by its id again changes nothing. The last one stays."""
    found = sales.show(str(sale_id), desk(), kit=kit())
    numbers.drop(str(sale_id), dropped_or_meant(found, line), desk(), kit=kit())
    return shown(sale_id)
