"""X and Z on paper, from one function over one shift; the Z is frozen, chained and signed in the closing transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from pos import __version__
from pos.domain.happenings import RENEWAL_NOW, happening
from pos.domain.journal import GENESIS, canonical
from pos.domain.money import Money
from pos.domain.receipts import ReceiptKind
from pos.domain.renewals import RenewalState
from pos.domain.shifts import DIFFERENCE_REASONS, CountKind, Movement, signed
from pos.domain.tills import Desk, chain_of_office
from pos.services import journal
from pos.services.kit import Kit
from pos.services.print_jobs import local_time
from pos.services.receipts import line_name, shop_of
from pos.services.shift_figures import figures
from pos.services.words import say_in
from pos.store import journal as journal_rows
from pos.store import receipts as receipt_rows
from pos.store import shifts as rows
from pos.store import staff as staff_rows
from pos.store.life import Pen
from receipts import layouts
from receipts.document import Document
from receipts.parts import Say
from receipts.reports import CardBatch, Cash, Chain, Counts, Fulfilment, PlanLine, Report, ShiftSlip, Takings, Tender
from receipts.slips import Origin


def freeze(
    session: Session,
    shift: rows.Shift,
    pieces: Mapping[int, int],
    card_total: Money | None,
    card_count: int | None,
    desk: Desk,
    pen: Pen,
    kit: Kit,
) -> None:
    """Write the Z in the closing transaction: gapless number, totals, chain head, hash over hash, signature."""
    # The number before anything that reads the journal: the heads of the chains are the last rows to be locked.
    sequence, number = receipt_rows.take_number(session, desk.till.id, desk.till.code, ReceiptKind.Z)
    fault = journal.tail_fault(session, desk.chain, kit)
    if fault:
        # A damaged chain never holds a close up; the Z says so, and every till.
        journal.watch.fault = fault
        pen.note(session, "journal.broken", "shift", shift.id, {"what": fault})
    before = rows.last_z(session, desk.till.id)
    last_seq, head_mac = journal_rows.head_of(session, desk.chain)
    previous = before.own_hash if before is not None else GENESIS
    first_seq = before.last_seq + 1 if before is not None else 1
    grand_total = (before.grand_total_minor if before is not None else 0) + shift.gross_minor
    numbers = figures(session, shift) | {
        "z": number,
        "shift": shift.number,
        # None: a manager closed a forgotten shift without a count.
        "counted": shift.counted_minor,
        "difference": shift.difference_minor or 0,
        "left": shift.left_minor or 0,
        "pieces": {str(unit): count for unit, count in pieces.items()},
        "terminal_total": card_total.minor if card_total is not None else None,
        "terminal_count": card_count,
        "terminals": [[b.terminal, b.batch, b.count, b.total_minor] for b in rows.batches_of(session, shift.id)],
        "difference_code": shift.difference_code or "",
        "approval": _approval(session, shift),
        **_counted_before(session, shift),
        "previous": previous,
        "head": head_mac,
        "rows_sha256": journal_rows.rows_hash_of(session, desk.chain),
        "office": _office(session, desk),
        "journal_fault": fault or "",
        "opening_total": grand_total - shift.gross_minor,
        "first_seq": first_seq,
        "last_seq": last_seq,
        "grand_total": grand_total,
    }
    text = canonical(numbers)
    own_hash = hashlib.sha256(text.encode()).hexdigest()
    key_id, signature = kit.keys.sign(own_hash.encode())
    shift.z_number = number
    chain = Chain(str(shift.money(grand_total)), previous[:16], own_hash[:16], head_mac[:16])
    session.add(
        rows.ZReport(
            till_id=desk.till.id,
            sequence=sequence,
            number=number,
            shift_id=shift.id,
            at=pen.at,
            business_day=shift.business_day,
            first_seq=first_seq,
            last_seq=last_seq,
            head_mac=head_mac,
            grand_total_minor=grand_total,
            figures=text,
            document=_document(session, shift, desk, pen.at, number, numbers, chain).to_json(),
            previous_hash=previous,
            own_hash=own_hash,
            key_id=key_id,
            signature=signature,
        )
    )
    pen.note(session, "z.written", "shift", shift.id, {"number": number, "hash": own_hash})


def _approval(session: Session, shift: rows.Shift) -> dict[str, str]:
    """Whether the difference wanted a manager, and who agreed at the close; what follows later is no part of this Z."""
    given = rows.approval_of(session, shift.id) if shift.approval_wanted else None
    if given is None:
        return {"state": "open" if shift.approval_wanted else "not_wanted", "by": ""}
    return {"state": "given", "by": session.get_one(staff_rows.Staff, given.staff_id).number}


def _counted_before(session: Session, shift: rows.Shift) -> dict[str, object]:
    """Each count of this shift, a discarded one too, and the money that moved after the first count of the close."""
    counts = rows.counts_of(session, shift.id)
    closing = [count for count in counts if count.why == CountKind.CLOSE]
    moved = rows.moved_after(session, shift.id, closing[0].at) if len(closing) > 1 else []
    return {
        "counts": [[count.why, count.total_minor] for count in counts],
        "moved_after_count": sum(signed(row.kind, Money(row.amount_minor, row.currency)).minor for row in moved),
    }


def _office(session: Session, desk: Desk) -> dict[str, Any]:
    """The head of the store's office chain, which has no Z of its own."""
    chain = chain_of_office(desk.store.code)
    seq, mac = journal_rows.head_of(session, chain)
    return {"chain": chain, "seq": seq, "head": mac, "rows_sha256": journal_rows.rows_hash_of(session, chain)}


