"""Where the plug is pulled: the crash points of the renewal protocol (its section 4) as a table. A new point is a new row."""

from __future__ import annotations

from dataclasses import dataclass

SALES, PAYMENTS, RENEWALS = "pos.services.sales", "pos.services.payments", "pos.services.renewals"
JOBS, REFUNDS, SHIFTS = "pos.services.print_jobs", "pos.services.refunds", "pos.services.shifts"
ROTATION = "pos.services.key_rotation"
HEAR = "pos.services.notifications:receive"
CARRIER, LAN = "pos.carriers.tmforum:TmForum", "receipts.lan:Conversation"

# Moments of a function, all seen in the thread that runs it. ``commit`` means that of a transaction opened inside.
ENTERS, RETURNS = "enters", "returns"
BEFORE_COMMIT, AFTER_COMMIT, STATEMENT = "before commit", "after commit", "statement"
# Moments of an order on the wire.
WIRE, HALF_SENT, REPLY_WAITS = "wire", "half sent", "reply waits"


@dataclass(frozen=True)
class Place:
    """``most``: the hit at which it happens is drawn from 1 to this. ``within``: only while that function runs too."""

    function: str
    moment: str
    most: int = 1
    within: str = ""


@dataclass(frozen=True)
class Point:
    """``tender`` of the sale that passes here, or None for either. ``refused``: the carrier must refuse it first, and the
    money goes back. ``closes``: the shift is closed after it. ``calls``: the carrier calls about its order. ``first``: this point lies on the way out of that crash.
    ``missing``: why it cannot be tried yet."""

    name: str
    where: str
    places: tuple[Place, ...] = ()
    tender: str | None = None
    refused: bool = False
    closes: bool = False
    calls: bool = False
    first: str | None = None
    freezes: bool = False
    upgrades: bool = False
    rotates: bool = False
    missing: str = ""


_TAKE_CASH, _TAKE_CARD = f"{PAYMENTS}:take_cash", f"{PAYMENTS}:take_card"
_BEGIN_REFUND = "pos.services.card_refunds:begin_card_refund"
_PAY_BACK, _CLOSE, _CLAIM = f"{REFUNDS}:pay_back", f"{SHIFTS}:close_shift", "pos.services.sending:_claim"

