"""Who holds a lease asks alone; when it has ended, another may."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pos.domain.tills import Desk
from pos.services import renewals
from pos.store import renewals as rows
from pos.store.db import transaction
from tests.services.shop import Shop


@pytest.fixture
def asked_about(shop: Shop) -> str:
    """A renewal that the carrier is still working on, due to be asked about."""
    desk: Desk = shop.desk()
    shop.open_shift(desk)
    shop.misbehave("pending_then_done", seconds=20)
    ready = shop.ready(desk)
    shop.take_cash(ready)
    shop.work()
    shop.pass_time(6)
    return ready.sale_id


def test_what_one_worker_asks_about_is_left_alone_by_another(shop: Shop, asked_about: str) -> None:
    task = shop.take_next("one#1")
    with shop.app.app_context():
        assert renewals.take_next("two#1", kit=shop.kit) is None
    assert task.renewal_id == shop.line(asked_about).id


def test_a_lease_is_given_once_until_it_ends(shop: Shop, asked_about: str) -> None:
    now, end = shop.clock.now(), shop.clock.now() + timedelta(seconds=30)
    found = []
    for moment in (now, now, end + timedelta(seconds=1)):
        with shop.app.app_context(), transaction() as session:
            row = rows.claim_due(session, moment, "one#1", end)
            found.append((row.id, row.fence) if row is not None else None)
    line = shop.line(asked_about)
    assert found == [(line.id, line.fence - 1), None, (line.id, line.fence)]
