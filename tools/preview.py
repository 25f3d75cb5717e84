"""Draw every screen with invented values and photograph it: the way to judge the look without a shop behind it.

    python tools/preview.py --out FOLDER [--only NAME ...] [--language en zh_Hans long] [--surface counter kiosk]

A small Flask app stands in for the product: every address of the real one exists and answers nothing. The photographs
come from the system's Chromium under the product's own Content-Security-Policy; what the browser complains about is
printed, and so is the size of each page against the 15 kB it may have."""

from __future__ import annotations

import argparse
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import flask
from babel.messages import pofile
from markupsafe import Markup
from werkzeug.serving import make_server

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pos.domain import pictures as p  # noqa: E402 - the repository is not installed where previews are made
from pos.domain.carriers import REASONS  # noqa: E402
from pos.domain.money import DENOMINATIONS, Money, next_notes  # noqa: E402
from pos.domain.payments import CARD_SCHEMES, PaymentState, Tender  # noqa: E402
from pos.domain.permissions import Role  # noqa: E402
from pos.domain.plans import LINES, Plan  # noqa: E402
from pos.domain.print_jobs import JobKind, JobState  # noqa: E402
from pos.domain.refunds import RefundState  # noqa: E402
from pos.domain.renewals import RenewalState as R  # noqa: E402
from pos.domain.sales import SaleState as S  # noqa: E402
from pos.domain.tills import Desk, Staff, Store, Till  # noqa: E402
from pos.domain.words import LANGUAGES  # noqa: E402

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE_LIMIT = 15_000
ZONE = "Europe/London"
NOW = datetime(2026, 11, 21, 14, 32, 8, tzinfo=UTC)
SALE_ID = "0198a1f2-7c3e-7d51-9b04-3f6a2c9e1d10"

ADDRESSES = """
sign_in.enrol /enrol
sign_in.enrol_demo /enrol/demo
sign_in.sign_in /sign-in
sign_in.sign_out /sign-out
sign_in.language /language
status.strip /status/strip
shifts.open /shift/open
shifts.close /shift/close
shifts.closed /shift/closed/<int:shift_id>
shifts.closed_pdf /shift/closed/<int:shift_id>.pdf
shifts.x /shift/x
counter.home /
counter.sale /sales/<sale_id>
counter.number /sales/<sale_id>/number
counter.document /sales/<sale_id>/document
counter.plans /sales/<sale_id>/plans
counter.plan /sales/<sale_id>/plan
counter.cash /sales/<sale_id>/cash
counter.card_begin /sales/<sale_id>/card
counter.card_slip /sales/<sale_id>/card/slip
counter.card_declined /sales/<sale_id>/card/declined
counter.card_no_result /sales/<sale_id>/card/no-result
counter.card_missing /sales/<sale_id>/card/missing
counter.void /sales/<sale_id>/void
counter.another /sales/<sale_id>/another
counter.add_number /sales/<sale_id>/numbers/<number_id>
counter.drop_number /sales/<sale_id>/numbers/<number_id>/drop
counter.progress /sales/<sale_id>/progress
counter.interim /sales/<sale_id>/interim
counter.refund /sales/<sale_id>/refund
search.find /search
search.show /search/<sale_id>
receipts.show /receipts/<number>
receipts.pdf /receipts/<number>.pdf
receipts.reprint /receipts/<number>/reprint
printing.jobs /printing
printing.came_out /printing/<int:job_id>/came-out
printing.did_not /printing/<int:job_id>/did-not
printing.release /printing/<int:job_id>/release
printing.cancel /printing/<int:job_id>/cancel
printing.test /printing/test
printing.elsewhere /printing/<int:job_id>/elsewhere
printing.all_printers /printing/printers
"""


# ------------------------------------------------------------------ invented values


def gbp(minor: int) -> Money:
    return Money(minor, "GBP")


