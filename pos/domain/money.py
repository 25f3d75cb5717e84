"""Money: whole minor units and a currency, everywhere but the edge."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

# ISO 4217 minor units of the currencies a counter may meet; any other has two digits.
_DIGITS = {
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
    "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip

# Notes and coins a drawer is counted in, largest first, in minor units (central banks' current series).
DENOMINATIONS: dict[str, tuple[int, ...]] = {
    "GBP": (5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1),
    "EUR": (20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1),
    "HKD": (100000, 50000, 10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10),
    "USD": (10000, 5000, 2000, 1000, 500, 100, 50, 25, 10, 5, 1),
    "CNY": (10000, 5000, 2000, 1000, 500, 100, 50, 10),
    "TWD": (200000, 100000, 50000, 20000, 10000, 5000, 2000, 1000, 500, 100),
    "JPY": (10000, 5000, 2000, 1000, 500, 100, 50, 10, 5, 1),
}

# Twelve digits before the point are more than any drawer holds and still fit a 64-bit column.
_LARGEST_MINOR = 10**15

# Input methods for Chinese send fullwidth signs; thousands stand apart by a blank of any width or a raised comma.
_AS_ASCII = {0xFF10 + n: str(n) for n in range(10)}
_AS_ASCII |= {0xFF0E: ".", 0x3002: ".", 0xFF0C: ","} | dict.fromkeys((0xA0, 0x2009, 0x202F, 0x3000, 0x2019), " ")

_WRITTEN = re.compile(r"(?P<sign>-?)(?P<whole>\d+)(?:\.(?P<fraction>\d+))?")


class NotMoney(ValueError):
    """The text or number cannot be an amount of this currency; nothing was changed."""


@dataclass(frozen=True, order=False)
class Money:
    """An amount: ``minor`` whole units of 10**-digits, ``currency`` an ISO 4217 code. Mixing currencies raises ValueError."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise NotMoney(f"an amount is whole minor units, not {type(self.minor).__name__}")
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise NotMoney("a currency is three capital letters")
        if abs(self.minor) > _LARGEST_MINOR:
            raise NotMoney("the amount is larger than any drawer")

    @property
    def digits(self) -> int:
        """How many digits stand after the point: 2 for GBP, 0 for JPY, 3 for KWD."""
        return minor_digits(self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other).minor

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other).minor

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other).minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def times(self, count: int) -> Money:
        """The amount, whole ``count`` times."""
        return Money(self.minor * count, self.currency)

    def tax_included(self, basis_points: int) -> Money:
        """The tax contained in this gross amount at a rate in basis points (2000 is 20 %), half rounded away from zero."""
        gross, whole = abs(self.minor), 10_000 + basis_points
        tax = (2 * gross * basis_points + whole) // (2 * whole)
        return Money(tax if self.minor >= 0 else -tax, self.currency)

    def plain(self) -> str:
        """Digits for receipts and forms: ``-1234.50``, no sign of currency, no grouping."""
        sign, units = ("-" if self.minor < 0 else ""), abs(self.minor)
        if not self.digits:
            return f"{sign}{units}"
        whole, fraction = divmod(units, 10**self.digits)
        return f"{sign}{whole}.{fraction:0{self.digits}d}"

    def __str__(self) -> str:
        """With its ISO code, as printed on paper: ``20.00 GBP``."""
        return f"{self.plain()} {self.currency}"

    def grouped(self) -> str:
        """With thousands apart, for screens: ``1,234.50``."""
        sign, text = ("-", self.plain()[1:]) if self.minor < 0 else ("", self.plain())
        whole, point, fraction = text.partition(".")
        return f"{sign}{int(whole):,}{point}{fraction}"

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other


def minor_digits(currency: str) -> int:
    """Digits after the point by ISO 4217."""
    return _DIGITS.get(currency, 2)


def whole(units: int, currency: str) -> Money:
    """So many pounds, dollars or yen, without pence or cents."""
    return Money(units * 10 ** minor_digits(currency), currency)


