"""The counter: one field, document, plans, read-back, outcome. Paying has a module of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask_babel import get_locale, gettext

from pos.domain import pictures as p
from pos.domain.carriers import REASONS
from pos.domain.countries import issuer_key
from pos.domain.documents import DocumentProblem, DocumentType
from pos.domain.entry import (
    AamvaEntry,
    BadgeEntry,
    CardNumberRefused,
    Entry,
    EntryKind,
    IccidEntry,
    ImeiEntry,
    MrzEntry,
    PhoneEntry,
    ReceiptEntry,
    SearchEntry,
    SearchHint,
    understand,
    understand_as,
)
from pos.domain.errors import (
    ApprovalNeeded,
    DocumentNotAccepted,
    DocumentUnreadable,
    DuplicateRenewal,
    LooksLikeCard,
    NumberDisputed,
    NumberNotValid,
    ScannedTooLongAgo,
    SimNumberNotValid,
    UnreadableEntry,
)
from pos.domain.money import NotMoney, parse
from pos.domain.permissions import Permission
from pos.domain.plans import Plan
from pos.domain.portability import Claim
from pos.domain.refunds import RefundState
from pos.domain.words import N_
from pos.services import document_reading, holds, identity_checks, numbers, plans, receipts, sales, set_aside, shifts, staff
from pos.services.document_reading import Reading
from pos.services.identity_checks import Approval, Whose
from pos.web.errors import placed, refused, say, shown_again, status_of
from pos.web.fields import CounterForm, ScannedText, ShortText, day_from, kept
from pos.web.filters import strip_now
from pos.web.login import desk, door, kit

bp = Blueprint("counter", __name__)

DEVICE = N_("This is the number of a device, not of a SIM. Ask for the phone number, or scan the SIM card.")
DOCUMENT_READS_RIGHT = N_(
    "This document reads right and can be used here. Type or scan the number; the document is not scanned again."
)
DOCUMENT_OF_NO_USE = N_(
    "This is a document. Type the phone number first, and ask for another document: this one cannot be used here."
)
DOCUMENT_FIRST = N_("This is a document. Type the phone number first; the document is scanned on the next page.")
BADGE = N_("This is a staff badge. Lock the till (F8) and choose the name there.")
TYPES: dict[DocumentType, str] = {
    DocumentType.PASSPORT: N_("Passport"),
    DocumentType.NATIONAL_ID: N_("Identity card"),
    DocumentType.RESIDENCE_PERMIT: N_("Residence permit"),
    DocumentType.DRIVING_LICENCE: N_("Driving licence"),
    DocumentType.TRAVEL_PERMIT: N_("Travel permit"),
}


LONGEST_WORD = 1500  # a document that waits for its number, sealed


class EntryForm(CounterForm):
    entry = ScannedText(cards=True)
    entry_again = ShortText(longest=60, cards=True)
    kind = ShortText(longest=20)
    waiting = ShortText(longest=LONGEST_WORD, cards=True)
    carrier = ShortText(longest=40)


class DocumentForm(CounterForm):
    mrz = ScannedText(cards=True)
    waiting = ShortText(longest=LONGEST_WORD, cards=True)
    accept = ShortText(longest=2)
    document_type = ShortText(longest=30)
    document_country = ShortText(longest=3)
    document_number = ShortText(longest=30)
    expires_on = ShortText(longest=10)
    birth_date = ShortText(longest=10)
    reason = ShortText(longest=200)
    approver = ShortText(longest=12)
    approver_pin = ShortText(longest=12)


class PlanForm(CounterForm):
    plan_id = ShortText(longest=12)
    number_id = ShortText(longest=36, cards=True)
    reason = ShortText(longest=200)


# ------------------------------------------------------------------ the one field


def home_page(
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
    sale_id: str | None = None,
    claims: tuple[Claim, ...] = (),
) -> str:
    here, strip, sale_id = desk(), strip_now(), sale_id or sales.new_id()
    word = (typed or {}).get("waiting", "")
    return render_template(
        "counter/home.html",
        sale_id=sale_id,
        waiting=set_aside.taken_up(word, sale_id, here, kit=kit()) if word else None,
        region=here.store.country,
        mine=sales.recent(here, kit=kit()),
        unfinished=sales.unfinished(here, codes=bool(strip and strip.codes_awaited)),
        sells_esims=bool(strip and strip.sells_esims),
        shift_open=shifts.current(here) is not None,
        claims=claims,
        errors=errors or {},
        typed=typed or {},
    )


@bp.get("/")
@door(Permission.SEARCH)
def home() -> str:
    return home_page()


def _home_again(sale_id: str, errors: dict[str, str], typed: dict[str, str]) -> str:
    entry = "" if errors and "entry" in errors and g.get("forget_entry") else typed.get("entry", "")
    return home_page(errors, {"entry": entry, "waiting": typed.get("waiting", "")}, sale_id)


@bp.post("/sales/<uuid:sale_id>/number")
@door(Permission.SELL)
def number(sale_id: Any) -> Any:
    return _number(sale_id=str(sale_id))


@shown_again(_home_again, "entry", "entry_again")
def _number(sale_id: str) -> Any:
    form = EntryForm()
    if not form.validate():
        return home_page(form.first_errors(), {}, sale_id), 422
    entry = _understood(form)
    try:
        return _entered(sale_id, form, entry)
    except NumberDisputed as error:
        return home_page({"entry": say(error)}, kept(request.form), sale_id, error.claims), status_of(error)


def _entered(sale_id: str, form: EntryForm, entry: Entry) -> Any:
    chosen = form.carrier.data or None
    match entry:
        case PhoneEntry():
            again = typed_again(form)
            asked = (sale_id, entry.number.e164, "phone", desk(), str(get_locale()))
            numbers.ask_about(*asked, kit=kit(), again=again, chosen=chosen)
        case IccidEntry():
            numbers.ask_about(sale_id, entry.iccid.digits, "sim", desk(), str(get_locale()), kit=kit(), chosen=chosen)
        case ReceiptEntry():
            found = sales.find(entry.number, None, desk(), kit=kit())
            if not found:
                raise UnreadableEntry
            return redirect(url_for("search.show", sale_id=found[0].id))
        case CardNumberRefused():
            g.forget_entry = True
            raise LooksLikeCard
        case ImeiEntry():
            return _home_again(sale_id, {"entry": gettext(DEVICE)}, kept(request.form)), 422
        case MrzEntry() | AamvaEntry():
            return _document_came_first(sale_id, entry)
        case BadgeEntry():
            return _home_again(sale_id, {"entry": gettext(BADGE)}, kept(request.form)), 422
        case SearchEntry(hint=hint):
            raise nearly(hint, form.entry.data or "")
        case _:
            raise UnreadableEntry
    return onward(sale_id, form.waiting.data or "")


def onward(sale_id: str, word: str) -> Any:
    """The page of the document. One that was scanned before the number comes along in the answer itself: an address to come back
    to would have to keep it."""
    if word:
        found = sales.show(sale_id, desk(), kit=kit())
        if found.step is p.Step.DOCUMENT:
            return document_page(found, {}, {"waiting": word})
    return redirect(url_for("counter.sale", sale_id=sale_id))


def _understood(form: EntryForm) -> Entry:
    """What the field holds: by its shape, or as what the clerk says it is."""
    text, country = form.entry.data or "", desk().store.country
    if form.kind.data not in set(EntryKind):
        return understand(text, country, [desk().till.code])
    kind = EntryKind(form.kind.data)
    found = understand_as(kind, text, country)
    if found is not None:
        return found
    return SearchEntry("", {EntryKind.PHONE: SearchHint.NUMBER_NOT_VALID, EntryKind.SIM: SearchHint.SIM_NOT_RIGHT}.get(kind))


def typed_again(form: EntryForm) -> str:
    """The number in the second field, empty when it was not filled in; what is no number differs from any."""
    text = form.entry_again.data or ""
    again = understand_as(EntryKind.PHONE, text, desk().store.country) if text else None
    return again.number.e164 if isinstance(again, PhoneEntry) else text


def _document_came_first(sale_id: str, entry: MrzEntry | AamvaEntry) -> Any:
    """Say whether the document would do, and let one that does wait on this page for the number. Its lines are forgotten."""
    reading = document_reading.look(entry.lines, desk(), kit=kit())
    if reading.seen is not None and not reading.refused:
        g.notice = gettext(DOCUMENT_READS_RIGHT)
        return home_page({}, {"waiting": set_aside.set_aside(reading.seen, sale_id, desk(), kit=kit())}, sale_id)
    return home_page({"entry": gettext(DOCUMENT_FIRST if reading.seen is None else DOCUMENT_OF_NO_USE)}, {}, sale_id), 422


def nearly(hint: SearchHint | None, typed: str) -> Exception:
    if hint in (SearchHint.NUMBER_TOO_SHORT, SearchHint.NUMBER_TOO_LONG, SearchHint.NUMBER_NOT_VALID):
        return NumberNotValid(number=typed[:30])
    if hint is SearchHint.SIM_NOT_RIGHT:
        return SimNumberNotValid()
    return UnreadableEntry()


# ------------------------------------------------------------------ a sale, at its step


@bp.get("/sales/<uuid:sale_id>", endpoint="sale")
@door(Permission.SEARCH)
def show_sale(sale_id: Any) -> Any:
    return page_of(sales.show(str(sale_id), desk(), kit=kit()))


def page_of(sale: p.SalePicture, errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> Any:
    """The screen of the step a sale stands at."""
    pages: dict[p.Step, Callable[..., Any]] = {
        p.Step.DOCUMENT: document_page,
        p.Step.PLAN: plans_page,
        p.Step.CHECK: check_page,
        p.Step.CARD: card_page,
        p.Step.TENDER_UNKNOWN: card_page,
        p.Step.RESULT: result_page,
        p.Step.VOIDED: voided_page,
    }
    return pages[sale.step](sale, errors or {}, typed or {})


def document_page(
    sale: p.SalePicture, errors: dict[str, str], typed: dict[str, str], approval: str = "", reading: Reading | None = None
) -> str:
    names, rules = get_locale().territories, kit().rulebook.of(desk().store.code)
    codes = sorted((code for code in names if len(code) == 2 and issuer_key(code) == code), key=lambda code: names[code])
    asks = bool(approval) or bool({"reason", "approver_pin"} & set(errors))
    word = typed.get("waiting", "")
    waiting = set_aside.taken_up(word, sale.id, desk(), kit=kit()) if word and not typed.get("mrz") else None
    if reading is None and typed.get("mrz"):
        reading = document_reading.look(typed["mrz"], desk(), kit=kit())
    elif reading is None and waiting is not None:
        reading = document_reading.look_at(waiting, desk(), kit=kit())
    if word and waiting is None and not typed.get("mrz") and not errors:
        errors = {"mrz": say(ScannedTooLongAgo())}
    return render_template(
        "counter/document.html",
        sale=sale,
        types=[(kind.value, gettext(label)) for kind, label in TYPES.items()],
        countries=[(code, names[code]) for code in codes],
        rules=rules,
        managers=staff.who_may(desk().store, Permission.OVERRIDE_IDENTITY) if asks else [],
        asks=asks,
        approval=approval,
        reading=reading,
        waiting=word if waiting is not None else "",
        lines=typed.get("mrz", ""),
        errors=errors,
        typed={"document_country": desk().store.country, **typed},
    )


def _document_again(sale_id: str, errors: dict[str, str], typed: dict[str, str], approval: str = "") -> str:
    return document_page(sales.show(sale_id, desk(), kit=kit()), errors, typed, approval)


@bp.post("/sales/<uuid:sale_id>/document")
@door(Permission.SELL)
def document(sale_id: Any) -> Any:
    return _document(sale_id=str(sale_id))


_DOCUMENT_FIELDS = ("document_number", "document_country", "expires_on", "birth_date", "matches_person", "mrz")


@shown_again(_document_again, *_DOCUMENT_FIELDS, "reason", "approver_pin")
def _document(sale_id: str) -> Any:
    form = DocumentForm()
    if not form.validate():
        return _document_again(sale_id, form.first_errors(), kept(request.form)), 422
    if form.accept.data:
        return _document_again(sale_id, {}, {**kept(request.form), "mrz": _with_offer(form)})
    try:
        if request.form.get("skip") == "1":
            identity_checks.skip(sale_id, desk(), kit=kit(), approval=_approval(form))
        else:
            whose = Whose.OTHER if "whose" in request.form else Whose.OWN
            seen, matches = _seen(form, sale_id), "matches_person" in request.form
            identity_checks.verify(sale_id, seen, matches, desk(), kit=kit(), whose=whose, approval=_approval(form))
    except ApprovalNeeded as error:
        return _document_again(sale_id, {}, kept(request.form), say(error)), status_of(error)
    return redirect(url_for("counter.sale", sale_id=sale_id))


@bp.post("/sales/<uuid:sale_id>/document/read")
@door(Permission.SELL)
def read_document(sale_id: Any) -> Any:
    """What the scanned lines say, beside them, while the clerk looks at the face. Nothing is written."""
    sales.show(str(sale_id), desk(), kit=kit())  # nobody asks about documents for a sale that is not his to see
    form = DocumentForm()
    lines = form.mrz.data if form.validate() else None
    reading = document_reading.look(lines, desk(), kit=kit()) if lines and not document_reading.is_begun(lines) else None
    if not lines and form.waiting.data:
        waiting = set_aside.taken_up(form.waiting.data, str(sale_id), desk(), kit=kit())
        reading = document_reading.look_at(waiting, desk(), kit=kit()) if waiting is not None else None
    return render_template("counter/_reading.html", reading=reading, lines=form.mrz.data)


def _approval(form: DocumentForm) -> Approval | None:
    if request.form.get("approve") != "1":
        return None
    return Approval(form.reason.data or "", form.approver.data or "", form.approver_pin.data or "")


def _with_offer(form: DocumentForm) -> str:
    """The scanned lines with the offer that the clerk pressed."""
    place = int(form.accept.data) if (form.accept.data or "").isdecimal() else -1
    today = desk().store.local(kit().now()).date()
    return document_reading.corrected(form.mrz.data or "", place, today) if place >= 0 else form.mrz.data or ""


def _seen(form: DocumentForm, sale_id: str) -> identity_checks.Seen:
    """What the clerk scanned or typed here, else what was scanned before the number. Raises DocumentUnreadable at the field it
    came from, ScannedTooLongAgo."""
    today = desk().store.local(kit().now()).date()
    if form.mrz.data:
        try:
            return identity_checks.read_lines(form.mrz.data, today)
        except (DocumentUnreadable, DocumentNotAccepted) as error:
            error.field = "mrz"
            raise
    if form.waiting.data and not form.document_number.data:
        waiting = set_aside.taken_up(form.waiting.data, sale_id, desk(), kit=kit())
        if waiting is None:
            raise ScannedTooLongAgo
        return waiting
    if form.document_type.data not in set(DocumentType):
        raise DocumentUnreadable(fault=identity_checks.PROBLEMS[DocumentProblem.MISSING_NUMBER])
    born = day_from(form.birth_date.data or "")
    return identity_checks.Seen(
        type=DocumentType(form.document_type.data),
        country=form.document_country.data or "",
        number=form.document_number.data or "",
        expires_on=day_from(form.expires_on.data or ""),
        birth_date=born.isoformat() if born is not None else None,
        age=document_reading.age_on(born, today),
    )


# ------------------------------------------------------------------ plans


@bp.get("/sales/<uuid:sale_id>/plans", endpoint="plans")
@door(Permission.SELL)
def show_plans(sale_id: Any) -> Any:
    found = sales.show(str(sale_id), desk(), kit=kit())
    if found.step not in (p.Step.PLAN, p.Step.CHECK):
        return redirect(url_for("counter.sale", sale_id=str(sale_id)))
    return plans_page(found, {}, {})


def plans_page(sale: p.SalePicture, errors: dict[str, str], typed: dict[str, str], **more: Any) -> str:
    number_picture = sale.number_of({**kept(request.args), **typed}.get("number_id", ""))
    offered = _offered(number_picture) if number_picture else []
    filters = {name: kept(request.args).get(name, "")[:20] for name in ("line", "need", "budget", "country")}
    effects = {plan.id: sales.effect_of(plan, number_picture, kit().now()) for plan in offered} if number_picture else {}
    names = {"zh_Hans": 1, "zh_Hant": 2}.get(str(get_locale()), 0)
    return render_template(
        "counter/plans.html",
        sale=sale,
        picked=number_picture,
        plans=[plan for plan in offered if fits(plan, filters)],
        lines=[(code, words[names]) for code, words in plans.lines_of(offered)],
        countries=_countries(offered),
        filters=filters,
        effects=effects,
        errors=errors,
        typed=typed,
        **more,
    )


def _offered(number: p.NumberPicture) -> list[Plan]:
    """What fits a number; a new eSIM may be of any carrier."""
    return plans.esims(desk()) if number.kind == "esim" else plans.offers(desk(), number.carrier, number.operator)


def _countries(offered: list[Plan]) -> dict[str, str]:
    """The countries among some plans, in the order of their names in the reader's language."""
    names = get_locale().territories
    codes = {plan.country for plan in offered if plan.country is not None}
    return {code: names.get(code, code) for code in sorted(codes, key=lambda code: names.get(code, code))}