def x_document(session: Session, shift: rows.Shift, desk: Desk, now: datetime) -> Document:
    """The X: the same figures as the Z would have now, without a count."""
    return _document(session, shift, desk, now, "", figures(session, shift), None)


def slip(session: Session, shift: rows.Shift, desk: Desk, now: datetime) -> Document:
    """What a clerk takes away: what was counted, never what was expected."""
    counts = rows.counts_of(session, shift.id)
    last = counts[-1] if counts else None
    say = say_in(desk.staff.language)
    lines = pieces_on_paper(last.pieces, shift) if last is not None else ()
    left = shift.left_minor or 0
    values = ShiftSlip(
        shop=shop_of(desk.store),
        origin=origin_of(desk, shift, now, shift.z_number or ""),
        shift=str(shift.number),
        opened=local_time(desk.store.local(shift.opened_at)),
        closed=local_time(desk.store.local(shift.closed_at)) if shift.closed_at else "",
        counted=((say("Cash"), str(shift.money(shift.counted_minor or 0))),),
        denominations=lines,
        left=str(shift.money(left)),
        to_bank=str(shift.money((shift.counted_minor or 0) - left)),
    )
    return layouts.shift_slip(values, say, desk.staff.language)


def _document(
    session: Session,
    shift: rows.Shift,
    desk: Desk,
    now: datetime,
    number: str,
    numbers: dict[str, Any],
    chain: Chain | None,
) -> Document:
    say, language = say_in(desk.staff.language), desk.staff.language
    counted = chain is not None and shift.counted_minor is not None
    report = Report(
        shop=shop_of(desk.store),
        origin=origin_of(desk, shift, now, number),
        shift=str(shift.number),
        opened=_at_by(session, desk, shift.opened_at, shift.opened_by),
        closed=_at_by(session, desk, shift.closed_at, shift.closed_by) if shift.closed_at and shift.closed_by else "",
        software=f"simcounter {__version__}",
        approver=_approver(numbers, say),
        blind="" if chain is None else say("Counted without seeing figures") if counted else say("NOT COUNTED"),
        checks=(numbers["journal_fault"] or say("no fault found")) if chain is not None else "",
        counts=_counts(numbers, say),
        takings=_takings(shift, desk, numbers, language),
        fulfilment=_fulfilment(desk, numbers),
        tenders=_tenders(shift, numbers, say("Cash"), say("Card"), closed=counted),
        cards=_batch(shift, numbers),
        open_refunds=_open_refunds(shift, numbers),
        cash=(_cash(shift, numbers, say, closed=counted),),
        corrections=_corrections(shift, numbers, say),
        chain=chain,
    )
    layout = layouts.z_report if chain is not None else layouts.x_report
    return layout(report, say, language)


