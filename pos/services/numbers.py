"""Take the numbers a customer says, and ask the carriers what is on them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation

from sqlalchemy.orm import Session

from pos.domain.deliveries import NEW_ESIM, esim_place, is_esim_place
from pos.domain.eligibility import Standing, standing
from pos.domain.errors import (
    BadInput,
    CarrierDown,
    LastNumber,
    NoOpenShift,
    NumberDisputed,
    NumberOfAnotherCarrier,
    OtherRequest,
    SaleOver,
    SimBarred,
    SimGivenUp,
    SimSuspended,
    StaleForm,
    TooManyNumbers,
    TypedDifferently,
    TypeItAgain,
)
from pos.domain.money import minor_digits
from pos.domain.numbers import grouped, issuer_country, masked
from pos.domain.pictures import BalancePicture, NumberPicture
from pos.domain.plans import OPERATORS, sane_end
from pos.domain.portability import Claim, Source, disputed
from pos.domain.renewals import RENEWAL, RenewalState
from pos.domain.sales import MOST_NUMBERS, SALE, SaleState
from pos.domain.tills import Desk
from pos.ports import Balance, Capability, Carrier, CarrierUnavailable, Subscription, SubscriptionState
from pos.services.kit import Kit
from pos.services.sales import add_up, changeable, mine
from pos.store import plans as plan_rows
from pos.store import renewals as renewal_rows
from pos.store import sales as rows
from pos.store import shifts as shift_rows
from pos.store.db import reading, retried, transaction
from pos.store.life import Pen, begin, move

# Questions that change nothing may go to all carriers at once; threads end with the answer.
_asking = ThreadPoolExecutor(max_workers=8, thread_name_prefix="ask-carrier")


@dataclass(frozen=True)
class Wanted:
    """A number as a customer wants it in a sale: ``number`` E.164, or an ICCID with ``kind`` sim, or the place of a new
    eSIM."""

    id: str
    number: str = field(repr=False)
    kind: str


@dataclass(frozen=True)
class _Asked:
    """The same with what its carrier says; ``claims`` are what others said, where the clerk had to choose."""

    wanted: Wanted
    carrier: str
    subscription: Subscription
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class _Answer:
    """What one carrier said; ``is_sure`` whether it knows, or only guesses, whose number it is."""

    carrier: str
    subscription: Subscription
    is_sure: bool = True


def ask_about(
    sale_id: str,
    number: str,
    kind: str,
    desk: Desk,
    language: str,
    *,
    kit: Kit,
    others: Sequence[Wanted] = (),
    request: str | None = None,
    again: str | None = None,
    chosen: str | None = None,
) -> bool:
    """Open the sale ``sale_id`` for its first number (E.164, or an ICCID with ``kind`` sim), and with it for the ``others``:
    for all of them or for none. The same post again changes nothing; the answer says whether this one opened it.

    ``request`` is the whole request as the API was sent it: the id with another one is refused. ``again`` is the number as it was
    typed a second time by hand, empty when it was not yet; None for what a machine read. ``chosen`` is the carrier that the clerk
    took when several operators were named for it.

    Raises NoOpenShift, NumberDisputed, NumberOfAnotherCarrier, CarrierDown, StaleForm, OtherRequest, SimBarred, SimSuspended,
    SimGivenUp, TypeItAgain, TypedDifferently: in each case nothing was begun and no money moved.
    Power cut: before the commit nothing exists; after it the sale opens again by its id."""
    digest = kit.keys.look_up("idx", request) if request is not None else None
    with reading() as session:
        earlier = session.get(rows.Sale, sale_id)
        if earlier is not None:
            check = session.get(rows.NumberCheck, sale_id)
            if request is not None and earlier.request_digest != digest:
                raise OtherRequest
            if _is(check, number, kit) and earlier.till_id == desk.till.id:
                return False
            raise StaleForm
        if shift_rows.seen_at(session, desk.till.id) is None:
            raise NoOpenShift
    asked = list(_ask_all([Wanted(sale_id, number, kind), *others], desk, kit, chosen))
    _want_it_twice(asked[0], again, kit)
    return _open(sale_id, asked, desk, language, digest, kit)


def _ask_all(numbers: list[Wanted], desk: Desk, kit: Kit, chosen: str | None = None) -> Iterator[_Asked]:
    """What the carriers say of each. A refusal says of which: ``entry`` for the first, ``entry/2`` for the second."""
    for place, wanted in enumerate(numbers, start=1):
        try:
            asked = _asked(wanted, desk, kit, chosen if place == 1 else None)
            refuse_lost(asked.subscription, kit.now())
            yield asked
        except (NumberDisputed, NumberOfAnotherCarrier, CarrierDown, SimBarred, SimSuspended, SimGivenUp) as error:
            error.field = f"entry/{place}" if place > 1 else error.field
            raise


def _asked(wanted: Wanted, desk: Desk, kit: Kit, chosen: str | None) -> _Asked:
    """What the carriers say; nobody is asked about an eSIM that is still to be made."""
    if is_esim_place(wanted.number):
        return _Asked(wanted, "", Subscription(SubscriptionState.UNTOLD))
    return _Asked(wanted, *whose(wanted.number, kit, desk, chosen))


def begin_esim(sale_id: str, desk: Desk, language: str, *, kit: Kit) -> bool:
    """Open a sale for a new eSIM, which has no number and belongs to no carrier before its plan is chosen. The same post again
    changes nothing. Raises what ``ask_about`` raises."""
    return ask_about(sale_id, esim_place(sale_id), "esim", desk, language, kit=kit)


def refuse_lost(found: Subscription, now: datetime) -> None:
    """Raises SimBarred, SimSuspended or SimGivenUp for a SIM that its carrier would not renew, before anybody takes money."""
    refusal = _LOST.get(standing(found.state.value, found.grace_ends_at, now))
    if refusal is not None:
        raise refusal


_LOST: dict[Standing, type[BadInput]] = {
    Standing.BARRED: SimBarred,
    Standing.SUSPENDED: SimSuspended,
    Standing.GIVEN_UP: SimGivenUp,
}


def _want_it_twice(asked: _Asked, again: str | None, kit: Kit) -> None:
    """A number that a hand typed and that nothing confirms, no carrier's answer and no sale of ours, is typed twice. Raises
    TypeItAgain, TypedDifferently."""
    if again is None or asked.subscription.state not in (SubscriptionState.UNAVAILABLE, SubscriptionState.UNTOLD):
        return
    with reading() as session:
        if renewal_rows.last_confirmed(session, kit.keys.look_up("idx", asked.wanted.number)) is not None:
            return
    if not again:
        raise TypeItAgain
    if again != asked.wanted.number:
        raise TypedDifferently


@retried
def _open(sale_id: str, asked: list[_Asked], desk: Desk, language: str, digest: str | None, kit: Kit) -> bool:
    now = kit.now()
    with transaction() as session:
        first = session.get(rows.Sale, sale_id)
        if first is not None:
            if digest is not None and first.request_digest != digest:
                raise OtherRequest
            return False  # the same page was posted twice at once; the first one opened it
        if any(session.get(rows.NumberCheck, one.wanted.id) is not None for one in asked):
            raise StaleForm
        sale = rows.Sale(
            id=sale_id,
            store_id=desk.store.id,
            till_id=desk.till.id,
            staff_id=desk.staff.id,
            language=language,
            currency=desk.store.currency,
            opened_at=now,
            request_digest=digest,
        )
        pen = kit.pen(desk, now)
        begin(session, sale, SALE, SaleState.DRAFT, pen, {"carrier": asked[0].carrier})
        session.flush()
        for place, one in enumerate(asked, start=1):
            session.add(_check(session, sale_id, place, one, now, kit))
            if place > 1:
                pen.note(session, "number.added", "sale", sale_id, {"carrier": one.carrier, "place": place})
            _note_choice(session, sale_id, place, one, pen)
    return True


def _note_choice(session: Session, sale_id: str, place: int, one: _Asked, pen: Pen) -> None:
    """That several operators were named for a number, by whom, and which the clerk took; not the number."""
    if one.claims:
        said = [{"carrier": claim.carrier, "operator": claim.operator, "source": claim.source.value} for claim in one.claims]
        pen.note(session, "number.disputed", "sale", sale_id, {"carrier": one.carrier, "place": place, "said": said})


def look(number: str, kind: str, desk: Desk, *, kit: Kit) -> NumberPicture:
    """What is on a number, without a sale: for a device that shows the plans before anybody decides. The journal keeps that
    somebody asked, not about whom. Raises NumberOfAnotherCarrier, CarrierDown."""
    carrier, found = who_has(number, kit, desk)
    now = kit.now()
    operator, found = _note_question(carrier, found, kit.keys.look_up("idx", number), desk, now, kit)
    return NumberPicture(
        id="",
        place=1,
        kind=kind,
        grouped=grouped_number(number),
        masked=masked_number(number),
        carrier=carrier,
        operator=operator,
        operator_name=found.operator_name,
        state=found.state.value,
        plan_name=found.plan_name,
        expires_at=sane_end(found.expires_at),
        grace_ends_at=sane_end(found.grace_ends_at),
        issuer=issuer_country(number) if kind == "sim" else None,
        balances=tuple(BalancePicture(b.kind, _readable(b), sane_end(b.expires_at)) for b in found.balances),
        asked_at=now,
    )


@retried
def _note_question(
    carrier: str, found: Subscription, look_up: str, desk: Desk, now: datetime, kit: Kit
) -> tuple[str | None, Subscription]:
    with transaction() as session:
        kit.pen(desk, now).note(session, "number.asked", "till", desk.till.code, {"carrier": carrier})
        return operator_of(session, carrier, found), as_we_know(session, found, look_up)


def operator_of(session: Session, carrier: str, found: Subscription) -> str | None:
    """Whose SIM it is: by the carrier's word, or by the plan that is on it."""
    return found.operator or plan_rows.operator_of(session, carrier, found.plan_key)


