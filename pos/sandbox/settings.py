"""How this carrier behaves when nobody interferes: waiting times, secrets, and the habits a test may switch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Settings:
    """Seconds are real seconds, except ``pending_seconds``, ``reverse_seconds`` and ``unseen_seconds``, which the movable
    clock counts."""

    client_id: str = "demo"
    client_secret: str = "demo-secret"  # noqa: S105  # a demo's, printed in the manual; it guards nothing
    token_seconds: int = 3600
    page_size: int = 20
    late_seconds: float = 12.0
    drip_seconds: float = 1.0
    retry_after_seconds: int = 2
    pending_seconds: float = 20.0
    reverse_seconds: float = 60.0
    unseen_seconds: float = 40.0
    huge_bytes: int = 1_000_000_000
    bomb_bytes: int = 60_000_000  # unpacked; about 60 kB on the wire, below any sensible limit there


@dataclass
class Switches:
    """Habits in which carriers differ; changed on the control page, gone after a restart.

    ``atomic_refs`` off: a reference counts as used only when its order can be seen, so two posts in flight are both taken.

    ``price_shape`` is how offerings show prices: ``inline`` (TMF620 ProductPriceValue), ``flat`` ({unit, value}),
    ``reference`` (only an id, to be fetched), ``mixed`` (inline and flat by turns)."""

    enforce_unique_refs: bool = True
    atomic_refs: bool = True
    topup_external_id: bool = True  # off: the extension is dropped without a word, as many carriers do
    price_shape: str = "mixed"
    objects_for_arrays: bool = False  # TMF654 samples write logicalResource and product as one object
    kyc_requires_document: bool = False
    scores: bool = True  # ...MatchScore beside a "false"


PRICE_SHAPES = ("mixed", "inline", "flat", "reference")