def origin_of(desk: Desk, shift: rows.Shift, now: datetime, number: str) -> Origin:
    return Origin(
        number=number,
        local_time=local_time(desk.store.local(now)),
        business_day=shift.business_day.isoformat(),
        till=desk.till.code,
        clerk=desk.staff.number,
    )


def _at_by(session: Session, desk: Desk, moment: datetime, staff_id: int) -> str:
    return f"{local_time(desk.store.local(moment))} {session.get_one(staff_rows.Staff, staff_id).number}"


def _counts(numbers: dict[str, Any], say: Callable[[str], str]) -> Counts:
    return Counts(
        first_receipt=numbers["first_receipt"],
        last_receipt=numbers["last_receipt"],
        sales=str(numbers["sales"]),
        customers=str(numbers["customers"]),
        voids=str(numbers["voids"]),
        refunds=str(numbers["refunds_count"]),
        no_sale_openings=str(numbers["no_sale_openings"]) if numbers["no_sale_openings"] else "",
        reprints=str(numbers["reprints"]),
        typed_id_checks=str(numbers["typed_checks"]),
        failed_pins=str(numbers["failed_pins"]),
        approvals=tuple((say(happening(kind)), str(count)) for kind, count in sorted(numbers["approvals"].items())),
    )


def _takings(shift: rows.Shift, desk: Desk, numbers: dict[str, Any], language: str) -> Takings:
    taxes = ((desk.store.tax_name, str(shift.money(shift.tax_minor))),) if desk.store.tax_basis_points else ()
    return Takings(
        gross=str(shift.money(shift.gross_minor)),
        net=str(shift.money(shift.gross_minor - shift.tax_minor)),
        taxes=taxes,
        plans=tuple(_plan(row, shift, language) for row in numbers["sold"]),
    )


def _plan(row: dict[str, Any], shift: rows.Shift, language: str) -> PlanLine:
    """Commission is what the carrier leaves us of the face value, the fee what the shop asks on top of it; neither can be said
    where the carrier counts in another currency."""
    face, cost = row["face_currency"] == shift.currency, row["cost_currency"] == row["face_currency"]
    return PlanLine(
        carrier=line_name(row["line"], language),
        plan=row["plan"],
        count=str(row["count"]),
        face=str(shift.money(row["price"])),
        commission=str(Money(row["face"] - row["cost"], row["face_currency"])) if cost else "",
        fee=str(shift.money(row["price"] - row["face"])) if face and row["price"] != row["face"] else "",
    )


def _fulfilment(desk: Desk, numbers: dict[str, Any]) -> Fulfilment:
    since = numbers["unknown_since"]
    return Fulfilment(
        active=str(numbers["active"]),
        refused=str(numbers["refused"]),
        unknown=str(numbers["unknown"]),
        unknown_age=local_time(desk.store.local(datetime.fromisoformat(since))) if since else "",
        resolved=str(len(numbers["resolved"])),
        withdrawn=str(numbers["reversed"]),
    )


def _corrections(shift: rows.Shift, numbers: dict[str, Any], say: Callable[[str], str]) -> tuple[tuple[str, str], ...]:
    """What became of receipts of earlier Zs since: money that went back here, and doubts that a carrier has decided."""
    back = say(RENEWAL_NOW[RenewalState.REFUNDED])
    late = [(f"{receipt} {back}", str(shift.money(-amount))) for receipt, amount in numbers["late_refunds"]]
    decided = [
        (f"{receipt} {say(RENEWAL_NOW[RenewalState(state)])}", str(shift.money(price)))
        for receipt, state, price in numbers["resolved"]
    ]
    return (*late, *decided)


