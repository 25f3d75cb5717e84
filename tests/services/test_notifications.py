"""A carrier that calls: one question earlier, and nothing else (fault matrix F16 and F17)."""

from __future__ import annotations

import json
import threading

import pytest

from pos.domain.errors import NotFound
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.services import notifications
from tests.services.shop import Ready, Shop


def event(ref: str, **more: object) -> bytes:
    order = {"id": "77", "externalId": [{"externalIdentifierType": "clientRef", "id": ref}], "state": "completed", **more}
    return json.dumps({"eventId": "e1", "eventType": "productOrderStateChangeEvent", "event": {"productOrder": order}}).encode()


def hear(shop: Shop, body: bytes, carrier: str = "sandbox") -> None:
    with shop.app.app_context():
        notifications.receive(carrier, {"Content-Type": "application/json"}, body, kit=shop.kit)


@pytest.fixture
def waiting(shop: Shop) -> Ready:
    """A renewal that the carrier has accepted and will finish in 20 seconds; it was asked about once."""
    desk: Desk = shop.desk()
    shop.open_shift(desk)
    shop.misbehave("pending_then_done", seconds=4)
    ready = shop.ready(desk)
    shop.take_cash(ready)
    shop.work()
    assert shop.state(ready.sale_id) is RenewalState.PENDING
    return ready


def test_a_call_brings_the_question_forward_and_the_answer_is_the_carriers(shop: Shop, waiting: Ready) -> None:
    shop.pass_time(4.5)
    shop.work()
    assert shop.state(waiting.sale_id) is RenewalState.PENDING, "it is not yet time to ask"
    hear(shop, event(shop.attempts(waiting.sale_id)[0].ref))
    shop.work()
    assert (shop.state(waiting.sale_id), len(shop.debits)) == (RenewalState.CONFIRMED, 1)


def test_a_forged_call_proves_nothing(shop: Shop, waiting: Ready) -> None:
    hear(shop, event(shop.attempts(waiting.sale_id)[0].ref, state="failed", amount=1))
    shop.work()
    assert shop.state(waiting.sale_id) is RenewalState.PENDING
    shop.ask_until_it_is_known()
    assert (shop.state(waiting.sale_id), len(shop.debits)) == (RenewalState.CONFIRMED, 1)


def test_fifty_calls_at_once_are_one_message_and_one_move(shop: Shop, waiting: Ready) -> None:
    shop.pass_time(4.5)
    body, faults = event(shop.attempts(waiting.sale_id)[0].ref), []

    def call() -> None:
        try:
            hear(shop, body)
            shop.work(f"worker-{threading.get_ident()}#1")
        except Exception as fault:  # noqa: BLE001 - a thread has nobody to raise to
            faults.append(fault)

    threads = [threading.Thread(target=call) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert shop.ask("select count(*), count(renewal_id) from notifications") == [(1, 1)]
    assert shop.ask("select count(*) from journal where kind = 'renewal.confirmed'") == [(1,)]
    assert shop.ask("select count(*) from journal where kind = 'renewal.notified'") == [(1,)]
    assert (shop.state(waiting.sale_id), len(shop.debits)) == (RenewalState.CONFIRMED, 1)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"event": 1}', b"\xff\xfe", b"\x00" * 100, event("SC-NEVERMADE"), event("x" * 500), event("SC-\u0000")],
)
def test_what_is_not_ours_is_an_orphan_and_changes_nothing(shop: Shop, waiting: Ready, body: bytes) -> None:
    before = shop.ask("select count(*) from journal")
    hear(shop, body)
    hear(shop, body)
    assert shop.ask("select count(*) from notifications where renewal_id is null") == [(1,)]
    assert shop.ask("select count(*) from journal") == before


def test_a_call_before_the_reply_and_a_call_a_week_late_change_nothing(shop: Shop) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    ready = shop.ready(desk)
    shop.take_cash(ready)
    task = shop.take_next()
    hear(shop, event(task.ref))
    assert shop.state(ready.sale_id) is RenewalState.SUBMITTING
    with shop.app.app_context():
        from pos.services import renewals

        assert task.request is not None
        renewals.write_outcome(task, shop.kit.carriers["sandbox"].submit(task.request), kit=shop.kit)
    assert shop.state(ready.sale_id) is RenewalState.CONFIRMED
    shop.pass_time(7 * 24 * 3600)
    hear(shop, event(task.ref, state="failed"))
    shop.work()
    assert (shop.state(ready.sale_id), len(shop.debits)) == (RenewalState.CONFIRMED, 1)


def test_a_call_about_a_reversal_is_followed_by_a_question(shop: Shop) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    ready = shop.ready(desk)
    shop.take_cash(ready)
    shop.work()
    assert shop.state(ready.sale_id) is RenewalState.CONFIRMED
    shop.sandbox.carrier.books.reverse(shop.debits[0].order_id)
    hear(shop, event(shop.attempts(ready.sale_id)[0].ref, state="cancelled"))
    with shop.app.app_context():
        assert notifications.ask_about_the_settled(kit=shop.kit) == 1
        assert notifications.ask_about_the_settled(kit=shop.kit) == 0
    assert shop.state(ready.sale_id) is RenewalState.REFUND_DUE


def test_an_unknown_carrier_is_not_found(shop: Shop) -> None:
    with pytest.raises(NotFound):
        hear(shop, b"{}", "nobody")