TABLE = (
    Point("C1", "before the quote's commit", (Place(f"{SALES}:choose_plan", BEFORE_COMMIT),)),
    Point("C2", "after the quote's commit, before the reply", (Place(f"{SALES}:choose_plan", AFTER_COMMIT),)),
    Point("C3", "after the tender intent", (Place(f"{PAYMENTS}:begin_card", AFTER_COMMIT),), tender="card"),
    Point(
        "C4",
        "the card is charged on the terminal, its slip is not booked",
        (Place(_TAKE_CARD, ENTERS), Place(_TAKE_CARD, STATEMENT, most=12), Place(_TAKE_CARD, BEFORE_COMMIT)),
        tender="card",
    ),
    Point("C5", "before the paid commit", (Place(_TAKE_CASH, ENTERS), Place(_TAKE_CASH, BEFORE_COMMIT)), tender="cash"),
    Point("C6", "inside the paid commit", (Place(_TAKE_CASH, STATEMENT, most=24),), tender="cash"),
    Point("C7", "after the paid commit, before the reply", (Place(_TAKE_CASH, AFTER_COMMIT),), tender="cash"),
    Point(
        "C8",
        "paid, before drawer and print",
        (Place(f"{JOBS}:take_next", ENTERS), Place(f"{JOBS}:take_next", BEFORE_COMMIT), Place(f"{JOBS}:take_next", RETURNS)),
    ),
    Point("C9", "paid, before an attempt exists", (Place(f"{RENEWALS}:take_next", ENTERS), Place(_CLAIM, BEFORE_COMMIT))),
    Point("C10", "the attempt is written and not sent", (Place(_CLAIM, AFTER_COMMIT), Place(f"{CARRIER}.submit", ENTERS))),
    Point("C11", "mid-send", (Place(WIRE, HALF_SENT),)),
    Point("C12", "the carrier did it and the reply was lost", (Place(WIRE, REPLY_WAITS),)),
    Point(
        "C13",
        "the reply was read and not written",
        (
            Place(f"{CARRIER}.submit", RETURNS),
            Place(f"{RENEWALS}:write_outcome", BEFORE_COMMIT),
            Place(f"{RENEWALS}:write_outcome", STATEMENT, most=20),
        ),
    ),
    Point(
        "C14",
        "during a find",
        (
            Place(f"{CARRIER}.find", ENTERS),
            Place(f"{CARRIER}.find", RETURNS),
            Place(f"{RENEWALS}:write_finding", BEFORE_COMMIT),
            Place(f"{RENEWALS}:recover", AFTER_COMMIT),
        ),
        first="C12",
    ),
    Point(
        "C15",
        "before the same reference is sent again",
        (
            Place("pos.services.sending:may_send_again", RETURNS),
            Place(f"{CARRIER}.submit", ENTERS),
            Place(f"{CARRIER}.submit", RETURNS),
        ),
        first="C10",
    ),
    Point("C16", "before and after a webhook's commit", (Place(HEAR, BEFORE_COMMIT), Place(HEAR, AFTER_COMMIT)), calls=True),
    Point(
        "C17",
        "two owners: the first one sleeps over its lease",
        (Place(f"{CARRIER}.submit", RETURNS), Place(f"{RENEWALS}:write_outcome", ENTERS)),
        freezes=True,
    ),
    Point(
        "C18",
        "around the printed bytes",
        (
            Place(f"{JOBS}:about_to_send", BEFORE_COMMIT, most=2),
            Place(f"{JOBS}:about_to_send", AFTER_COMMIT, most=2),
            Place(f"{LAN}.write", RETURNS, most=6, within=f"{LAN}.write_all"),
            Place(f"{LAN}.write_all", RETURNS, most=2),
            Place(f"{JOBS}:record", ENTERS, most=2),
            Place(f"{JOBS}:record", BEFORE_COMMIT, most=2),
        ),
        tender="cash",
    ),
    Point(
        "C19",
        "after the refund's intent; the money is back on the card, nothing is booked",
        (Place(_BEGIN_REFUND, BEFORE_COMMIT), Place(_BEGIN_REFUND, AFTER_COMMIT), Place(_PAY_BACK, ENTERS)),
        tender="card",
        refused=True,
    ),
    Point(
        "C20",
        "inside the refund's commit",
        (Place(_PAY_BACK, STATEMENT, most=20), Place(_PAY_BACK, BEFORE_COMMIT)),
        refused=True,
    ),
    Point("C21", "after the refund's commit, before the drawer", (Place(_PAY_BACK, AFTER_COMMIT),), tender="cash", refused=True),
    Point("C22", "inside the Z's commit", (Place(_CLOSE, STATEMENT, most=20), Place(_CLOSE, BEFORE_COMMIT)), closes=True),
    Point("C23", "after the Z's commit, before it prints", (Place(_CLOSE, AFTER_COMMIT),), closes=True),
    Point("C24", "inside a migration", (Place("migration", STATEMENT, most=80),), upgrades=True),
    Point(
        "C25",
        "inside a key rotation",
        (
            Place(f"{ROTATION}:rotate", ENTERS),
            Place("pos.store.keys:add", RETURNS),
            Place("pos.store.keys:use", ENTERS),
            Place("pos.store.keys:use", RETURNS),
            Place(f"{ROTATION}:_page", STATEMENT, most=6),
            Place(f"{ROTATION}:_page", BEFORE_COMMIT),
            Place(f"{ROTATION}:_page", AFTER_COMMIT),
        ),
        rotates=True,
    ),
)

POINTS = {point.name: point for point in TABLE}
TRIED = tuple(point.name for point in TABLE if not point.missing)
# Pairs are of sales; a migration and a change of keys happen while the shop is shut.
PAIRED = tuple(p.name for p in TABLE if not (p.missing or p.upgrades or p.freezes or p.rotates))


def functions() -> set[str]:
    """Every function that the table watches."""
    named = {name for point in TABLE for place in point.places for name in (place.function, place.within)}
    return {name for name in named if ":" in name}
