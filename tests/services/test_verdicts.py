"""What asking cannot decide, two people decide with evidence, and both stand in the journal (move 16)."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pos.domain.errors import (
    CarrierNumberMissing,
    EvidenceMissing,
    NothingToDecide,
    NotYetKnown,
    OtherVerdict,
    SaleNotFound,
    SamePerson,
)
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.domain.verdicts import Evidence, Says
from pos.sandbox.records import Fate
from pos.services import refunds, sales, verdicts
from tests.counter import Counter
from tests.services.shop import Shop

R = RenewalState
LOOSE = {"enforce_unique_refs": False}
LINE = "statement of 21 November, line 7"

pytestmark = pytest.mark.parametrize("carrier_habits", [LOOSE])


@pytest.fixture
def manager(shop: Shop, desk: Desk) -> Desk:
    return shop.desk(staff="201")


@pytest.fixture
def stuck(shop: Shop, desk: Desk) -> Callable[[], str]:
    """A sale whose order got lost on the way, at a carrier that takes twins: only people can decide it. Its id."""

    def lose() -> str:
        shop.sandbox.carrier.switches.enforce_unique_refs = False
        shop.misbehave("lost_before_commit")
        ready = shop.ready(desk)
        shop.take_cash(ready)
        shop.ask_until_it_is_known()
        assert shop.state(ready.sale_id) is R.MANUAL
        return ready.sale_id

    return lose


def propose(shop: Shop, sale: str, says: Says, desk: Desk, provider_ref: str = "", reference: str = LINE) -> int:
    with shop.app.app_context():
        line = shop.line(sale).id
        return verdicts.propose(line, says, Evidence.STATEMENT, reference, desk, kit=shop.kit, provider_ref=provider_ref)


def agree(shop: Shop, verdict: int, desk: Desk) -> None:
    with shop.app.app_context():
        verdicts.agree(verdict, desk, kit=shop.kit)


def renewed_by_hand(shop: Shop, sale: str) -> str:
    """The carrier's people put the order through after all; their number of it."""
    (attempt,) = shop.attempts(sale)
    books = shop.sandbox.carrier.books
    return books.renew(attempt.ref, "+447700900123", "lyca-data-gb-7d", Fate(), action="add").id


def test_two_people_decide_that_it_was_done(shop: Shop, desk: Desk, manager: Desk, stuck: Callable[[], str]) -> None:
    sale = stuck()
    number = renewed_by_hand(shop, sale)
    verdict = propose(shop, sale, Says.CONFIRMED, manager, number)
    assert shop.state(sale) is R.MANUAL, "a proposal moves nothing"
    agree(shop, verdict, desk)
    line = shop.line(sale)
    assert (line.state, line.provider_ref, shop.attempts(sale)[0].open_number) == (R.CONFIRMED, number, None)
    (kept,) = shop.ask("select state, proposed_by, decided_by, open_renewal from verdicts")
    assert kept == ("agreed", manager.staff.id, desk.staff.id, None)
    notes = shop.ask(
        "select kind, actor, content from journal where kind like 'verdict.%' or kind = 'renewal.confirmed' order by seq"
    )
    assert [(kind, actor) for kind, actor, _ in notes] == [
        ("verdict.proposed", "staff:201"),
        ("verdict.agreed", "staff:101"),
        ("renewal.confirmed", "staff:101"),
    ]
    said = json.loads(notes[-1][2])
    assert (said["proposed_by"], said["agreed_by"], said["reference"], said["source"]) == ("201", "101", LINE, "two people")
    agree(shop, verdict, desk)
    assert shop.ask("select count(*) from journal where kind = 'renewal.confirmed'") == [(1,)]
    assert shop.ask("select title from print_jobs where kind = 'slip'"), "the customer gets the confirmation"


def test_two_people_decide_that_it_was_not_done_and_the_sim_is_free(
    shop: Shop, desk: Desk, manager: Desk, stuck: Callable[[], str]
) -> None:
    sale = stuck()
    with shop.app.app_context(), pytest.raises(NotYetKnown):
        refunds.pay_back(sale, desk, kit=shop.kit)
    agree(shop, propose(shop, sale, Says.REJECTED, manager), desk)
    assert shop.state(sale) is R.REFUND_DUE
    with shop.app.app_context():
        refunds.pay_back(sale, desk, kit=shop.kit)
    assert shop.state(sale) is R.REFUNDED
    again = shop.ready(desk)
    shop.take_cash(again)
    shop.work()
    assert shop.state(again.sale_id) is R.CONFIRMED


