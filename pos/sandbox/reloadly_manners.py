"""What every part of the Reloadly door needs: its books, its wallet, and how it misbehaves."""

from __future__ import annotations

from collections.abc import Callable

from pos.sandbox import reloadly_shapes as shapes
from pos.sandbox.carrier import Carrier
from pos.sandbox.misbehave import Manners, play
from pos.sandbox.records import Fate
from pos.sandbox.vendor_books import VendorBooks
from pos.sandbox.vendors import Vendor
from pos.sandbox.wire import Answer, Request

NAME = "reloadly"
CURRENCY = "GBP"


def vendor_of(carrier: Carrier) -> Vendor:
    return carrier.vendors[NAME]


def books_of(carrier: Carrier) -> VendorBooks:
    return vendor_of(carrier).books


MANNERS = Manners(shapes.error, shapes.LIES, revoke=lambda carrier: vendor_of(carrier).tokens.revoke_all())


def played(
    carrier: Carrier, request: Request, where: str, number: str | None, ref: str | None, work: Callable[[Fate], Answer]
) -> Answer:
    return play(carrier, request, where, number, ref, work, MANNERS)


def left_of(carrier: Carrier) -> int:
    """What is in the wallet, pence."""
    return books_of(carrier).wallets()[CURRENCY]
