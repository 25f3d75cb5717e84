"""Giving money back: cash at once, a card by way of the terminal and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import redirect, request, url_for

from pos.domain import pictures as p
from pos.domain.payments import refuse_signs
from pos.domain.permissions import Permission
from pos.services import card_refunds, refunds, sales
from pos.web.counter import bp, page_of, result_page
from pos.web.errors import placed, shown_again
from pos.web.fields import CounterForm, ShortText, kept
from pos.web.login import desk, door, kit

FIELDS = ("authorisation", "slip_number", "reason")


class RefundForm(CounterForm):
    renewal_id = ShortText(longest=36)
    authorisation = ShortText(longest=20)
    slip_number = ShortText(longest=20)
    reason = ShortText(longest=200)


def result_again(sale_id: str, errors: dict[str, str], typed: dict[str, str]) -> Any:
    sale = sales.show(sale_id, desk(), kit=kit())
    return result_page(sale, errors, typed) if sale.step is p.Step.RESULT else page_of(sale, errors, typed)


def _done(sale_id: str, verb: Callable[[RefundForm, str | None], object]) -> Any:
    """Read the form, do it for the renewal it names, and show the sale."""
    form = RefundForm()
    if not form.validate():
        return result_again(sale_id, placed(form.first_errors(), *FIELDS), kept(request.form)), 422
    verb(form, form.renewal_id.data or None)
    return redirect(url_for("counter.sale", sale_id=sale_id))


@bp.post("/sales/<uuid:sale_id>/refund")
@door(Permission.REFUND)
def refund(sale_id: Any) -> Any:
    return _refund(sale_id=str(sale_id))


@shown_again(result_again, *FIELDS)
def _refund(sale_id: str) -> Any:
    def give_back(form: RefundForm, renewal_id: str | None) -> None:
        slip = {"authorisation": form.authorisation.data or "", "slip_number": form.slip_number.data or ""}
        refuse_signs(**slip)
        refunds.pay_back(sale_id, desk(), kit=kit(), renewal_id=renewal_id, **slip)

    return _done(sale_id, give_back)


@bp.post("/sales/<uuid:sale_id>/refund/card")
@door(Permission.REFUND)
def refund_card(sale_id: Any) -> Any:
    return _at_terminal(sale_id=str(sale_id), verb=card_refunds.begin_card_refund)


@bp.post("/sales/<uuid:sale_id>/refund/declined")
@door(Permission.REFUND)
def refund_declined(sale_id: Any) -> Any:
    return _at_terminal(sale_id=str(sale_id), verb=card_refunds.card_refund_declined)


@bp.post("/sales/<uuid:sale_id>/refund/no-result")
@door(Permission.REFUND)
def refund_no_result(sale_id: Any) -> Any:
    return _at_terminal(sale_id=str(sale_id), verb=card_refunds.card_refund_without_result)


@bp.post("/sales/<uuid:sale_id>/refund/missing")
@door(Permission.REFUND)
def refund_missing(sale_id: Any) -> Any:
    return _at_terminal(sale_id=str(sale_id), verb=card_refunds.card_refund_is_missing)


def _at_terminal(sale_id: str, verb: Callable[..., None]) -> Any:
    @shown_again(result_again, *FIELDS)
    def tell(sale_id: str) -> Any:
        return _done(sale_id, lambda _, renewal_id: verb(sale_id, desk(), kit=kit(), renewal_id=renewal_id))

    return tell(sale_id=sale_id)


@bp.post("/sales/<uuid:sale_id>/refund/in-cash")
@door(Permission.REFUND_CARD_IN_CASH)
def refund_in_cash(sale_id: Any) -> Any:
    return _in_cash(sale_id=str(sale_id))


@shown_again(result_again, *FIELDS)
def _in_cash(sale_id: str) -> Any:
    def give_cash(form: RefundForm, renewal_id: str | None) -> None:
        refunds.pay_card_in_cash(sale_id, form.reason.data or "", desk(), kit=kit(), renewal_id=renewal_id)

    return _done(sale_id, give_cash)
