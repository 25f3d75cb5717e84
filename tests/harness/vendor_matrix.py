"""The carrier behaviours F1 to F24 at every reseller the shop can be signed up with, with the vendor's own books as the judge;
beside them what only these carriers do: holds before the payment, references that can be paid twice, and hands that die.

The cases of the fault matrix are played as they stand. ``CANNOT`` names those that a vendor cannot have, and why; where its
case ends otherwise there is one of its own below."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pos.domain.errors import CarrierRefusesPlan
from pos.domain.holds import OPEN_HOLDS, HoldState
from pos.domain.payments import CardSlip
from pos.ports import Outcome, OutcomeState, Reason
from pos.sandbox.records import FAILED
from pos.services import holds, notifications, payments, renewals, sales
from tests.harness import fault_matrix as f
from tests.harness.fault_matrix import DONE, HELD, OWED, sent_again_or_held
from tests.harness.fault_round import LIAR, NOT_ATOMIC, End, R, Wrong
from tests.harness.floor import furnish
from tests.harness.result import Result, Say
from tests.harness.vendor_floor import VendorFloor, VendorProfile, VendorRound, open_vendor_floor
from tests.services.shop import Ready, findings

SIZES = {"commit": 1, "tenth": 3, "full": 30}  # seeds for each case and profile

# DT One as its screens sell it, with a hold; and as it is sold when the vendor was silent at the quote.
DTONE = VendorProfile("dtone", resends=True)
DTONE_UNHELD = VendorProfile("dtone-unheld", True, asks_ahead=False)
# Where its holds have to be given up, because none ends by itself.
DTONE_KEEPS = VendorProfile("dtone-keeps", True, switches={"auto_cancel": False})
# Where its answers are as short as they may be: 202 without a body, 404 for an unknown reference, one code for two ends.
DTONE_TERSE = VendorProfile(
    "dtone-terse", True, switches={"quiet_202": True, "unknown_is_404": True, "confirm_of_cancelled": 1007004}
)
# A used reference is paid again at the first, and at the second for as long as nobody sees the first request.
DING = VendorProfile("ding", resends=False)
RELOADLY = VendorProfile("reloadly", resends=False)
AIRALO = VendorProfile("airalo", resends=False)
# Their guards at their best: nothing may hang on it.
DING_GUARDED = VendorProfile("ding-guarded", False, switches={"unique": True})
RELOADLY_ATOMIC = VendorProfile("reloadly-atomic", False, switches={"atomic": True})

HOLDING = (DTONE, DTONE_KEEPS, DTONE_TERSE)
TWINS = (DING, RELOADLY, AIRALO)
PROFILES = (DTONE, DTONE_UNHELD, *TWINS)
EVERYBODY = (*HOLDING, DTONE_UNHELD, DING, DING_GUARDED, RELOADLY, RELOADLY_ATOMIC, AIRALO)

Play = Callable[[VendorRound], End | None]

_SEEN = "what is held can be seen from the beginning, and what is refused at its confirmation is sent anew (cases below)"
_NO_CALLS = "this vendor never calls"
_NO_TOKEN = "HTTP Basic has no token"
_AHEAD = "asked ahead it says so before any money (cases below)"
_EXECUTES = "it knows no 'reference exists': a second order under a reference is executed"
_REMEMBERS = "some of what it refuses stays in its books, as refused (case below)"

CANNOT: dict[str, dict[Callable[..., End], str]] = {
    "dtone": {
        f.is_refused: _SEEN,
        f.is_refused_and_paid_back: _SEEN,
        f.is_refused_and_replaced: _SEEN,
        f.calls_with_a_lie_about_a_refusal: _SEEN,
        f.is_refused_when_sent_again: _SEEN,
        f.is_always_refused_when_sent_again: _SEEN,
        f.forgets_our_token: _NO_TOKEN,
        f.has_no_float: _AHEAD,
        f.has_no_float_for_the_next: _AHEAD,
        f.knows_the_reference_with_another_body: "the reference is the hold's already",
    },
    "dtone-unheld": {f.forgets_our_token: _NO_TOKEN, f.is_always_refused_when_sent_again: _REMEMBERS},
    "ding": {
        f.has_no_float: _AHEAD,
        f.has_no_float_for_the_next: _AHEAD,
        f.knows_the_reference_with_another_body: _EXECUTES,
    }
    | {case.play: _NO_CALLS for case in f.CASES if case.where == "webhook"},
    "reloadly": {},
    "airalo": {f.knows_the_reference_with_another_body: _EXECUTES},
}


def _can(case: f.Case, profile: VendorProfile) -> bool:
    """Whether the matrix plays this case with this kind of carrier: one that may be sent an order twice, or one that may not."""
    kinds = {kind.name for kind in case.profiles if kind is not LIAR}
    alike = "enforced" if profile.resends else NOT_ATOMIC.name
    return alike in kinds and case.play not in CANNOT[profile.name]


@dataclass(frozen=True)
class Case:
    """``fault`` as section 7 numbers it, or hold, twins, killed."""

    fault: str
    where: str
    play: Play
    profiles: tuple[VendorProfile, ...]

    @property
    def name(self) -> str:
        return f"{self.fault}-{self.where}-{self.play.__name__}"


# ---------------------------------------------------------------- F2, F3, F21 where a vendor differs


def is_always_refused_when_sent_again(r: VendorRound) -> End:
    """F3: the reference decides. A refusal that stands in the vendor's books under it is final; any other is none."""
    f.is_always_refused_when_sent_again(r)
    kept = {taken.state for taken in r.floor.books.transactions(r.floor.attempts(r.sale_id)[0].ref)}
    r.expect(kept <= {FAILED}, f"{kept} in its books")
    return OWED if kept else HELD


