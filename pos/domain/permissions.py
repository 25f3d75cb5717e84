"""Who may do what. Each door of the web names one permission; a door without one stops the start."""

from __future__ import annotations

from enum import StrEnum


class Unguarded(Exception):
    """A route without a permission: the start stops, because a forgotten door is an open one."""


class Role(StrEnum):
    CLERK = "clerk"
    MANAGER = "manager"
    OWNER = "owner"
    AUDITOR = "auditor"


class Permission(StrEnum):
    ANYBODY = "anybody"  # no till, no person: health, static files, enrolment
    TILL = "till"  # an enrolled till without a person: sign in
    OWN_PIN = "own_pin"  # everybody: change one's own PIN
    SELL = "sell"
    SHIFT = "shift"
    SEARCH = "search"
    REPRINT = "reprint"
    REFUND = "refund"
    REFUND_OVER_LIMIT = "refund_over_limit"
    REFUND_CARD_IN_CASH = "refund_card_in_cash"
    OVERRIDE_DUPLICATE = "override_duplicate"
    OVERRIDE_IDENTITY = "override_identity"  # let a check of a person through that the store's rules stop
    SEE_EXPECTED_CASH = "see_expected_cash"
    MOVE_OVER_LIMIT = "move_over_limit"  # more cash into or out of the drawer at once than the store's limit
    NO_SALE = "no_sale"  # agree that another person opens the drawer without a sale
    APPROVE_DIFFERENCE = "approve_difference"  # a difference at closing, and a shift that nobody counted
    PRINTERS = "printers"
    REISSUE_CODE = "reissue_code"  # show or print a code again
    SET_PRINTERS = "set_printers"  # which printers there are, and which till prints where
    DECIDE = "decide"  # propose what became of a renewal, lift a stop
    AGREE = "agree"  # be the second person
    RECONCILE = "reconcile"  # read statements in, decide about what they tell otherwise
    REPORTS = "reports"  # figures of the day, of people and of the shop; whoever has it sees expected cash, too
    CLOSE_DAY = "close_day"  # close the store's day, month or year
    DISPUTES = "disputes"  # everything that is known of one sale
    PRICES = "prices"  # what the shop asks for
    RESTORE = "restore"  # with a second person: bring the books back from a backup, change keys
    AUDIT = "audit"  # read who did what: a manager the own store, owner and auditor all of it
    PEOPLE = "people"  # give a clerk a new PIN, let a locked person in again
    STAFF = "staff"  # take people on, suspend them, change what they may
    TILLS = "tills"  # new tills, codes to enrol them, and which are out


_AT_THE_COUNTER = frozenset(
    {
        Permission.OWN_PIN,
        Permission.SELL,
        Permission.SHIFT,
        Permission.SEARCH,
        Permission.REPRINT,
        Permission.REFUND,
        Permission.PRINTERS,
        Permission.AGREE,
    }
)

_OF_A_MANAGER = _AT_THE_COUNTER | {
    Permission.REFUND_OVER_LIMIT,
    Permission.REFUND_CARD_IN_CASH,
    Permission.OVERRIDE_DUPLICATE,
    Permission.OVERRIDE_IDENTITY,
    Permission.SEE_EXPECTED_CASH,
    Permission.MOVE_OVER_LIMIT,
    Permission.NO_SALE,
    Permission.APPROVE_DIFFERENCE,
    Permission.REISSUE_CODE,
    Permission.SET_PRINTERS,
    Permission.DECIDE,
    Permission.RECONCILE,
    Permission.REPORTS,
    Permission.CLOSE_DAY,
    Permission.DISPUTES,
    Permission.RESTORE,
    Permission.AUDIT,
    Permission.PEOPLE,
    Permission.TILLS,
}

RIGHTS: dict[Role, frozenset[Permission]] = {
    Role.CLERK: _AT_THE_COUNTER,
    Role.MANAGER: _OF_A_MANAGER,
    Role.OWNER: _OF_A_MANAGER | {Permission.PRICES, Permission.STAFF},
    Role.AUDITOR: frozenset(
        {
            Permission.OWN_PIN,
            Permission.SEARCH,
            Permission.SEE_EXPECTED_CASH,
            Permission.REPORTS,
            Permission.DISPUTES,
            Permission.AUDIT,
        }
    ),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether a person of ``role`` has the right; the two rights without a person are nobody's to have."""
    return permission in RIGHTS[role]
