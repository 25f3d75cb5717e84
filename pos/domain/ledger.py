"""The books: accounts, transfers, and what each event does to them. A transfer has two accounts and cannot be unbalanced."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pos.domain.money import Money
from pos.domain.payments import Tender
from pos.domain.settlements import Action, Direction
from pos.domain.shifts import Movement


class Account(StrEnum):
    DRAWER = "drawer"
    CARD_CLEARING = "card_clearing"
    BANK = "bank"
    CUSTOMER_MONEY_HELD = "customer_money_held"
    REFUND_PAYABLE = "refund_payable"
    CARRIER_FLOAT = "carrier_float"
    CARRIER_PENDING = "carrier_pending"
    COST_OF_SALES = "cost_of_sales"
    REVENUE = "revenue"
    TAX = "tax"
    OVER_SHORT = "over_short"
    CARD_FEES = "card_fees"
    CHARGEBACKS = "chargebacks"
    SAFE = "safe"
    PETTY_CASH = "petty_cash"
    SUSPENSE = "suspense"


@dataclass(frozen=True)
class Transfer:
    """``amount`` moves from ``credit`` to ``debit``; always positive. ``code`` names the event."""

    code: str
    debit: Account
    credit: Account
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.minor <= 0 or self.debit == self.credit:
            raise ValueError("a transfer moves a positive amount between two accounts")


A = Account
TENDER_ACCOUNT = {Tender.CASH: A.DRAWER, Tender.CARD: A.CARD_CLEARING}


def on_paid(tender: Tender, amount: Money) -> list[Transfer]:
    """Move 4: the customer's money is here and not yet earned."""
    return _only(Transfer("paid", TENDER_ACCOUNT[tender], A.CUSTOMER_MONEY_HELD, amount) if amount else None)


def on_submitting(cost: Money) -> list[Transfer]:
    """Move 7: our float at the carrier is spoken for."""
    return _only(Transfer("submitting", A.CARRIER_PENDING, A.CARRIER_FLOAT, cost) if cost else None)


def on_not_sent(cost: Money) -> list[Transfer]:
    """Nothing left this machine: the float is free again."""
    return _only(Transfer("not_sent", A.CARRIER_FLOAT, A.CARRIER_PENDING, cost) if cost else None)


def on_confirmed(cost: Money, price: Money, tax: Money) -> list[Transfer]:
    """Moves 8 and 12: cost, revenue and tax are real."""
    net = price - tax
    return _only(
        Transfer("confirmed", A.COST_OF_SALES, A.CARRIER_PENDING, cost) if cost else None,
        Transfer("confirmed", A.CUSTOMER_MONEY_HELD, A.REVENUE, net) if net else None,
        Transfer("confirmed", A.CUSTOMER_MONEY_HELD, A.TAX, tax) if tax else None,
    )


def on_refund_due(cost: Money, price: Money) -> list[Transfer]:
    """Moves 13 and 17: the float is free again, the customer's money is owed back."""
    return _only(
        Transfer("refund_due", A.CARRIER_FLOAT, A.CARRIER_PENDING, cost) if cost else None,
        Transfer("refund_due", A.CUSTOMER_MONEY_HELD, A.REFUND_PAYABLE, price) if price else None,
    )


def on_replaced(price: Money) -> list[Transfer]:
    """Move 18: what was owed back pays for another renewal, and is held for it until the carrier answers."""
    return _only(Transfer("replaced", A.REFUND_PAYABLE, A.CUSTOMER_MONEY_HELD, price) if price else None)


def on_reversed(cost: Money, price: Money, tax: Money) -> list[Transfer]:
    """Move 20: the carrier gave our float its money back, so the sale was none and the customer's money is owed back."""
    net = price - tax
    return _only(
        Transfer("reversed", A.CARRIER_FLOAT, A.COST_OF_SALES, cost) if cost else None,
        Transfer("reversed", A.REVENUE, A.REFUND_PAYABLE, net) if net else None,
        Transfer("reversed", A.TAX, A.REFUND_PAYABLE, tax) if tax else None,
    )


def on_stopped(cost: Money, price: Money) -> list[Transfer]:
    """The carrier contradicts a refusal before anything was paid out: all is held again as if it had not decided."""
    return _only(
        Transfer("stopped", A.CARRIER_PENDING, A.CARRIER_FLOAT, cost) if cost else None,
        Transfer("stopped", A.REFUND_PAYABLE, A.CUSTOMER_MONEY_HELD, price) if price else None,
    )


