"""One file per protocol, each fits ``ports.Carrier``; below them the wire, which tells "never sent" from "unknown".

``PROTOCOLS`` leads from the name in the configuration to the adapter::

    [carriers.lyca]
    protocol = "tmforum"
    base_url = "https://bss.carrier.example"
    currencies = ["GBP"]
    enforce_unique_refs = true
    [carriers.lyca.auth]
    kind = "client_credentials"
    token_url = "https://login.carrier.example/oauth/token"
    client_id = "shop-17"
    client_secret = "..."

A factory takes the carrier's name and its table without ``protocol``. It raises ``CarrierMisconfigured`` with the names
of the wrong keys and never with their values, which may be secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pos.carriers.configuration import CarrierMisconfigured, make_tmforum
from pos.ports import Carrier

PROTOCOLS: dict[str, Callable[[str, Mapping[str, object]], Carrier]] = {
    "tmforum": make_tmforum,
}

__all__ = ["PROTOCOLS", "CarrierMisconfigured"]
