"""How a shop's configuration names this simulator: a table for each protocol, for the demonstration and for trials by hand."""

from __future__ import annotations

import json


def tables(url: str) -> str:
    """TOML of all of them, in the order in which the counter asks. ``url`` without a slash at its end."""
    return own_table(url) + resellers(url)


def own_table(url: str) -> str:
    """The carrier that opens its own systems."""
    return f"""[carriers.sandbox]
protocol = "tmforum"
base_url = {_at(url, "")}
currencies = ["GBP", "HKD"]
enforce_unique_refs = true
kyc_path = "/kyc-match/v0.4"
wallet_path = "/wallet"
statement_path = "/statement"

[carriers.sandbox.auth]
kind = "client_credentials"
token_url = {_at(url, "/oauth/token")}
client_id = "demo"
client_secret = "demo-secret"
"""


def resellers(url: str) -> str:
    """Those that sell for many operators."""
    return f"""
[carriers.dtone]
protocol = "dtone"
base_url = {_at(url, "/dtone/v1")}
api_key = "demo"
api_secret = "demo-secret"
currency = "GBP"
countries = ["DE"]

[carriers.reloadly]
protocol = "reloadly"
base_url = {_at(url, "/reloadly")}
token_url = {_at(url, "/reloadly/oauth/token")}
client_id = "demo"
client_secret = "demo-secret"
currency = "GBP"
account_country = "GB"
countries = ["ES", "US"]

[carriers.ding]
protocol = "ding"
base_url = {_at(url, "/ding/api/V1")}
currency = "GBP"
countries = ["FR", "NL"]

[carriers.ding.auth]
kind = "api_key"
key = "demo-secret"

[carriers.airalo]
protocol = "airalo"
base_url = {_at(url, "/airalo/v2")}
client_id = "demo"
client_secret = "demo-secret"
currency = "GBP"
countries = ["GB", "FR", "ES", "IT", "JP"]
"""


def _at(url: str, path: str) -> str:
    return json.dumps(url + path)