def fits(plan: Plan, filters: dict[str, str]) -> bool:
    """Whether a plan answers what the customer asked for; a filter that cannot be read filters nothing."""
    need, days = filters["need"], plan.valid_days or 0
    wanted = {
        "": True,
        "data": bool(plan.data_megabytes),
        "calls": bool(plan.minutes),
        "short": 0 < days <= 15,
        "long": days >= 28,
    }.get(need, True)
    try:
        affordable = not filters["budget"] or plan.price <= parse(filters["budget"], plan.price.currency)
    except NotMoney:
        affordable = True
    there = filters["country"] in ("", plan.country)
    return wanted and affordable and there and filters["line"] in ("", plan.line)


def _plans_again(sale_id: str, errors: dict[str, str], typed: dict[str, str]) -> Any:
    found = sales.show(sale_id, desk(), kit=kit())
    return page_of(found, errors, typed) if found.step is not p.Step.CHECK else plans_page(found, errors, typed)


@bp.post("/sales/<uuid:sale_id>/plan")
@door(Permission.SELL)
def plan(sale_id: Any) -> Any:
    return _plan(sale_id=str(sale_id))


@shown_again(_plans_again)
def _plan(sale_id: str) -> Any:
    form = PlanForm()
    if not form.validate():
        # The field may stand in a panel that this page does not show, so the sentence stands at the top.
        return _plans_again(sale_id, placed(form.first_errors()), kept(request.form)), 422
    raw = form.plan_id.data or ""
    plan_id = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0
    override = request.form.get("override") == "1" and bool(form.reason.data)
    if override and not desk_may_override():
        override = False
    try:
        holds.choose_plan(
            sale_id,
            plan_id,
            desk(),
            kit=kit(),
            number_id=form.number_id.data or None,
            override=override,
            reason=form.reason.data or "",
        )
    except DuplicateRenewal as error:
        return _twin_page(sale_id, error)
    return redirect(url_for("counter.sale", sale_id=sale_id))


