"""What the DT One simulator sells, and whose numbers it knows: a dozen products for two operators in Germany, and a few
that a shop must leave alone.

    +49 15550 xxxxxx   Lyca Germany     operator 1580
    +49 15551 xxxxxx   Lebara Germany   operator 1581
    +34 6xx xxx xxx    Lyca Spain       operator 1590

The wallet is in pounds, what reaches the customer in euros. Money is whole minor units."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pos.sandbox.wire import amount

# auto_cancel: a hold that is over is cancelled by itself. unknown_is_404: an unknown external_id is 404 and not []. quiet_202:
# confirm and cancel answer without a body. confirm_of_cancelled: which number tells of it, 1007005 or 1007004.
SWITCHES = {"auto_cancel": True, "unknown_is_404": False, "quiet_202": False, "confirm_of_cancelled": 1007005}

MOBILE, ESIM = {"id": 1, "name": "Mobile"}, {"id": 13, "name": "eSIM"}
AIRTIME, BUNDLE, DATA = {"id": 11, "name": "Airtime"}, {"id": 12, "name": "Bundle"}, {"id": 13, "name": "Data"}
BY_NUMBER = [["mobile_number"]]
UNLIMITED = -1


@dataclass(frozen=True)
class Operator:
    id: int
    name: str
    country: str
    iso: str  # alpha-3
    numbers: re.Pattern[str]

    def body(self) -> dict[str, Any]:
        country = {"name": self.country, "iso_code": self.iso, "regions": None}
        return {"id": self.id, "name": self.name, "country": country, "regions": None}


LYCA = Operator(1580, "Lyca Germany", "Germany", "DEU", re.compile(r"\+4915550\d{6}"))
LEBARA = Operator(1581, "Lebara Germany", "Germany", "DEU", re.compile(r"\+4915551\d{6}"))
SPAIN = Operator(1590, "Lyca Spain", "Spain", "ESP", re.compile(r"\+346\d{8}"))
WORLD = Operator(1599, "Sandbox eSIM", "Global", "GXX", re.compile(r"89\d{17,18}"))
OPERATORS = (LYCA, LEBARA, SPAIN, WORLD)


@dataclass(frozen=True)
class Ranged:
    """Euros from ``least`` to ``most`` in steps of ``step``; a euro costs ``pence``."""

    least: int
    most: int
    step: int
    pence: int
    modes: tuple[str, ...] = ("DESTINATION_AMOUNT", "SOURCE_AMOUNT")


@dataclass(frozen=True)
class Item:
    """One product. ``face`` in euro cents and ``wholesale`` in pence, both 0 where it is ``ranged``."""

    id: int
    operator: Operator
    name: str
    type: str
    face: int = 0
    wholesale: int = 0
    fee: int = 0
    validity: tuple[str, int] | None = None
    subservice: dict[str, Any] | None = None
    service: dict[str, Any] | None = None
    benefits: tuple[tuple[str, str, str, int], ...] = ()  # type, unit type, unit, how much
    ranged: Ranged | None = None
    identifiers: list[list[str]] | None = None
    sender: list[list[str]] | None = None
    pin: dict[str, Any] | None = None

    @property
    def is_pin(self) -> bool:
        return "PIN_PURCHASE" in self.type

    def cost_minor(self, euros_minor: int = 0) -> int:
        """What the wallet pays, with the fee."""
        return (euros_minor * self.ranged.pence // 100 if self.ranged else self.wholesale) + self.fee

    def brief(self) -> dict[str, Any]:
        """As a transaction shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.name,
            "tags": ["AIRTIME"],
            "service": {**(self.service or MOBILE), "subservice": self.subservice},
            "operator": self.operator.body(),
            "regions": None,
            "type": self.type,
            "pin": self.pin,
        }

    def body(self) -> dict[str, Any]:
        """As the catalogue shows it."""
        shown = self.brief()
        if self.pin is None:
            del shown["pin"]
        wants = ("debit_party_identifier", "beneficiary", "statement_identifier", "additional_identifier")
        shown |= {f"required_{name}_fields": None for name in wants}
        shown |= {
            "required_credit_party_identifier_fields": self.identifiers,
            "required_sender_fields": self.sender,
            "validity": {"unit": self.validity[0], "quantity": self.validity[1]} if self.validity else None,
            "availability_zones": ["INTERNATIONAL", "DOMESTIC"],
            "source": self._price("GBP", "wholesale"),
            "destination": self._price("EUR", "face"),
            "prices": {"wholesale": self._price("GBP", "wholesale") | {"fee": amount(self.fee)}, "retail": None},
            "rates": {"base": 1.15, "wholesale": 1.17, "retail": None},
            "benefits": [_benefit(*benefit) for benefit in self.benefits] or None,
            "promotions": None,
        }
        if self.ranged:
            shown["accepted_calculation_modes"] = list(self.ranged.modes)
        return shown

    def _price(self, unit: str, which: str) -> dict[str, Any]:
        told: Any
        if self.ranged is None:
            told = amount(self.face if which == "face" else self.wholesale)
        elif which == "face":
            told = {"min": self.ranged.least, "max": self.ranged.most, "increment": self.ranged.step}
        else:
            told = {side: amount(euros * self.ranged.pence) for side, euros in self._ends(self.ranged).items()}
        return {"unit_type": "CURRENCY", "unit": unit, "amount": told}

    @staticmethod
    def _ends(ranged: Ranged) -> dict[str, int]:
        return {"min": ranged.least, "max": ranged.most}


