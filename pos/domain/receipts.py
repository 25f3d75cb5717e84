"""Receipts: how they are numbered, and what each kind is called."""

from __future__ import annotations

from enum import StrEnum


class ReceiptKind(StrEnum):
    SALE = "sale"
    REFUND = "refund"
    Z = "z"


_LETTER = {ReceiptKind.SALE: "", ReceiptKind.REFUND: "R-", ReceiptKind.Z: "Z-"}


def number_text(kind: ReceiptKind, till_code: str, sequence: int) -> str:
    """As printed: ``LON1-000042``, a refund ``R-LON1-000007``, a Z ``Z-LON1-000003``. Gapless per till and kind."""
    return f"{_LETTER[kind]}{till_code}-{sequence:06d}"
