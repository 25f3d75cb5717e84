"""Every fault over a real socket: what the shop sees, and whether the books hold the money nonetheless."""

from __future__ import annotations

import gzip
import http.client
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sandbox_shop import BUCKETS, LYCA, OFFERINGS, ORDERS, PRODUCTS, TOPUPS, Reply, Shop, a_topup, an_order

from pos.sandbox.faults import NAMES, OFF, TABLE
from pos.sandbox.server import SandboxServer

# fault -> what a shop sees, and how many debits there are afterwards
EXPECTED: dict[str, tuple[str, int]] = {
    "late": ("201 completed", 1),
    "late_commit": ("201 completed", 1),
    "lost_after_commit": ("reset", 1),
    "lost_before_commit": ("reset", 0),
    "error_500": ("500 INTERNAL_ERROR", 0),
    "error_500_after": ("500 INTERNAL_ERROR", 1),
    "broken_json": ("201 not JSON", 1),
    "html_502": ("502 page", 1),
    "cut_answer": ("cut", 1),
    "drip": ("no end in sight", 1),
    "huge": ("201 and far too much", 1),
    "wrong_echo": ("201 completed", 1),
    "unknown_status": ("201 resting", 1),
    "pending_then_done": ("201 acknowledged", 0),
    "pending_then_failed": ("201 acknowledged", 0),
    "done_then_reversed": ("201 completed", 1),
    "rate_limit": ("429 RATE_LIMITED", 0),
    "token_expired": ("401 UNAUTHENTICATED", 0),
    "html_200": ("200 page", 1),
    "empty_200": ("200 nothing", 1),
    "refuse": ("422 INELIGIBLE", 0),
    "product_unavailable": ("422 PRODUCT_UNAVAILABLE", 0),
    "operator_down": ("422 OPERATOR_DOWN", 0),
    "too_soon": ("422 TOO_SOON", 0),
    "wallet_empty": ("422 WALLET_EMPTY", 0),
    "limit_reached": ("422 LIMIT_REACHED", 0),
    "invalid_number": ("404 INVALID_NUMBER", 0),
    "unknown_code": ("422 QUOTA_RULE_17", 0),
    "no_id": ("201 completed", 1),
    "wrong_charset": ("201 not UTF-8", 1),
    "gzip_bomb": ("201 bomb", 1),
    "endless_headers": ("too many headers", 1),
    "html_502_before": ("502 page", 0),
    "wrong_currency": ("201 completed", 1),
    "wrong_offering": ("201 completed", 1),
    "silent": ("reset", 0),
    "done_later": ("reset", 0),
    "failed_then_done": ("201 acknowledged", 0),
    "forbidden": ("403 FORBIDDEN", 0),
}


def see(ask: Callable[[], Reply]) -> str:
    """One line about what came back."""
    try:
        reply = ask()
    except ConnectionError:
        return "reset"
    except http.client.IncompleteRead:
        return "cut"
    except TimeoutError:
        return "no end in sight"
    except http.client.HTTPException as error:
        return "too many headers" if "headers" in str(error) else repr(error)
    if reply.headers.get("content-encoding") == "gzip":
        return f"{reply.status} bomb" if len(gzip.decompress(reply.body)) > 1000 * len(reply.body) / 2 else "small"
    if reply.headers.get("content-type") == "text/html":
        return f"{reply.status} page"
    if not reply.body:
        return f"{reply.status} nothing"
    if len(reply.body) > 1_000_000:
        return f"{reply.status} and far too much"
    try:
        found = json.loads(reply.body.decode())
    except UnicodeDecodeError:
        return f"{reply.status} not UTF-8"
    except ValueError:
        return f"{reply.status} not JSON"
    return f"{reply.status} {found.get('code') or found.get('state') or found.get('status')}"


def test_every_fault_is_expected_to_do_something() -> None:
    assert set(EXPECTED) | {OFF} == set(NAMES)


def as_expected(saw: str, name: str) -> bool:
    """On a busy machine the reset overtakes the half answer, and nothing of it is seen."""
    return saw == EXPECTED[name][0] or (name == "cut_answer" and saw == "reset")


def patience(name: str) -> float:
    """Seconds; only for the drip is there no use in waiting longer."""
    return 0.6 if name == "drip" else 10


