"""A clerk at a machine that may die at any press: switches it on again, presses the same button again, and answers what the
program asks about paper and terminals."""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass, field
from uuid import uuid4

from pos.sandbox.faults import Fault
from pos.sandbox.printer import VirtualPrinter
from pos.sandbox.server import SandboxServer
from tests.harness.machine import Browser, Gone, Machine, NotDone, wait_until

MOST_PRESSES = 6
# How long nothing may move before the clerk looks at the clock: the worker waits for its next time.
_STILL_SECONDS = 0.25
_DRAIN_SECONDS = 90.0
_STEP_SECONDS = 2.5

# What the carrier does to an order that must still end well, with nobody's help but time.
MOODS = ("lost_after_commit", "lost_before_commit", "error_500", "error_500_after", "broken_json", "html_502", "rate_limit")
# The share of orders that meet one.
MOODY = 0.3

_STATE = "select state from renewals where sale_id = ? and state <> 'voided'"


class Refused(AssertionError):
    """The button that must give the same answer gave another one."""


@dataclass
class Visit:
    """One customer: who, what, and how it is paid. ``on_list`` answers whether the terminal's own list shows the card."""

    number: str
    tender: str
    mood: str | None
    on_list: bool = True
    sale_id: str = field(default_factory=lambda: str(uuid4()))
    voided: bool = False

    @property
    def path(self) -> str:
        return f"/sales/{self.sale_id}"


