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
from dataclasses import dataclass
from typing import Any, Generic

from pos.carriers.airalo import Airalo, AiraloKeys
from pos.carriers.configuration import CarrierMisconfigured, Keys, checked
from pos.carriers.ding import Ding, DingKeys
from pos.carriers.dtone import Dtone, DtoneKeys
from pos.carriers.reloadly import Reloadly, ReloadlyKeys
from pos.carriers.tmforum import TmForum, TmForumKeys
from pos.ports import Carrier


@dataclass(frozen=True)
class Speaker(Generic[Keys]):
    """One protocol: what its table holds, and who speaks it."""

    keys: type[Keys]
    adapter: Callable[[Keys, str], Carrier]

    def __call__(self, name: str, table: Mapping[str, object]) -> Carrier:
        """The adapter of carrier ``name``. Raises CarrierMisconfigured."""
        return self.adapter(checked(self.keys, name, table), name)


PROTOCOLS: dict[str, Speaker[Any]] = {
    "ding": Speaker(DingKeys, Ding),
    "reloadly": Speaker(ReloadlyKeys, Reloadly),
    "airalo": Speaker(AiraloKeys, Airalo),
    "tmforum": Speaker(TmForumKeys, TmForum),
    "dtone": Speaker(DtoneKeys, Dtone),
}

__all__ = ["PROTOCOLS", "CarrierMisconfigured"]
