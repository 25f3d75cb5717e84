"""What the Reloadly door sells, and whose number is whose there.

+34 600 00x xxx     Lyca Spain when the last digit is even, Lebara Spain when it is odd
+1 646 555 0xxx     Lyca USA
+44 7700 900 xxx    Lyca UK, sold as a PIN"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any


@dataclass(frozen=True)
class Operator:
    """``fixed``: amounts of the wallet's currency with their description; without any, ``least`` to ``most`` is a range.

    ``rate``: destination units for one of the wallet's. ``discount`` per cent."""

    id: int
    name: str
    country: str
    country_name: str
    currency: str
    rate: Decimal
    discount: Decimal
    numbers: re.Pattern[str]
    least: Decimal | None = None
    most: Decimal | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    hangs: bool = False

    def sells(self, amount: Decimal) -> bool:
        if self.fixed:
            return f"{amount:.2f}" in self.fixed
        return self.least is not None and self.most is not None and self.least <= amount <= self.most

    def cost(self, amount: Decimal) -> Decimal:
        """What the wallet pays, pence."""
        return _pence(amount - self.off(amount))

    def off(self, amount: Decimal) -> Decimal:
        """The discount as an amount."""
        return amount * self.discount / 100

    def delivered(self, amount: Decimal) -> Decimal:
        return _pence(amount * self.rate)


def _pence(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


_EVEN_SPAIN = re.compile(r"\+3460000\d{3}[02468]")
_ODD_SPAIN = re.compile(r"\+3460000\d{3}[13579]")
_USA = re.compile(r"\+16465550\d{3}")
_UK = re.compile(r"\+447700900\d{3}")
_EURO, _DOLLAR, _POUND = Decimal("1.15"), Decimal("1.27"), Decimal(1)

_ALL = (
    Operator(535, "Lyca Spain", "ES", "Spain", "EUR", _EURO, Decimal(8), _EVEN_SPAIN, Decimal(5), Decimal(50)),
    Operator(
        536, "Lebara Spain", "ES", "Spain", "EUR", _EURO, Decimal("6.5"), _ODD_SPAIN,
        fixed={"5.00": "EUR 5.75 of credit", "10.00": "EUR 11.50 of credit", "20.00": "EUR 23 of credit"},
    ),
    Operator(
        538, "Slow Spain", "ES", "Spain", "EUR", _EURO, Decimal(5), re.compile(r"\+34\d{9}"),
        fixed={"10.00": "Hangs"}, hangs=True,
    ),
    Operator(701, "Lyca USA", "US", "United States", "USD", _DOLLAR, Decimal(5), _USA, Decimal(5), Decimal(60)),
    Operator(
        702, "Lyca USA Bundles", "US", "United States", "USD", _DOLLAR, Decimal(4), _USA,
        fixed={"15.00": "2 GB, unlimited calls and texts in the US, 30 days", "19.00": "6 GB, unlimited calls, 30 days"},
        flags=frozenset({"bundle"}),
    ),
    Operator(
        540, "Lyca PIN UK", "GB", "United Kingdom", "GBP", _POUND, Decimal(3), _UK,
        fixed={"10.00": "GBP 10 voucher", "15.00": "GBP 15 voucher", "20.00": "GBP 20 voucher"}, flags=frozenset({"pin"}),
    ),
)  # fmt: skip
OPERATORS: Mapping[int, Operator] = {operator.id: operator for operator in _ALL}


def in_country(code: str) -> list[Operator]:
    return [operator for operator in _ALL if operator.country == code]


def is_a_number(number: str) -> bool:
    """Whether anybody has it at all."""
    return any(operator.numbers.fullmatch(number) for operator in _ALL if not operator.hangs)


def by_prefix(number: str, country: str) -> Operator | None:
    """The plain operator of a number: bundles stand beside it and are never detected."""
    fitting = [o for o in in_country(country) if not o.hangs and "bundle" not in o.flags and o.numbers.fullmatch(number)]
    return fitting[0] if fitting else None


def operator_shape(operator: Operator) -> dict[str, Any]:
    """An operator as the vendor's fixtures show one, with the newer members ``fees`` and ``status``."""
    local = operator.country == "GB"
    discount = float(operator.discount)
    return {
        "id": operator.id,
        "operatorId": operator.id,
        "name": operator.name,
        "bundle": "bundle" in operator.flags,
        "data": "data" in operator.flags,
        "pin": "pin" in operator.flags,
        "comboProduct": False,
        "supportsLocalAmounts": False,
        "supportsGeographicalRechargePlans": False,
        "denominationType": "FIXED" if operator.fixed else "RANGE",
        "senderCurrencyCode": "GBP",
        "senderCurrencySymbol": "£",
        "destinationCurrencyCode": operator.currency,
        "destinationCurrencySymbol": operator.currency,
        "commission": discount,
        "internationalDiscount": 0.0 if local else discount,
        "localDiscount": discount if local else 0.0,
        "mostPopularAmount": 10,
        "mostPopularLocalAmount": None,
        "minAmount": None if operator.least is None else float(operator.least),
        "maxAmount": None if operator.most is None else float(operator.most),
        "localMinAmount": None,
        "localMaxAmount": None,
        "country": {"isoName": operator.country, "name": operator.country_name},
        "fx": {"rate": float(operator.rate), "currencyCode": operator.currency},
        "logoUrls": [],
        "fixedAmounts": [float(amount) for amount in operator.fixed],
        "fixedAmountsDescriptions": dict(operator.fixed) or [],  # the vendor writes an empty map either way
        "localFixedAmounts": [],
        "localFixedAmountsDescriptions": {},
        "suggestedAmounts": [],
        "suggestedAmountsMap": {},
        "promotions": [],
        "fees": {"international": 0, "internationalPercentage": 0, "local": 0, "localPercentage": 0},
        "geographicalRechargePlans": [],
        "status": "ACTIVE",
    }
