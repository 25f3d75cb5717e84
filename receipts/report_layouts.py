"""X and Z on paper. An X shows the drawer as it is now; a Z is a stored document that closes it."""

from __future__ import annotations

from receipts.blocks import Block, Role, Row, Rule, Text
from receipts.document import Document
from receipts.parts import Say, facts, finished, head, heading, money_rows, origin_rows
from receipts.reports import CardBatch, Cash, Chain, Counts, Fulfilment, Report, Takings, Tender


def x_report(values: Report, say: Say, language: str) -> Document:
    """The drawer now; printing it changes nothing and it has no number."""
    return report(values, say("X REPORT"), say, language)


def z_report(values: Report, say: Say, language: str) -> Document:
    """The closed drawer, numbered per till."""
    return report(values, say("Z REPORT"), say, language)


def report(values: Report, title: str, say: Say, language: str) -> Document:
    """All blocks that have something to say, each under its own heading."""
    blocks: list[Block] = [*head(values.shop), *heading(title), *report_head(values, say)]
    blocks += section(say("Counts"), count_rows(values.counts, say))
    blocks += section(say("Sales"), takings_rows(values.takings, say))
    blocks += section(say("Activations"), fulfilment_rows(values.fulfilment, say))
    for tender in values.tenders:
        blocks += section(tender.name, tender_rows(tender, say))
    for batch in values.cards:
        blocks += section(say("Card terminal"), card_rows(batch, say))
    blocks += section(say("Card refunds without a result"), money_rows(values.open_refunds))
    for cash in values.cash:
        blocks += section(say("Cash %(currency)s") % {"currency": cash.currency}, cash_rows(cash, say))
    blocks += section(say("Late corrections"), money_rows(values.corrections))
    if values.chain:
        blocks += section(say("Chain"), chain_rows(values.chain, say))
    return finished(blocks, f"{title} {values.origin.number}".rstrip(), language, say, training=values.training)


def section(title: str, rows: list[Block]) -> list[Block]:
    """A heading over its rows; nothing where there are none."""
    return [Rule(), Text(title, bold=True), *rows] if rows else []


def report_head(values: Report, say: Say) -> list[Block]:
    """Which drawer, opened and closed when and by whom, on which software."""
    return [
        *origin_rows(values.origin, say("Report no."), say),
        *facts(
            [
                (say("Shift"), values.shift),
                (say("Opened"), values.opened),
                (say("Closed"), values.closed),
                (say("Approved by"), values.approver),
                (say("Count"), values.blind),
                (say("Software"), values.software),
                (say("Own checks"), values.checks),
            ]
        ),
    ]


def count_rows(counts: Counts, say: Say) -> list[Block]:
    return facts(
        [
            (say("First receipt"), counts.first_receipt),
            (say("Last receipt"), counts.last_receipt),
            (say("Number of sales"), counts.sales),
            (say("Customers"), counts.customers),
            (say("Voids"), counts.voids),
            (say("Refunds"), counts.refunds),
            (say("Drawer openings without sale"), counts.no_sale_openings),
            (say("Reprints"), counts.reprints),
            (say("ID checks typed by hand"), counts.typed_id_checks),
            (say("Failed PINs"), counts.failed_pins),
            *counts.approvals,
        ]
    )


def takings_rows(takings: Takings, say: Say) -> list[Block]:
    """The sums, then each plan with its count and amounts."""
    rows = money_rows(
        (
            (say("Gross"), takings.gross),
            (say("Discount"), takings.discount),
            (say("Net"), takings.net),
            *takings.taxes,
            (say("Rounding"), takings.rounding),
        )
    )
    for line in takings.plans:
        rows.append(Row(f"{line.carrier} {line.plan} x {line.count}", line.face, money=True))
        rows += money_rows(((say("Commission"), line.commission), (say("Fee"), line.fee)))
    return rows


def fulfilment_rows(fulfilment: Fulfilment, say: Say) -> list[Block]:
    return facts(
        [
            (say("Active"), fulfilment.active),
            (say("Refused"), fulfilment.refused),
            (say("Unknown now"), fulfilment.unknown),
            (say("Oldest unknown"), fulfilment.unknown_age),
            (say("Resolved since the last Z"), fulfilment.resolved),
            (say("Withdrawn"), fulfilment.withdrawn),
        ]
    )


def tender_rows(tender: Tender, say: Say) -> list[Block]:
    return [
        *money_rows(((say("Expected"), tender.expected), (say("Counted"), tender.counted))),
        *difference_row(tender.difference, say),
    ]


def card_rows(batch: CardBatch, say: Say) -> list[Block]:
    return [
        *facts([(say("Terminal"), batch.terminal), (say("Batch"), batch.batch), (say("Payments"), batch.count)]),
        *money_rows(((say("Terminal total"), batch.total),)),
    ]


def cash_rows(cash: Cash, say: Say) -> list[Block]:
    """From the float to what goes to the bank."""
    moved = (
        (say("Opening float"), cash.opening_float),
        (say("Cash sales"), cash.sales),
        (say("Cash refunds"), cash.refunds),
        (say("Paid in"), cash.paid_in),
        (say("Paid out"), cash.paid_out),
        (say("Safe drops"), cash.drops),
        (say("Found over"), cash.surplus),
        (say("Moved after the first count"), cash.moved_after),
        (say("Expected"), cash.expected),
    )
    kept = ((say("Left in the drawer"), cash.left), (say("To the bank"), cash.to_bank))
    return [
        *money_rows((*moved, *cash.denominations, (say("Counted"), cash.counted))),
        *difference_row(cash.difference, say),
        *facts([(say("Reason"), cash.reason)]),
        *money_rows(kept),
    ]


def difference_row(difference: str, say: Say) -> list[Block]:
    """Bold, because it is what a manager looks for."""
    return [Row(say("Difference"), difference, value_bold=True, money=True)] if difference else []


def chain_rows(chain: Chain, say: Say) -> list[Block]:
    """Hashes in the small role: they are for a machine or a very patient person."""
    hashes = (
        (say("Previous report"), chain.previous_hash),
        (say("This report"), chain.own_hash),
        (say("Journal"), chain.journal_head),
    )
    return [
        *money_rows(((say("Total since the start"), chain.total_since_start),)),
        *[Row(label, value, Role.SMALL) for label, value in hashes if value],
    ]