def largest_note(currency: str) -> Money:
    """The most that one piece of this currency is worth; of a currency we know no notes of, a hundred whole units."""
    known = DENOMINATIONS.get(currency)
    return Money(known[0], currency) if known else whole(100, currency)


def parse(text: str, currency: str) -> Money:
    """What a clerk typed as an amount. Accepts ``20``, ``20.5``, ``20,50``, ``1,234.50``, ``1 234.50``.

    Raises NotMoney when it is not a plain amount or has more digits after the point than the currency."""
    cleaned = text.strip().translate(_AS_ASCII)
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", cleaned) or re.fullmatch(r"-?\d{1,3}( \d{3})+([.,]\d+)?", cleaned):
        # Only between whole thousands: "20 50" may have been meant as 20.50, so it is asked for again.
        cleaned = cleaned.replace(" ", "") if " " in cleaned else cleaned.replace(",", "")
    if cleaned.count(",") == 1 and "." not in cleaned:
        cleaned = cleaned.replace(",", ".")
    if len(cleaned) > 20 or not cleaned.isascii():
        raise NotMoney("not an amount")
    match = _WRITTEN.fullmatch(cleaned)
    if match is None:
        raise NotMoney("not an amount")
    digits, fraction = minor_digits(currency), match["fraction"] or ""
    # "1.500" is one and a half here and fifteen hundred elsewhere; noughts after the point of yen harm nobody.
    if len(fraction) > max(digits, 2) or len(fraction.rstrip("0")) > digits:
        raise NotMoney("too many digits after the point")
    units = int(match["whole"] + fraction[:digits].ljust(digits, "0"))
    return Money(-units if match["sign"] else units, currency)


def from_decimal(amount: Decimal | str, currency: str) -> Money:
    """An amount as a partner writes it in JSON (``Decimal``, never a float).

    Raises NotMoney when it has a fraction of a minor unit: such an answer is not ours to round."""
    try:
        number = Decimal(amount)
    except (ArithmeticError, ValueError) as fault:
        raise NotMoney("not an amount") from fault
    if not number.is_finite() or (number and number.adjusted() > 18):
        raise NotMoney("not an amount")
    # Digit by digit: the arithmetic of decimal rounds to 28 digits, overflows, and lets a tiny fraction become nothing.
    sign, written, exponent = number.as_tuple()
    if len(written) > 60:
        raise NotMoney("more digits than any amount has")
    units, shift = int("".join(str(digit) for digit in written)), int(exponent) + minor_digits(currency)
    if units == 0:
        return Money(0, currency)
    if -shift > len(written):
        raise NotMoney("a fraction of a minor unit")
    units, rest = (units * 10**shift, 0) if shift >= 0 else divmod(units, 10**-shift)
    if rest:
        raise NotMoney("a fraction of a minor unit")
    return Money(-units if sign else units, currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum; of nothing, zero in ``currency``."""
    result = Money(0, currency)
    for amount in amounts:
        result = result + amount
    return result


def next_notes(due: Money) -> list[Money]:
    """What a customer is likely to hand over for ``due``: the exact sum, then the next notes up, at most four, no twins.

    18.50 GBP gives 18.50, 20.00, 50.00 (and 40.00: two twenties)."""
    notes = [n for n in DENOMINATIONS.get(due.currency, (10000, 5000, 2000, 1000, 500)) if n >= whole(5, due.currency).minor]
    offers = {due.minor}
    for note in notes:
        offers.add(-(-due.minor // note) * note)
    return [Money(units, due.currency) for units in sorted(offers)[:4]]


def basis_points(percent: str) -> int:
    """A tax rate as people write it (``20``, ``17.5``) in hundredths of a percent. Raises NotMoney."""
    try:
        scaled = Decimal(percent.strip()).scaleb(2)
    except ArithmeticError:
        raise NotMoney("not a percentage") from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value() or not 0 <= scaled <= 10_000:
        raise NotMoney("not a percentage between 0 and 100 with two digits after the point")
    return int(scaled)
