"""What the code on a receipt says: number, day and sum, signed, so that anybody can check it, also without a network.

    LON1-000042.20261121.2000GBP.SIG-1.<Ed25519 signature in base32>

Nothing in it is personal; all of it stands on the same paper. Capitals, digits, dot and hyphen only: a QR code packs those
into two thirds of the room that mixed letters need, and 58 mm are narrow."""

from __future__ import annotations

import re
from base64 import b32decode, b32encode
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote

from pos.domain.money import Money

_SHAPE = re.compile(r"([^./\s]{1,30})\.([0-9]{8})\.(-?[0-9]{1,15})([A-Z]{3})\.(SIG-[0-9]{1,6})\.([A-Z2-7]{103})")
# Signed before the words themselves: no other signature of the shop can be passed off as a receipt's.
_PREFIX = b"\x01simcounter receipt"


@dataclass(frozen=True)
class Claim:
    """What a receipt says of itself. ``amount`` is negative on the receipt of a refund."""

    number: str
    day: date
    amount: Money

    def words(self, key_id: str) -> str:
        """The part of the code that is signed, with the name of the key."""
        return f"{self.number}.{self.day:%Y%m%d}.{self.amount.minor}{self.amount.currency}.{key_id.upper()}"

    def message(self, key_id: str) -> bytes:
        """The bytes that are signed."""
        return _PREFIX + self.words(key_id).encode()


@dataclass(frozen=True)
class Signed:
    """A claim with a signature that nobody has checked yet."""

    claim: Claim
    key_id: str
    signature: bytes


def token(claim: Claim, key_id: str, signature: bytes) -> str:
    """What ``read`` reads."""
    return f"{claim.words(key_id)}.{b32encode(signature).decode().rstrip('=')}"


def link(address: str, written: str) -> str:
    """The token below the public address of the shop."""
    return f"{address.rstrip('/')}/r/{quote(written, safe='')}"


def read(written: str) -> Signed | None:
    """The parts of a token; None for anything that ``token`` cannot have written."""
    found = _SHAPE.fullmatch(written)
    if found is None:
        return None
    number, day, minor, currency, key_name, signed = found.groups()
    try:
        claim = Claim(number, datetime.strptime(day, "%Y%m%d").date(), Money(int(minor), currency))  # noqa: DTZ007 - a day
    except ValueError:
        return None
    signature, key_id = b32decode(signed + "="), key_name.lower()
    # The last letter has bits to spare: of the spellings of one signature only ours counts.
    return Signed(claim, key_id, signature) if token(claim, key_id, signature) == written else None