def on_lost(cost: Money) -> list[Transfer]:
    """The carrier charged for what the customer was paid back for: a cost without revenue, approved by two people."""
    return _only(Transfer("lost", A.COST_OF_SALES, A.CARRIER_FLOAT, cost) if cost else None)


def on_refunded(tender: Tender, amount: Money) -> list[Transfer]:
    """Move 19: given back."""
    return _only(Transfer("refunded", A.REFUND_PAYABLE, TENDER_ACCOUNT[tender], amount) if amount else None)


def on_float(amount: Money) -> list[Transfer]:
    """Money brought from the safe or the bank into the drawer at opening."""
    return _only(Transfer("float", A.DRAWER, A.BANK, amount) if amount else None)


def on_opening(float_amount: Money, left: Money | None) -> list[Transfer]:
    """The first float comes from the bank (``left`` None). A later one is held against what the last shift left: more was
    brought; less is missing, and a missing sum is a difference in sight, never "banked" by itself."""
    if left is None:
        return on_float(float_amount)
    return on_float(float_amount - left) if float_amount > left else on_counted(float_amount - left)


def on_counted(difference: Money) -> list[Transfer]:
    """Counted minus expected: a difference is data, booked and never set to zero."""
    if not difference:
        return []
    if difference.minor > 0:
        return [Transfer("counted", A.DRAWER, A.OVER_SHORT, difference)]
    return [Transfer("counted", A.OVER_SHORT, A.DRAWER, -difference)]


def on_moved(kind: Movement, amount: Money) -> list[Transfer]:
    """Cash into or out of the drawer without a customer; what was opened for nothing moves nothing."""
    if not amount or kind not in _MOVED:
        return []
    code, debit, credit = _MOVED[kind]
    return [Transfer(code, debit, credit, amount)]


_MOVED = {
    Movement.PAID_IN: ("paid_in", A.DRAWER, A.PETTY_CASH),
    Movement.PAID_OUT: ("paid_out", A.PETTY_CASH, A.DRAWER),
    Movement.DROP: ("dropped", A.SAFE, A.DRAWER),
    Movement.SURPLUS: ("surplus", A.DRAWER, A.OVER_SHORT),
}


def on_banked(amount: Money) -> list[Transfer]:
    """What leaves the drawer at closing."""
    return _only(Transfer("banked", A.BANK, A.DRAWER, amount) if amount else None)


# Where the difference goes that two people decided about.
_ACCOUNT_OF = {
    Action.FEE: A.CARD_FEES,
    Action.CHARGEBACK: A.CHARGEBACKS,
    Action.LOSS: A.OVER_SHORT,
    Action.PRICE: A.COST_OF_SALES,
    Action.SUSPENSE: A.SUSPENSE,
}


def on_item(action: Action, direction: Direction, ours: Money | None, theirs: Money | None, fee: Money | None) -> list[Transfer]:
    """An open item decided: our books follow theirs, and the difference is called what the two people called it. ``ours`` and
    ``theirs`` are signed. Raises ValueError for two currencies, which have no difference."""
    code, known = f"item_{action}", theirs if theirs is not None else ours
    if action is Action.ACCEPT or known is None:
        return []
    nothing = Money(0, known.currency)
    if action is Action.PAYOUT:
        arrived = _between(code, A.BANK, A.CARD_CLEARING, theirs or nothing)
        return arrived + _between(code, A.CARD_FEES, A.CARD_CLEARING, fee or nothing)
    more = (theirs or nothing) - (ours or nothing)
    if direction is Direction.CARRIER:
        return _between(code, _ACCOUNT_OF[action], A.CARRIER_FLOAT, more)
    return _between(code, A.CARD_CLEARING, _ACCOUNT_OF[action], more)


def _between(code: str, debit: Account, credit: Account, amount: Money) -> list[Transfer]:
    """The other way round when it is negative, nothing when it is nothing."""
    if not amount:
        return []
    return [Transfer(code, debit, credit, amount)] if amount.minor > 0 else [Transfer(code, credit, debit, -amount)]


def _only(*transfers: Transfer | None) -> list[Transfer]:
    return [transfer for transfer in transfers if transfer is not None]
