"""The slips a customer gets: plain values in, a document out.

``say`` is gettext of the customer's language and ``language`` its tag. Order, sizes and weights were tried at 576 and
384 dots: the eye should go to the shop, the title and the total; account values are bold because customers dispute
them."""

from __future__ import annotations

from receipts.blocks import Align, Block, Qr, Role, Row, Rule, Text
from receipts.document import Document
from receipts.drawer_layouts import cash_movement, handover, shift_slip, test_page
from receipts.parts import Say, facts, finished, foot, head, heading, in_both, money_rows, origin_rows, total_row
from receipts.report_layouts import x_report, z_report
from receipts.slips import ConfirmationSlip, Line, RefundSlip, SaleSlip, SaleState

__all__ = [
    "Say",
    "cash_movement",
    "confirmation",
    "copy_words",
    "file_copy_words",
    "handover",
    "refund",
    "sale",
    "shift_slip",
    "test_page",
    "x_report",
    "z_report",
]


def copy_words(n: int, local_time: str, say: Say) -> str:
    """The bar of copy ``n``, with the time it was made; for ``receipts.document.as_copy``."""
    return " - ".join(part for part in (say("COPY %(number)d") % {"number": n}, local_time) if part)


def file_copy_words(say: Say) -> str:
    """The bar of a file beside which there is paper. It has no number: only paper is counted, a file can be had any number of
    times."""
    return say("COPY")


def sale(values: SaleSlip, say: Say, language: str, also: Say | None = None) -> Document:
    """The receipt of a sale; its title tells what became of the renewal, never more than is known.

    ``also`` is the shop's second language: the title and the total are said in it as well."""
    title = sale_title(values.state, say, issued=values.issued, follows=values.follows)
    second = sale_title(values.state, also, issued=values.issued, follows=values.follows) if also else ""
    blocks = [
        *head(values.shop),
        *heading(title, second),
        *origin_rows(values.origin, say("Receipt no."), say),
        *line_blocks(values.lines, say),
        Rule(),
        *money_rows(values.taxes),
        total_row(in_both(say("TOTAL"), also("TOTAL") if also else ""), values.total),
        *money_rows(values.payments),
        *what_happens(values, say),
        *foot(values.shop, values.qr, say("Scan to check this receipt.")),
    ]
    return finished(blocks, f"{title} {values.origin.number}", language, say, training=values.training)


def sale_title(state: SaleState, say: Say, *, issued: bool = False, follows: bool = False) -> str:
    """The state of the money and of the renewal in one line; ``issued`` where codes or eSIMs are all that was bought,
    ``follows`` while one is missing."""
    match state:
        case SaleState.ACTIVATED if issued and follows:
            return say("PAID - CODE FOLLOWS")
        case SaleState.ACTIVATED if issued:
            return say("PAID - CODE ISSUED")
        case SaleState.ACTIVATED:
            return say("PAID - ACTIVATED")
        case SaleState.BEING_CONFIRMED:
            return say("PAID - ACTIVATION BEING CONFIRMED")
        case SaleState.REFUND_DUE:
            return say("NOT ACTIVATED - REFUND DUE")
        case SaleState.REFUNDED:
            return say("NOT ACTIVATED - REFUNDED")
        case SaleState.MIXED:
            return say("PAID - SEE EACH NUMBER")


def what_happens(values: SaleSlip, say: Say) -> list[Block]:
    """What the customer has to know when the renewal is not simply done; nothing when it is."""
    sentences: list[str] = []
    match values.state:
        case SaleState.BEING_CONFIRMED:
            sentences = [say("Your payment is safe. Do not pay again."), values.answer_by]
        case SaleState.REFUND_DUE:
            sentences = [say("The carrier did not activate this. Your money will be paid back."), values.answer_by]
        case SaleState.REFUNDED:
            sentences = [say("The carrier did not activate this. Your money was paid back.")]
        case SaleState.MIXED:
            sentences = mixed_sentences(values, say)
    texts: list[Block] = [Text(text, bold=True) for text in sentences if text]
    case = facts([(say("Case no."), values.case_number)], bold=True)
    return [Rule(), *case, *texts] if case or texts else []