@pytest.mark.parametrize(("digits", "name"), [(digits, name) for digits, name, _ in TABLE])
def test_a_magic_number_misbehaves_as_the_table_says(server: SandboxServer, shop: Shop, digits: str, name: str) -> None:
    saw = see(lambda: shop.renew("R-1", f"+4477009005{digits}", timeout_seconds=patience(name)))
    assert as_expected(saw, name), saw
    debits = EXPECTED[name][1]
    assert len(server.carrier.books.debits()) == debits
    assert server.carrier.books.wallets()["GBP"] == 500_000 - 920 * debits


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_fault_on_request_misbehaves_once(server: SandboxServer, shop: Shop, name: str) -> None:
    shop.ask("POST", "/control/faults", {"fault": name, "count": 1})
    saw = see(lambda: shop.ask("POST", TOPUPS, a_topup("T-1"), timeout_seconds=patience(name)))
    assert as_expected(saw.replace("201 created", "201 acknowledged"), name), saw
    assert len(server.carrier.books.debits()) == EXPECTED[name][1]
    shop.sign_in()
    assert see(lambda: shop.renew("R-2")) == "201 completed"


def test_magic_digits_work_for_both_operators_and_both_countries(server: SandboxServer, shop: Shop) -> None:
    for number, plan in (
        ("+447700900903", "leb-data-gb-30d"),
        ("+85255509503", "lyca-5g-hk-1m"),
        ("+85255600903", "leb-data-hk-5d"),
    ):
        assert see(lambda n=number, p=plan: shop.renew(f"R-{n[1:]}", n, p)) == "reset"  # type: ignore[misc]
    assert len(server.carrier.books.debits()) == 3


@pytest.mark.parametrize("digits", ["04", "05", "17", "33", "36", "39"])
def test_a_reference_that_was_not_done_can_be_sent_again(server: SandboxServer, shop: Shop, digits: str) -> None:
    number = f"+4477009005{digits}"
    see(lambda: shop.renew("R-1", number))
    assert shop.find("R-1") == []
    assert see(lambda: shop.renew("R-1", number)) == "201 completed"


@pytest.mark.parametrize("digits", ["03", "06", "07", "08", "09", "13", "19", "20", "29", "30"])
def test_a_lost_answer_can_be_found_and_is_not_paid_twice(server: SandboxServer, shop: Shop, digits: str) -> None:
    number = f"+4477009005{digits}"
    see(lambda: shop.renew("R-1", number))
    [found] = shop.find("R-1")
    assert (found["state"], found["externalId"]) == ("completed", "R-1")
    assert see(lambda: shop.renew("R-1", number)) == "409 DUPLICATE_EXTERNAL_ID"
    assert len(server.carrier.books.debits()) == 1
    assert server.carrier.books.submits_by_ref == {"R-1": 2}


def until(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.005)
    pytest.fail("nothing happened")


def test_late_means_late_and_the_money_is_first(server: SandboxServer, shop: Shop) -> None:
    shop.ask("POST", "/control/faults", {"fault": "late", "seconds": 60})
    with ThreadPoolExecutor(1) as till:
        waiting = till.submit(see, lambda: shop.renew("R-1", timeout_seconds=30))
        until(server.carrier.books.debits)
        assert not waiting.done() and [o["state"] for o in shop.find("R-1")] == ["completed"]
        server.stop()
        assert waiting.result() == "reset"


def test_a_late_commit_is_absent_before_it_is_there(server: SandboxServer, shop: Shop) -> None:
    shop.ask("POST", "/control/faults", {"fault": "late_commit", "seconds": 1})
    with ThreadPoolExecutor(1) as till:
        waiting = till.submit(shop.renew, "R-1")
        until(lambda: server.carrier.books.submits_by_ref["R-1"])
        assert shop.find("R-1") == server.carrier.books.debits() == []
        assert waiting.result().status == 201
    assert len(server.carrier.books.debits()) == 1


