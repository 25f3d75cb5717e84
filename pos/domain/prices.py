"""What the shop asks for a plan: the owner's rules over what the carrier charges, and never less than whole minor units.

Cost (what our wallet pays), face (what the customer gets) and price (what the till asks for) are three amounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pos.domain.money import Money

_MILLION = 1_000_000


class Withheld(StrEnum):
    """Why a plan of the catalogue is not on sale until the owner says so."""

    NO_PRICE = "no_price"  # no rule fits and its face is in another currency
    ABOVE_CEILING = "above_ceiling"


@dataclass(frozen=True)
class PriceRule:
    """``margin_basis_points`` of the cost and ``add_minor`` on top, rounded up to whole steps of ``round_to_minor``.

    None for ``carrier`` or ``line`` is any. ``rate_millionths`` is how many millionths of a unit of the shop's currency one unit
    of ``cost_currency`` is worth to the owner; both are None where the carrier charges in the shop's own currency."""

    id: int
    carrier: str | None
    line: str | None
    margin_basis_points: int
    add_minor: int
    round_to_minor: int
    cost_currency: str | None = None
    rate_millionths: int | None = None

    def fits(self, carrier: str, line: str, cost: Money, currency: str) -> bool:
        paid_in = self.cost_currency or currency
        return self.carrier in (None, carrier) and self.line in (None, line) and cost.currency == paid_in

    def price(self, cost: Money, currency: str) -> Money:
        """Rounded up at the end and nowhere before: a shop does not lose the last penny of a margin."""
        digits = Money(0, currency).digits - cost.digits
        worth = cost.minor * (self.rate_millionths or _MILLION) * (10_000 + self.margin_basis_points)
        per = _MILLION * 10_000
        worth, per = (worth * 10**digits, per) if digits >= 0 else (worth, per * 10**-digits)
        steps = -(-(worth + self.add_minor * per) // (per * self.round_to_minor))
        return Money(steps * self.round_to_minor, currency)


def rule_for(rules: Sequence[PriceRule], carrier: str, line: str, cost: Money, currency: str) -> PriceRule | None:
    """The most particular rule that fits: of this carrier and line, of this carrier, of this line, of everything."""
    fitting = [rule for rule in rules if rule.fits(carrier, line, cost, currency)]
    return max(fitting, key=lambda rule: (rule.carrier is not None, rule.line is not None, rule.id), default=None)


def asked(
    rules: Sequence[PriceRule],
    carrier: str,
    line: str,
    cost: Money,
    face: Money,
    currency: str,
    own: Money | None,
    ceiling: Money | None,
) -> tuple[Money, Withheld | None]:
    """The till's price, and why it must not be asked for yet. The owner's own price comes first and is above any ceiling."""
    if own is not None:
        return own, None
    rule = rule_for(rules, carrier, line, cost, currency)
    if rule is None and face.currency != currency:
        return Money(0, currency), Withheld.NO_PRICE
    price = rule.price(cost, currency) if rule is not None else face
    return price, Withheld.ABOVE_CEILING if ceiling is not None and price > ceiling else None