def mixed_sentences(values: SaleSlip, say: Say) -> list[str]:
    """Where lines differ: what is still open, and the sum that comes back for what was refused."""
    open_ones = [say("Your payment is safe. Do not pay again."), values.answer_by] if values.answer_by else []
    refused = say("Not activated by the carrier: %(amount)s will be paid back.")
    return [*open_ones, *([refused % {"amount": values.owed}] if values.owed else [])]


def line_blocks(lines: tuple[Line, ...], say: Say) -> list[Block]:
    """Each renewal under a rule of its own."""
    blocks: list[Block] = []
    for line in lines:
        blocks += [Rule(), *account_rows(line, say), Row(say("Amount"), line.amount, money=True)]
        if line.slot is not None:
            blocks.append(line.slot)
        if line.qr:
            blocks += [Qr(line.qr), Text(say("Scan to install the eSIM."), Role.FOOT, Align.CENTRE)]
    return blocks


def account_rows(line: Line, say: Say) -> list[Block]:
    """Whose number, which plan, from when to when, and the carrier's word for it."""
    return facts(
        [
            (say("Number"), line.number_masked),
            (say("Product"), line.carrier),
            (say("Plan"), line.plan),
            (say("Valid until (before)"), line.valid_before),
            (say("Valid until (now)"), line.valid_now),
            (say("Carrier reference"), line.carrier_reference),
            (say("State"), line.state_words),
            *line.notes,
        ],
        bold=True,
    )


def confirmation(values: ConfirmationSlip, say: Say, language: str, also: Say | None = None) -> Document:
    """What the carrier said later. It points to the receipt and is not a second one: no total, no payment."""
    title, second = later_title(values, say), later_title(values, also) if also else ""
    belongs = say("This belongs to receipt %(number)s and is not a second receipt.")
    blocks = [
        *head(values.shop),
        *heading(title, second),
        *origin_rows(values.origin, say("Slip no."), say),
        *facts([(say("For receipt"), values.original_number), (say("Case no."), values.case_number)], bold=True),
        *line_blocks(values.lines, say),
        Rule(),
        Text(belongs % {"number": values.original_number}),
        *what_is_refused(values, say),
        *([Text(values.what_next, bold=True)] if values.what_next else []),
        *foot(values.shop, values.qr, say("Scan to check this receipt.")),
    ]
    return finished(blocks, f"{title} {values.original_number}", language, say, training=values.training)


def later_title(values: ConfirmationSlip, say: Say) -> str:
    """What became of the line in the end."""
    if values.refused:
        return sale_title(SaleState.REFUND_DUE, say)
    if values.issued:
        return say("CODE ISSUED")
    return say("ACTIVATION WITHDRAWN") if values.withdrawn else say("ACTIVATION CONFIRMED")


def what_is_refused(values: ConfirmationSlip, say: Say) -> list[Block]:
    """Where the money is, when a later slip says no."""
    if not values.refused:
        return []
    return [Text(say("The carrier did not activate this. Your money will be paid back."), bold=True)]


def refund(values: RefundSlip, say: Say, language: str, also: Say | None = None) -> Document:
    """Money given back: its own title, the original receipt's number, a negative total and the reason."""
    title, second = say("REFUND"), also("REFUND") if also else ""
    blocks = [
        *head(values.shop),
        *heading(title, second),
        *origin_rows(values.origin, say("Receipt no."), say),
        *facts([(say("Original receipt"), values.original_number), (say("Reason"), values.reason)], bold=True),
        *facts([(say("Approved by"), values.approver), (say("Case no."), values.case_number)]),
        *line_blocks(values.lines, say),
        Rule(),
        *money_rows(values.taxes),
        total_row(in_both(say("TOTAL"), also("TOTAL") if also else ""), values.total),
        *money_rows(values.payments),
        *foot(values.shop, values.qr, say("Scan to check this receipt.")),
    ]
    return finished(blocks, f"{title} {values.origin.number}", language, say, training=values.training)
