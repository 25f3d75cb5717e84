"""A code by program: shown by a verb of its own, once."""

from __future__ import annotations

import pytest

from pos.services import plans
from tests.api.caller import Caller
from tests.engines import SQLITE
from tests.services.seller import PIN_CODE, SERIAL, Seller


@pytest.mark.engines(SQLITE)
def test_a_program_is_told_a_code_once(selling: Caller) -> None:
    selling.kit.carriers["seller"] = Seller()  # type: ignore[index]
    with selling.app.app_context():
        plans.import_catalogue("LON", "seller", kit=selling.kit)
    sale_id = selling.begin("07400 123456")
    offered = selling.ok("GET", f"/sales/{sale_id}/lines/1/plans")["plans"]
    voucher = next(plan for plan in offered if plan["fulfilment"] == "pin")
    assert (voucher["effect"], voucher["valid_until"], voucher["country"]) == ("voucher", None, "GB")
    passport = {"type": "passport", "country": "GB", "number": "533380006", "expires_on": "2031-05-01"}
    selling.ok("POST", f"/sales/{sale_id}/identity", {"document": passport, "matches_person": True})
    sale = selling.ok("PUT", f"/sales/{sale_id}/lines/1/plan", {"plan": voucher["id"]})
    code = f"/sales/{sale_id}/lines/1/code"
    assert selling.no("POST", code, {"press": "press-0001"}, status=409)["type"].endswith("/code-not-there")
    selling.pay(sale)
    selling.work()
    seen = selling.ok("GET", f"/sales/{sale_id}")
    renewal = seen["lines"][0]["renewal"]
    assert (renewal["fulfilment"], renewal["code"]["arrived"], renewal["code"]["times_shown"]) == ("pin", True, 0)
    assert PIN_CODE not in str(seen)
    told = selling.ok("POST", code, {"press": "press-0001"})
    assert (told["text"], told["serial"], told["kind"]) == (PIN_CODE, SERIAL, "pin")
    assert selling.ok("POST", code, {"press": "press-0001"})["text"] == PIN_CODE, "the same press, after a lost answer"
    refused = selling.no("POST", code, {"press": "press-0002"}, status=409)
    assert refused["type"].endswith("/code-handed-out") and PIN_CODE not in str(refused)
    number = selling.ok("GET", f"/sales/{sale_id}")["receipt_number"]
    assert PIN_CODE not in selling.ok("GET", f"/receipts/{number}.txt").decode().replace(" ", "")
