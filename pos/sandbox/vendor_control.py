"""The strings behind the resellers, for tests: the same manner as ``control``, one pair of doors for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pos.sandbox.carrier import Carrier
from pos.sandbox.control import Kind, fitting, members, plain
from pos.sandbox.records import COMPLETED
from pos.sandbox.refusals import Refusal
from pos.sandbox.vendors import Vendor
from pos.sandbox.wire import Answer, Request, json_answer

_LONGEST_SECONDS = 31_622_400  # a year

# What a switch may hold besides being of its kind; a door would stumble over anything else when it is next knocked at.
_FITS: dict[str, Callable[[Any], bool]] = {
    "cool_down_seconds": lambda value: 0 <= value <= _LONGEST_SECONDS,
    "slow_seconds": lambda value: 0 <= value <= _LONGEST_SECONDS,
    "async_seconds": lambda value: 0 <= value <= _LONGEST_SECONDS,
    "filter_hours": lambda value: -24 < value < 24,
    "most_taken": lambda value: value >= 1,
    "webhook_url": lambda value: not value or value.startswith(("http://", "https://")),
    "confirm_of_cancelled": lambda value: value in (1007004, 1007005),
    "providers_down": lambda value: all(isinstance(code, str) for code in value),
    "withdrawn": lambda value: all(isinstance(code, str) for code in value),
}


def get_vendors(carrier: Carrier, _: Request) -> Answer:
    """Everything a test compares its own sales with, reseller by reseller."""
    return json_answer(200, {name: _told(vendor) for name, vendor in carrier.vendors.items()})


def post_vendor(carrier: Carrier, request: Request) -> Answer:
    """{"name", and exactly one of the members of _CHANGES}. The answer is what GET says of this reseller."""
    kinds = {change: kind for change, (kind, _) in _CHANGES.items()}
    found = members(request, {"name": str}, **kinds)
    name = found.pop("name")
    if name not in carrier.vendors:
        raise Refusal("INVALID_VALUE", f"name: {', '.join(carrier.vendors)}")
    if len(found) != 1:
        raise Refusal("INVALID_VALUE", f"exactly one of {', '.join(_CHANGES)}")
    [(change, value)] = found.items()
    vendor = carrier.vendors[name]
    _CHANGES[change][1](vendor, value)
    return json_answer(200, _told(vendor))


def _told(vendor: Vendor) -> dict[str, Any]:
    books = vendor.books
    movements = [plain(movement) for movement in books.movements()]
    return {
        "wallets": books.wallets(),
        "holding": books.holding(),
        "debits": [m for m in movements if m["state"] == COMPLETED],
        "reversals": [m for m in movements if m["state"] != COMPLETED],
        "transactions": [plain(transaction) for transaction in books.transactions()],
        "switches": {switch: vendor.switches[switch] for switch in vendor.kind.switches},
        "enforce_unique_refs": books.enforce_unique_refs,
        "atomic_refs": books.atomic_refs,
        "holds_end_by_themselves": books.holds_end_by_themselves,
        "requests": dict(books.requests),
        "submits_by_ref": dict(books.submits_by_ref),
        "callbacks": list(vendor.callbacks.sent),
    }


def _set_wallet(vendor: Vendor, wanted: dict[str, Any]) -> None:
    found = fitting(wanted, {"currency": str, "available_minor": int})
    if found["currency"] not in vendor.books.wallets():
        raise Refusal("INVALID_VALUE", "currency")
    vendor.books.set_wallet(found["currency"], found["available_minor"])


def _reverse(vendor: Vendor, key: int) -> None:
    try:
        vendor.books.reverse(key)
    except Refusal as refusal:
        raise Refusal("INVALID_VALUE", f"reverse: {refusal.detail}") from refusal


def _set_switches(vendor: Vendor, wanted: dict[str, Any]) -> None:
    found = fitting(wanted, {}, **{switch: _kind_of(switch, value) for switch, value in vendor.kind.switches.items()})
    for switch, value in found.items():
        if switch in _FITS and not _FITS[switch](value):
            raise Refusal("INVALID_VALUE", switch)
    vendor.switches.update({switch: tuple(v) if isinstance(v, list) else v for switch, v in found.items()})
    if "auto_cancel" in found:
        vendor.books.holds_end_by_themselves = found["auto_cancel"]


def _kind_of(switch: str, value: Any) -> Kind:
    if switch.endswith("_seconds"):
        return int, float
    return list if isinstance(value, tuple) else type(value)


def _set_unique(vendor: Vendor, value: bool) -> None:
    vendor.books.enforce_unique_refs = value


def _set_atomic(vendor: Vendor, value: bool) -> None:
    vendor.books.atomic_refs = value


def _set_holds(vendor: Vendor, value: bool) -> None:
    vendor.books.holds_end_by_themselves = value
    if "auto_cancel" in vendor.switches:
        vendor.switches["auto_cancel"] = value  # its door sets the books by this switch at every request


def _revoke(vendor: Vendor, value: bool) -> None:
    if not value:
        raise Refusal("INVALID_VALUE", "revoke_tokens: true")
    vendor.tokens.revoke_all()


_CHANGES: dict[str, tuple[Kind, Callable[[Vendor, Any], None]]] = {
    "wallet": (dict, _set_wallet),
    "reverse": (int, _reverse),
    "switches": (dict, _set_switches),
    "enforce_unique_refs": (bool, _set_unique),
    "atomic_refs": (bool, _set_atomic),
    "holds_end_by_themselves": (bool, _set_holds),
    "revoke_tokens": (bool, _revoke),
}

DOORS: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/control/vendors", get_vendors),
    ("POST", "/control/vendor", post_vendor),
)