def as_we_know(session: Session, found: Subscription, look_up: str) -> Subscription:
    """Where the carrier does not tell what is on a number, our own last renewal of it does."""
    last = renewal_rows.last_confirmed(session, look_up) if found.state is SubscriptionState.UNTOLD else None
    return found if last is None else replace(found, plan_name=last.plan_name, expires_at=last.valid_now)


def ask_about_another(
    sale_id: str,
    number_id: str,
    number: str,
    kind: str,
    desk: Desk,
    *,
    kit: Kit,
    again: str | None = None,
    chosen: str | None = None,
) -> None:
    """A further number for an open sale. ``number_id`` is born with the page, so that the same form posted twice names the
    same line.

    Raises SaleOver, TooManyNumbers, StaleForm, and whatever ``ask_about`` refuses a number for: in each case the sale stands as
    it stood. Power cut: the number is there or it is not."""
    with reading() as session:
        if shift_rows.seen_at(session, desk.till.id) is None:
            raise NoOpenShift
        if _is_there(session, sale_id, number_id, number, kit):
            return
    (asked,) = _ask_all([Wanted(number_id, number, kind)], desk, kit, chosen)
    _want_it_twice(asked, again, kit)
    _add(sale_id, asked, desk, kit)


@retried
def _add(sale_id: str, asked: _Asked, desk: Desk, kit: Kit) -> None:
    now = kit.now()
    with transaction() as session:
        sale = mine(session, sale_id, desk)
        if _is_there(session, sale_id, asked.wanted.id, asked.wanted.number, kit):
            return
        if sale.state is not SaleState.DRAFT:
            raise SaleOver
        if len(rows.live_numbers_of(session, sale_id)) >= MOST_NUMBERS:
            raise TooManyNumbers(most=MOST_NUMBERS)
        place = len(rows.numbers_of(session, sale_id)) + 1
        session.add(_check(session, sale.id, place, asked, now, kit))
        pen = kit.pen(desk, now)
        pen.note(session, "number.added", "sale", sale_id, {"carrier": asked.carrier, "place": place})
        _note_choice(session, sale_id, place, asked, pen)


