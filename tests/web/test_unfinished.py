"""Nothing that is open may fall out of sight: the counter's first page and the strip name it until it is closed."""

from __future__ import annotations

from tests.counter import Counter


def test_a_card_payment_without_result_stays_in_sight(counter: Counter) -> None:
    counter.open_shift().ready_to_pay().card_begin()
    counter.post(f"/sales/{counter.sale_id}/card/no-result", {})
    home = counter.get("/")
    assert f"/sales/{counter.sale_id}" in home.text
    assert "card payment unclear" in home.plain
    assert "1 activation unfinished" in home.plain
    counter.look()
    counter.post(f"/sales/{counter.sale_id}/card/missing", {})
    assert "card payment unclear" not in counter.get("/").plain