def desk_may_override() -> bool:
    from pos.domain.permissions import may

    return may(desk().staff.role, Permission.OVERRIDE_DUPLICATE)


def _twin_page(sale_id: str, error: DuplicateRenewal) -> Any:
    """The duplicate guard: that sale, its state, and the manager's way on."""
    twin = sales.summary(str(error.values["sale_id"]), desk(), str(error.values["renewal_id"]))

    def page(errors: dict[str, str], typed: dict[str, str]) -> str:
        found = sales.show(sale_id, desk(), kit=kit())
        return plans_page(found, errors, typed, duplicate=twin, plan_id=error.values["plan_id"])

    return refused(error, page, ())


def check_page(sale: p.SalePicture, errors: dict[str, str], typed: dict[str, str]) -> str:
    return render_template("counter/check.html", sale=sale, duplicate=None, errors=errors, typed=typed)


@bp.get("/sales/<uuid:sale_id>/check")
@door(Permission.SELL)
def check(sale_id: Any) -> Any:
    return redirect(url_for("counter.sale", sale_id=str(sale_id)))


# ------------------------------------------------------------------ outcome


def card_page(sale: p.SalePicture, errors: dict[str, str], typed: dict[str, str]) -> Any:
    from pos.web.paying import card_page as page

    return page(sale, errors, typed)