@retried
def drop(sale_id: str, number_id: str, desk: Desk, *, kit: Kit) -> None:
    """Take a number and its plan out of an open sale; again changes nothing. Raises SaleOver, LastNumber, StaleForm.

    Power cut: it is out or it is in, and the total says which."""
    now = kit.now()
    with transaction() as session:
        sale = changeable(session, sale_id, desk)
        check = session.get(rows.NumberCheck, number_id)
        if check is None or check.sale_id != sale_id:
            raise StaleForm
        if check.dropped_at is not None:
            return
        if len(rows.live_numbers_of(session, sale_id)) == 1:
            raise LastNumber
        check.dropped_at, pen = now, kit.pen(desk, now)
        for line in renewal_rows.live_of_sale(session, sale_id):
            if line.number_check_id == number_id:
                move(session, line, RENEWAL, RenewalState.VOIDED, pen, {"why": "the number was taken out of the sale"})
        add_up(session, sale)
        pen.note(session, "number.dropped", "sale", sale_id, {"carrier": check.carrier, "place": check.place})


def _is_there(session: Session, sale_id: str, number_id: str, number: str, kit: Kit) -> bool:
    """Whether this very form was posted before. Raises StaleForm when its id names something else or what was dropped."""
    check = session.get(rows.NumberCheck, number_id)
    if check is not None and (check.sale_id != sale_id or check.dropped_at is not None or not _is(check, number, kit)):
        raise StaleForm
    return check is not None


