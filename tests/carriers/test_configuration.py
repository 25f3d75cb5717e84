"""The manager's mistakes in a carrier's table: each is named, and no secret is repeated back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pos.carriers import PROTOCOLS, CarrierMisconfigured

TABLE: dict[str, Any] = {
    "base_url": "https://bss.carrier.example/",
    "currencies": ["GBP"],
    "auth": {
        "kind": "client_credentials",
        "token_url": "https://login.carrier.example/oauth/token",
        "client_id": "shop-17",
        "client_secret": "tell-nobody",
    },
}


def refused(**changes: object) -> str:
    with pytest.raises(CarrierMisconfigured) as fault:
        PROTOCOLS["tmforum"]("lyca", TABLE | changes)
    told = str(fault.value)
    assert "tell-nobody" not in told + repr(fault.value.__cause__)
    assert told.startswith("carrier lyca: ")
    return told


def test_the_shortest_table_is_enough() -> None:
    carrier = PROTOCOLS["tmforum"]("lyca", TABLE)
    assert carrier.name == "lyca"
    assert not carrier.declaration().enforces_unique_refs, "a promise is configured, never assumed"


@pytest.mark.parametrize("kind", [{"kind": "bearer", "token": "tell-nobody"}, {"kind": "none"}])
def test_other_ways_to_say_who_we_are(kind: dict[str, str]) -> None:
    assert PROTOCOLS["tmforum"]("lyca", TABLE | {"auth": kind}).name == "lyca"


def test_an_unknown_key_is_named() -> None:
    assert "enforce_uniqe_refs: is not a key" in refused(enforce_uniqe_refs=True)
    assert "auth.secret: is not a key" in refused(auth=TABLE["auth"] | {"secret": "tell-nobody"})


def test_every_wrong_key_is_named_at_once() -> None:
    told = refused(order_action="renew", currencies=["pounds"], deadline_seconds=0, country="gb")
    for key in ("order_action", "currencies.0", "deadline_seconds", "country"):
        assert f"{key}: " in told


def test_a_missing_key_is_named() -> None:
    with pytest.raises(CarrierMisconfigured, match="base_url: Field required"):
        PROTOCOLS["tmforum"]("lyca", {name: value for name, value in TABLE.items() if name != "base_url"})


@pytest.mark.parametrize(
    "auth",
    [
        {},
        {"kind": "magic", "secret": "tell-nobody"},
        {"kind": "bearer"},
        {"kind": "bearer", "token": ["tell-nobody"]},
        TABLE["auth"] | {"client_secret": ["tell-nobody"]},
        TABLE["auth"] | {"token_url": "http://login.example/tell-nobody"},
        "tell-nobody",
    ],
)
def test_a_wrong_secret_is_not_repeated(auth: object) -> None:
    assert "auth" in refused(auth=auth)


@pytest.mark.parametrize(
    "url",
    ["http://bss.carrier.example", "ftp://x", "bss.carrier.example", "https://", "https://u:p@x", "https://x/?a=b", ""],
)
def test_an_address_is_encrypted_and_plain(url: str) -> None:
    assert "base_url: " in refused(base_url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8701", "http://localhost:8701", "http://[::1]:8701", "https://x/base/"])
def test_this_machine_needs_no_encryption(url: str) -> None:
    assert PROTOCOLS["tmforum"]("lyca", TABLE | {"base_url": url}).name == "lyca"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("product_query", "productSerialNumber="),
        ("order_query", "externalId={number}"),
        ("kyc_path", "kyc-match"),
        ("wallet_path", "/wallet?x=1"),
        ("error_codes", {"60": "no_such_reason"}),
        ("currencies", []),
        ("page_size", 0),
    ],
)
def test_a_value_that_cannot_work_is_refused(key: str, value: object) -> None:
    assert key in refused(**{key: value})


def test_a_carriers_own_codes_are_words_of_ours() -> None:
    assert PROTOCOLS["tmforum"]("lyca", TABLE | {"error_codes": {"60": "wallet_empty"}}).name == "lyca"


def test_a_certificate_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "certificate file" in refused(ca_file=str(tmp_path / "none.pem"))
    (tmp_path / "bad.pem").write_text("tell-nobody")
    assert "certificate file" in refused(client_certificate_file=str(tmp_path / "bad.pem"))