def has_no_float_at_the_quote(r: VendorRound) -> End:
    """F21, and the customer keeps his money; the tills are warned until the float is filled."""
    r.floor.books.set_wallet("GBP", r.random.randint(0, 100))
    refused(r)
    r.expect(r.alarms() == ["dry"], f"the tills are warned of {r.alarms()}")
    r.floor.books.set_wallet("GBP", 1_000_000)
    r.keep_house()
    r.expect(r.alarms() == [], f"the tills are warned of {r.alarms()} still")
    r.pay()
    r.work()
    return DONE


def loses_its_float_after_the_quote(r: VendorRound) -> End:
    """F21 between question and payment: what was set aside is there; what was not is refused as ours."""
    r.pay()
    r.floor.books.set_wallet("GBP", r.random.randint(0, 100))
    r.work()
    if r.profile in HOLDING:
        return DONE
    r.must(R.REFUND_DUE)
    r.expect(r.floor.line(r.sale_id).reason == "wallet_empty", "the float is not named")
    r.expect(r.alarms() == ["dry"], f"the tills are warned of {r.alarms()}")
    return OWED


# ---------------------------------------------------------------- F17 where a vendor signs


def calls_with_a_forged_signature(r: VendorRound) -> End:
    """Signed with another secret: nobody is asked earlier, and it stands among the orphans."""
    r.hit(["pending_then_done"], seconds=4)
    r.pay()
    r.work()
    r.must(R.PENDING)
    r.floor.pass_time(4.5)
    body = r.call("completed")
    genuine = r.headers(body)
    forged = {name: value if name == "Content-Type" else value[::-1] for name, value in genuine.items()}
    with r.floor.app.app_context():
        notifications.receive(r.floor.carrier_name, forged, body, kit=r.floor.kit)
    r.work()
    r.must(R.PENDING)
    r.expect(r.floor.ask("select count(*) from notifications where renewal_id is null") == [(1,)], "it was believed")
    r.hear(r.call("completed", number=2))
    r.work()
    return DONE


# ---------------------------------------------------------------- holds


def is_held_and_confirmed(r: VendorRound) -> End:
    r.pay()
    cost = r.floor.line(r.sale_id).cost_minor
    r.expect(r.floor.books.holding() == {"GBP": cost}, f"{r.floor.books.holding()} is set aside, not {cost}")
    r.expect(r.floor.books.debits() == [], "paid at the quote")
    r.work()
    r.must(R.CONFIRMED)
    r.expect(_holds(r) == [HoldState.USED], f"the hold is {_holds(r)}")
    return DONE