STORE = Store(
    1,
    "LON",
    "Soho Mobile",
    "Soho Mobile Ltd",
    ("12 Old Compton Street", "London W1D 4TQ"),
    "VAT no.",
    "GB 123 4567 89",
    "GB",
    "GBP",
    ZONE,
    timedelta(hours=4),
    "VAT",
    2000,
    ("020 7946 0000",),
    "9-21",
    (),
    500,
)
TILL = Till(1, "LON1", "Till 1", "counter", 1)
DESK = Desk(STORE, TILL, Staff(1, "1042", "Amy Chen", Role.MANAGER, 1, "en"))
STRIP = p.Strip(12, "up", None, "ready", None, 0, 0)
BUSY_STRIP = p.Strip(12, "slow", NOW - timedelta(minutes=4), "waiting", "paper_out", 3, 1)
NUMBER = p.NumberPicture(
    "n1",
    "phone",
    "+44 7400 123 456",
    "+44 7*** ***456",
    "aggregator",
    "lycamobile",
    "active",
    "UK Plan 10 GB",
    NOW + timedelta(days=3),
    (
        p.BalancePicture("money", "3.40 GBP", None),
        p.BalancePicture("data", "1.2 GB", NOW + timedelta(days=3)),
        p.BalancePicture("voice", "84 min", None),
    ),
    NOW,
)
DOCUMENT = p.DocumentPicture("passport", "CHN", "418", "scanned", "match", "Amy Chen", NOW)
RENEWAL = p.RenewalPicture(
    "r1",
    1,
    "n1",
    "+44 7*** ***456",
    None,
    R.IDENTIFIED,
    "National Plus 20 GB, unlimited UK calls and texts",
    "lyca_phone",
    gbp(2000),
    gbp(333),
    30,
    NOW + timedelta(days=3),
    NOW + timedelta(days=33),
    "extends",
    None,
    None,
    None,
    None,
    None,
    None,
)
CASH = p.PaymentPicture(1, Tender.CASH, PaymentState.TAKEN, gbp(2000), gbp(5000), gbp(3000), None, None, None, None)
CARD = p.PaymentPicture(2, Tender.CARD, PaymentState.TAKEN, gbp(2000), None, None, "VISA", "4242", "A81F22", "000318")


def job(
    number: int,
    state: JobState,
    reason: str | None = None,
    kind: JobKind = JobKind.ORIGINAL,
    title: str = "Receipt LON1-000318",
) -> Any:
    return p.PrintJobPicture(number, kind, state, reason, title, 1 if kind is JobKind.COPY else 0, NOW, SALE_ID)


PRINTED = job(71, JobState.PRINTED)


def sale(state: S = S.DRAFT, step: p.Step = p.Step.PLAN, **changes: Any) -> p.SalePicture:
    values: dict[str, Any] = {
        "id": SALE_ID,
        "state": state,
        "step": step,
        "store_code": "LON",
        "till_code": "LON1",
        "clerk": "Amy Chen",
        "language": "en",
        "currency": "GBP",
        "numbers": (NUMBER,),
        "document": DOCUMENT,
        "renewals": (RENEWAL,),
        "total": gbp(2000),
        "payments": (),
        "receipt_number": None,
        "opened_at": NOW,
        "paid_at": None,
        "business_day": None,
        "quote": "q1",
        "print_jobs": (),
        "interim_printed": False,
    }
    return p.SalePicture(**(values | changes))


def paid(state: R, payment: p.PaymentPicture = CASH, seconds: int = 4, **changes: Any) -> p.SalePicture:
    sent = NOW - timedelta(seconds=seconds)
    over = {key: changes.pop(key) for key in tuple(changes) if key in p.RenewalPicture.__dataclass_fields__}
    renewal = replace(RENEWAL, state=state, sent_at=sent, deadline=sent + timedelta(seconds=20), **over)
    number = replace(NUMBER, grouped=None)
    values = {
        "numbers": (number,),
        "renewals": (renewal,),
        "payments": (payment,),
        "receipt_number": "LON1-000318",
        "paid_at": sent,
    }
    return sale(S.PAID, p.Step.RESULT, business_day=date(2026, 11, 21), **({"print_jobs": (PRINTED,)} | values | changes))


def line(number: int, state: R | None, sale_state: S = S.PAID, plan: str = "National Plus 20 GB") -> p.SaleLine:
    return p.SaleLine(
        f"{SALE_ID[:-2]}{number:02}",
        f"LON1-{300 + number:06}" if sale_state is S.PAID else None,
        NOW - timedelta(minutes=7 * number),
        f"+44 7*** ***{number * 137 % 1000:03}",
        plan,
        sale_state,
        state,
        "Amy Chen",
    )


