"""A transfer has two accounts and cannot be unbalanced; whatever happens to a renewal, the books come back to nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.domain import ledger
from pos.domain.ledger import Account, Transfer
from pos.domain.money import Money
from pos.domain.payments import Tender

GBP = st.integers(0, 10**7).map(lambda minor: Money(minor, "GBP"))


def balances(transfers: list[Transfer]) -> dict[Account, int]:
    """What each account holds, debit minus credit; accounts that hold nothing are left out."""
    held = dict.fromkeys(Account, 0)
    for transfer in transfers:
        held[transfer.debit] += transfer.amount.minor
        held[transfer.credit] -= transfer.amount.minor
    assert sum(held.values()) == 0
    return {account: minor for account, minor in held.items() if minor}


@pytest.mark.parametrize("minor", [0, -1])
def test_a_transfer_moves_something(minor: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        Transfer("x", Account.DRAWER, Account.BANK, Money(minor, "GBP"))


def test_a_transfer_has_two_accounts() -> None:
    with pytest.raises(ValueError, match="two accounts"):
        Transfer("x", Account.DRAWER, Account.DRAWER, Money(1, "GBP"))


@given(GBP, GBP, st.integers(0, 3000), st.sampled_from(Tender))
def test_a_confirmed_renewal_leaves_cost_revenue_and_tax(cost: Money, price: Money, basis_points: int, tender: Tender) -> None:
    tax = price.tax_included(basis_points)
    moved = [*ledger.on_paid(tender, price), *ledger.on_submitting(cost), *ledger.on_confirmed(cost, price, tax)]
    wanted = {
        ledger.TENDER_ACCOUNT[tender]: price.minor,
        Account.COST_OF_SALES: cost.minor,
        Account.CARRIER_FLOAT: -cost.minor,
        Account.REVENUE: -(price - tax).minor,
        Account.TAX: -tax.minor,
    }
    assert balances(moved) == {account: minor for account, minor in wanted.items() if minor}


@given(GBP, GBP, st.sampled_from(Tender))
def test_a_refused_and_refunded_renewal_leaves_nothing(cost: Money, price: Money, tender: Tender) -> None:
    moved = [*ledger.on_paid(tender, price), *ledger.on_submitting(cost), *ledger.on_refund_due(cost, price)]
    assert balances(moved).get(Account.REFUND_PAYABLE, 0) == -price.minor
    assert balances([*moved, *ledger.on_refunded(tender, price)]) == {}


@given(GBP)
def test_what_never_left_frees_the_float(cost: Money) -> None:
    assert balances([*ledger.on_submitting(cost), *ledger.on_not_sent(cost)]) == {}


@given(GBP, st.integers(-(10**6), 10**6), GBP)
def test_a_drawer_over_a_day(float_amount: Money, difference: int, sold: Money) -> None:
    in_drawer = float_amount + sold + Money(difference, "GBP")
    if in_drawer.minor < 0:
        return
    moved = [*ledger.on_float(float_amount), *ledger.on_paid(Tender.CASH, sold), *ledger.on_counted(Money(difference, "GBP"))]
    assert balances(moved).get(Account.DRAWER, 0) == in_drawer.minor
    assert Account.DRAWER not in balances([*moved, *ledger.on_banked(in_drawer)])


def test_nothing_moves_for_nothing() -> None:
    zero = Money(0, "GBP")
    assert ledger.on_paid(Tender.CASH, zero) == ledger.on_confirmed(zero, zero, zero) == ledger.on_counted(zero) == []