def is_refused_at_the_quote(r: VendorRound) -> End:
    """F2 before any money; then another attempt goes well."""
    r.hit(r.refusals)
    refused(r)
    r.expect(_holds(r) == [HoldState.REFUSED], f"the hold is {_holds(r)}")
    r.pay()
    r.work()
    return DONE


def is_refused_at_the_confirmation(r: VendorRound) -> End:
    """What cannot be confirmed is given up and asked for anew, under another reference."""
    r.hit(r.refusals)
    r.pay()
    r.work()
    r.see_it_out()
    r.expect(len(r.floor.attempts(r.sale_id)) == 2, "not sent anew")
    return DONE


def is_always_refused_after_the_quote(r: VendorRound) -> End:
    """Neither confirmed nor given up nor sold: the hold's end is waited for, and then the refusal is final."""
    r.pay()
    r.hit(["refuse"], count=None)
    r.work()
    r.must(R.UNKNOWN)
    r.see_it_out()
    return OWED


def ends_before_the_money(r: VendorRound) -> End:
    """The terminal took more than an hour."""
    ready = r.floor.ready(r.desk, r.number(), r.plan())
    r.sale_id = ready.sale_id
    with r.floor.app.app_context():
        payments.begin_card(ready.sale_id, ready.quote, r.desk, kit=r.floor.kit)
    r.floor.pass_time(r.random.uniform(3560, 9000))
    r.keep_house()
    with r.floor.app.app_context():
        slip = CardSlip("VISA", "4242", f"A{ready.sale_id[:5]}", ready.sale_id[:8])
        payments.take_card(ready.sale_id, slip, r.desk, kit=r.floor.kit)
    r.work()
    r.must(R.CONFIRMED)
    return DONE


def ends_between_payment_and_worker(r: VendorRound) -> End:
    """So near its end it is not counted on: no second reference is needed."""
    r.pay()
    r.floor.pass_time(r.random.uniform(3545, 9000))
    r.work()
    r.must(R.CONFIRMED)
    r.expect(len(r.floor.attempts(r.sale_id)) == 1, "what was over was confirmed")
    return DONE


def ends_by_the_vendors_clock(r: VendorRound) -> End:
    """Its clock is ahead of ours: the confirmation comes too late, and nobody could know."""
    r.pay()
    r.floor.sandbox.carrier.clock.offset = timedelta(seconds=3700)
    r.work()
    r.see_it_out()
    r.expect(len(r.floor.attempts(r.sale_id)) == 2, "not sent anew")
    return DONE


def ends_during_silence(r: VendorRound) -> End:
    """The confirmation never arrived and nobody could be asked until the hold was over."""
    r.hit(["lost_before_commit", "error_500", "html_502_before"])
    r.pay()
    r.work()
    r.must(R.UNKNOWN)
    r.floor.misbehave("error_500", "find", None)
    for _ in range(3):
        r.wait(1500, 3000)
        r.must(R.UNKNOWN)
    r.floor.sandbox.carrier.faults.clear()
    r.see_it_out()
    return DONE


def is_confirmed_in_silence(r: VendorRound) -> End:
    """Delivered, and nobody could be asked until the hold would have been over: it is not sold again."""
    r.hit(["lost_after_commit", "error_500_after", "html_502"])
    r.pay()
    r.work()
    r.must(R.UNKNOWN)
    r.floor.misbehave("error_500", "find", None)
    for _ in range(3):
        r.wait(1500, 3000)
        r.must(R.UNKNOWN)
    r.floor.sandbox.carrier.faults.clear()
    r.see_it_out()
    r.expect(len(r.floor.attempts(r.sale_id)) == 1, "sold again")
    return DONE


def loses_the_answer_to_the_hold(r: VendorRound) -> End:
    """Held or not, nobody heard: it is sold like any other, and whatever was set aside is found and given up."""
    r.hit(["lost_after_commit", "lost_before_commit", "error_500", "error_500_after", "html_502", *f.UNREADABLE])
    ready = r.floor.quoted(r.desk, r.number(), r.plan())
    r.sale_id = ready.sale_id
    r.expect(_holds(r) == [HoldState.LOST], f"the hold is {_holds(r)}")
    if r.random.random() < 0.5:
        r.floor.release_holds()
    r.floor.take_cash(ready)
    r.work()
    r.must(R.CONFIRMED)
    return DONE


