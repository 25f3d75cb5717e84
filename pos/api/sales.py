"""A sale: begun with an id of the caller's, its document, its plan, its state, and giving it up before any money."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Any
from uuid import UUID

from marshmallow import fields

from pos.api.fields import (
    LARGEST_ID,
    Answer,
    Body,
    Counted,
    Day,
    Flag,
    Many,
    Moment,
    MoneyAnswer,
    OneWord,
    Part,
    Text,
    Whole,
    one_of,
)
from pos.api.keys import bp, desk, door, kit, language, refuses, takes
from pos.api.lines import LineAnswer, LineBody, lines_view, meant, place_of, wanted
from pos.api.numbers import PlanAnswer, plans_view
from pos.domain.documents import DocumentType
from pos.domain.entry import CardNumberRefused, IccidEntry, PhoneEntry, understand
from pos.domain.errors import CounterError, DocumentUnreadable, LooksLikeCard, NotAllowed
from pos.domain.journal import canonical
from pos.domain.payments import PaymentState, Tender
from pos.domain.permissions import Permission, may
from pos.domain.pictures import SalePicture, Step
from pos.domain.renewals import RenewalState
from pos.domain.sales import MOST_NUMBERS, SaleState
from pos.domain.words import LANGUAGES
from pos.services import holds, identity_checks, numbers, receipts, sales
from pos.services.document_reading import age_on
from pos.services.identity_checks import Approval, Whose

# A caller that waits holds one of the server's threads; the counter's screens need the others.
_WAITING_AT_ONCE = 3
_waiting = threading.BoundedSemaphore(_WAITING_AT_ONCE)
_LOOK_EVERY_SECONDS = 0.25
_LONGEST_WAIT_SECONDS = 25


class SaleBody(Body):
    lines = Many(Part(LineBody), least=1, most=MOST_NUMBERS, required=True)
    language = OneWord(tuple(LANGUAGES), metadata={"description": "The customer's, for the receipt"})


class DocumentBody(Body):
    type = OneWord(DocumentType, required=True)
    country = Text(longest=3, shortest=1, required=True)
    number = Text(longest=30, shortest=1, required=True)
    expires_on = Day(allow_none=True)
    birth_date = Day(allow_none=True, metadata={"description": "Where the shop asks for an age; only the age is judged"})


class ApprovalBody(Body):
    """A manager beside the device agrees to what the store's rules stop. In a manager's own session the reason is enough."""

    reason = Text(longest=200, shortest=1, required=True, metadata={"description": "For the journal, without names and numbers"})
    staff_number = Text(longest=12)
    pin = Text(longest=12)


class IdentityBody(Body):
    """What was read from the document: its machine readable lines, or what stands on it. Neither is stored."""

    mrz = Text(
        longest=2000,
        cards=True,
        lines=True,
        metadata={"description": "Two or three lines, or the barcode of an American licence, as a scanner sends them"},
    )
    document = Part(DocumentBody)
    matches_person = Flag(required=True)
    whose = OneWord(
        Whose, load_default=Whose.OWN.value, metadata={"description": "`other`: the customer pays for another person's number"}
    )
    approval = Part(ApprovalBody)


class PlanBody(Body):
    plan = Whole(least=1, most=LARGEST_ID, required=True)
    override_reason = Text(
        longest=200, shortest=1, metadata={"description": "A manager's reason to renew the same plan again at once"}
    )


class WaitArguments(Body):
    wait = Counted(least=0, most=_LONGEST_WAIT_SECONDS, load_default=0, metadata={"description": "Seconds to wait for a change"})
    seen = Text(longest=64, metadata={"description": "The `version` that the caller knows"})


class SearchBody(Body):
    query = Text(longest=120, shortest=1, cards=True, required=True, metadata={"description": "A receipt's or a SIM's number"})


class DocumentAnswer(Answer):
    type = fields.String(required=True)
    country = fields.String(required=True)
    last3 = fields.String(required=True)
    how = fields.String(required=True)
    carrier_match = fields.String(required=True)
    matches = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    whose = fields.String(required=True)
    agreed_by = fields.String(required=True, allow_none=True)
    checked_by = fields.String(required=True)
    checked_at = Moment(required=True)


class PaymentAnswer(Answer):
    id = fields.Integer(required=True)
    tender = fields.String(required=True, validate=one_of(Tender))
    state = fields.String(required=True, validate=one_of(PaymentState))
    amount = fields.Nested(MoneyAnswer, required=True)
    tendered = fields.Nested(MoneyAnswer, required=True, allow_none=True)
    change = fields.Nested(MoneyAnswer, required=True, allow_none=True)
    scheme = fields.String(required=True, allow_none=True)
    last4 = fields.String(required=True, allow_none=True)
    authorisation = fields.String(required=True, allow_none=True)
    slip_number = fields.String(required=True, allow_none=True)


class ReceiptLink(Answer):
    number = fields.String(required=True)
    kind = fields.String(required=True)


class SaleAnswer(Answer):
    """A sale as it is now: the money (`state`, `payments`) and the renewal of each line apart."""

    id = fields.UUID(required=True)
    version = fields.String(required=True, metadata={"description": "Changes whenever anything here changes"})
    state = fields.String(required=True, validate=one_of(SaleState))
    step = fields.String(required=True, validate=one_of(Step))
    moving = fields.Boolean(required=True, metadata={"description": "Whether it will change by itself"})
    store_code = fields.String(required=True)
    till_code = fields.String(required=True)
    clerk = fields.String(required=True)
    language = fields.String(required=True)
    currency = fields.String(required=True)
    lines = fields.List(fields.Nested(LineAnswer), required=True)
    document = fields.Nested(DocumentAnswer, required=True, allow_none=True)
    total = fields.Nested(MoneyAnswer, required=True, allow_none=True)
    owed = fields.Nested(
        MoneyAnswer, required=True, allow_none=True, metadata={"description": "What is to be given back now, of all lines"}
    )
    quote = fields.String(required=True, allow_none=True, metadata={"description": "To be sent back when paying"})
    payments = fields.List(fields.Nested(PaymentAnswer), required=True)
    receipt_number = fields.String(required=True, allow_none=True)
    receipts = fields.List(fields.Nested(ReceiptLink), required=True)
    interim_printed = fields.Boolean(required=True)
    opened_at = Moment(required=True)
    paid_at = Moment(required=True, allow_none=True)
    business_day = fields.Date(required=True, allow_none=True)


class PlansAnswer(Answer):
    plans = fields.List(fields.Nested(PlanAnswer), required=True)


class FoundAnswer(Answer):
    """A sale in a list: masked and without an amount."""

    id = fields.UUID(required=True)
    receipt_number = fields.String(required=True, allow_none=True)
    at = Moment(required=True)
    masked = fields.String(required=True)
    plan_name = fields.String(required=True)
    sale_state = fields.String(required=True, validate=one_of(SaleState))
    renewal_state = fields.String(required=True, allow_none=True, validate=one_of(RenewalState))
    clerk = fields.String(required=True)
    numbers = fields.Integer(
        required=True, metadata={"description": "How many numbers this stands for; then the states are of the most urgent one"}
    )
    awaits_code = fields.Boolean(
        required=True, metadata={"description": "In the unfinished list: the carrier has not sent what was paid for"}
    )


class FoundAnswers(Answer):
    sales = fields.List(fields.Nested(FoundAnswer), required=True)


# ------------------------------------------------------------------ what callers see


_SAME_NAME: tuple[str, ...] = (
    "state",
    "step",
    "moving",
    "store_code",
    "till_code",
    "clerk",
    "language",
    "currency",
    "document",
    "total",
    "owed",
)
_SAME_NAME += ("quote", "payments", "receipt_number", "interim_printed", "opened_at", "paid_at", "business_day")


def version_of(sale: SalePicture) -> str:
    """A digest of everything that a sale shows; the full number, which disappears by itself, is not part of it."""
    return hashlib.sha256(repr(sale).encode()).hexdigest()[:16]


def sale_view(sale: SalePicture) -> dict[str, Any]:
    numbered = [{"number": number, "kind": kind} for number, kind in sales.receipts_of(sale.id)]
    seen = {name: getattr(sale, name) for name in _SAME_NAME}
    return seen | {"id": sale.id, "version": version_of(sale), "lines": lines_view(sale), "receipts": numbered}


def shown(sale_id: UUID | str) -> dict[str, Any]:
    """The sale as it is now, for every verb to answer with."""
    return sale_view(sales.show(str(sale_id), desk(), kit=kit()))


# ------------------------------------------------------------------ begin


@bp.route("/sales/<uuid:sale_id>", methods=["PUT"], tags=["Sales"])
@door(Permission.SELL)
@takes(SaleBody, example={"lines": [{"number": "07700 900123"}], "language": "en"})
@bp.response(201, SaleAnswer)
@bp.alt_response(200, schema=SaleAnswer, description="The same request again", success=True)
@refuses(404, 409, 503)
def begin_sale(sent: dict[str, Any], sale_id: UUID) -> Any:
    """Begin a sale under an id that the caller made.

    The same body under the same id may be sent again, after a lost answer or by mistake: it changes nothing and shows the
    sale as it is now. Another body under the same id is refused. It begins with all its numbers or not at all. Where a plan
    cannot be chosen (409), the sale stands, the lines from there on have no plan, and plans may be chosen one by one."""
    opened = _begin(str(sale_id), sent)
    return shown(sale_id), 201 if opened else 200


def _begin(sale_id: str, sent: dict[str, Any]) -> bool:
    words = sent.get("language") or language()
    first, *others = wanted(sale_id, sent["lines"])
    begun = (sale_id, first.number, first.kind, desk(), words)
    try:
        opened = numbers.ask_about(*begun, kit=kit(), others=others, request=canonical(sent))
    except CounterError as error:
        raise place_of(error, 1) from None
    for number, line in zip([first, *others], sent["lines"], strict=True):
        if "plan" in line:
            choose_where_none(sale_id, number.id, line["plan"])
    return opened


def choose_where_none(sale_id: str, number_id: str, plan: int) -> None:
    """A repeat finishes what a power cut left half done, and never chooses again."""
    found = sales.show(sale_id, desk(), kit=kit())
    number = next((one for one in found.numbers if one.id == number_id), None)
    if number is not None and found.line_of(number) is None and found.step in (Step.DOCUMENT, Step.PLAN):
        holds.choose_plan(sale_id, plan, desk(), kit=kit(), number_id=number_id)


@bp.route("/sales/<uuid:sale_id>/identity", methods=["POST"], tags=["Sales"])
@door(Permission.SELL)
@takes(
    IdentityBody,
    example={
        "document": {"type": "passport", "country": "GB", "number": "533380006", "expires_on": "2031-05-01"},
        "matches_person": True,
    },
)
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def check_identity(sent: dict[str, Any], sale_id: UUID) -> Any:
    """Check the customer's document.

    Send `mrz` where it was scanned, else `document`. What is kept is that it was seen: kind, country and the last three
    signs of its number. What the store's rules stop is refused with 409 `approval-needed`; a manager lets it through with
    `approval`."""
    agreed = sent.get("approval")
    approval = Approval(agreed["reason"], agreed.get("staff_number", ""), agreed.get("pin", "")) if agreed is not None else None
    identity_checks.verify(
        str(sale_id), _seen(sent), sent["matches_person"], desk(), kit=kit(), whose=Whose(sent["whose"]), approval=approval
    )
    return shown(sale_id)


def _seen(sent: dict[str, Any]) -> identity_checks.Seen:
    """What was scanned or typed. Raises DocumentUnreadable at the field it came from."""
    document = sent.get("document")
    if document is not None:
        born = document.get("birth_date")
        return identity_checks.Seen(
            DocumentType(document["type"]),
            document["country"],
            document["number"],
            document.get("expires_on"),
            birth_date=born.isoformat() if born is not None else None,
            age=age_on(born, desk().store.local(kit().now()).date()),
        )
    try:
        return identity_checks.read_lines(sent.get("mrz", ""), desk().store.local(kit().now()).date())
    except DocumentUnreadable as error:
        error.field = "mrz"
        raise


# ------------------------------------------------------------------ plans


@bp.route("/sales/<uuid:sale_id>/lines/<string(minlength=1, maxlength=36):line>/plans", tags=["Sales"])
@door(Permission.SELL)
@bp.response(200, PlansAnswer)
@refuses(404, 409)
def show_plans(sale_id: UUID, line: str) -> Any:
    """The plans for the number of a line, which is named by its position or its id."""
    found = sales.show(str(sale_id), desk(), kit=kit())
    return {"plans": plans_view(meant(found, line))}


@bp.route("/sales/<uuid:sale_id>/lines/<string(minlength=1, maxlength=36):line>/plan", methods=["PUT"], tags=["Sales"])
@door(Permission.SELL)
@takes(PlanBody, example={"plan": 1})
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def choose_plan(sent: dict[str, Any], sale_id: UUID, line: str) -> Any:
    """Quote a plan for a line: plan, price and number are frozen for 15 minutes.

    Choosing again replaces the quote. The same number and plan within ten minutes is refused with the earlier sale's id;
    a manager may go on with `override_reason`."""
    number = meant(sales.show(str(sale_id), desk(), kit=kit()), line)
    reason = sent.get("override_reason", "")
    if reason and not may(desk().staff.role, Permission.OVERRIDE_DUPLICATE):
        raise NotAllowed
    how = {"number_id": number.id, "override": bool(reason), "reason": reason}
    holds.choose_plan(str(sale_id), sent["plan"], desk(), kit=kit(), **how)
    return shown(sale_id)


# ------------------------------------------------------------------ look, wait, give up, find


@bp.route("/sales/<uuid:sale_id>", tags=["Sales"])
@door(Permission.SEARCH)
@bp.arguments(WaitArguments, location="query")
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def show_sale(sent: dict[str, Any], sale_id: UUID) -> Any:
    """A sale as it is now, or as it is after the next change.

    With `wait` the answer comes as soon as the sale is another than `seen` (without `seen`: than it was at the beginning,
    and at once where nothing moves), at the latest after so many seconds. When too many callers wait at once, it comes at
    once."""
    return sale_view(_awaited(str(sale_id), sent["wait"], sent.get("seen")))


def _awaited(sale_id: str, seconds: int, seen: str | None) -> SalePicture:
    found = sales.show(sale_id, desk(), kit=kit())
    known = seen or version_of(found)
    pointless = version_of(found) != known or (not seen and not found.moving)
    if not seconds or pointless or not _waiting.acquire(blocking=False):
        return found
    try:
        until = time.monotonic() + seconds
        # Each look is a short reading of its own: between two of them nothing is open.
        while version_of(found) == known and time.monotonic() < until:
            time.sleep(_LOOK_EVERY_SECONDS)
            found = sales.show(sale_id, desk(), kit=kit())
    finally:
        _waiting.release()
    return found


@bp.route("/sales/<uuid:sale_id>/void", methods=["POST"], tags=["Sales"])
@door(Permission.SELL)
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def void_sale(sale_id: UUID) -> Any:
    """Give a sale up before any money; again changes nothing."""
    sales.void(str(sale_id), desk(), kit=kit())
    return shown(sale_id)


@bp.route("/sales/<uuid:sale_id>/interim", methods=["POST"], tags=["Sales"])
@door(Permission.SELL)
@bp.response(200, SaleAnswer)
@refuses(404, 409)
def print_interim(sale_id: UUID) -> Any:
    """Print the interim slip while the carrier is still thinking; again changes nothing."""
    receipts.issue_interim(str(sale_id), desk(), kit=kit())
    return shown(sale_id)


@bp.route("/sales/search", methods=["POST"], tags=["Sales"])
@door(Permission.SEARCH)
@takes(SearchBody, example={"query": "LON1-000001"})
@bp.response(200, FoundAnswers)
def find_sales(sent: dict[str, Any]) -> Any:
    """Find sales by receipt number, phone number or SIM number; newest first."""
    entry = understand(sent["query"], desk().store.country, [desk().till.code])
    if isinstance(entry, CardNumberRefused):
        raise LooksLikeCard
    number = entry.number.e164 if isinstance(entry, PhoneEntry) else None
    number = entry.iccid.digits if isinstance(entry, IccidEntry) else number
    return {"sales": sales.find(sent["query"], number, desk(), kit=kit())}


@bp.route("/sales/unfinished", tags=["Sales"])
@door(Permission.SEARCH)
@bp.response(200, FoundAnswers)
def unfinished_sales() -> Any:
    """What is open in this store: card payments without a result, renewals in doubt, money to give back; oldest first."""
    return {"sales": sales.unfinished(desk())}


__all__ = ["SaleAnswer", "shown"]