class Clerk:
    """``kills`` counts how often the machine died under the clerk's hands."""

    def __init__(self, machine: Machine, sandbox: SandboxServer, printer: VirtualPrinter) -> None:
        self.machine, self.sandbox, self.printer = machine, sandbox, printer
        self.browser = Browser(machine)
        self.chance = random.Random()
        self.kills = 0

    # ---------------------------------------------------------------- pressing

    def rise(self) -> None:
        """The screen is frozen: it is dead, so it is switched on again."""
        if not self.machine.dies():
            raise NotDone(f"no answer from a server that lives: {self.machine.complaints()[-1500:]}")
        self.machine.pull_the_plug()
        self.kills += 1 + self.machine.power_on()

    def press(self, path: str, **fields: str) -> str:
        """The same button until it is answered."""
        for _ in range(MOST_PRESSES):
            try:
                page = self.browser.post(path, **fields)
            except Gone:
                self.rise()
                continue
            if self.browser.status >= 400:
                raise Refused(f"{path} {fields} was answered with {self.browser.status}: {self.browser.plain[:700]}")
            return page
        raise NotDone(f"{path} is never answered")

    def look(self, path: str) -> str:
        for _ in range(MOST_PRESSES):
            try:
                return self.browser.get(path)
            except Gone:
                self.rise()
        raise NotDone(f"{path} is never shown")

    # ---------------------------------------------------------------- a sale

    def serve(self, visit: Visit) -> None:
        """From the number to the money."""
        self.press(f"{visit.path}/number", entry=visit.number)
        document = {"document_type": "passport", "document_country": "GB", "document_number": "533380006"}
        self.press(f"{visit.path}/document", **document, expires_on="2031-05-01", matches_person="1")
        self.look(f"{visit.path}/plans")
        # A clerk gives back up to fifty pounds by himself; dearer plans would need a manager.
        small = {str(plan) for (plan,) in self.machine.rows("select id from plans where price_minor <= 5000")}
        shown = re.findall(r'name="plan_id" value="(\d+)"', self.browser.page)
        self.press(f"{visit.path}/plan", plan_id=self.chance.choice([plan for plan in shown if plan in small]))
        if visit.mood is not None:
            self.sandbox.carrier.faults.add(Fault(visit.mood, count=1, number=_plain(visit.number)))
        if visit.tender == "cash":
            self._cash(visit)
        else:
            self._card(visit)

    def _cash(self, visit: Visit) -> None:
        self.look(f"{visit.path}/cash")
        ((total,),) = self.machine.rows("select total_minor from sales where id = ?", visit.sale_id)
        tendered = total + self.chance.choice((0, 100, 500))
        self.press(f"{visit.path}/cash", quote=self.browser.hidden("quote"), tendered=f"{tendered / 100:.2f}")

    def _card(self, visit: Visit) -> None:
        self.look(visit.path)
        lives = self.machine.lives
        self.press(f"{visit.path}/card", quote=self.browser.hidden("quote"))
        if self.machine.lives > lives and self.chance.random() < 0.5:
            self._ask_the_terminal(visit)
        if not visit.voided:
            self.press(f"{visit.path}/card/slip", **self._slip(visit))

    def _ask_the_terminal(self, visit: Visit) -> None:
        """After two minutes without a result the terminal's own list decides."""
        self.machine.pass_time(125)
        state = "select state from sales where id = ?"
        self._wait(lambda: self.machine.rows(state, visit.sale_id) == [("tender_unknown",)], "the silent terminal is not noticed")
        if not visit.on_list:
            self.press(f"{visit.path}/card/missing")
            visit.voided = True

    def _wait(self, what: object, why: str) -> None:
        assert callable(what)
        end = time.monotonic() + _DRAIN_SECONDS
        while not what():
            if not self.machine.is_on:
                self.rise()
            if time.monotonic() > end:
                raise NotDone(why)
            time.sleep(0.02)

    @staticmethod
    def _slip(visit: Visit) -> dict[str, str]:
        own = visit.sale_id.replace("-", "").upper()
        return {"scheme": "VISA", "last4": "4242", "authorisation": own[:8], "slip_number": own[8:16]}

    def pay_back(self, visit: Visit) -> None:
        """Cash out of the drawer; a card's money by an intent, the terminal, and its slip."""
        if visit.tender == "cash":
            self.press(f"{visit.path}/refund")
            return
        lives = self.machine.lives
        self.press(f"{visit.path}/refund/card")
        if self.machine.lives > lives and self.chance.random() < 0.5:
            self._ask_about_the_refund(visit)
        self.press(f"{visit.path}/refund", authorisation="R" + visit.sale_id[:6].upper(), slip_number="R0017")

    def _ask_about_the_refund(self, visit: Visit) -> None:
        """After two minutes without a result the terminal's own list decides; not there means that it is tried again."""
        self.machine.pass_time(125)
        state = "select state from refunds where sale_id = ?"
        self._wait(lambda: self.machine.rows(state, visit.sale_id) == [("in_doubt",)], "the silent terminal is not noticed")
        if not visit.on_list:
            self.press(f"{visit.path}/refund/missing")
            self.press(f"{visit.path}/refund/card")

    def close_the_shift(self) -> None:
        """Count, close, and open the drawer for the next shift."""
        ((expected,),) = self.machine.rows("select expected_minor from shifts where open_till_id is not null")
        self.press("/shift/close", pieces_1=str(expected), left_in_drawer="50.00")
        self.press("/shift/open", float_amount="100.00")

    # ---------------------------------------------------------------- until nothing is left to do

    def drain(self, visit: Visit | None) -> None:
        """Until the renewal is at its end and no slip waits; time is passed only when nothing else moves."""
        end, still, before = time.monotonic() + _DRAIN_SECONDS, time.monotonic(), None
        while True:
            if not self.machine.is_on:
                self.rise()
            now = self._open(visit)
            if not now:
                return
            if now != before:
                before, still = now, time.monotonic()
            elif time.monotonic() - still > _STILL_SECONDS and self._answer(now):
                still = time.monotonic()
            if time.monotonic() > end:
                raise NotDone(f"stuck: {now}; {self.machine.complaints()[-1500:]}")
            time.sleep(0.015)

    def _open(self, visit: Visit | None) -> list[tuple[object, ...]]:
        open_jobs = "select id, kind, state from print_jobs where state not in ('printed', 'sent', 'cancelled')"
        found = self.machine.rows(open_jobs)
        if visit is not None and not visit.voided:
            ((state,),) = self.machine.rows(_STATE, visit.sale_id)
            if state not in ("confirmed", "refund_due", "refunded"):
                found.append((visit.sale_id, "renewal", state))
        return found

    def _answer(self, found: list[tuple[object, ...]]) -> bool:
        """A question about paper is answered by looking at the paper; everything else by waiting."""
        for job, _, state in found:
            if state == "uncertain":
                out = any(paper.complete for paper in self.printer.papers())
                self.press(f"/printing/{job}/{'came-out' if out and self.chance.random() < 0.5 else 'did-not'}")
                return True
            if state == "held":
                self.press(f"/printing/{job}/release")
                return True
        self.machine.pass_time(_STEP_SECONDS)
        return True

    # ---------------------------------------------------------------- two owners

    def wake_the_sleeper(self, visit: Visit) -> None:
        """The first owner sleeps over its lease, the others find the truth, and then it wakes with an answer in its hand."""
        folder = self.machine.folder
        wait_until((folder / "asleep.txt").exists, "nobody fell asleep")
        if self.chance.random() < 0.5:
            self.machine.second_worker()
        self.machine.pass_time(40)
        self.drain(visit)
        (folder / "thaw.txt").touch()
        wait_until(lambda: not (folder / "asleep.txt").exists(), "the sleeper does not wake")
        (folder / "thaw.txt").unlink()
        time.sleep(0.2)


def _plain(number: str) -> str:
    return "+44" + number.replace(" ", "")[1:]
