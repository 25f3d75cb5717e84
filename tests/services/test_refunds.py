"""Card money goes back by way of the terminal, and only what the terminal or its list says is booked (renewal protocol, move 19)."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from pos.app import create_app, make_carriers
from pos.domain.errors import (
    CounterError,
    NoOpenShift,
    NotAllowed,
    NothingToRefund,
    OtherRefund,
    ReasonMissing,
    RefundOverLimit,
    RefundSlipIncomplete,
    RefundSlipUsed,
    StaleForm,
)
from pos.domain.money import Money
from pos.domain.payments import CardSlip
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.sandbox.server import SandboxServer
from pos.services import card_refunds, day_reports, ledger, payments, refunds, sales
from pos.store import shifts as shift_rows
from pos.store.db import reading
from tests.conftest import StandingClock, _release, settings_in
from tests.counter import Counter
from tests.services.shop import Shop
from tests.services.test_shifts import close, z

R = RenewalState
SLIPS = count(1)
BACK = {"authorisation": "R7T8", "slip_number": "0099"}


@pytest.fixture
def refused(shop: Shop, desk: Desk) -> Callable[..., str]:
    """A card sale that the carrier refused. Its id."""

    def sell(at: Desk = desk, tender: str = "card") -> str:
        ready = shop.ready(at, "+447700900521")
        with shop.app.app_context():
            if tender == "cash":
                payments.take_cash(ready.sale_id, ready.quote, ready.price, at, kit=shop.kit)
            else:
                payments.begin_card(ready.sale_id, ready.quote, at, kit=shop.kit)
                slip = CardSlip("VISA", "4242", "A1B2C3", f"{next(SLIPS):04d}")
                payments.take_card(ready.sale_id, slip, at, kit=shop.kit)
        shop.work()
        assert shop.state(ready.sale_id) is R.REFUND_DUE
        return ready.sale_id

    return sell


def begin(shop: Shop, sale_id: str, desk: Desk) -> None:
    with shop.app.app_context():
        card_refunds.begin_card_refund(sale_id, desk, kit=shop.kit)


def back(shop: Shop, sale_id: str, desk: Desk, **slip: str) -> Money:
    with shop.app.app_context():
        return refunds.pay_back(sale_id, desk, kit=shop.kit, **(slip or BACK))


def refund_states(shop: Shop) -> list[str]:
    return [state for (state,) in shop.ask("select state from refunds order by id")]


def happened(shop: Shop, noun: str) -> list[str]:
    chosen = "select kind from journal where object_kind = :noun and kind like :like order by seq"
    return [kind for (kind,) in shop.ask(chosen, noun=noun, like=f"{noun}.%")]


# ---------------------------------------------------------------- the intent


def test_an_intent_books_nothing_before_the_terminals_slip(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused()
    before = shop.ask("select count(*), sum(amount_minor) from ledger_transfers")
    begin(shop, sale, desk)
    shift = shop.shift()
    assert (shop.state(sale), refund_states(shop)) == (R.REFUNDING, ["refunding"])
    assert (shift.refunds_minor, shift.card_refund_minor, shift.refunds_count) == (0, 0, 0)
    assert shop.ask("select count(*), sum(amount_minor) from ledger_transfers") == before
    assert shop.ask("select count(*) from receipts where kind = 'refund'") == [(0,)]
    assert back(shop, sale, desk) == Money(800, "GBP")
    shift = shop.shift()
    assert (shop.state(sale), refund_states(shop)) == (R.REFUNDED, ["refunded"])
    assert (shift.refunds_minor, shift.card_refund_minor, shift.refunds_count, shift.expected_minor) == (800, 800, 1, 10_000)
    assert shop.ask("select debit, credit, amount_minor from ledger_transfers where code = 'refunded'") == [
        ("refund_payable", "card_clearing", 800)
    ]
    assert happened(shop, "refund") == ["refund.refunding", "refund.refunded"]


def test_a_card_refund_opens_no_drawer(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused()
    begin(shop, sale, desk)
    back(shop, sale, desk)
    assert shop.ask("select count(*) from print_jobs where kind = 'drawer'") == [(0,)]
    titles = [title for (title,) in shop.ask("select title from print_jobs where sale_id = :sale order by id", sale=sale)]
    assert titles[-1].startswith("REFUND")


def test_the_refund_slip_names_the_terminals_own(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused()
    back(shop, sale, desk)
    ((document,),) = shop.ask("select document from receipt_documents where state = 'refund'")
    assert "R7T8" in document and "0099" in document and "-8.00 GBP" in document
    assert "LON1-000001" in document, "it points to the receipt"


def test_a_cash_refund_opens_the_drawer_once(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused(tender="cash")
    pulses = shop.ask("select count(*) from print_jobs where kind = 'drawer'")[0][0]
    for _ in range(3):
        with shop.app.app_context():
            refunds.pay_back(sale, desk, kit=shop.kit)
    assert shop.ask("select count(*) from print_jobs where kind = 'drawer'") == [(pulses + 1,)]
    assert shop.shift().expected_minor == 10_000


def test_cash_money_has_no_business_at_the_terminal(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused(tender="cash")
    with pytest.raises(StaleForm):
        begin(shop, sale, desk)
    assert (shop.state(sale), refund_states(shop)) == (R.REFUND_DUE, [])


def test_a_refund_without_a_shift_is_not_begun(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused()
    with pytest.raises(NoOpenShift):
        begin(shop, sale, shop.desk("LON2"))
    assert refund_states(shop) == []


# ---------------------------------------------------------------- the terminal's answers


def test_declined_is_owed_as_before_and_may_be_tried_again(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused()
    begin(shop, sale, desk)
    for _ in range(2):
        with shop.app.app_context():
            card_refunds.card_refund_declined(sale, desk, kit=shop.kit)
    assert (shop.state(sale), refund_states(shop)) == (R.REFUND_DUE, ["declined"])
    assert shop.shift().refunds_minor == 0
    begin(shop, sale, desk)
    back(shop, sale, desk)
    assert (shop.state(sale), refund_states(shop)) == (R.REFUNDED, ["refunded"])
    assert happened(shop, "refund") == [f"refund.{word}" for word in ("refunding", "declined", "refunding", "refunded")]


@pytest.mark.parametrize("there", [True, False])
def test_no_result_is_decided_by_the_terminals_own_list(shop: Shop, desk: Desk, refused: Callable[..., str], there: bool) -> None:
    sale = refused()
    begin(shop, sale, desk)
    with shop.app.app_context():
        card_refunds.card_refund_without_result(sale, desk, kit=shop.kit)
        # Once in doubt, an old page's "declined" decides nothing any more.
        card_refunds.card_refund_declined(sale, desk, kit=shop.kit)
    assert (shop.state(sale), refund_states(shop)) == (R.REFUNDING, ["in_doubt"])
    if there:
        back(shop, sale, desk)
        assert (shop.state(sale), refund_states(shop)) == (R.REFUNDED, ["refunded"])
    else:
        with shop.app.app_context():
            card_refunds.card_refund_is_missing(sale, desk, kit=shop.kit)
        assert (shop.state(sale), refund_states(shop)) == (R.REFUND_DUE, ["missing"])


def test_the_list_is_not_asked_before_there_is_doubt(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused()
    begin(shop, sale, desk)
    with shop.app.app_context():
        card_refunds.card_refund_is_missing(sale, desk, kit=shop.kit)
    assert refund_states(shop) == ["refunding"]


def test_silence_is_marked_after_two_minutes_and_never_decided(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused()
    begin(shop, sale, desk)
    shop.pass_time(119)
    with shop.app.app_context():
        assert card_refunds.mark_silent_refunds(kit=shop.kit) == 0
    shop.pass_time(2)
    with shop.app.app_context():
        assert card_refunds.mark_silent_refunds(kit=shop.kit) == 1
    shop.pass_time(86_400)
    with shop.app.app_context():
        assert card_refunds.mark_silent_refunds(kit=shop.kit) == 0
    assert (shop.state(sale), refund_states(shop)) == (R.REFUNDING, ["in_doubt"])


def test_a_crash_between_intent_and_result_leaves_a_question(
    shop: Shop,
    desk: Desk,
    refused: Callable[..., str],
    sandbox: SandboxServer,
    clock: StandingClock,
    folder: Path,
) -> None:
    """C19-C20: the next life of the program finds the intent, asks about it, and books it once."""
    sale = refused()
    begin(shop, sale, desk)
    settings = settings_in(folder, sandbox.url)
    born_again = create_app(settings, clock=clock, given=make_carriers(settings))
    after = Shop(born_again, sandbox, clock)
    try:
        assert after.state(sale) is R.REFUNDING
        shop.pass_time(121)
        with born_again.app_context():
            assert card_refunds.mark_silent_refunds(kit=after.kit) == 1
        page = Counter(born_again).get(f"/sales/{sale}").plain
        assert re.search("Is .8.00 GBP on the terminal's own list", page)
        back(after, sale, desk)
        back(after, sale, desk)
        assert refund_states(after) == ["refunded"]
    finally:
        with born_again.app_context():
            _release(born_again)
        for carrier in after.kit.carriers.values():
            getattr(carrier, "close", lambda: None)()


# ---------------------------------------------------------------- slips


def test_a_slip_without_an_intent_counts_because_the_money_has_left(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused()
    back(shop, sale, desk)
    assert (shop.state(sale), refund_states(shop)) == (R.REFUNDED, ["refunded"])


@pytest.mark.parametrize("slip", [{"authorisation": "R7T8"}, {"slip_number": "0099"}, {"authorisation": ""}])
def test_half_a_slip_books_nothing(shop: Shop, desk: Desk, refused: Callable[..., str], slip: dict[str, str]) -> None:
    sale = refused()
    begin(shop, sale, desk)
    with pytest.raises(RefundSlipIncomplete):
        back(shop, sale, desk, **slip)
    assert (shop.state(sale), refund_states(shop)) == (R.REFUNDING, ["refunding"])


def test_a_slip_stands_for_one_refund(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    first, second = refused(), refused()
    back(shop, first, desk)
    begin(shop, second, desk)
    with pytest.raises(RefundSlipUsed) as said:
        back(shop, second, desk)
    assert "R-LON1-000001" in str(said.value)
    assert shop.state(second) is R.REFUNDING
    back(shop, second, desk, authorisation="R7T8", slip_number="0100")


def test_the_slip_of_the_payment_is_no_refund(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused()
    ((authorisation, number),) = shop.ask("select authorisation, slip_number from payments")
    with pytest.raises(RefundSlipUsed) as said:
        back(shop, sale, desk, authorisation=authorisation, slip_number=number)
    assert "LON1-000001" in str(said.value)
    assert refund_states(shop) == []


def test_the_same_post_again_is_the_same_answer_and_another_is_refused(
    shop: Shop, desk: Desk, refused: Callable[..., str]
) -> None:
    sale = refused()
    assert back(shop, sale, desk) == back(shop, sale, desk) == Money(800, "GBP")
    with pytest.raises(OtherRefund):
        back(shop, sale, desk, authorisation="R7T8", slip_number="0100")
    begin(shop, sale, desk)  # an old page changes nothing either
    assert (refund_states(shop), shop.shift().refunds_count) == (["refunded"], 1)


# ---------------------------------------------------------------- limits and permissions


def test_over_the_limit_a_manager_does_it(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    tight = replace(desk, store=replace(desk.store, refund_limit_minor=799))
    card, cash = refused(), refused(tender="cash")
    with pytest.raises(RefundOverLimit) as said:
        begin(shop, card, tight)
    assert "8.00 GBP" in str(said.value) and "7.99 GBP" in str(said.value) and "manager" in str(said.value)
    for sale in (card, cash):
        with pytest.raises(RefundOverLimit):
            back(shop, sale, tight)
        assert shop.state(sale) is R.REFUND_DUE
    manager = replace(tight, staff=shop.desk(staff="201").staff)
    begin(shop, card, manager)
    back(shop, card, tight)  # begun by the manager, the slip may be copied by the clerk
    with shop.app.app_context():
        refunds.pay_back(cash, manager, kit=shop.kit)
    assert refund_states(shop) == ["refunded", "refunded"]


def test_exactly_the_limit_is_a_clerks(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused()
    begin(shop, sale, replace(desk, store=replace(desk.store, refund_limit_minor=800)))
    back(shop, sale, desk)


def test_card_money_in_cash_is_a_managers_word_with_a_reason(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale, manager = refused(), shop.desk(staff="201")
    with shop.app.app_context():
        with pytest.raises(NotAllowed):
            refunds.pay_card_in_cash(sale, "the card is lost", desk, kit=shop.kit)
        with pytest.raises(ReasonMissing):
            refunds.pay_card_in_cash(sale, "  ", manager, kit=shop.kit)
        assert refund_states(shop) == []
        for _ in range(2):
            amount = refunds.pay_card_in_cash(sale, "the card is lost", manager, kit=shop.kit)
    assert amount == Money(800, "GBP")
    shift = shop.shift()
    assert (shift.expected_minor, shift.refunds_minor, shift.card_refund_minor) == (9_200, 800, 0)
    assert shop.ask("select tender, reason from refunds") == [("cash", "the card is lost")]
    assert shop.ask("select credit from ledger_transfers where code = 'refunded'") == [("drawer",)]
    ((content,),) = shop.ask("select content from journal where kind = 'refund.in_cash'")
    assert json.loads(content)["reason"] == "the card is lost"
    assert shop.ask("select count(*) from print_jobs where kind = 'drawer'") == [(1,)]
    ((document,),) = shop.ask("select document from receipt_documents where state = 'refund'")
    assert "201" in document, "the slip names who approved it"
    with pytest.raises(OtherRefund):
        back(shop, sale, desk)


def test_no_cash_while_the_terminal_may_have_it(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale, manager = refused(), shop.desk(staff="201")
    begin(shop, sale, desk)
    with shop.app.app_context(), pytest.raises(StaleForm):
        refunds.pay_card_in_cash(sale, "impatient", manager, kit=shop.kit)
    with shop.app.app_context():
        card_refunds.card_refund_without_result(sale, desk, kit=shop.kit)
        with pytest.raises(StaleForm):
            refunds.pay_card_in_cash(sale, "impatient", manager, kit=shop.kit)
        card_refunds.card_refund_is_missing(sale, desk, kit=shop.kit)
        refunds.pay_card_in_cash(sale, "the terminal cannot", manager, kit=shop.kit)
        with pytest.raises(OtherRefund):
            refunds.pay_back(sale, desk, kit=shop.kit, **BACK)
    assert shop.ask("select tender, state from refunds") == [("cash", "refunded")]


def test_what_the_card_has_is_not_given_in_cash_too(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused()
    back(shop, sale, desk)
    with shop.app.app_context(), pytest.raises(OtherRefund):
        refunds.pay_card_in_cash(sale, "once more", shop.desk(staff="201"), kit=shop.kit)
    assert shop.shift().expected_minor == 10_000


def test_a_named_renewal_of_another_sale_is_not_given_back(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    first, second = refused(), refused()
    with shop.app.app_context(), pytest.raises(NothingToRefund):
        refunds.pay_back(first, desk, kit=shop.kit, renewal_id=shop.line(second).id, **BACK)


# ---------------------------------------------------------------- two tills


def at_once(shop: Shop, verbs: Sequence[Callable[[], object]]) -> list[object]:
    """What each verb answered or raised, all begun together, each in a thread with a context of its own."""
    gate = threading.Barrier(len(verbs))
    answers: list[object] = [None] * len(verbs)

    def run(place: int, verb: Callable[[], object]) -> None:
        gate.wait()
        with shop.app.app_context():
            try:
                answers[place] = verb()
            except CounterError as error:
                answers[place] = type(error)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(verbs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return answers


@pytest.mark.parametrize("tender", ["card", "cash"])
def test_two_tills_give_back_once(shop: Shop, desk: Desk, refused: Callable[..., str], tender: str) -> None:
    other = shop.desk("LON2", "102")
    shop.open_shift(other)
    for _ in range(5):
        sale = refused(tender=tender)
        slip = {"authorisation": "R7T8", "slip_number": f"R{next(SLIPS)}"} if tender == "card" else {}
        if tender == "card":
            start = [partial(card_refunds.begin_card_refund, sale, at, kit=shop.kit) for at in (desk, other)]
            assert at_once(shop, start * 2) == [None] * 4
        give = [partial(refunds.pay_back, sale, at, kit=shop.kit, **slip) for at in (desk, other)]
        assert at_once(shop, give * 2) == [Money(800, "GBP")] * 4
    booked = [shop.shift(till).refunds_count for till in ("LON1", "LON2")]
    assert sum(booked) == 5
    assert shop.ask("select count(*) from refunds") == [(5,)]


def test_result_and_refusal_at_once_have_one_effect(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    for _ in range(5):
        sale = refused()
        begin(shop, sale, desk)
        slip = {"authorisation": "R7T8", "slip_number": f"R{next(SLIPS)}"}
        declined = partial(card_refunds.card_refund_declined, sale, desk, kit=shop.kit)
        at_once(shop, [declined, partial(refunds.pay_back, sale, desk, kit=shop.kit, **slip)])
        # Whoever came first: a slip is money that left, so it always ends as given back.
        assert shop.state(sale) is R.REFUNDED


# ---------------------------------------------------------------- in sight, and in nobody's way


def test_an_open_refund_is_listed_and_blocks_nothing(shop: Shop, desk: Desk, refused: Callable[..., str]) -> None:
    sale = refused()
    begin(shop, sale, desk)
    with shop.app.app_context():
        assert [line.id for line in sales.unfinished(desk)] == [sale]
        with reading() as session:
            shift = shift_rows.seen_at(session, desk.till.id)
            assert shift is not None
            assert day_reports.figures(session, shift)["refunds_open"] == [["LON1-000001", 800]]
    closed = close(shop, desk, 10_000)
    assert closed is not None
    report = z(shop, closed)
    assert json.loads(report.figures)["refunds_open"] == [["LON1-000001", 800]]
    assert "Card refunds without a result" in report.document
    # The next shift still shows it, and the money counts where the slip was seen.
    shop.open_shift(desk)
    back(shop, sale, desk)
    assert (shop.shift().refunds_minor, shop.shift().card_refund_minor) == (800, 800)
    second = close(shop, desk, 10_000)
    assert second is not None and json.loads(z(shop, second).figures)["refunds_open"] == []


# ---------------------------------------------------------------- the proof sees it


@pytest.mark.parametrize(
    ("harm", "to_be_found"),
    [
        ("update refunds set amount_minor = 801", ["more given back", "for a renewal of", "its refunds differ"]),
        (
            "update refunds set state = 'declined'",
            ["declined, and the journal", "receipt number", "without its refund", "its refunds"],
        ),
        ("update shifts set refunds_minor = 0 where id = (select shift_id from refunds)", ["its refunds differ"]),
        ("update shifts set card_refund_minor = 0 where id = (select shift_id from refunds)", ["its refunds differ"]),
    ],
)
def test_a_refund_changed_by_hand_is_found(
    shop: Shop, desk: Desk, refused: Callable[..., str], harm: str, to_be_found: list[str]
) -> None:
    sale = refused()
    back(shop, sale, desk)
    with shop.by_hand() as connection:
        connection.execute(text(harm))
    with shop.app.app_context():
        found = list(ledger.prove())
    assert [words for words in to_be_found if not any(words in sentence for sentence in found)] == []


# ---------------------------------------------------------------- the screens


def card_refused(counter: Counter) -> Counter:
    counter.open_shift().ready_to_pay("07700 900521").card_begin().card_slip()
    counter.work()
    counter.look()
    return counter


def test_the_clerk_is_led_through_the_terminal(counter: Counter, shop: Shop) -> None:
    card_refused(counter)
    assert "Give back 8.00 GBP" in counter.page.plain and "Another plan or number for the same 8.00 GBP" in counter.page.plain
    line = {"renewal_id": shop.line(counter.sale_id).id}
    counter.post(f"/sales/{counter.sale_id}/refund/card", line)
    assert "on the terminal" in counter.page.plain and "VISA ending in 4242" in counter.page.plain
    counter.post(f"/sales/{counter.sale_id}/refund", line)
    assert counter.page.status == 422 and "refund slip" in counter.page.plain
    counter.post(f"/sales/{counter.sale_id}/refund/no-result", line)
    assert "on the terminal's own list?" in counter.page.plain
    assert "refund at the terminal" in counter.get("/").plain
    counter.look()
    counter.post(f"/sales/{counter.sale_id}/refund/missing", line)
    assert "The terminal gave nothing back." in counter.page.plain
    counter.post(f"/sales/{counter.sale_id}/refund/card", line)
    counter.post(f"/sales/{counter.sale_id}/refund/declined", line)
    assert "Not activated. Give back 8.00 GBP." in counter.page.plain
    assert "in cash" not in counter.page.plain, "that is a manager's"
    counter.post(f"/sales/{counter.sale_id}/refund/card", line)
    counter.post(f"/sales/{counter.sale_id}/refund", line | BACK)
    assert "Not activated. 8.00 GBP was given back." in counter.page.plain
    told = counter.get(f"/search/{counter.sale_id}").plain
    for words in (
        "Refund begun",
        "The refund is not on the terminal's list",
        "The terminal gave nothing back",
        "Refund recorded",
    ):
        assert words in told


def test_a_second_till_is_told_who_has_begun(counter: Counter, app: Flask, shop: Shop) -> None:
    card_refused(counter)
    counter.post(f"/sales/{counter.sale_id}/refund/card", {"renewal_id": shop.line(counter.sale_id).id})
    assert "Another till" not in counter.page.plain
    page = Counter(app, till="LON2", staff="201").get(f"/sales/{counter.sale_id}")
    assert "Another till has begun this." in page.plain and "LON1" in page.plain and "Amelia Ward" in page.plain


def test_a_manager_gives_cash_for_a_card_at_the_screen(counter: Counter, shop: Shop) -> None:
    card_refused(counter)
    line = {"renewal_id": shop.line(counter.sale_id).id}
    assert counter.post(f"/sales/{counter.sale_id}/refund/in-cash", line | {"reason": "mine"}).status == 403
    counter.sign_in("201")
    counter.look()
    assert "Give 8.00 GBP in cash" in counter.page.plain
    assert counter.post(f"/sales/{counter.sale_id}/refund/in-cash", line).status == 422
    assert "Say why." in counter.page.plain
    counter.post(f"/sales/{counter.sale_id}/refund/in-cash", line | {"reason": "the card was a gift card"})
    assert shop.state(counter.sale_id) is R.REFUNDED
    assert "Card money given back in cash" in counter.get(f"/search/{counter.sale_id}").plain


def test_over_the_limit_the_clerk_reads_what_to_do(counter: Counter, shop: Shop) -> None:
    with shop.by_hand() as connection:
        connection.execute(text("update stores set refund_limit_minor = 500 where code = 'LON'"))
    card_refused(counter)
    line = {"renewal_id": shop.line(counter.sale_id).id}
    assert counter.post(f"/sales/{counter.sale_id}/refund/card", line).status == 409
    assert "8.00 GBP is more than the 5.00 GBP that a clerk gives back." in counter.page.plain
    counter.sign_in("201")
    counter.look()
    assert "on the terminal" in counter.post(f"/sales/{counter.sale_id}/refund/card", line).plain


def test_the_change_stays_in_sight_after_a_refund(counter: Counter) -> None:
    counter.open_shift().ready_to_pay("07700 900521").cash("20.00")
    counter.work()
    assert "Give change 12.00" in counter.look().plain
    counter.post(f"/sales/{counter.sale_id}/refund", {})
    assert "8.00 GBP was given back." in counter.page.plain
    assert "Give change 12.00" in counter.page.plain
