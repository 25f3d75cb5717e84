"""Top-ups of eSIMs by a reseller that takes every reference twice: sold at the counter, and the money exact whatever goes wrong.

Beside the shop's usual carrier, which does not know these serial numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from pos.app import create_app, make_carriers
from pos.domain.renewals import RenewalState
from pos.sandbox.airalo_sims import iccid
from pos.sandbox.records import Movement
from pos.sandbox.server import SandboxServer
from pos.services import plans
from tests.conftest import StandingClock, _close, _release, settings_in
from tests.services.shop import Shop

# What is tried here does not hang on the database.
pytestmark = pytest.mark.engines("sqlite")

TOP_UP = "thames-30days-3gb-topup"


@pytest.fixture
def app(folder: Path, sandbox: SandboxServer, clock: StandingClock) -> Iterator[Flask]:
    usual = settings_in(folder, sandbox.url)
    esims = {
        "protocol": "airalo",
        "base_url": f"{sandbox.url}/airalo/v2",
        "client_id": "demo",
        "client_secret": "demo-secret",
        "currency": "GBP",
        "countries": ["GB"],
        "deadline_seconds": 2.0,
    }
    settings = usual.model_copy(update={"carriers": {**usual.carriers, "esims": esims}})
    made = create_app(settings, clock=clock, given=make_carriers(settings))
    with made.app_context():
        assert plans.import_catalogue("LON", "esims", kit=made.extensions["simcounter"]) > 5
    yield made
    with made.app_context():
        _release(made)
    _close(made.extensions["simcounter"].carriers)


def debits(shop: Shop) -> list[Movement]:
    return shop.sandbox.carrier.vendors["airalo"].books.debits()


def sold(shop: Shop) -> str:
    desk = shop.desk()
    shop.open_shift(desk)
    ready = shop.ready(desk, iccid(1), TOP_UP)
    shop.take_cash(ready)
    shop.work()
    return ready.sale_id


def test_a_top_up_is_sold(shop: Shop) -> None:
    line = shop.line(sold(shop))
    (debit,) = debits(shop)
    assert (line.state, line.carrier, line.provider_ref) == (RenewalState.CONFIRMED, "esims", debit.order_id)
    assert (debit.number, debit.offering, debit.amount_minor) == (iccid(1), TOP_UP, line.cost_minor)


@pytest.mark.parametrize(
    ("fault", "end", "count"),
    [
        ("lost_after_commit", RenewalState.CONFIRMED, 1),
        ("done_later", RenewalState.CONFIRMED, 1),
        ("rate_limit", RenewalState.CONFIRMED, 1),
        ("pending_then_done", RenewalState.CONFIRMED, 1),
        ("pending_then_failed", RenewalState.REFUND_DUE, 0),
        ("refuse", RenewalState.REFUND_DUE, 0),
        ("lost_before_commit", RenewalState.MANUAL, 0),
        ("unknown_code", RenewalState.MANUAL, 0),
    ],
)
def test_whatever_goes_wrong_it_is_bought_once_or_not_at_all(shop: Shop, fault: str, end: RenewalState, count: int) -> None:
    shop.misbehave(fault)
    sale_id = sold(shop)
    shop.ask_until_it_is_known()
    assert shop.state(sale_id) is end
    assert len(debits(shop)) == count
    posts = shop.sandbox.carrier.vendors["airalo"].books.submits_by_ref
    assert set(posts.values()) == {2 if fault == "rate_limit" else 1}


@pytest.mark.parametrize("to_be_found", [["charged for"]])
def test_another_package_than_the_one_that_was_asked_is_the_managers(shop: Shop) -> None:
    shop.misbehave("wrong_offering")
    line = shop.line(sold(shop))
    assert (line.state, line.reason) == (RenewalState.MANUAL, "other_echo")
    assert len(debits(shop)) == 1