def _benefit(kind: str, unit_type: str, unit: str, much: int) -> dict[str, Any]:
    every = {"base": much, "promotion_bonus": 0, "total_excluding_tax": much, "total_including_tax": much}
    return {"type": kind, "unit_type": unit_type, "unit": unit, "amount": every, "additional_information": None}


def _data(gigabytes: int) -> tuple[str, str, str, int]:
    return ("DATA", "DATA", "GB", gigabytes)


def _talk(minutes: int) -> tuple[str, str, str, int]:
    return ("TALKTIME", "TIME", "MINUTES", minutes)


def _plan(key: int, operator: Operator, name: str, face: int, wholesale: int, days: tuple[str, int], *benefits: Any,
          fee: int = 0, sender: list[list[str]] | None = None, kind: dict[str, Any] = BUNDLE) -> Item:  # fmt: skip
    return Item(key, operator, name, "FIXED_VALUE_RECHARGE", face, wholesale, fee, days, kind, benefits=benefits,
                identifiers=BY_NUMBER, sender=sender)  # fmt: skip


def _voucher(key: int, face: int, wholesale: int) -> Item:
    pin = {
        "usage_info": ["Dial *104*CODE# on the Lebara SIM and press call.", "Or type the code into the Lebara app."],
        "validity": {"unit": "DAY", "quantity": 365},
        "terms": "The code cannot be given back.",
    }
    name = f"Lebara Germany voucher EUR {face // 100}"
    return Item(key, LEBARA, name, "FIXED_VALUE_PIN_PURCHASE", face, wholesale, subservice=AIRTIME, pin=pin,
                benefits=(("CREDITS", "CURRENCY", "EUR", face // 100),))  # fmt: skip


_NAMES = [["last_name", "first_name", "nationality_country_iso_code"]]
_ITEMS = (
    _plan(6001, LYCA, "Lyca Germany 7 days 3 GB", 599, 460, ("DAY", 7), _data(3), _talk(200)),
    _plan(6002, LYCA, "Lyca Germany 30 days 10 GB", 999, 790, ("DAY", 30), _data(10), _talk(500), fee=10),
    _plan(
        6003,
        LYCA,
        "Lyca Germany 4 weeks 20 GB and all calls",
        1499,
        1195,
        ("WEEK", 4),
        _data(20),
        _talk(UNLIMITED),
        ("SMS", "QUANTITY", "SMS", 100),
    ),  # fmt: skip
    _plan(6004, LYCA, "Lyca Germany 1 month of all data", 2999, 2390, ("MONTH", 1), _data(UNLIMITED)),
    _plan(6005, LYCA, "Lyca Germany data 24 hours 1 GB", 199, 160, ("HOUR", 24), _data(1), kind=DATA),
    Item(
        6006,
        LYCA,
        "Lyca Germany airtime",
        "RANGED_VALUE_RECHARGE",
        subservice=AIRTIME,
        identifiers=BY_NUMBER,
        ranged=Ranged(5, 50, 5, 85),
    ),  # fmt: skip
    _plan(6007, LYCA, "Lyca Germany for a named sender", 999, 780, ("DAY", 30), _data(12), sender=_NAMES),
    _voucher(6101, 500, 430),
    _voucher(6102, 1000, 860),
    _voucher(6103, 2000, 1720),
    Item(
        6104,
        LEBARA,
        "Lebara Germany voucher by price",
        "RANGED_VALUE_PIN_PURCHASE",
        subservice=AIRTIME,
        ranged=Ranged(5, 30, 1, 86, ("SOURCE_AMOUNT",)),
        pin={"usage_info": None, "validity": None, "terms": None},
    ),  # fmt: skip
    _plan(6105, LEBARA, "Lebara Germany 30 days 8 GB", 999, 810, ("DAY", 30), _data(8)),
    _plan(6201, SPAIN, "Lyca Spain 30 days 5 GB", 1000, 840, ("DAY", 30), _data(5)),
    Item(
        6301,
        WORLD,
        "Sandbox eSIM 10 GB",
        "FIXED_VALUE_RECHARGE",
        1200,
        960,
        subservice=DATA,
        service=ESIM,
        identifiers=[["account_number"]],
        validity=("DAY", 30),
        benefits=(_data(10),),
    ),  # fmt: skip
)
ITEMS = {item.id: item for item in _ITEMS}


def operator_of(number: str) -> Operator | None:
    return next((operator for operator in OPERATORS if operator.numbers.fullmatch(number)), None)