def loses_the_confirmation(r: VendorRound) -> End:
    """It is said again; what is held can be delivered once and no more."""
    r.hit(["lost_before_commit"], count=r.random.randint(1, 3))
    r.pay()
    r.work()
    r.must(R.UNKNOWN)
    r.see_it_out()
    attempts = r.floor.attempts(r.sale_id)
    r.expect(len(attempts) == 1 and attempts[0].tries > 1, "not said again under its own reference")
    return DONE


def loses_the_answer_to_the_confirmation(r: VendorRound) -> End:
    r.hit(["lost_after_commit", "cut_answer", *f.UNREADABLE])
    r.pay()
    r.work()
    r.see_it_out()
    r.expect(r.floor.attempts(r.sale_id)[0].tries == 1, "confirmed twice")
    return DONE


def is_voided(r: VendorRound) -> None:
    """The customer changes his mind; the answers to giving up get lost, some of them."""
    ready = r.floor.ready(r.desk, r.number(), r.plan())
    with r.floor.app.app_context():
        sales.void(ready.sale_id, r.desk, kit=r.floor.kit)
    if r.random.random() < 0.8:
        lost = ["lost_after_commit", "lost_before_commit", "error_500", "error_500_after", "rate_limit", "forbidden"]
        r.hit(lost, count=r.random.randint(1, 3))
    _nothing_is_left(r)


def is_left_standing(r: VendorRound) -> None:
    """The customer walks away: the quote is over, and so is the hold."""
    r.floor.ready(r.desk, r.number(), r.plan())
    r.expect(r.floor.release_holds() == 0, "given up while the customer may still pay")
    r.floor.pass_time(r.random.uniform(901, 1200))
    _nothing_is_left(r)


def is_held_for_another_plan_first(r: VendorRound) -> End:
    number = r.number()
    ready = r.floor.ready(r.desk, number, r.plan())
    r.sale_id = ready.sale_id
    with r.floor.app.app_context():
        for _ in range(r.random.randint(1, 3)):
            holds.choose_plan(ready.sale_id, r.floor.plan_id(r.plan(), r.desk), r.desk, kit=r.floor.kit)
        shown = sales.show(ready.sale_id, r.desk, kit=r.floor.kit)
    r.expect(shown.quote is not None and shown.total is not None, "nothing to pay")
    r.floor.take_cash(Ready(ready.sale_id, shown.quote or "", shown.total or ready.price, r.desk))
    if r.random.random() < 0.5:
        r.floor.release_holds()
    r.work()
    r.must(R.CONFIRMED)
    r.expect(len(r.floor.attempts(r.sale_id)) == 1, "the hold was not used")
    return DONE


def refused(r: VendorRound) -> None:
    """The carrier refuses before any money."""
    try:
        r.floor.quoted(r.desk, r.number(), r.plan())
    except CarrierRefusesPlan:
        r.expect(r.floor.ask("select count(*) from payments") == [(0,)], "a payment was written all the same")
        return
    raise Wrong("it was not refused before the money")


def _holds(r: VendorRound) -> list[HoldState]:
    return [HoldState(state) for (state,) in r.floor.ask("select state from holds order by asked_at")]


def _nothing_is_left(r: VendorRound) -> None:
    """No money moved, nothing is set aside, every hold has ended, and the books agree."""
    before = r.floor.books.wallets()["GBP"] + r.floor.books.holding()["GBP"]
    r.keep_house_until_nothing_is_held()
    for _ in range(10):
        r.floor.release_holds()
        r.floor.pass_time(61)
    r.expect(not OPEN_HOLDS & set(_holds(r)), f"the holds are {_holds(r)}")
    r.expect(r.floor.books.movements() == [], "the vendor was paid")
    r.expect(r.floor.books.wallets() == {"GBP": before}, "the vendor's wallet is not what it was")
    r.expect(r.floor.ask("select count(*) from ledger_transfers where sale_id is not null") == [(0,)], "our accounts moved")
    r.expect(findings(r.floor.app) == [], f"verify says {findings(r.floor.app)}")


