"""Is this receipt ours, and is its money still with us? Asked by anybody who scans it; answered without a personal word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from pos.domain import receipt_links as links
from pos.domain.receipts import ReceiptKind
from pos.domain.renewals import RenewalState
from pos.services.kit import Kit
from pos.store import receipts as rows
from pos.store import renewals as renewal_rows
from pos.store import tills as till_rows
from pos.store.db import reading


class Standing(StrEnum):
    """What became of a genuine receipt's money."""

    GENUINE = "genuine"
    WAITING = "waiting"  # the carrier has not confirmed everything yet
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    REFUND = "refund"  # the receipt of a refund itself


@dataclass(frozen=True)
class Checked:
    """A genuine receipt: what it says, which shop issued it, and how it stands."""

    claim: links.Claim
    shop: str
    standing: Standing


def link_for(claim: links.Claim, *, kit: Kit) -> str | None:
    """What the code of a receipt says; None for a shop that has no public address."""
    if not kit.public_url:
        return None
    key_id, _ = kit.keys.current("sig")
    key_id, signature = kit.keys.sign(claim.message(key_id))
    return links.link(kit.public_url, links.token(claim, key_id, bytes.fromhex(signature)))


def check(written: str, *, kit: Kit) -> Checked | None:
    """The receipt that a code names; None when we did not sign it or do not know it: then no word tells which of the two."""
    signed = links.read(written)
    if signed is None or not kit.keys.has_signed(signed.key_id, signed.claim.message(signed.key_id), signed.signature):
        return None
    with reading() as session:
        receipt = rows.by_number(session, signed.claim.number)
        if receipt is None:
            return None
        shop = session.get_one(till_rows.Store, receipt.store_id).name
        return Checked(signed.claim, shop, _standing(session, receipt))


def _standing(session: Session, receipt: rows.Receipt) -> Standing:
    if receipt.kind is ReceiptKind.REFUND or receipt.sale_id is None:
        return Standing.REFUND
    states = [line.state for line in renewal_rows.live_of_sale(session, receipt.sale_id)]
    if all(state is RenewalState.REFUNDED for state in states):
        return Standing.REFUNDED
    if RenewalState.REFUNDED in states:
        return Standing.PARTLY_REFUNDED
    return Standing.GENUINE if all(state is RenewalState.CONFIRMED for state in states) else Standing.WAITING


def public_keys(*, kit: Kit) -> Iterator[tuple[str, str]]:
    """(key id, public key in hexadecimal digits) of every key that ever signed a receipt; whoever has them needs no network."""
    for key_id in sorted(kit.keys.keys):
        if key_id.startswith("sig-"):
            yield key_id, kit.keys.public_key(key_id).hex()