def _is(check: rows.NumberCheck | None, number: str, kit: Kit) -> bool:
    return check is not None and check.look_up == kit.keys.look_up("idx", number)


def whose(number: str, kit: Kit, desk: Desk, chosen: str | None = None) -> tuple[str, Subscription, tuple[Claim, ...]]:
    """The carrier to sell for a number before any money: where several operators are named, the one that the clerk has chosen.
    Raises NumberDisputed, NumberOfAnotherCarrier, CarrierDown."""
    answers = _answers(number, kit)
    claims = disputed(_claims(answers))
    if not claims:
        return *_best(answers, number, desk), ()
    taken = {answer.carrier: answer.subscription for answer in answers if answer.carrier in {claim.carrier for claim in claims}}
    if chosen not in taken:
        raise NumberDisputed(number=_shortly(number), claims=claims)
    return chosen, taken[chosen], claims


def who_has(number: str, kit: Kit, desk: Desk) -> tuple[str, Subscription]:
    """The same without a question to anybody: for a look, and for money that is taken already."""
    return _best(_answers(number, kit), number, desk)


def _answers(number: str, kit: Kit) -> list[_Answer]:
    return list(_asking.map(lambda name: _ask(name, kit.carriers[name], number), list(kit.carriers)))


def _claims(answers: list[_Answer]) -> list[Claim]:
    """What is said of whose number it is, without guesses."""
    sure = [answer for answer in answers if answer.is_sure and answer.subscription.state not in _UNKNOWN]
    if len(sure) < 2:
        return []
    with reading() as session:
        return [Claim(one.carrier, _operator(session, one), _source(one.subscription)) for one in sure]


def _operator(session: Session, answer: _Answer) -> str:
    """For people: as the carrier calls it, by the plan that is on it, or at the least the carrier's own name."""
    key = operator_of(session, answer.carrier, answer.subscription) or answer.carrier
    return answer.subscription.operator_name or OPERATORS.get(key, key)


def _source(found: Subscription) -> Source:
    return {SubscriptionState.ACTIVE: Source.RUNNING, SubscriptionState.UNTOLD: Source.DIRECTORY}.get(found.state, Source.BOOKS)