def result_page(sale: p.SalePicture, errors: dict[str, str], typed: dict[str, str]) -> str:
    if sale.at_the_terminal is not None:
        name = "counter/refund_unknown.html" if sale.at_the_terminal is RefundState.IN_DOUBT else "counter/refund_card.html"
        return render_template(name, sale=sale, errors=errors, typed=typed)
    return render_template("counter/result.html", sale=sale, now=kit().now(), reasons=REASONS, errors=errors, typed=typed)


def voided_page(sale: p.SalePicture, errors: dict[str, str], typed: dict[str, str]) -> str:
    return render_template("counter/voided.html", sale=sale, sale_id=sales.new_id(), errors=errors, typed=typed)


@bp.get("/sales/<uuid:sale_id>/result")
@door(Permission.SEARCH)
def result(sale_id: Any) -> Any:
    return redirect(url_for("counter.sale", sale_id=str(sale_id)))


@bp.get("/sales/<uuid:sale_id>/progress")
@door(Permission.SEARCH)
def progress(sale_id: Any) -> Any:
    """The part of the outcome that moves; when it has come to rest the strip is asked to look again."""
    found = sales.show(str(sale_id), desk(), kit=kit())
    page = render_template("counter/_progress.html", sale=found, now=kit().now(), reasons=REASONS, errors={}, typed={})
    return page, 200, {} if found.moving else {"HX-Trigger": "settled"}


@bp.post("/sales/<uuid:sale_id>/interim")
@door(Permission.SELL)
def interim(sale_id: Any) -> Any:
    receipts.issue_interim(str(sale_id), desk(), kit=kit())
    return redirect(url_for("counter.sale", sale_id=str(sale_id)))


@bp.post("/sales/<uuid:sale_id>/void")
@door(Permission.SELL)
def void(sale_id: Any) -> Any:
    sales.void(str(sale_id), desk(), kit=kit())
    return redirect(url_for("counter.home"))
