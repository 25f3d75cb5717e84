"""The check of a person by the store's rules: what is kept, what wants a manager, what the carrier compares, what is never kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from pos.app import DEMO_PINS
from pos.domain.documents import DocumentPolicy, DocumentType
from pos.domain.errors import (
    ApprovalNeeded,
    ApproverRefused,
    CounterError,
    DocumentNeeded,
    DocumentNotAccepted,
    OtherOwner,
    OwnerOnly,
    ReasonMissing,
    ReasonNamesDocument,
)
from pos.domain.identity_rules import DOCUMENTS, Allowance, IdentityRules, Rulebook
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.sandbox.faults import Fault
from pos.services import document_reading, identity_checks, numbers, sales
from pos.services.identity_checks import Approval, Seen, Whose
from tests.services.shop import Shop

PRIYA = Seen(DocumentType.PASSPORT, "IND", "Z1234563", date(2031, 5, 1), "scanned", "PRIYA SHARMA", "1995-01-30", 31)
STRANGER = Seen(DocumentType.PASSPORT, "GB", "533380006", date(2031, 5, 1))
MANAGER = Approval("regular customer", "201", DEMO_PINS["201"])

Follow = Callable[..., None]


@pytest.fixture
def follow(shop: Shop) -> Follow:
    """Give the shop rules: ``follow(typed=Allowance.APPROVAL)``."""

    def rules(**changed: object) -> None:
        kit = shop.kit
        shop.app.extensions["simcounter"] = replace(kit, rulebook=Rulebook(IdentityRules(**changed)))  # type: ignore[arg-type]

    return rules


def opened(shop: Shop, desk: Desk, number: str = "+447700900123") -> str:
    sale_id = str(uuid4())
    with shop.app.app_context():
        numbers.ask_about(sale_id, number, "phone", desk, "en", kit=shop.kit)
    return sale_id


def verify(shop: Shop, sale_id: str, seen: Seen, desk: Desk, **more: object) -> None:
    with shop.app.app_context():
        identity_checks.verify(sale_id, seen, True, desk, kit=shop.kit, **more)  # type: ignore[arg-type]


def told(shop: Shop, sale_id: str, kind: str) -> list[dict[str, object]]:
    return [
        json.loads(content)
        for (content,) in shop.ask("select content from journal where object_id = :id and kind = :kind", id=sale_id, kind=kind)
    ]


# ------------------------------------------------------------------ what the carrier compares


def test_the_carrier_answers_attribute_by_attribute(shop: Shop, desk: Desk) -> None:
    sale_id = opened(shop, desk)
    verify(shop, sale_id, replace(PRIYA, name="PRIYA SHARMA KHAN"), desk)
    with shop.app.app_context():
        document = sales.show(sale_id, desk, kit=shop.kit).document
    assert document is not None and document.carrier_match == "match"
    assert document.matches == {"document_number": "match", "document_type": "match", "name": "no_match", "birth_date": "match"}


RECORDS = {"kyc_path": None, "party_path": "/tmf-api/party/v4"}


@pytest.mark.parametrize("carrier_habits", [RECORDS])
def test_a_record_is_compared_and_only_the_verdicts_stay(shop: Shop, desk: Desk) -> None:
    sale_id = opened(shop, desk)
    verify(shop, sale_id, PRIYA, desk)
    with shop.app.app_context():
        document = sales.show(sale_id, desk, kit=shop.kit).document
    assert document is not None and document.carrier_match == "match"
    assert document.matches == dict.fromkeys(["document_number", "document_type", "name", "birth_date"], "match")
    verify(shop, sale_id, replace(PRIYA, number="X7654321"), desk)
    with shop.app.app_context():
        document = sales.show(sale_id, desk, kit=shop.kit).document
    assert document is not None and document.carrier_match == "no_match"


@pytest.mark.parametrize("carrier_habits", [RECORDS | {"deadline_seconds": 1.0}])
@pytest.mark.parametrize("fault", ["drip", "broken_json", "html_502"])
def test_a_record_that_does_not_come_stops_nobody(shop: Shop, desk: Desk, fault: str) -> None:
    sale_id = opened(shop, desk)
    shop.sandbox.carrier.faults.add(Fault(fault, where="read", count=None))
    verify(shop, sale_id, PRIYA, desk)
    with shop.app.app_context():
        document = sales.show(sale_id, desk, kit=shop.kit).document
    assert document is not None and (document.matches, document.carrier_match) == ({}, "not_available")


def test_nobody_is_compared_when_the_number_is_a_friends(shop: Shop, desk: Desk, follow: Follow) -> None:
    sale_id = opened(shop, desk)
    # The owner is Priya: had the carrier been asked, it would have said so.
    verify(shop, sale_id, STRANGER, desk, whose=Whose.OTHER)
    with shop.app.app_context():
        document = sales.show(sale_id, desk, kit=shop.kit).document
    assert document is not None
    assert (document.whose, document.matches, document.carrier_match) == ("other", {}, "not_available")
    assert [one["whose"] for one in told(shop, sale_id, "identity.checked")] == ["other"]
    follow(anothers_number=Allowance.REFUSED)
    with pytest.raises(OwnerOnly):
        verify(shop, sale_id, STRANGER, desk, whose=Whose.OTHER)


def test_another_owner_is_told_or_stops_by_the_rules(shop: Shop, desk: Desk, follow: Follow) -> None:
    sale_id = opened(shop, desk)
    verify(shop, sale_id, STRANGER, desk)
    follow(other_owner=Allowance.REFUSED)
    with pytest.raises(OtherOwner):
        verify(shop, sale_id, STRANGER, desk)
    follow(other_owner=Allowance.APPROVAL)
    with pytest.raises(ApprovalNeeded, match="another owner"):
        verify(shop, sale_id, STRANGER, desk)
    verify(shop, sale_id, STRANGER, desk, approval=MANAGER)


# ------------------------------------------------------------------ a manager agrees


@pytest.mark.parametrize(
    ("rules", "seen", "more"),
    [
        ({"typed": Allowance.APPROVAL}, STRANGER, {}),
        ({"expired": Allowance.APPROVAL}, replace(PRIYA, expires_on=date(2026, 11, 20)), {}),
        ({"anothers_number": Allowance.APPROVAL}, PRIYA, {"whose": Whose.OTHER}),
    ],
)
def test_what_is_out_of_the_ordinary_waits_for_a_manager(
    shop: Shop, desk: Desk, follow: Follow, rules: dict[str, object], seen: Seen, more: dict[str, object]
) -> None:
    follow(**rules)
    sale_id = opened(shop, desk)
    with pytest.raises(ApprovalNeeded):
        verify(shop, sale_id, seen, desk, **more)
    for approval, refusal in (
        (Approval("regular customer", "201", "000000"), ApproverRefused),
        (Approval("regular customer", "101", DEMO_PINS["101"]), ApproverRefused),
        (Approval("regular customer", "102", DEMO_PINS["102"]), ApproverRefused),
        (Approval("regular customer"), ApproverRefused),
        (Approval(" ", "201", DEMO_PINS["201"]), ReasonMissing),
        (Approval("seen 533 380 006 / Z 1234 563", "201", DEMO_PINS["201"]), ReasonNamesDocument),
    ):
        with pytest.raises(refusal):
            verify(shop, sale_id, seen, desk, approval=approval, **more)
    assert shop.ask("select count(*) from identity_checks") == [(0,)]
    verify(shop, sale_id, seen, desk, approval=MANAGER, **more)
    (overridden,) = told(shop, sale_id, "identity.overridden")
    assert (overridden["approved_by"], overridden["reason"]) == ("201", "regular customer")
    assert overridden["concerns"] == [next(iter(rules))]
    with shop.app.app_context():
        document = sales.show(sale_id, desk, kit=shop.kit).document
    assert document is not None and document.agreed_by is not None


def test_a_manager_at_the_till_gives_a_reason_and_no_pin(shop: Shop, desk: Desk, follow: Follow) -> None:
    follow(typed=Allowance.APPROVAL)
    manager = shop.desk(staff="201")
    sale_id = opened(shop, manager)
    with pytest.raises(ApprovalNeeded):
        verify(shop, sale_id, STRANGER, manager)
    verify(shop, sale_id, STRANGER, manager, approval=Approval("card worn out"))
    assert [one["approved_by"] for one in told(shop, sale_id, "identity.overridden")] == ["201"]


def test_guessed_pins_of_a_manager_lock_as_at_the_sign_in(shop: Shop, desk: Desk, follow: Follow) -> None:
    follow(typed=Allowance.APPROVAL)
    sale_id = opened(shop, desk)
    for _ in range(5):
        with pytest.raises(ApproverRefused):
            verify(shop, sale_id, STRANGER, desk, approval=Approval("x", "201", "123123"))
    with pytest.raises(ApproverRefused):
        verify(shop, sale_id, STRANGER, desk, approval=MANAGER)
    assert len(shop.ask("select 1 from journal where kind = 'staff.pin_failed'")) == 6
    shop.pass_time(901)
    verify(shop, sale_id, STRANGER, desk, approval=MANAGER)


def test_an_approval_that_nobody_wanted_is_no_override(shop: Shop, desk: Desk) -> None:
    sale_id = opened(shop, desk)
    verify(shop, sale_id, PRIYA, desk, approval=MANAGER)
    assert told(shop, sale_id, "identity.overridden") == []


# ------------------------------------------------------------------ the store's documents


def test_a_store_takes_the_documents_it_names(shop: Shop, desk: Desk, follow: Follow) -> None:
    follow(documents=DocumentPolicy(accepted={"GB": frozenset({DocumentType.PASSPORT})}, otherwise=frozenset()))
    sale_id = opened(shop, desk)
    with pytest.raises(DocumentNotAccepted, match="does not accept this kind"):
        verify(shop, sale_id, PRIYA, desk)
    verify(shop, sale_id, STRANGER, desk)
    follow(typed=Allowance.REFUSED)
    with pytest.raises(DocumentNotAccepted, match="scanned, not typed"):
        verify(shop, sale_id, STRANGER, desk)


@pytest.mark.parametrize(("age", "refusal"), [(None, "birth date is missing"), (17, "too young"), (18, None)])
def test_a_store_asks_for_an_age(shop: Shop, desk: Desk, follow: Follow, age: int | None, refusal: str | None) -> None:
    follow(documents=replace(DOCUMENTS, youngest=18))
    sale_id = opened(shop, desk)
    if refusal is None:
        verify(shop, sale_id, replace(PRIYA, age=age), desk)
    else:
        with pytest.raises(DocumentNotAccepted, match=refusal):
            verify(shop, sale_id, replace(PRIYA, age=age), desk)


def test_grace_is_told_and_kept_as_not_valid_today(shop: Shop, desk: Desk, follow: Follow) -> None:
    follow(documents=replace(DOCUMENTS, grace_days=3))
    sale_id = opened(shop, desk)
    with pytest.raises(DocumentNotAccepted, match="expired"):
        verify(shop, sale_id, replace(PRIYA, expires_on=date(2026, 11, 17)), desk)
    verify(shop, sale_id, replace(PRIYA, expires_on=date(2026, 11, 18)), desk)
    assert shop.ask("select valid_today from identity_checks") in ([(0,)], [(False,)])


def test_nobody_renews_without_a_document_unless_the_rules_let_him(shop: Shop, desk: Desk, follow: Follow) -> None:
    sale_id = opened(shop, desk)

    def skip(approval: Approval | None = None) -> None:
        with shop.app.app_context():
            identity_checks.skip(sale_id, desk, kit=shop.kit, approval=approval)

    with pytest.raises(DocumentNeeded):
        skip(MANAGER)
    follow(skipped=Allowance.APPROVAL)
    with pytest.raises(ApprovalNeeded, match="no document"):
        skip()
    skip(MANAGER)
    assert [one["how"] for one in told(shop, sale_id, "identity.skipped")] == ["skipped"]
    with shop.app.app_context():
        sales.choose_plan(sale_id, shop.plan_id("lyca-data-gb-7d", desk), desk, kit=shop.kit)
    assert shop.state(sale_id) is RenewalState.IDENTIFIED


# ------------------------------------------------------------------ too often


def test_a_document_used_too_often_wants_a_manager(shop: Shop, desk: Desk, follow: Follow) -> None:
    follow(most_of_document=2)
    for number in ("+447700900123", "+447700900124"):
        verify(shop, opened(shop, desk, number), PRIYA, desk)
    third = opened(shop, desk, "+447700900125")
    with pytest.raises(ApprovalNeeded, match="this document was used very often"):
        verify(shop, third, PRIYA, desk)
    verify(shop, third, STRANGER, desk)
    verify(shop, third, PRIYA, desk, approval=MANAGER)
    shop.pass_time(24 * 3600 + 1)
    verify(shop, opened(shop, desk, "+447700900126"), PRIYA, desk)


def test_a_number_renewed_too_often_wants_a_manager(shop: Shop, desk: Desk, follow: Follow) -> None:
    follow(most_of_number=1)
    shop.take_cash(shop.ready(desk))
    sale_id = opened(shop, desk)
    with pytest.raises(ApprovalNeeded, match="this number was renewed very often"):
        verify(shop, sale_id, PRIYA, desk)
    verify(shop, sale_id, PRIYA, desk, approval=MANAGER)
    shop.work()


def test_a_clerk_who_checks_too_many_wants_a_manager(shop: Shop, desk: Desk, follow: Follow) -> None:
    follow(most_of_clerk=2)
    for number in ("+447700900123", "+447700900124"):
        verify(shop, opened(shop, desk, number), replace(PRIYA, number=f"Z765432{number[-1]}"), desk)
    sale_id = opened(shop, desk, "+447700900125")
    with pytest.raises(ApprovalNeeded, match="very many documents"):
        verify(shop, sale_id, PRIYA, desk)
    shop.pass_time(3601)
    verify(shop, sale_id, PRIYA, desk)


# ------------------------------------------------------------------ seen before, and what is kept


def passport() -> str:
    from tests.journeys.browser import passport as lines

    return "\n".join(lines())


def test_a_document_that_was_here_before_is_known_without_its_number(shop: Shop, desk: Desk, follow: Follow) -> None:
    def times() -> int:
        with shop.app.app_context():
            return document_reading.look(passport(), desk, kit=shop.kit).times_before

    assert times() == 0
    verify(shop, opened(shop, desk), PRIYA, desk)
    assert times() == 1
    follow(keep_digest=False)
    verify(shop, opened(shop, desk), PRIYA, desk)
    assert shop.ask("select number_hmac, last3 from identity_checks order by id desc limit 1") == [("", "")]
    assert times() == 0


def test_every_refusal_leaves_the_sale_as_it_was(shop: Shop, desk: Desk, follow: Follow) -> None:
    sale_id = opened(shop, desk)
    before = shop.ask("select count(*) from journal")
    follow(other_owner=Allowance.REFUSED, typed=Allowance.APPROVAL)
    for seen in (
        STRANGER,
        replace(PRIYA, number="4111111111111111"),
        replace(PRIYA, country="QQ"),
        replace(STRANGER, number="1"),
    ):
        with pytest.raises(CounterError):
            verify(shop, sale_id, seen, desk)
    assert shop.ask("select count(*) from journal") == before
    assert shop.ask("select count(*) from identity_checks") == [(0,)]
