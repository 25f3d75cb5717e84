"""One renewal, from document and number to the receipt, through the real screens and the real carrier."""

from __future__ import annotations

from pos.sandbox.server import SandboxServer
from tests.counter import Counter


def test_a_cash_renewal_from_number_to_receipt(counter: Counter, sandbox: SandboxServer) -> None:
    counter.open_shift().ready_to_pay().cash("10.00")
    assert "Paid" in counter.page.plain
    counter.work()
    page = counter.look()
    assert "LON1-000001" in page.plain
    assert [debit.amount_minor for debit in sandbox.carrier.books.debits()] == [736]
    assert "2.00 GBP" in page.plain
    assert counter.verify() == []