# ---------------------------------------------------------------- twins, and hands that die


def is_taken_by_many_hands(r: VendorRound) -> End:
    """Workers of several processes see the same order at the same moment, again and again; answers get lost."""
    if r.random.random() < 0.7:
        r.hit(["lost_after_commit", "cut_answer", "error_500_after", "pending_then_done"])
    r.pay()
    for _ in range(20):
        _many_hands(r)
        due = r.floor.due_in()
        if due is None:
            break
        r.floor.pass_time(due + 0.001)
    r.see_it_out()
    r.expect(max(r.floor.submits) == 1, "sent by two hands")
    return DONE


def _many_hands(r: VendorRound) -> None:
    hands, faults = r.random.randint(2, 6), list[BaseException]()
    start = threading.Barrier(hands)

    def work(owner: str) -> None:
        try:
            start.wait(20)
            r.floor.work(owner)
        except BaseException as fault:  # noqa: BLE001 - told by the thread that waits
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(f"hand#{number}",)) for number in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if faults:
        raise faults[0]


def dies_before_it_sends(r: VendorRound) -> End:
    """Written down and never sent: where twins are paid twice it is not sent again, however sure the vendor is."""
    r.pay()
    r.floor.take_next("dead#1")
    _another_takes_over(r)
    return sent_again_or_held(r)


def dies_before_it_writes(r: VendorRound) -> End:
    r.pay()
    task = r.floor.take_next("dead#1")
    r.send(task)
    _another_takes_over(r)
    r.expect(r.floor.attempts(r.sale_id)[0].tries == 1, "sent again although it was done")
    return DONE


def wakes_up_late(r: VendorRound) -> End:
    """A hand that was asleep sends after another one has begun to ask; nobody believes its answer."""
    r.pay()
    task = r.floor.take_next("slow#1")
    r.floor.pass_time(18)
    r.keep_house()
    r.must(R.UNKNOWN)
    if r.random.random() < 0.5 and not r.profile.resends:
        r.work()
        r.must(R.UNKNOWN)
    outcome = r.send(task)
    with r.floor.app.app_context():
        renewals.write_outcome(task, outcome, kit=r.floor.kit)
    r.must(R.UNKNOWN)
    r.see_it_out()
    return DONE


def is_overtaken(r: VendorRound) -> End:
    """The slow hand brings a refusal while another one is sending the same order again: the fence stops it."""
    r.pay()
    slow = r.floor.take_next("slow#1")
    r.floor.pass_time(18)
    with r.floor.app.app_context():
        renewals.recover("nobody", kit=r.floor.kit)
        renewals.work_once("quick#1", kit=r.floor.kit)
    quick = r.floor.take_next("quick#1")
    r.expect(quick.request is not None and quick.ref == slow.ref, "it is not sent again under its own reference")
    with r.floor.app.app_context():
        renewals.write_outcome(slow, Outcome(OutcomeState.FAILED, reason=Reason.OPERATOR_DOWN), kit=r.floor.kit)
    r.must(R.SUBMITTING)
    outcome = r.send(quick)
    with r.floor.app.app_context():
        renewals.write_outcome(quick, outcome, kit=r.floor.kit)
    return DONE


def _another_takes_over(r: VendorRound) -> None:
    r.floor.pass_time(r.random.uniform(18, 600))
    r.keep_house()
    r.must(R.UNKNOWN, R.CONFIRMED)  # the statement may have told already
    r.see_it_out()


def does_it_later_and_many_look(r: VendorRound) -> End:
    """The twin of life: no answer, nothing to be seen, and the request still under way; whoever sent it again would pay twice."""
    r.hit(["done_later"], seconds=r.random.uniform(10, r.profile.settle_seconds))
    r.pay()
    r.work()
    r.must(R.UNKNOWN)
    for _ in range(8):
        _many_hands(r)
        r.floor.pass_time((r.floor.due_in() or 0) + 0.001)
    r.see_it_out()
    r.expect(max(r.floor.submits) == 1, "sent again while the first request was under way")
    return DONE


# ---------------------------------------------------------------- the table

