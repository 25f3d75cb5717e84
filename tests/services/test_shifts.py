"""A drawer's shift: X and Z are the sum of its movements, the count is blind, and a closed Z never changes."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from pos.domain.errors import DrawerTooLow, NoOpenShift, NotAllowed, ShiftAlreadyOpen
from pos.domain.money import Money
from pos.domain.payments import CardSlip
from pos.domain.tills import Desk
from pos.sandbox.server import SandboxServer
from pos.services import day_reports, payments, refunds, sales, shifts
from pos.store import shifts as rows
from pos.store.db import reading
from tests.conftest import StandingClock
from tests.counter import Counter
from tests.engines import thief
from tests.services.shop import Shop, findings

SLIP = CardSlip("VISA", "4242", "A1B2C3", "0017")
# Each sale has a number of its own: the duplicate guard is not what is tried here.
NUMBERS = (f"+447700900{n}" for n in itertools.cycle([*range(100, 500)]))


def close(shop: Shop, desk: Desk, counted_minor: int, left_minor: int | None = None) -> int | None:
    """Count the drawer in pennies and try to close."""
    left = None if left_minor is None else Money(left_minor, "GBP")
    with shop.app.app_context():
        return shifts.close_shift(shifts.Count({1: counted_minor}, None, None, left), "", desk, kit=shop.kit)


def z(shop: Shop, shift_id: int) -> rows.ZReport:
    with shop.app.app_context(), reading() as session:
        found = rows.z_of(session, shift_id)
        assert found is not None
        session.expunge_all()
        return found


def x_figures(shop: Shop, desk: Desk) -> dict[str, object]:
    with shop.app.app_context(), reading() as session:
        shift = rows.seen_at(session, desk.till.id)
        assert shift is not None
        return day_reports.figures(session, shift)


def sell(shop: Shop, desk: Desk, tender: str, refuse: bool, extra: int = 0) -> str:
    if refuse:
        shop.misbehave("refuse")
    ready = shop.ready(desk, next(NUMBERS))
    with shop.app.app_context():
        if tender == "cash":
            amount = Money(ready.price.minor + extra, "GBP")
            payments.take_cash(ready.sale_id, ready.quote, amount, desk, kit=shop.kit)
        else:
            payments.begin_card(ready.sale_id, ready.quote, desk, kit=shop.kit)
            slip = replace(SLIP, slip_number=ready.sale_id[:8])  # a terminal numbers its slips
            payments.take_card(ready.sale_id, slip, desk, kit=shop.kit)
    shop.work()
    return ready.sale_id


def pay_back(shop: Shop, sale_id: str, desk: Desk) -> None:
    with shop.app.app_context():
        # A terminal numbers its slips, those of refunds too.
        refunds.pay_back(sale_id, desk, kit=shop.kit, authorisation="R1S2", slip_number=f"R{sale_id[:8]}")


# ---------------------------------------------------------------- X = Z = movements


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("cash"), st.booleans(), st.integers(0, 5000)),
        st.tuples(st.just("card"), st.booleans(), st.just(0)),
        st.tuples(st.just("void"), st.just(False), st.just(0)),
    ),
    max_size=5,
)


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    # Without shrinking: a failing day is short enough to read, and looking for a shorter one takes minutes.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=EVENTS, float_minor=st.integers(0, 30_000), difference=st.integers(-90, 90))
def test_x_and_z_are_the_sum_of_what_happened(
    shop: Shop, events: list[tuple[str, bool, int]], float_minor: int, difference: int
) -> None:
    desk = shop.desk()
    shop.open_shift(desk, float_minor)
    drawer, card, gross, back, done, voids = float_minor, 0, 0, 0, 0, 0
    for kind, refuse, extra in events:
        if kind == "void":
            ready = shop.ready(desk, next(NUMBERS))
            with shop.app.app_context():
                sales.void(ready.sale_id, desk, kit=shop.kit)
            voids += 1
            continue
        sale_id = sell(shop, desk, kind, refuse, extra)
        gross, done = gross + 800, done + 1
        drawer, card = drawer + 800 * (kind == "cash"), card + 800 * (kind == "card")
        if refuse:
            pay_back(shop, sale_id, desk)
            back, drawer, card = back + 800, drawer - 800 * (kind == "cash"), card - 800 * (kind == "card")
    x = x_figures(shop, desk)
    counted = max(0, drawer + difference)
    shift_id = close(shop, desk, counted)
    assert shift_id is not None
    frozen = json.loads(z(shop, shift_id).figures)
    assert {key: frozen[key] for key in x} == x
    assert (x["expected"], x["gross"], x["refunds"]) == (drawer, gross, back)
    assert int(str(x["card"])) - int(str(x["card_refunds"])) == card
    assert (x["sales"], x["voids"]) == (done, voids)
    cash = frozen["cash"]
    assert cash["float"] + cash["sale"] - cash["change"] - cash["refund"] == drawer
    assert sum(amount for *_, amount in frozen["plans"]) == gross
    assert frozen["difference"] == counted - drawer
    assert findings(shop.app) == []


# ---------------------------------------------------------------- blind


def count_again(counter: Counter, pieces: int) -> str:
    """The page after a first count of so many pounds, without what is different each time."""
    counter.get("/shift/close")
    counter.post("/shift/close", {"pieces_100": str(pieces)})
    return re.sub(r"Close shift \d+|Shift \d+", "Shift", counter.page.plain)


def test_a_first_count_that_is_wrong_is_answered_without_sign_or_size(counter: Counter, shop: Shop) -> None:
    pages = []
    for pieces in (1, 90, 111, 9000):
        counter.open_shift()
        pages.append(count_again(counter, pieces))
        assert shop.shift().state.value == "recount"
        close(shop, shop.desk(), 10_000, 10_000)
    assert len(set(pages)) == 1
    assert "count again" in pages[0].lower()
    assert "100.00" not in pages[0]


def test_the_second_count_stands_and_the_clerk_never_learns_what_was_expected(counter: Counter, shop: Shop) -> None:
    counter.open_shift("123.45")
    count_again(counter, 90)
    counter.post("/shift/close", {"pieces_100": "91"})
    assert shop.shift().state.value == "closed"
    assert (shop.shift().counted_minor, shop.shift().difference_minor) == (9100, 9100 - 12_345)
    assert "91.00" in counter.page.plain
    assert not re.search(r"123\.45|32\.45", counter.page.plain)
    assert shop.ask("select why, total_minor from drawer_counts order by id") == [("close", 9000), ("close", 9100)]


def test_a_count_within_the_tolerance_closes_at_once_and_is_booked(shop: Shop, desk: Desk) -> None:
    assert close(shop, desk, 9_901) is not None
    assert shop.ask("select debit, credit, amount_minor from ledger_transfers where code = 'counted'") == [
        ("over_short", "drawer", 99)
    ]


def test_only_a_manager_sees_the_x(shop: Shop, desk: Desk) -> None:
    with shop.app.app_context():
        with pytest.raises(NotAllowed):
            shifts.x_report(desk, kit=shop.kit)
        assert "100.00" in shifts.x_report(shop.desk(staff="201"), kit=shop.kit)


# ---------------------------------------------------------------- Z


def test_a_refund_in_the_next_shift_leaves_the_closed_z_untouched(shop: Shop, desk: Desk) -> None:
    shop.misbehave("refuse")
    sale_id = sell(shop, desk, "cash", refuse=False)
    shop.sandbox.carrier.faults.clear()
    first = close(shop, desk, 10_800, 10_000)
    assert first is not None
    before = z(shop, first)
    shop.open_shift(desk)
    pay_back(shop, sale_id, desk)
    second = close(shop, desk, 9_200)
    assert second is not None
    after = z(shop, first)
    assert (after.figures, after.document, after.own_hash, after.signature) == (
        before.figures,
        before.document,
        before.own_hash,
        before.signature,
    )
    figures = json.loads(z(shop, second).figures)
    assert (figures["refunds"], figures["gross"], figures["cash"]["refund"]) == (800, 0, 800)
    assert figures["grand_total"] == json.loads(before.figures)["grand_total"] == 800


def test_z_numbers_are_gapless_chained_and_signed_for_outsiders(shop: Shop) -> None:
    desk, other = shop.desk(), shop.desk("LON2", "102")
    for number in range(3):
        for at in (desk, other):
            shop.open_shift(at)
            if number:
                sell(shop, at, "cash", refuse=False)
            assert close(shop, at, 10_000 + 800 * bool(number)) is not None
    with shop.app.app_context(), reading() as session:
        found = list(session.scalars(select(rows.ZReport).order_by(rows.ZReport.till_id, rows.ZReport.sequence)))
        session.expunge_all()
    assert [report.number for report in found] == [f"Z-{till}-{n:06d}" for till in ("LON1", "LON2") for n in (1, 2, 3)]
    for before, after in ((0, 1), (1, 2), (3, 4), (4, 5)):
        assert found[after].previous_hash == found[before].own_hash
        assert found[after].first_seq == found[before].last_seq + 1
    assert [report.grand_total_minor for report in found] == [0, 800, 1600] * 2
    for report in found:
        public = Ed25519PublicKey.from_public_bytes(shop.kit.keys.public_key(report.key_id))
        public.verify(bytes.fromhex(report.signature), report.own_hash.encode())


@pytest.mark.parametrize(
    "sql",
    [
        "update z_reports set figures = replace(figures, '800', '700')",
        "update z_reports set own_hash = previous_hash",
        "delete from z_reports",
    ],
)
def test_a_z_cannot_be_rewritten_and_verify_names_it(
    shop: Shop, desk: Desk, folder: Path, to_be_found: list[str], sql: str
) -> None:
    sell(shop, desk, "cash", refuse=False)
    close(shop, desk, 10_800)
    with pytest.raises(IntegrityError), shop.by_hand() as connection:
        connection.execute(text(sql))
    with thief(folder, "z_reports") as connection:
        assert connection.execute(sql).rowcount == 1
    found = findings(shop.app)
    assert any("Z-LON1-000001" in words or "Z 1 " in words for words in found), found
    to_be_found.extend(found)


# ---------------------------------------------------------------- opening, and what is left


def test_one_till_has_one_open_shift(shop: Shop, desk: Desk) -> None:
    with shop.app.app_context(), pytest.raises(ShiftAlreadyOpen):
        shifts.open_shift(Money(0, "GBP"), {}, desk, kit=shop.kit)
    assert close(shop, desk, 10_000) is not None
    with shop.app.app_context(), pytest.raises(NoOpenShift):
        shifts.close_shift(shifts.Count({1: 0}, None, None, None), "", desk, kit=shop.kit)


@pytest.mark.parametrize("next_float", [0, 4000, 5000, 7000])
def test_what_the_last_shift_left_is_accounted_for_by_the_next_float(shop: Shop, desk: Desk, next_float: int) -> None:
    close(shop, desk, 10_000, 5000)
    shop.open_shift(desk, next_float)
    drawer = "select sum(case when debit = 'drawer' then amount_minor when credit = 'drawer' then -amount_minor else 0 end)"
    assert shop.ask(f"{drawer} from ledger_transfers") == [(next_float,)]


def test_a_drawer_cannot_give_back_what_is_not_in_it(shop: Shop, desk: Desk) -> None:
    shop.misbehave("refuse")
    sale_id = sell(shop, desk, "cash", refuse=False)
    close(shop, desk, 10_800, 0)
    shop.open_shift(desk, 500)
    with pytest.raises(DrawerTooLow):
        pay_back(shop, sale_id, desk)
    assert shop.shift().expected_minor == 500


def test_what_the_carrier_has_not_decided_never_holds_the_close_back(
    app: Flask, shop: Shop, desk: Desk, sandbox: SandboxServer, clock: StandingClock
) -> None:
    shop.misbehave("pending_then_done", seconds=3600)
    sell(shop, desk, "cash", refuse=False)
    shift_id = close(shop, desk, 10_800)
    assert shift_id is not None
    figures = json.loads(z(shop, shift_id).figures)
    assert (figures["unknown"], figures["active"], figures["refused"]) == (1, 0, 0)
    shop.ask_until_it_is_known()
    assert json.loads(z(shop, shift_id).figures) == figures
