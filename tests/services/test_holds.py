"""Hold before pay: refusals come while the money is still in the customer's pocket, and nothing that was set aside is lost.

The carrier here is the sandbox behind the real adapter, with a counter of its own that can set things aside; the sandbox's books
stay the judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from pos.domain.errors import CarrierRefusesPlan
from pos.domain.holds import HoldState
from pos.domain.renewals import RenewalState
from pos.domain.tills import Desk
from pos.ports import (
    Capability,
    Carrier,
    CarrierUnavailable,
    Declaration,
    Finding,
    FindState,
    Outcome,
    OutcomeState,
    Reason,
    Request,
)
from pos.services import holds, sales
from pos.store import holds as rows
from pos.store.db import reading
from tests.conftest import StandingClock
from tests.services.shop import SEVEN_DAYS, Shop

H, R = HoldState, RenewalState
HOUR = timedelta(hours=1)


class Holder:
    """The real adapter, and a shelf in front of it. ``says`` is what the next hold, confirm or void answers instead."""

    def __init__(self, inner: Carrier, clock: StandingClock) -> None:
        self._inner, self._clock = inner, clock
        self.shelf: dict[str, tuple[Request, datetime]] = {}
        self.done: dict[str, str] = {}
        self.calls: list[str] = []
        self.says: dict[str, Callable[[Callable[[], Outcome]], Outcome]] = {}
        self.unreachable: set[str] = set()
        self.over: set[str | None] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def declaration(self) -> Declaration:
        promised = self._inner.declaration()
        return replace(promised, capabilities=promised.capabilities | {Capability.HOLD}, enforces_unique_refs=False)

    def _answer(self, verb: str, act: Callable[[], Outcome]) -> Outcome:
        self.calls.append(verb)
        if verb in self.unreachable:
            return Outcome(OutcomeState.UNKNOWN, reason=Reason.NO_ANSWER)
        return self.says.pop(verb)(act) if verb in self.says else act()

    def hold(self, request: Request) -> Outcome:
        def act() -> Outcome:
            until = self._clock.now() + HOUR
            self.shelf[f"H-{request.ref}"] = (request, until)
            return Outcome(OutcomeState.HELD, provider_ref=f"H-{request.ref}", held_until=until)

        return self._answer("hold", act)

    def confirm(self, ref: str, provider_ref: str, number: str) -> Outcome:
        def act() -> Outcome:
            if provider_ref not in self.shelf or self.shelf[provider_ref][1] <= self._clock.now():
                return Outcome(OutcomeState.VOIDED, provider_ref=provider_ref)
            request, _ = self.shelf.pop(provider_ref)
            return self._inner.submit(request)

        return self._answer("confirm", act)

    def void(self, ref: str, provider_ref: str) -> Outcome:
        def act() -> Outcome:
            self.shelf.pop(provider_ref, None)
            return Outcome(OutcomeState.VOIDED, provider_ref=provider_ref)

        return self._answer("void", act)

    def find(self, ref: str, provider_ref: str | None, number: str, sent_at: datetime) -> Finding:
        if f"H-{ref}" in self.shelf:
            return Finding(FindState.FOUND, Outcome(OutcomeState.HELD, provider_ref=f"H-{ref}"))
        if provider_ref in self.over:
            return Finding(FindState.FOUND, Outcome(OutcomeState.VOIDED, provider_ref=provider_ref))
        return self._inner.find(ref, None, number, sent_at)


@pytest.fixture
def holder(shop: Shop) -> Holder:
    made = Holder(shop.kit.carriers["sandbox"], shop.clock)
    shop.kit.carriers["sandbox"] = made  # type: ignore[assignment]
    return made


def ready(shop: Shop, desk: Desk, number: str = "+447700900123") -> Any:
    found = shop.ready(desk, number)
    with shop.app.app_context():
        holds.choose_plan(found.sale_id, shop.plan_id(SEVEN_DAYS, desk), desk, kit=shop.kit)
        shown = sales.show(found.sale_id, desk, kit=shop.kit)
    assert shown.quote is not None
    return replace(found, quote=shown.quote)


def hold_states(shop: Shop) -> list[HoldState]:
    with shop.app.app_context(), reading() as session:
        return [hold.state for hold in session.query(rows.Hold).order_by(rows.Hold.asked_at)]


def release(shop: Shop) -> int:
    with shop.app.app_context():
        return holds.release(kit=shop.kit)


def test_what_is_held_is_confirmed_once_it_is_paid(shop: Shop, desk: Desk, holder: Holder) -> None:
    sale = ready(shop, desk)
    assert hold_states(shop) == [H.HELD]
    assert shop.debits == []
    shop.take_cash(sale)
    shop.work()
    assert shop.states(sale.sale_id) == [R.CONFIRMED]
    assert holder.calls == ["hold", "confirm"]
    assert hold_states(shop) == [H.USED]
    assert len(shop.debits) == 1


def test_a_refusal_comes_before_the_money_and_the_number_stays(shop: Shop, desk: Desk, holder: Holder) -> None:
    holder.says["hold"] = lambda _: Outcome(OutcomeState.FAILED, reason=Reason.INELIGIBLE_OR_BARRED, raw_code="barred")
    with pytest.raises(CarrierRefusesPlan) as refusal:
        ready(shop, desk)
    assert "barred" in str(refusal.value.values["why"])
    assert hold_states(shop) == [H.REFUSED]
    assert shop.debits == []


def test_an_empty_float_that_the_hold_finds_stops_selling(shop: Shop, desk: Desk, holder: Holder) -> None:
    holder.says["hold"] = lambda _: Outcome(OutcomeState.FAILED, reason=Reason.WALLET_EMPTY)
    with pytest.raises(CarrierRefusesPlan):
        ready(shop, desk)
    with shop.app.app_context(), reading() as session:
        from pos.store import standings

        assert standings.look_at(session, "sandbox").dry_since is not None  # type: ignore[union-attr]


@pytest.mark.parametrize("state", [OutcomeState.UNKNOWN, OutcomeState.NOT_SENT, OutcomeState.PENDING])
def test_without_an_answer_the_sale_goes_on_and_is_sent_like_any_other(
    shop: Shop, desk: Desk, holder: Holder, state: OutcomeState
) -> None:
    holder.says["hold"] = lambda _: Outcome(state)
    sale = ready(shop, desk)
    shop.take_cash(sale)
    shop.work()
    assert shop.states(sale.sale_id) == [R.CONFIRMED]
    assert holder.calls == ["hold"]
    assert len(shop.debits) == 1


def test_a_hold_whose_answer_got_lost_is_found_and_given_up(shop: Shop, desk: Desk, holder: Holder) -> None:
    def lost(act: Callable[[], Outcome]) -> Outcome:
        act()
        return Outcome(OutcomeState.UNKNOWN)

    holder.says["hold"] = lost
    sale = ready(shop, desk)
    assert hold_states(shop) == [H.LOST]
    assert len(holder.shelf) == 1
    assert release(shop) == 1
    assert holder.shelf == {}
    assert hold_states(shop) == [H.RELEASED]
    shop.take_cash(sale)
    shop.work()
    assert len(shop.debits) == 1


def test_a_hold_that_was_over_is_sent_anew_under_another_reference(shop: Shop, desk: Desk, holder: Holder) -> None:
    """The customer paid by card and the terminal took an hour: the hold has ended, and nothing is lost."""
    sale = ready(shop, desk)
    shop.take_cash(sale)
    holder.shelf.clear()
    shop.work()
    shop.work()
    assert shop.states(sale.sale_id) == [R.CONFIRMED]
    assert holder.calls == ["hold", "confirm"]
    assert len(shop.debits) == 1


def test_a_hold_near_its_end_is_not_counted_on(shop: Shop, desk: Desk, holder: Holder) -> None:
    holder.says["hold"] = lambda act: replace(act(), held_until=shop.clock.now() + timedelta(seconds=30))
    sale = ready(shop, desk)
    shop.take_cash(sale)
    shop.work()
    assert shop.states(sale.sale_id) == [R.CONFIRMED]
    assert "confirm" not in holder.calls
    assert release(shop) == 1, "what was held beside it is given up"
    assert hold_states(shop) == [H.RELEASED]
    assert len(shop.debits) == 1


def test_a_confirmation_that_got_lost_on_its_way_is_said_again(shop: Shop, desk: Desk, holder: Holder) -> None:
    sale = ready(shop, desk)
    holder.says["confirm"] = lambda _: Outcome(OutcomeState.UNKNOWN, reason=Reason.NO_ANSWER)
    shop.take_cash(sale)
    shop.work()
    assert shop.states(sale.sale_id) == [R.UNKNOWN]
    shop.pass_time(6)
    shop.work()
    assert shop.states(sale.sale_id) == [R.CONFIRMED]
    assert holder.calls == ["hold", "confirm", "confirm"]
    assert len(shop.debits) == 1


def test_a_confirmation_that_never_arrives_is_not_said_for_ever(shop: Shop, desk: Desk, holder: Holder) -> None:
    """The carrier still has it and takes no confirmation: asked ever more slowly until the hold is over, and then sent anew."""
    sale = ready(shop, desk)
    holder.unreachable = {"confirm"}
    shop.take_cash(sale)
    for _ in range(8):
        shop.work()
        shop.pass_time(max(shop.due_in() or 0, 1))
    assert shop.states(sale.sale_id) == [R.UNKNOWN]
    assert holder.calls.count("confirm") == 5
    shop.pass_time(3600)
    holder.over, holder.unreachable = set(holder.shelf), set()
    holder.shelf.clear()
    shop.ask_until_it_is_known()
    assert shop.states(sale.sale_id) == [R.CONFIRMED]
    assert holder.calls.count("confirm") == 5
    assert len(shop.debits) == 1


def test_a_confirmation_whose_answer_got_lost_is_looked_up_and_not_said_again(shop: Shop, desk: Desk, holder: Holder) -> None:
    def lost(act: Callable[[], Outcome]) -> Outcome:
        act()
        return Outcome(OutcomeState.UNKNOWN, reason=Reason.NO_ANSWER)

    sale = ready(shop, desk)
    holder.says["confirm"] = lost
    shop.take_cash(sale)
    shop.work()
    shop.pass_time(6)
    shop.work()
    assert shop.states(sale.sale_id) == [R.CONFIRMED]
    assert holder.calls == ["hold", "confirm"]
    assert len(shop.debits) == 1


def test_a_sale_that_is_given_up_gives_up_its_hold(shop: Shop, desk: Desk, holder: Holder) -> None:
    sale = ready(shop, desk)
    with shop.app.app_context():
        sales.void(sale.sale_id, desk, kit=shop.kit)
    assert release(shop) == 1
    assert holder.shelf == {}
    assert hold_states(shop) == [H.RELEASED]
    assert release(shop) == 0, "it is over"


def test_another_plan_gives_up_the_first_hold_and_asks_anew(shop: Shop, desk: Desk, holder: Holder) -> None:
    sale = ready(shop, desk)
    shop.pass_time(1)
    with shop.app.app_context():
        holds.choose_plan(sale.sale_id, shop.plan_id("lyca-data-gb-30d-10g", desk), desk, kit=shop.kit)
    assert hold_states(shop) == [H.HELD, H.HELD]
    assert release(shop) == 1
    assert hold_states(shop) == [H.RELEASED, H.HELD]
    assert len(holder.shelf) == 1


def test_a_customer_who_walks_away_leaves_nothing_set_aside(shop: Shop, desk: Desk, holder: Holder) -> None:
    ready(shop, desk)
    assert release(shop) == 0
    shop.pass_time(16 * 60)
    assert release(shop) == 1
    assert holder.shelf == {}


def test_giving_up_is_tried_again_until_the_carrier_agrees(shop: Shop, desk: Desk, holder: Holder) -> None:
    sale = ready(shop, desk)
    with shop.app.app_context():
        sales.void(sale.sale_id, desk, kit=shop.kit)
    holder.says["void"] = lambda _: Outcome(OutcomeState.UNKNOWN)
    release(shop)
    assert hold_states(shop) == [H.GIVEN_UP]
    assert release(shop) == 0, "not yet due"
    shop.pass_time(16)
    assert release(shop) == 1
    assert hold_states(shop) == [H.RELEASED]


def test_a_power_cut_while_asking_leaves_a_hold_that_is_found(shop: Shop, desk: Desk, holder: Holder) -> None:
    def cut(act: Callable[[], Outcome]) -> Outcome:
        act()
        raise KeyboardInterrupt

    holder.says["hold"] = cut
    with pytest.raises(KeyboardInterrupt):
        ready(shop, desk)
    assert hold_states(shop) == [H.ASKED]
    assert release(shop) == 0, "somebody may still be listening"
    shop.pass_time(181)
    assert release(shop) == 1
    assert holder.shelf == {}
    assert hold_states(shop) == [H.RELEASED]


class Asker(Holder):
    """Cannot hold, but says whether it would."""

    would: Reason | None = None
    is_down = False

    def declaration(self) -> Declaration:
        promised = self._inner.declaration()
        return replace(promised, capabilities=promised.capabilities | {Capability.VALIDATE})

    def validate(self, request: Request) -> Reason | None:
        self.calls.append("validate")
        if self.is_down:
            raise CarrierUnavailable("down")
        return self.would


@pytest.fixture
def asker(shop: Shop) -> Asker:
    made = Asker(shop.kit.carriers["sandbox"], shop.clock)
    shop.kit.carriers["sandbox"] = made  # type: ignore[assignment]
    return made


def test_a_carrier_that_cannot_hold_is_asked_whether_it_would(shop: Shop, desk: Desk, asker: Asker) -> None:
    asker.would = Reason.LIMIT_REACHED
    with pytest.raises(CarrierRefusesPlan):
        ready(shop, desk)
    assert asker.calls == ["validate"]
    assert hold_states(shop) == []


@pytest.mark.parametrize("is_down", [True, False])
def test_a_yes_or_no_answer_at_all_stops_nobody(shop: Shop, desk: Desk, asker: Asker, is_down: bool) -> None:
    asker.is_down = is_down
    sale = ready(shop, desk)
    shop.take_cash(sale)
    shop.work()
    assert shop.states(sale.sale_id) == [R.CONFIRMED]
    assert len(shop.debits) == 1


def test_seals_hold_over_an_upgrade_that_adds_a_column(app: Flask) -> None:
    from pos.store import witness

    old = witness.digest("attempts", {"id": 1, "ref": "SC-1"})
    assert witness.digest("attempts", {"id": 1, "ref": "SC-1", "held_as": None}) == old
    assert witness.digest("attempts", {"id": 1, "ref": "SC-1", "held_as": "H-1"}) != old