OWN: tuple[Case, ...] = (
    Case("F3", "status", is_always_refused_when_sent_again, (DTONE_UNHELD,)),
    Case("F21", "quote", has_no_float_at_the_quote, (DTONE, DING)),
    Case("F21", "submit", loses_its_float_after_the_quote, (DTONE, DTONE_UNHELD, *TWINS)),
    Case("F17", "webhook", calls_with_a_forged_signature, (RELOADLY, AIRALO)),
    Case("hold", "quote", is_held_and_confirmed, HOLDING),
    Case("hold", "quote", is_refused_at_the_quote, HOLDING),
    Case("hold", "quote", loses_the_answer_to_the_hold, HOLDING),
    Case("hold", "quote", is_held_for_another_plan_first, HOLDING),
    Case("hold", "quote", is_voided, HOLDING),
    Case("hold", "quote", is_left_standing, HOLDING),
    Case("hold", "submit", is_refused_at_the_confirmation, HOLDING),
    Case("hold", "submit", is_always_refused_after_the_quote, (DTONE,)),
    Case("hold", "submit", ends_before_the_money, HOLDING),
    Case("hold", "submit", ends_between_payment_and_worker, HOLDING),
    Case("hold", "submit", ends_by_the_vendors_clock, HOLDING),
    Case("hold", "status", ends_during_silence, HOLDING),
    Case("hold", "status", is_confirmed_in_silence, HOLDING),
    Case("hold", "submit", loses_the_confirmation, HOLDING),
    Case("hold", "submit", loses_the_answer_to_the_confirmation, HOLDING),
    Case("twins", "submit", is_taken_by_many_hands, EVERYBODY),
    Case("twins", "status", does_it_later_and_many_look, (DING, DING_GUARDED, RELOADLY, RELOADLY_ATOMIC, AIRALO)),
    Case("killed", "submit", dies_before_it_sends, EVERYBODY),
    Case("killed", "submit", dies_before_it_writes, EVERYBODY),
    Case("killed", "submit", wakes_up_late, EVERYBODY),
    Case("killed", "submit", is_overtaken, (*HOLDING, DTONE_UNHELD)),
)


def _of_the_matrix() -> tuple[Case, ...]:
    found = [Case(c.fault, c.where, c.play, tuple(p for p in PROFILES if _can(c, p))) for c in f.CASES]
    return tuple(case for case in found if case.profiles)


CASES: tuple[Case, ...] = (*_of_the_matrix(), *OWN)


def play(case: Case, profile: VendorProfile, seed: int, floor: VendorFloor) -> None:
    """One case at one vendor. Raises Wrong, or what the shop itself raised."""
    game = VendorRound(floor, profile, seed)
    end = case.play(game)
    floor.sandbox.carrier.faults.clear()
    game.keep_house_until_nothing_is_held()
    if end is not None:
        game.judge(end)


def run(rounds: int, seed: int, say: Say) -> Result:
    """Every case at every vendor that can have it, ``rounds`` seeds each."""
    result = Result(
        "vendor_matrix", "the end named in section 7 at every reseller, nothing paid twice or left aside", seed, rounds
    )
    result.counts = dict.fromkeys(("cases played", "ended right", "impossible"), 0)
    result.counts["impossible"] = sum(len(reasons) for reasons in CANNOT.values())
    with tempfile.TemporaryDirectory() as folder:
        template = furnish(Path(folder) / "template")
        with open_vendor_floor(Path(folder) / "floor", template, sockets=True, settings=f.SETTINGS) as floor:
            for case in CASES:
                for profile in case.profiles:
                    for number in range(seed, seed + rounds):
                        _note(result, case, profile, number, floor)
                say(f"{case.name}: {', '.join(profile.name for profile in case.profiles)}")
    return result


def _note(result: Result, case: Case, profile: VendorProfile, seed: int, floor: VendorFloor) -> None:
    result.count("cases played")
    try:
        play(case, profile, seed, floor)
    except Exception as fault:  # noqa: BLE001 - the proof goes on and names every one of them
        result.failures.append(f"{case.name} [{profile.name}] --seed {seed}: {type(fault).__name__}: {fault}")
        return
    result.count("ended right")