def _best(answers: list[_Answer], number: str, desk: Desk) -> tuple[str, Subscription]:
    """One that tells what is on it before one that only knows whose it is, and of those one on which a plan runs; among those
    that do not tell, one with plans on sale here for that operator; then the order of the configuration."""
    known = [(answer.carrier, answer.subscription) for answer in answers if answer.subscription.state not in _UNKNOWN]
    telling = [(name, answer) for name, answer in known if answer.state is not SubscriptionState.UNTOLD]
    running = [(name, answer) for name, answer in telling if answer.state is SubscriptionState.ACTIVE]
    if telling or len(known) == 1:
        return (running or telling or known)[0]
    if known:
        with reading() as session:
            selling = [one for one in known if plan_rows.on_sale(session, desk.store.id, one[0], one[1].operator)]
        return (selling or known)[0]
    if any(answer.subscription.state is SubscriptionState.UNAVAILABLE for answer in answers):
        raise CarrierDown
    raise NumberOfAnotherCarrier(number=_shortly(number))


def _shortly(number: str) -> str:
    return masked(number) if number.startswith("+") else "…" + number[-3:]


_UNKNOWN = (SubscriptionState.NOT_FOUND, SubscriptionState.UNAVAILABLE)


def _ask(name: str, carrier: Carrier, number: str) -> _Answer:
    """What one carrier says of a number, by the best question that it answers."""
    can = carrier.declaration().capabilities
    if Capability.SUBSCRIPTION in can:
        return _Answer(name, carrier.get_subscription(number))
    if Capability.LOOKUP_NUMBER not in can or not number.startswith("+"):
        return _Answer(name, Subscription(SubscriptionState.NOT_FOUND))
    try:
        found = carrier.lookup_number(number)
    except CarrierUnavailable:
        return _Answer(name, Subscription(SubscriptionState.UNAVAILABLE))
    best = next((one for one in found if one.confident), next(iter(found), None))
    if best is None:
        return _Answer(name, Subscription(SubscriptionState.NOT_FOUND))
    said = Subscription(SubscriptionState.UNTOLD, operator=best.key, operator_name=best.name)
    return _Answer(name, said, is_sure=best.confident)


def _check(session: Session, sale_id: str, place: int, asked: _Asked, now: datetime, kit: Kit) -> rows.NumberCheck:
    wanted, look_up = asked.wanted, kit.keys.look_up("idx", asked.wanted.number)
    found = as_we_know(session, asked.subscription, look_up)
    return rows.NumberCheck(
        id=wanted.id,
        sale_id=sale_id,
        place=place,
        kind=wanted.kind,
        sealed=kit.keys.seal(wanted.number, f"number_checks.sealed:{wanted.id}"),
        look_up=look_up,
        salt=secrets.token_bytes(16),
        masked=masked_number(wanted.number),
        carrier=asked.carrier,
        operator=operator_of(session, asked.carrier, found),
        operator_name=(found.operator_name or "")[:60] or None,
        state=found.state.value,
        plan_name=found.plan_name,
        expires_at=sane_end(found.expires_at),
        grace_ends_at=sane_end(found.grace_ends_at),
        balances=[
            {
                "kind": balance.kind,
                "text": _readable(balance),
                "expires_at": end.isoformat() if (end := sane_end(balance.expires_at)) else None,
            }
            for balance in found.balances
        ],
        asked_at=now,
    )


def _readable(balance: Balance) -> str:
    """What is left, as people say it: ``3.50 GBP``, ``912.0 GB``, ``120 min``; unlimited stays the carrier's word."""
    try:
        amount = Decimal(balance.amount)
    except InvalidOperation:
        return f"{balance.amount} {balance.unit}".strip()
    if balance.kind == "money" and len(balance.unit) == 3:
        return f"{amount:.{minor_digits(balance.unit)}f} {balance.unit}"
    if balance.unit == "MB" and amount >= 1024:
        return f"{(amount / 1024).quantize(Decimal('0.1'))} GB"
    return f"{amount.normalize():f} {balance.unit}".strip()


def masked_number(number: str) -> str:
    """How a number stands on screens and paper: the last three only. A new eSIM has none."""
    if is_esim_place(number):
        return NEW_ESIM
    return masked(number) if number.startswith("+") else "*" * (len(number) - 3) + number[-3:]


def grouped_number(number: str) -> str:
    """How a number is read back to the customer before paying."""
    if is_esim_place(number):
        return NEW_ESIM
    if number.startswith("+"):
        return grouped(number)
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))
