"""What the buttons of the control page do. A field that makes no sense is refused as in the JSON interface."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from pos.sandbox import control, vendor_control
from pos.sandbox.carrier import Carrier
from pos.sandbox.faults import OFF, Fault
from pos.sandbox.refusals import Refusal
from pos.sandbox.wire import Answer, Request

Form = dict[str, str]

_TOO_MUCH_MINOR = 10**15


def perform(carrier: Carrier, form: Form) -> None:
    """Do what the form's ``do`` says. Raises Refusal."""
    action = _ACTIONS.get(form.get("do", ""))
    if action is None:
        raise Refusal("INVALID_VALUE", "do")
    action(carrier, form)


def _switch_off(carrier: Carrier, _: Form) -> None:
    carrier.faults.add(Fault(OFF, where="any"))


def _switch_on(carrier: Carrier, _: Form) -> None:
    carrier.faults.remove(OFF)


def _wallet(carrier: Carrier, form: Form) -> None:
    _by_json(control.post_wallet, carrier, _money(form))


def _clock(carrier: Carrier, form: Form) -> None:
    _by_json(control.post_clock, carrier, {"advance_seconds": _whole(form, "seconds")})


def _fault(carrier: Carrier, form: Form) -> None:
    count = _whole(form, "count") if form.get("count") else None
    number = form.get("for_number", "").replace(" ", "") or None
    wanted = {"fault": form.get("fault"), "where": form.get("where"), "count": count, "number": number}
    _by_json(control.post_faults, carrier, wanted)


def _clear(carrier: Carrier, _: Form) -> None:
    carrier.faults.clear()


def _reset(carrier: Carrier, _: Form) -> None:
    _by_json(control.post_reset, carrier, {})


def _switches(carrier: Carrier, form: Form) -> None:
    """A box that is not ticked does not travel; here that means off."""
    wanted = {
        name: name in form if isinstance(value, bool) else form.get(name, value)
        for name, value in asdict(carrier.switches).items()
    }
    _by_json(control.post_switches, carrier, wanted)


def _status(carrier: Carrier, form: Form) -> None:
    _by_json(control.post_subscriber, carrier, {"number": form.get("number"), "status": form.get("status")})


def _reverse(carrier: Carrier, form: Form) -> None:
    carrier.books.reverse(form.get("order_id", ""))


def _vendor_wallet(carrier: Carrier, form: Form) -> None:
    _by_json(vendor_control.post_vendor, carrier, {"name": form.get("name"), "wallet": _money(form)})


def _vendor_reverse(carrier: Carrier, form: Form) -> None:
    wanted = {"name": form.get("name"), "reverse": _whole(form, "transaction")}
    _by_json(vendor_control.post_vendor, carrier, wanted)


_ACTIONS: dict[str, Callable[[Carrier, Form], None]] = {
    "switch_off": _switch_off,
    "switch_on": _switch_on,
    "wallet": _wallet,
    "clock": _clock,
    "fault": _fault,
    "clear": _clear,
    "reset": _reset,
    "switches": _switches,
    "status": _status,
    "reverse": _reverse,
    "vendor_wallet": _vendor_wallet,
    "vendor_reverse": _vendor_reverse,
}


def _by_json(door: Callable[[Carrier, Request], Answer], carrier: Carrier, members: dict[str, Any]) -> None:
    """Through the same checks as the JSON interface."""
    door(carrier, Request("POST", "", "", {}, json.dumps(members).encode(), ""))


def _money(form: Form) -> dict[str, Any]:
    try:
        minor = Decimal(form.get("available", "").replace(",", "")).scaleb(2)
        if abs(minor) >= _TOO_MUCH_MINOR:
            raise Refusal("INVALID_VALUE", "available")
        return {"currency": form.get("currency"), "available_minor": int(minor)}
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise Refusal("INVALID_VALUE", "available") from error


def _whole(form: Form, name: str) -> int:
    try:
        return int(form.get(name, ""))
    except ValueError as error:
        raise Refusal("INVALID_VALUE", name) from error