def test_waiting_orders_end_by_the_carriers_clock(server: SandboxServer, shop: Shop) -> None:
    shop.renew("R-1", "+447700900514")
    shop.renew("R-2", "+447700900515")
    assert [shop.find(ref)[0]["state"] for ref in ("R-1", "R-2")] == ["inProgress", "inProgress"]
    assert "terminationDate" not in shop.find("R-1")[0]["productOrderItem"][0]["product"]
    shop.ask("POST", "/control/clock", {"advance_seconds": 20})
    assert [shop.find(ref)[0]["state"] for ref in ("R-1", "R-2")] == ["completed", "failed"]
    assert [d.ref for d in server.carrier.books.debits()] == ["R-1"]


def test_an_order_that_nobody_sees_is_done_later_and_keeps_its_reference(server: SandboxServer, shop: Shop) -> None:
    number = "+447700900537"
    assert see(lambda: shop.renew("R-1", number)) == "reset"
    assert shop.find("R-1") == []
    assert see(lambda: shop.renew("R-1", number)) == "409 DUPLICATE_EXTERNAL_ID"
    shop.ask("POST", "/control/clock", {"advance_seconds": 40})
    assert [o["state"] for o in shop.find("R-1")] == ["completed"]
    assert len(server.carrier.books.debits()) == 1


def test_a_carrier_that_is_not_atomic_takes_a_reference_twice(server: SandboxServer, shop: Shop) -> None:
    shop.ask("POST", "/control/switches", {"atomic_refs": False})
    number = "+447700900537"
    assert see(lambda: shop.renew("R-1", number)) == "reset"
    assert see(lambda: shop.renew("R-1", number)) == "201 completed"
    assert see(lambda: shop.renew("R-1", number)) == "409 DUPLICATE_EXTERNAL_ID"
    shop.ask("POST", "/control/clock", {"advance_seconds": 40})
    assert [d.ref for d in server.carrier.books.debits()] == ["R-1", "R-1"]


def test_an_order_that_failed_can_be_done_all_the_same(server: SandboxServer, shop: Shop) -> None:
    shop.renew("R-1", "+447700900538")
    shop.ask("POST", "/control/clock", {"advance_seconds": 20})
    assert [o["state"] for o in shop.find("R-1")] == ["failed"]
    assert server.carrier.books.debits() == []
    shop.ask("POST", "/control/clock", {"advance_seconds": 60})
    assert [o["state"] for o in shop.find("R-1")] == ["completed"]
    assert len(server.carrier.books.debits()) == 1


def test_a_wallet_that_runs_dry_fails_the_waiting_order(server: SandboxServer, shop: Shop) -> None:
    shop.renew("R-1", "+447700900514")
    shop.ask("POST", "/control/wallet", {"currency": "GBP", "available_minor": 5})
    shop.ask("POST", "/control/clock", {"advance_seconds": 20})
    [found] = shop.find("R-1")
    assert (found["state"], found["note"][0]["text"]) == ("failed", "WALLET_EMPTY")
    assert server.carrier.books.movements() == []


def test_a_lie_about_the_echo_is_repeated_and_the_books_are_right(server: SandboxServer, shop: Shop) -> None:
    number = "+447700900512"
    for order in (shop.renew("R-1", number).json, shop.find("R-1")[0]):
        item = order["productOrderItem"][0]
        assert item["product"]["productSerialNumber"] == "+447700900513"
        assert item["productOffering"]["id"] == "lyca-data-gb-30d-10g"
        assert order["orderTotalPrice"][0]["price"]["taxIncludedAmount"] == {"unit": "GBP", "value": 10.2}
        assert order["externalId"] == "R-1"
    [debit] = server.carrier.books.debits()
    assert (debit.number, debit.amount_minor) == (number, 920)


@pytest.mark.parametrize(("digits", "lie"), [("34", "EUR"), ("35", "another-plan")])
def test_other_lies_about_the_echo(shop: Shop, digits: str, lie: str) -> None:
    shop.renew("R-1", f"+4477009005{digits}")
    assert lie in json.dumps(shop.find("R-1"))


def test_no_id_and_an_unknown_word_are_only_in_the_first_answer(shop: Shop) -> None:
    assert "id" not in shop.renew("R-1", "+447700900529").json
    assert shop.find("R-1")[0]["id"] == "PO-000001"
    assert shop.renew("R-2", "+447700900513").json["state"] == "resting"
    assert shop.find("R-2")[0]["state"] == "completed"