MINE = [
    line(1, R.CONFIRMED),
    line(2, R.PENDING, plan="Roaming Europe 12 GB"),
    line(3, R.CONFIRMED, plan="5G Unlimited"),
    line(4, R.REFUND_DUE, plan="Data 30 days"),
    line(5, R.REFUNDED),
    line(6, R.CONFIRMED),
    line(7, None, S.VOIDED, ""),
    line(8, R.CONFIRMED),
]
UNFINISHED = [
    line(2, R.PENDING, plan="Roaming Europe 12 GB"),
    line(4, R.REFUND_DUE),
    line(9, R.IDENTIFIED, S.TENDER_UNKNOWN),
]
SHIFT = p.ShiftPicture(9, 12, "open", NOW - timedelta(hours=6), "Amy Chen", None, None)
COUNTED = [(minor, gbp(minor).plain()) for minor in DENOMINATIONS["GBP"]]

_NAMES = (
    ("National Plus", 2000, 30, 20480, -1, -1),
    ("Data Start", 500, 7, 3072, None, None),
    ("Unlimited 5G", 3500, 30, -1, -1, -1),
    ("Roaming Europe", 1500, 15, 12288, 200, None),
    ("Long stay data", 9900, 365, 122880, None, None),
    ("Talk 1000", 1000, 30, 1024, 1000, 500),
    ("Weekend", 300, 2, 500, None, None),
    ("China and Hong Kong Traveller", 2500, 30, 15360, 100, 100),
    ("Data Month", 1200, 30, 10240, None, None),
)
PLANS = [
    Plan(
        n,
        "lyca",
        f"k{n}",
        list(LINES)[n % 5],
        "lycamobile",
        name + (f" {n}" if n > 9 else ""),
        "plan",
        gbp(price),
        gbp(price // 2),
        gbp(price),
        days,
        data,
        minutes,
        texts,
    )
    for n, (name, price, days, data, minutes, texts) in enumerate(_NAMES * 3, start=1)
]
EFFECTS = {
    plan.id: (("extends", "starts", "replaces")[plan.id % 3], NOW + timedelta(days=3 + (plan.valid_days or 0))) for plan in PLANS
}
PLAN_LINES = [(code, names[0]) for code, names in LINES.items()]
TYPES = [("passport", "Passport"), ("national_id", "Identity card"), ("residence_permit", "Residence permit")]
HAPPENINGS = [
    p.HappeningPicture(NOW - timedelta(seconds=95), "staff:1042", "the clerk looked the number up"),
    p.HappeningPicture(NOW - timedelta(seconds=61), "staff:1042", "the customer's document was checked"),
    p.HappeningPicture(NOW - timedelta(seconds=22), "staff:1042", "the money is here; the renewal waits for its turn"),
    p.HappeningPicture(NOW - timedelta(seconds=21), "worker", "the attempt is written down and may now be sent"),
    p.HappeningPicture(NOW - timedelta(seconds=2), "worker", "no usable answer; the carrier is asked by reference"),
]


def countries() -> list[tuple[str, str]]:
    """As many as a real shop would list, to measure the page with them."""
    from babel import Locale

    unofficial = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"}
    names = {code: name for code, name in Locale("en").territories.items() if re.fullmatch("[A-Z]{2}", code)}
    return sorted(((code, name) for code, name in names.items() if code not in unofficial), key=lambda pair: pair[1])


def slip_html(name: str, language: str) -> str:
    """A real slip of the receipts package, from the samples of its tests."""
    sys.path.insert(0, str(ROOT / "tests" / "receipts"))
    from sample_slips import every_document

    from receipts import html

    return html.render(every_document(language if language in LANGUAGES else "en")[name])


# ------------------------------------------------------------------ the screens


@dataclass(frozen=True)
class Screen:
    name: str
    template: str
    endpoint: str
    values: dict[str, Any]


def screens(language: str) -> Iterator[Screen]:
    def screen(name: str, template: str, endpoint: str = "counter.sale", **values: Any) -> Screen:
        return Screen(name, template, endpoint, values)

    def result(name: str, picture: p.SalePicture, **values: Any) -> Screen:
        return screen(f"result-{name}", "counter/result.html", sale=picture, now=NOW, reasons=REASONS, **values)

    nobody = {"desk": None, "strip": None}
    people = [
        ("1042", "Amy Chen", "clerk"),
        ("1043", "Jonas Weber", "clerk"),
        ("2001", "Maria Fernanda de Oliveira Santos", "manager"),
    ]
    tills = [
        ("LON1", "Till 1", "Soho Mobile"),
        ("LON2", "Till 2", "Soho Mobile"),
        ("HKG1", "Kiosk 1", "Airport Kiosk Hong Kong"),
    ]
    yield screen("enrol", "sign_in/enrol.html", "sign_in.enrol", demo_tills=tills, demo=True, **nobody)
    yield screen(
        "enrol-wrong",
        "sign_in/enrol.html",
        "sign_in.enrol",
        demo_tills=tills,
        typed={"code": "ABCD"},
        demo=False,
        errors={"code": "This code is not valid any more. Ask the manager for a new one."},
        **nobody,
    )
    yield screen(
        "sign_in",
        "sign_in/sign_in.html",
        "sign_in.sign_in",
        people=people,
        demo=True,
        demo_pins={"1042": "471936", "2001": "808215"},
        **nobody,
    )
    yield screen(
        "sign_in-wrong",
        "sign_in/sign_in.html",
        "sign_in.sign_in",
        people=people,
        demo_pins={},
        typed={"staff_number": "1043"},
        errors={"pin": "The name and the PIN do not match, or the account is locked."},
        **nobody,
    )
    count = {"currency": "GBP", "denominations": COUNTED}
    yield screen(
        "shift-open",
        "shifts/open.html",
        "shifts.open",
        proposed=gbp(15000),
        strip=replace(STRIP, shift_number=None),
        **count,
    )
    yield screen("shift-close", "shifts/close.html", "shifts.close", shift=SHIFT, recount=False, unfinished=UNFINISHED, **count)
    yield screen(
        "shift-recount",
        "shifts/close.html",
        "shifts.close",
        shift=SHIFT,
        recount=True,
        unfinished=[],
        typed={"pieces_2000": "7", "card_total": "1,204.50", "card_count": "41"},
        **count,
    )
    closed = replace(SHIFT, state="closed", closed_at=NOW, z_number="Z-LON1-000012")
    yield screen(
        "shift-closed",
        "shifts/closed.html",
        "shifts.closed",
        shift=closed,
        z_number="Z-LON1-000012",
        receipt_html=slip_html("shift_slip", language),
    )
    yield screen("shift-x", "shifts/x.html", "shifts.x", receipt_html=slip_html("z_report", language))
    home = {"sale_id": SALE_ID, "region": "GB"}
    yield screen("home", "counter/home.html", "counter.home", mine=MINE, unfinished=[], shift_open=True, **home)
    yield screen(
        "home-busy",
        "counter/home.html",
        "counter.home",
        mine=MINE,
        unfinished=UNFINISHED,
        shift_open=True,
        strip=BUSY_STRIP,
        errors={"entry": "+44 7400 12 is not a complete mobile number. Compare it with the customer's phone."},
        typed={"entry": "07400 12"},
        **home,
    )
    yield screen(
        "home-closed",
        "counter/home.html",
        "counter.home",
        mine=[],
        unfinished=[],
        shift_open=False,
        demo=True,
        strip=replace(STRIP, shift_number=None, printer="none", carrier="down", carrier_since=NOW),
        **home,
    )
    begun = sale(step=p.Step.DOCUMENT, document=None, renewals=(), total=None)
    listed = {"types": TYPES, "countries": countries()}
    yield screen("document", "counter/document.html", sale=begun, **listed)
    yield screen(
        "document-wrong",
        "counter/document.html",
        sale=begun,
        typed={"document_number": "E1234", "document_country": "CN"},
        errors={
            "document_number": "The document does not read right: the check digit of the number is wrong. "
            "Scan it again or type it from the document.",
            "matches_person": "Tick that the person matches the document. If the person does not match, do not sell.",
        },
        **listed,
    )
    shelf = {"lines": PLAN_LINES, "effects": EFFECTS, "filters": {}, "best": [], "duplicate": None}
    yield screen("plans", "counter/plans.html", "counter.plans", sale=sale(), plans=PLANS[:9], **shelf)
    yield screen("plans-many", "counter/plans.html", "counter.plans", sale=sale(), plans=PLANS, **shelf)
    yield screen(
        "plans-none",
        "counter/plans.html",
        "counter.plans",
        sale=sale(),
        plans=[],
        **(shelf | {"filters": {"budget": "2"}}),
    )
    check = sale(step=p.Step.CHECK)
    yield screen("check", "counter/check.html", sale=check, duplicate=None)
    fresh = replace(
        NUMBER,
        kind="sim",
        grouped="8944 2000 1234 5678 901",
        state="expired",
        plan_name=None,
        expires_at=None,
        balances=(),
    )
    started = replace(RENEWAL, effect="starts", valid_before=None)
    yield screen(
        "check-sim", "counter/check.html", sale=sale(step=p.Step.CHECK, numbers=(fresh,), renewals=(started,)), duplicate=None
    )
    yield screen("check-duplicate", "counter/check.html", sale=check, duplicate=line(1, R.CONFIRMED), plan_id=1)
    clerk = {"can": lambda right: right != "override_duplicate"}
    yield screen("check-duplicate-clerk", "counter/check.html", sale=check, duplicate=line(1, R.CONFIRMED), plan_id=1, **clerk)
    yield screen("cash", "counter/cash.html", "counter.cash", sale=check, quote="q1", offers=next_notes(gbp(2000)))
    yield screen(
        "cash-wrong",
        "counter/cash.html",
        "counter.cash",
        sale=check,
        quote="q1",
        offers=next_notes(gbp(2000)),
        typed={"tendered": "10"},
        errors={"tendered": "10.00 GBP is less than the 20.00 GBP due. Nothing was booked; ask for 10.00 GBP more."},
    )
    tendering = sale(S.TENDERING, p.Step.CARD)
    yield screen("card", "counter/card.html", sale=tendering, schemes=CARD_SCHEMES)
    yield screen(
        "card-wrong",
        "counter/card.html",
        sale=tendering,
        schemes=CARD_SCHEMES,
        typed={"scheme": "UNIONPAY", "last4": "12"},
        errors={"last4": "Copy the last four digits and the authorisation code from the terminal's slip."},
    )
    yield screen(
        "tender_unknown",
        "counter/tender_unknown.html",
        sale=sale(S.TENDER_UNKNOWN, p.Step.TENDER_UNKNOWN),
        schemes=CARD_SCHEMES,
    )
    sending = (job(71, JobState.SENDING), job(70, JobState.SENT, kind=JobKind.DRAWER, title="Drawer"))
    yield result("waiting", paid(R.SUBMITTING, print_jobs=sending))
    yield result("waiting-slip", paid(R.SUBMITTING, seconds=13, print_jobs=()))
    yield result(
        "pending",
        paid(R.PENDING, seconds=40, next_asking_at=NOW + timedelta(seconds=30), case_number="C-20417", reason="no_answer"),
    )
    yield result("unknown", paid(R.UNKNOWN, CARD, seconds=40, reason="unreachable", case_number="C-20417", interim_printed=True))
    final = {"carrier_reference": "TX-9F31-44207"}
    yield result("confirmed", paid(R.CONFIRMED, **final))
    yield result("confirmed-card", paid(R.CONFIRMED, CARD, print_jobs=(job(71, JobState.UNCERTAIN, "no_confirmation"),), **final))
    yield result(
        "confirmed-exact",
        paid(
            R.CONFIRMED,
            replace(CASH, tendered=gbp(2000), change=gbp(0)),
            print_jobs=(job(71, JobState.WAITING, "paper_out"),),
            **final,
        ),
    )
    yield result("refund_due", paid(R.REFUND_DUE, reason="ineligible_or_barred", print_jobs=()))
    yield result("refund_due-card", paid(R.REFUND_DUE, CARD, reason="wallet_empty", print_jobs=()))
    back = p.RefundPicture(RefundState.REFUNDED, Tender.CASH, gbp(2000), "R-LON1-000007")
    yield result("refunded", paid(R.REFUNDED, reason="ineligible_or_barred", refund=back))
    yield result("manual", paid(R.MANUAL, seconds=90_000, case_number="C-20417"))
    yield screen("voided", "counter/voided.html", sale=sale(S.VOIDED, p.Step.VOIDED))
    yield screen("search", "search/find.html", "search.find", query=None, results=[])
    yield screen("search-found", "search/find.html", "search.find", query="456", results=MINE)
    yield screen("search-nothing", "search/find.html", "search.find", query="99999", results=[])
    titles = [("LON1-000318", "Paid, activation being confirmed"), ("R-LON1-000007", "Refund")]
    yield screen(
        "show",
        "search/show.html",
        "search.show",
        sale=paid(R.UNKNOWN, CARD, case_number="C-20417"),
        happenings=HAPPENINGS,
        receipts=titles,
    )
    yield screen(
        "receipt",
        "receipts/show.html",
        "receipts.show",
        number="LON1-000318",
        sale_id=SALE_ID,
        receipt_html=slip_html("sale_activated", language),
    )
    asking = [
        job(71, JobState.UNCERTAIN, "connection_lost"),
        job(72, JobState.WAITING, "paper_out", title="Receipt LON1-000319"),
        job(60, JobState.HELD, None, title="Receipt LON1-000290"),
    ]
    recent = [
        job(70, JobState.PRINTED),
        job(69, JobState.PRINTED, kind=JobKind.COPY, title="Receipt LON1-000317"),
        job(68, JobState.SENT, kind=JobKind.DRAWER, title="Drawer"),
        job(67, JobState.CANCELLED, title="Receipt LON1-000316"),
    ]
    yield screen(
        "printing",
        "printing/jobs.html",
        "printing.jobs",
        jobs=asking + recent,
        printer_name="Epson TM-m30 at the counter",
        paper_page="http://127.0.0.1:9101/",
        strip=BUSY_STRIP,
    )
    yield screen("printing-calm", "printing/jobs.html", "printing.jobs", jobs=[], printer_name=None, paper_page=None)
    yield screen(
        "notice",
        "counter/home.html",
        "counter.home",
        mine=MINE[:2],
        unfinished=[],
        shift_open=True,
        notice="The shift is open. The float of 150.00 GBP is recorded.",
        **home,
    )
    yield screen(
        "error",
        "error.html",
        "counter.sale",
        status=404,
        title="Not found",
        sentence="There is no such sale in this shop. Search by receipt number, or start with the customer's number.",
        next_steps=[("Next customer", "/"), ("Search", "/search")],
    )
    yield screen(
        "error-500",
        "error.html",
        "counter.sale",
        status=500,
        title="Something went wrong",
        desk=None,
        strip=None,
        sentence="Something went wrong. Nothing was changed.",
        next_steps=[],
    )


# ------------------------------------------------------------------ the stand-in for the product


def catalogue(language: str) -> Mapping[str, str | tuple[str, ...]]:
    """What the translators have written; of a sentence with a plural, the words for many."""
    path = ROOT / "pos" / "translations" / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as lines:
        messages = pofile.read_po(lines)
    return {(m.id[1] if m.pluralizable else m.id): (m.string[-1] if m.pluralizable else m.string) for m in messages if m.id}


def translator(language: str) -> Callable[[str], str]:
    """The words of the catalogue; ``long`` is English made half as long again, places for values stay."""
    if language == "long":
        return stretched
    if language == "en":
        return str
    words = catalogue(language)
    return lambda text: str(words.get(text) or text)


def stretched(text: str) -> str:
    parts = re.split(r"(%\(\w+\)s)", text)
    return "".join(part if part.startswith("%(") else part + part[: len(part) // 2] for part in parts)


def stand_in(language: str, surface: str) -> flask.Flask:
    app = flask.Flask("preview", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "pos" / "static"))
    app.jinja_env.add_extension("jinja2.ext.i18n")
    say = translator(language)

    def plural(one: str, many: str, count: int) -> str:
        return say(one if count == 1 and language == "en" else many)

    app.jinja_env.install_gettext_callables(say, plural, newstyle=True)  # type: ignore[attr-defined]
    local = ZoneInfo(ZONE)
    app.jinja_env.filters |= {
        "money": lambda amount: f"{amount.grouped()} {amount.currency}",
        "moment": lambda moment: moment.astimezone(local).strftime("%Y-%m-%d %H:%M %Z"),
        "day": lambda day: day.strftime("%Y-%m-%d"),
        "operator_name": str.upper,
    }
    app.jinja_env.globals |= {
        "static_url": lambda name: flask.url_for("static", filename=name),
        "csrf_field": lambda: Markup('<input type="hidden" name="csrf_token" value="{}">').format(91 * "x"),
    }
    for entry in ADDRESSES.split("\n"):
        if entry:
            endpoint, address = entry.split()
            app.add_url_rule(address, endpoint, lambda **_: "", methods=["GET", "POST"])
    shown = {screen.name: screen for screen in screens(language)}
    desk = replace(DESK, till=replace(TILL, surface=surface))

    @app.get("/preview/<name>")
    def preview(name: str) -> str:
        screen = shown[name]
        # The page believes to be at its own address, so that menus and forms point where they would.
        flask.request.url_rule = SimpleNamespace(endpoint=screen.endpoint)  # type: ignore[assignment]
        common = {
            "desk": desk,
            "strip": STRIP,
            "language": language if language in LANGUAGES else "en",
            "languages": LANGUAGES,
            "can": lambda _right: True,
            "demo": False,
            "errors": {},
            "typed": {},
            "notice": None,
            "surface": surface,
        }
        return flask.render_template(screen.template, **(common | screen.values))

    @app.after_request
    def guard(response: flask.Response) -> flask.Response:
        response.headers["Content-Security-Policy"] = CSP
        return response

    return app


def complain(message: Any) -> None:
    if message.type in ("error", "warning"):
        print("  browser:", message.text)


def photograph(out: Path, languages: list[str], surfaces: list[str], sizes: list[tuple[int, int]], only: list[str]) -> int:
    from playwright.sync_api import sync_playwright

    faults = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for language in languages:
            for surface in surfaces:
                server = make_server("127.0.0.1", 0, stand_in(language, surface), threaded=True)
                threading.Thread(target=server.serve_forever, daemon=True).start()
                for width, height in sizes:
                    page = browser.new_page(viewport={"width": width, "height": height})
                    page.on("console", complain)
                    page.on("pageerror", lambda fault: print("  script:", fault))
                    for screen in screens(language):
                        if only and not any(screen.name.startswith(wanted) for wanted in only):
                            continue
                        answer = page.goto(f"http://127.0.0.1:{server.server_port}/preview/{screen.name}")
                        size = len(answer.body()) if answer else 0
                        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
                        over = size > PAGE_LIMIT
                        faults += over or wide or answer is None or answer.status != 200
                        marks = (
                            (" OVER 15 kB" if over else "")
                            + (" TOO WIDE" if wide else "")
                            + ("" if answer and answer.ok else " FAILED")
                        )
                        print(f"{language} {surface} {width} {screen.name}: {size} bytes{marks}")
                        # As tall as the page, so that the keys stand at its end.
                        tall = page.evaluate("document.documentElement.scrollHeight")
                        page.set_viewport_size({"width": width, "height": max(height, tall)})
                        page.screenshot(path=out / f"{screen.name}.{language}.{surface}.{width}.png", full_page=True)
                        page.set_viewport_size({"width": width, "height": height})
                    page.close()
                server.shutdown()
        browser.close()
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[], help="names of screens, or how they begin")
    parser.add_argument("--language", nargs="*", default=["en"], choices=["en", "zh_Hans", "zh_Hant", "long"])
    parser.add_argument("--surface", nargs="*", default=["counter"], choices=["counter", "kiosk"])
    parser.add_argument("--width", nargs="*", type=int, default=[1366], choices=[1024, 1366])
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    sizes = [(width, 768) for width in asked.width]
    return 1 if photograph(asked.out, asked.language, asked.surface, sizes, asked.only) else 0


if __name__ == "__main__":
    raise SystemExit(main())
