"""The adapter that docs/carriers.md shows: it runs as it stands there, so that the page never promises more than is true."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pos.carriers import Speaker
from pos.carriers.wire import Wire
from pos.domain.money import Money
from pos.ports import Capability, Carrier, FindState, OutcomeState, ProductKind, Reason, Request

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "carriers.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## One more carrier")[2].partition("\n## ")[0]
CODE, LINE = re.findall(r"```python\n(.*?)```", SECTION, flags=re.DOTALL)
(TABLE,) = re.findall(r"```toml\n(.*?)```", SECTION, flags=re.DOTALL)
REQUEST = Request("SC-1", "p1", ProductKind.PLAN, "+447700900123", Money(1000, "GBP"), Money(900, "GBP"))
NOW = datetime(2026, 11, 21, tzinfo=UTC)
Answer = Callable[[httpx2.Request], httpx2.Response]


def pebble(answer: Answer) -> Carrier:
    """By its line and its table, as the application makes it."""
    names: dict[str, Any] = {"__name__": "pebble"}
    exec(compile(CODE, "docs/carriers.md", "exec", dont_inherit=True), names)  # our own page
    speaker = eval("{" + LINE + "}", names | {"Speaker": Speaker})["pebble"]
    table = tomllib.loads(TABLE)["carriers"]["pebble"]
    assert table.pop("protocol") == "pebble"
    assert speaker("pebble", table).name == "pebble"
    wire = Wire("pebble", transport=httpx2.MockTransport(answer))
    made: Carrier = names["Pebble"](names["PebbleKeys"].model_validate(table), "pebble", wire=wire)
    return made


def told(status: int, body: object) -> Answer:
    return lambda _: httpx2.Response(status, content=json.dumps(body))


def order(state: str = "done", ref: str = "SC-1") -> dict[str, str]:
    return {"id": "17", "ref": ref, "state": state, "number": "+447700900123", "plan": "p1"}


@pytest.mark.parametrize(
    ("status", "body", "state", "reason"),
    [
        (201, order(), OutcomeState.SUCCEEDED, None),
        (201, order("waiting"), OutcomeState.PENDING, None),
        (201, order("resting"), OutcomeState.PENDING, None),
        (201, {"state": "done"}, OutcomeState.UNKNOWN, Reason.BROKEN_ANSWER),
        (422, {"code": "no_credit"}, OutcomeState.FAILED, Reason.WALLET_EMPTY),
        (422, {"code": "something_new"}, OutcomeState.UNKNOWN, Reason.BROKEN_ANSWER),
        (500, {"code": "no_credit"}, OutcomeState.UNKNOWN, Reason.BROKEN_ANSWER),
        (502, "a proxy", OutcomeState.UNKNOWN, Reason.BROKEN_ANSWER),
    ],
)
def test_it_says_no_only_when_the_carrier_did(status: int, body: object, state: OutcomeState, reason: Reason | None) -> None:
    outcome = pebble(told(status, body)).submit(REQUEST)
    assert (outcome.state, outcome.reason) == (state, reason)


def test_silence_is_unknown_and_is_looked_up_by_our_reference() -> None:
    def silent(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("nothing")

    assert pebble(silent).submit(REQUEST).state is OutcomeState.UNKNOWN
    assert pebble(silent).find("SC-1", None, "", NOW).state is FindState.CANNOT_TELL
    assert pebble(told(200, {"orders": [order(ref="SC-10")]})).find("SC-1", None, "", NOW).state is FindState.ABSENT
    assert pebble(told(200, {"orders": [order(), order()]})).find("SC-1", None, "", NOW).doubled


def test_its_catalogue_is_read_and_what_it_does_not_offer_is_not_asked() -> None:
    plan = {"id": "p1", "name": "30 days", "cost": 9, "worth": 10, "currency": "GBP"}
    carrier = pebble(told(200, {"plans": [plan, plan | {"id": "p2", "currency": "EUR"}]}))
    (product,) = carrier.list_products()
    assert (product.key, product.cost, product.face) == ("p1", Money(900, "GBP"), Money(1000, "GBP"))
    assert carrier.declaration().capabilities == {Capability.FIND_BY_REF}
    with pytest.raises(NotImplementedError):
        carrier.wallet()