def test_one_person_is_not_two(shop: Shop, desk: Desk, manager: Desk, stuck: Callable[[], str]) -> None:
    sale = stuck()
    verdict = propose(shop, sale, Says.REJECTED, manager)
    with pytest.raises(SamePerson):
        agree(shop, verdict, manager)
    assert shop.state(sale) is R.MANUAL


def test_evidence_and_the_carriers_number_are_mandatory(shop: Shop, manager: Desk, stuck: Callable[[], str]) -> None:
    sale = stuck()
    with pytest.raises(EvidenceMissing):
        propose(shop, sale, Says.REJECTED, manager, reference="  x ")
    with pytest.raises(CarrierNumberMissing):
        propose(shop, sale, Says.CONFIRMED, manager)
    assert shop.ask("select count(*) from verdicts") == [(0,)]


def test_the_same_proposal_twice_is_one_and_another_waits(
    shop: Shop, desk: Desk, manager: Desk, stuck: Callable[[], str]
) -> None:
    sale = stuck()
    first = propose(shop, sale, Says.REJECTED, manager)
    assert propose(shop, sale, Says.REJECTED, manager) == first
    with pytest.raises(OtherVerdict):
        propose(shop, sale, Says.CONFIRMED, manager, "PO-000009")
    with shop.app.app_context():
        verdicts.refuse(first, desk, kit=shop.kit)
    with pytest.raises(NothingToDecide):
        agree(shop, first, desk)
    second = propose(shop, sale, Says.REJECTED, manager)
    assert second != first
    with shop.app.app_context():
        verdicts.refuse(second, manager, kit=shop.kit)
    assert shop.ask("select state from verdicts order by id") == [("refused",), ("withdrawn",)]
    assert shop.state(sale) is R.MANUAL


def test_what_is_not_a_managers_to_decide_is_refused(shop: Shop, desk: Desk, manager: Desk) -> None:
    ready = shop.ready(desk)
    shop.take_cash(ready)
    for says in (Says.REJECTED, Says.LOSS):
        with pytest.raises(NothingToDecide):
            propose(shop, ready.sale_id, says, manager)
    shop.work()
    for says in (Says.REJECTED, Says.LOSS):
        with pytest.raises(NothingToDecide):
            propose(shop, ready.sale_id, says, manager)


def test_another_shop_decides_nothing_here(shop: Shop, manager: Desk, stuck: Callable[[], str]) -> None:
    sale = stuck()
    stranger = shop.desk("HKG1", "401")
    with pytest.raises(SaleNotFound):
        propose(shop, sale, Says.REJECTED, stranger)
    verdict = propose(shop, sale, Says.REJECTED, manager)
    with pytest.raises(SaleNotFound):
        agree(shop, verdict, stranger)
    with shop.app.app_context():
        assert verdicts.to_decide(stranger) == []


def test_manager_and_clerk_decide_on_the_screens(counter: Counter, shop: Shop, stuck: Callable[[], str]) -> None:
    sale = stuck()
    line = shop.line(sale).id
    boss = Counter(shop.app, "LON2", "201")
    assert "+44 ****" in boss.get("/verdicts").plain or shop.line(sale).masked in boss.page.plain
    fields = {"says": "rejected", "evidence": "phone", "reference": "", "provider_ref": "PO-77"}
    boss.post(f"/verdicts/{line}", fields)
    assert boss.page.status == 422 and "Write where the evidence" in boss.page.plain
    assert 'value="PO-77"' in boss.page.text, "what was typed stays"
    boss.post(f"/verdicts/{line}", {**fields, "reference": "Mr Ode of the carrier, 14:10"})
    assert "Another person has to agree" in boss.page.plain
    page = counter.get("/verdicts")
    assert "Mr Ode of the carrier, 14:10" in page.plain and "customer gets the money back" in page.plain
    counter.post("/verdicts/1/agree", {})
    assert shop.state(sale) is R.REFUND_DUE
    assert "Give back" in counter.page.plain
    with shop.app.app_context():
        words = [said.words for said in sales.timeline(sale, shop.desk())]
    assert "Agreed by a second person" in words
    counter.post(f"/verdicts/{line}", {**fields, "reference": "I say so"})
    assert counter.page.status == 403, "a clerk proposes nothing"