def test_a_rate_limit_says_when_to_come_back(shop: Shop) -> None:
    reply = shop.renew("R-1", "+447700900517")
    assert (reply.status, reply.headers["retry-after"]) == (429, "2")


def test_an_expired_token_is_challenged_and_a_new_one_works(server: SandboxServer, shop: Shop) -> None:
    reply = shop.renew("R-1", "+447700900518")
    assert reply.status == 401 and "Bearer" in reply.headers["www-authenticate"]
    assert shop.renew("R-1", "+447700900518").status == 401
    shop.sign_in()
    assert shop.renew("R-1", "+447700900518").status == 201
    assert server.carrier.books.submits_by_ref["R-1"] == 2  # the one in the middle never came in


def test_off_resets_everything_but_the_control_page(server: SandboxServer, shop: Shop) -> None:
    shop.ask("POST", "/control/faults", {"fault": "off", "where": "any"})
    for _ in range(3):
        assert see(lambda: shop.renew("R-1")) == "reset"
        assert see(lambda: shop.ask("GET", "/wallet")) == "reset"
    assert shop.ask("GET", "/control/books").json["debits"] == []
    shop.ask("DELETE", "/control/faults")
    assert shop.renew("R-1").status == 201
    assert server.carrier.books.requests["POST productOrder"] == 1


@pytest.mark.parametrize("where", ["find", "read", "token"])
def test_faults_can_be_put_where_they_hurt(shop: Shop, where: str) -> None:
    shop.renew("R-1")
    shop.ask("POST", "/control/faults", {"fault": "error_500", "where": where})
    asked = {
        "submit": see(lambda: shop.renew("R-2")),
        "find": shop.ask("GET", ORDERS, externalId="R-1").status,
        "read": shop.ask("GET", PRODUCTS, productSerialNumber=LYCA).status,
        "token": shop.ask("POST", "/oauth/token", form={}).status,
    }
    usual = {"submit": "201 completed", "find": 200, "read": 200, "token": 401}
    assert asked == usual | {where: 500}
    for path, query in ((BUCKETS, {"logicalResource__value": LYCA}), (OFFERINGS, {}), ("/wallet", {})):
        assert shop.ask("GET", path, **query).status == (500 if where == "read" else 200)


def test_a_fault_can_be_for_one_number_and_some_times(shop: Shop) -> None:
    shop.ask("POST", "/control/faults", {"fault": "too_soon", "count": 2, "number": LYCA})
    others = [shop.renew(f"O-{i}", "+447700900124").status for i in range(2)]
    ours = [shop.renew(f"R-{i}").status for i in range(3)]
    assert (others, ours) == ([201, 201], [422, 422, 201])


def test_a_kept_connection_can_die_between_two_requests(server: SandboxServer, shop: Shop) -> None:
    connection = http.client.HTTPConnection(shop.address, timeout=5)
    headers = {"Authorization": f"Bearer {shop.token}"}
    try:
        for _ in range(2):
            connection.request("GET", "/wallet", headers=headers)
            assert connection.getresponse().read()
        shop.ask("POST", "/control/faults", {"fault": "lost_after_commit"})
        connection.request("POST", ORDERS, json.dumps(an_order("R-1")), headers)
        with pytest.raises(ConnectionError):
            connection.getresponse()
    finally:
        connection.close()
    assert len(server.carrier.books.debits()) == 1


def test_stopping_does_not_wait_for_anybody(server: SandboxServer, shop: Shop) -> None:
    with ThreadPoolExecutor(1) as till:
        shop.ask("POST", "/control/faults", {"fault": "late", "seconds": 60})
        waiting = till.submit(see, lambda: shop.renew("R-1", timeout_seconds=30))
        until(server.carrier.books.debits)
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 2
        assert waiting.result() == "reset"
    assert see_refused(shop)
    server.start()  # the same port, the same books
    shop.ask("DELETE", "/control/faults")
    assert [o["externalId"] for o in shop.find("R-1")] == ["R-1"]


def see_refused(shop: Shop) -> bool:
    try:
        shop.find("R-1")
    except ConnectionRefusedError:
        return True
    return False
