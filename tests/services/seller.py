"""A reseller of codes and eSIMs that lives in the test: what the protocol needs of a carrier, and books that can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pos.domain.money import Money
from pos.ports import (
    Capability,
    CarrierUnavailable,
    Declaration,
    EsimProfile,
    Finding,
    FindState,
    Fulfilment,
    Hint,
    IdentityClaim,
    MatchAnswer,
    OperatorCandidate,
    Outcome,
    OutcomeState,
    Product,
    ProductKind,
    Reason,
    RefundAnswer,
    Request,
    StatementLine,
    Subscription,
    SubscriptionState,
    Voucher,
    WalletBalance,
)

PIN_CODE = "4821773905516204"
SERIAL = "SN-88120047"
HOW = "Dial *131*4821773905516204#"
LPA = "LPA:1$rsp.example-seller.com$7K2M-99QF-A1B2-C3D4"
ICCID = "8944500102198304826"
OPERATOR = "lyca-gb"
PIN, TOPUP, ESIM_FR, ESIM_GB = "pin-10", "topup-10", "esim-fr", "esim-gb"
# Numbers whose operator the seller knows.
KNOWN = "+447400123"


@dataclass
class Seller:
    """Delivers a code at once, or only when it is asked later (``late``). ``telling``: it can be asked what is on a number."""

    name: str = "seller"
    late: bool = False
    telling: bool = False
    operator: str = OPERATOR
    down: bool = False
    requests: list[Request] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    end: OutcomeState = OutcomeState.SUCCEEDED

    def declaration(self) -> Declaration:
        can = {Capability.LOOKUP_NUMBER, Capability.FIND_BY_REF}
        return Declaration(frozenset(can), enforces_unique_refs=True, settle_window=timedelta(seconds=30), deadline_seconds=2.0)

    def lookup_number(self, number: str) -> list[OperatorCandidate]:
        self.asked.append(number)
        if self.down:
            raise CarrierUnavailable
        guess = OperatorCandidate("leb-gb", "LEB", "GB", confident=False)
        return [guess, OperatorCandidate(self.operator, "Lyca", "GB", confident=True)] if number.startswith(KNOWN) else []

    def get_subscription(self, number: str) -> Subscription:
        return Subscription(SubscriptionState.UNAVAILABLE)

    def list_products(self) -> Iterator[Product]:
        ten, cost = Money(1000, "GBP"), Money(850, "GBP")
        yield Product(
            PIN, "Lyca voucher 10", ProductKind.PIN, Fulfilment.PIN, cost, ten, 30, operator=self.operator, country="GB",
            redeem="Dial *131*code#",
        )  # fmt: skip
        yield Product(TOPUP, "Lyca top-up 10", ProductKind.TOPUP, Fulfilment.DIRECT, cost, ten, 30, operator=self.operator)
        yield Product(ESIM_FR, "France 5 GB", ProductKind.ESIM, Fulfilment.ESIM, cost, ten, 15, 5120, country="FR")
        yield Product(ESIM_GB, "Britain 5 GB", ProductKind.ESIM, Fulfilment.ESIM, cost, ten, 15, 5120, country="GB")

    def submit(self, request: Request) -> Outcome:
        self.requests.append(request)
        return self._outcome(request, None if self.late else self._goods(request))

    def find(self, ref: str, provider_ref: str | None, number: str, sent_at: datetime) -> Finding:
        known = [request for request in self.requests if request.ref == ref]
        if not known:
            return Finding(FindState.ABSENT)
        return Finding(FindState.FOUND, self._outcome(known[0], None if self.late else self._goods(known[0])))

    def _outcome(self, request: Request, goods: Voucher | EsimProfile | None) -> Outcome:
        return Outcome(self.end, provider_ref=f"S-{request.ref[-6:]}", cost=request.cost, fulfilment=goods)

    def _goods(self, request: Request) -> Voucher | EsimProfile | None:
        if request.kind is ProductKind.ESIM:
            return EsimProfile(ICCID, LPA)
        return Voucher(PIN_CODE, SERIAL, HOW, "2027-11-21") if request.product_key == PIN else None

    # What this seller does not offer.

    def validate(self, request: Request) -> Reason | None:
        raise NotImplementedError

    def hold(self, request: Request) -> Outcome:
        raise NotImplementedError

    def confirm(self, ref: str, provider_ref: str, number: str) -> Outcome:
        raise NotImplementedError

    def void(self, ref: str, provider_ref: str) -> Outcome:
        raise NotImplementedError

    def request_refund(self, ref: str, provider_ref: str, reason: str) -> RefundAnswer:
        raise NotImplementedError

    def match_identity(self, number: str, claim: IdentityClaim) -> Mapping[str, MatchAnswer]:
        raise NotImplementedError

    def wallet(self) -> list[WalletBalance]:
        raise NotImplementedError

    def statement(self, from_utc: datetime, to_utc: datetime) -> Iterator[StatementLine]:
        raise NotImplementedError

    def parse_notification(self, headers: Mapping[str, str], body: bytes) -> Hint:
        raise NotImplementedError