def _tenders(shift: rows.Shift, numbers: dict[str, Any], cash: str, card: str, *, closed: bool) -> tuple[Tender, ...]:
    card_due = shift.card_minor - shift.card_refund_minor
    terminal = numbers.get("terminal_total")
    typed = isinstance(terminal, int)
    return (
        Tender(
            cash,
            str(shift.money(shift.expected_minor)),
            str(shift.money(shift.counted_minor or 0)) if closed else "",
            str(shift.money(shift.difference_minor or 0)) if closed else "",
        ),
        Tender(
            card,
            str(shift.money(card_due)),
            str(shift.money(terminal)) if isinstance(terminal, int) else "",
            str(shift.money(terminal - card_due)) if typed and isinstance(terminal, int) else "",
        ),
    )


def _batch(shift: rows.Shift, numbers: dict[str, Any]) -> tuple[CardBatch, ...]:
    """Each terminal's own figures as they were typed."""
    found = numbers.get("terminals")
    return tuple(
        CardBatch(terminal, batch, str(count) if count is not None else "", str(shift.money(total)))
        for terminal, batch, count, total in (found if isinstance(found, list) else [])
    )


def _approver(numbers: dict[str, Any], say: Say) -> str:
    """Who approved the difference, or that nobody has yet; nothing where nobody had to."""
    approval = numbers.get("approval")
    if not isinstance(approval, dict):
        return ""
    return str(approval["by"]) or (say("difference not approved") if approval["state"] == "open" else "")


def _open_refunds(shift: rows.Shift, numbers: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Receipt and amount of each refund at the terminal whose result nobody has told, whatever shift began it."""
    found = numbers["refunds_open"]
    return tuple((number, str(shift.money(-amount))) for number, amount in found) if isinstance(found, list) else ()


def _cash(shift: rows.Shift, numbers: dict[str, Any], say: Say, *, closed: bool) -> Cash:
    raw = numbers["cash"]
    sums: dict[str, int] = raw if isinstance(raw, dict) else {}

    def amount(kind: Movement) -> str:
        return str(shift.money(sums.get(kind.value, 0)))

    pieces, moved_after = numbers.get("pieces"), numbers.get("moved_after_count")
    code = DIFFERENCE_REASONS.get(shift.difference_code or "", "")
    left = shift.left_minor or 0
    return Cash(
        currency=shift.currency,
        opening_float=amount(Movement.FLOAT),
        sales=str(shift.money(sums.get("sale", 0) - sums.get("change", 0))),
        refunds=amount(Movement.REFUND),
        paid_in=amount(Movement.PAID_IN),
        paid_out=amount(Movement.PAID_OUT),
        drops=amount(Movement.DROP),
        expected=str(shift.money(shift.expected_minor)),
        denominations=pieces_on_paper(pieces, shift) if isinstance(pieces, dict) else (),
        counted=str(shift.money(shift.counted_minor or 0)) if closed else "",
        difference=str(shift.money(shift.difference_minor or 0)) if closed else "",
        surplus=amount(Movement.SURPLUS) if sums.get("surplus") else "",
        moved_after=str(shift.money(moved_after)) if isinstance(moved_after, int) and moved_after else "",
        reason=", ".join(part for part in (say(code) if code else "", shift.difference_reason or "") if part),
        left=str(shift.money(left)) if closed else "",
        to_bank=str(shift.money((shift.counted_minor or 0) - left)) if closed else "",
    )


def pieces_on_paper(pieces: dict[str, int], shift: rows.Shift) -> tuple[tuple[str, str], ...]:
    """("20.00 x 7", "140.00 GBP") for each denomination that was there."""
    held = sorted(((int(unit), count) for unit, count in pieces.items() if count), reverse=True)
    return tuple((f"{shift.money(unit).plain()} x {count}", str(shift.money(unit * count))) for unit, count in held)
