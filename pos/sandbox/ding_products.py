"""What the DingConnect door sells: providers with their numbers, and a dozen products. Prices in minor units.

+33 6 39 98 xx xx   Lyca France          LMFR
+33 6 39 99 xx xx   Lebara France        LBFR
+31 6 5550 xxxx     Lebara Netherlands   LBNL   vouchers: any Dutch mobile number will do"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pos.sandbox.wire import amount

INSTANT, BATCH = "Instant", "Batch"
IMMEDIATE, RECEIPT = "Immediate", "ReadReceipt"


@dataclass(frozen=True)
class Provider:
    """``shape`` is what the provider publishes of its numbers; ``own`` are the digits that its numbers begin with."""

    code: str
    country: str
    name: str
    short: str
    shape: str
    own: str


PROVIDERS: tuple[Provider, ...] = (
    Provider("LMFR", "FR", "Lyca France", "Lyca", r"^33[67]\d{8}$", "3363998"),
    Provider("LBFR", "FR", "Lebara France", "Lebara", r"^33[67]\d{8}$", "3363999"),
    Provider("LBNL", "NL", "Lebara Netherlands", "Lebara", r"^316\d{8}$", "3165550"),
)
BY_CODE = {provider.code: provider for provider in PROVIDERS}


@dataclass(frozen=True)
class Item:
    """One product. ``send`` is what is asked of the distributor, ``receive`` what the customer gets; with ``most`` the amount
    may be chosen between the two, in pence, and the customer gets it at the rate of ``send`` to ``receive``."""

    sku: str
    provider: str
    text: str
    send: int
    receive: int
    validity: str | None = None
    benefits: tuple[str, ...] = ("Mobile",)
    most: int | None = None
    fee: int = 0
    mode: str = INSTANT
    redemption: str = IMMEDIATE
    more: str = ""
    needs_bill: bool = False
    needs_setting: bool = False

    @property
    def uat_number(self) -> str:
        """The number of the provider with the last three digits 000."""
        return BY_CODE[self.provider].own.ljust(11, "0")


_HOW = "Call 1244 from your Lebara SIM, press 2 and key in the code."

ITEMS: tuple[Item, ...] = (
    Item("LMFR-B10", "LMFR", "10 GB and calls, 30 days", 860, 1000, "P30D", ("Mobile", "Minutes", "Data")),
    Item("LMFR-B40", "LMFR", "40 GB and calls, 30 days", 1720, 2000, "P30D", ("Mobile", "Minutes", "Data")),
    Item("LMFR-D05", "LMFR", "Data 5 GB, 7 days", 430, 500, "P7D", ("Data",)),
    Item("LMFR-Y01", "LMFR", "100 GB, one year", 8600, 10000, "P1Y", ("Mobile", "Data"), fee=50),
    Item("LMFR-TOP", "LMFR", "Top-up", 430, 500, most=4300),
    Item("LBFR-B15", "LBFR", "15 GB and calls, 1 month", 1290, 1500, "P1M", ("Mobile", "Minutes", "Data")),
    Item("LBFR-B20", "LBFR", "20 GB, 28 days", 1730, 2000, "P28D", ("Mobile", "Data"), mode=BATCH),
    Item("LBFR-TOP", "LBFR", "Top-up", 430, 500, most=8600),
    Item("LBFR-BIL", "LBFR", "Monthly bill", 860, 1000, needs_bill=True),
    Item("LBFR-NEW", "LBFR", "Registration", 860, 1000, needs_setting=True),
    Item("LBNL-P10", "LBNL", "Voucher EUR 10", 870, 1000, redemption=RECEIPT, more=_HOW),
    Item("LBNL-P20", "LBNL", "Voucher EUR 20", 1740, 2000, redemption=RECEIPT, more=_HOW),
)
BY_SKU = {item.sku: item for item in ITEMS}

# Hundredths of a percent of SendValue that this distributor earns.
COMMISSION = 500


def commission_of(send: int) -> int:
    """In pence, half a penny rounded up."""
    return (send * COMMISSION + 5_000) // 10_000


def receive_of(item: Item, send: int) -> int:
    return send * item.receive // item.send


def send_for(item: Item, receive: int) -> int:
    """The least that brings ``receive``."""
    return -(-receive * item.send // item.receive)


def fits(item: Item, number: str) -> str | None:
    """The context of the refusal of a number (digits without plus), None when it can be had for this product. A voucher fits
    every number of its country's shape."""
    provider = BY_CODE[item.provider]
    if not re.fullmatch(provider.shape, number):
        return "AccountNumberFailedRegex"
    if item.redemption != RECEIPT and not number.startswith(provider.own):
        return "ProviderRefusedRequest"
    return None


def providers_of(number: str) -> Iterator[Provider]:
    return (provider for provider in PROVIDERS if number.startswith(provider.own))


def price(item: Item, send: int, fee: int | None = None) -> dict[str, Any]:
    receive = amount(receive_of(item, send))
    return {
        "CustomerFee": 0.0,
        "DistributorFee": amount(item.fee if fee is None else fee),
        "ReceiveValue": receive,
        "ReceiveCurrencyIso": "EUR",
        "ReceiveValueExcludingTax": receive,
        "TaxRate": 0.0,
        "TaxName": "",
        "TaxCalculation": "",
        "SendValue": amount(send),
        "SendCurrencyIso": "GBP",
    }


def provider_shape(provider: Provider) -> dict[str, Any]:
    return {
        "ProviderCode": provider.code,
        "CountryIso": provider.country,
        "Name": provider.name,
        "ShortName": provider.short,
        "ValidationRegex": provider.shape,
        "CustomerCareNumber": "",
        "RegionCodes": [provider.country],
        "PaymentTypes": ["Prepaid"],
        "LogoUrl": f"https://logos.example/{provider.code}.png",
    }


def product_shape(item: Item) -> dict[str, Any]:
    setting = {"Name": "CustomerName", "Description": "Name of the person", "IsMandatory": True}
    return {
        "ProviderCode": item.provider,
        "SkuCode": item.sku,
        "LocalizationKey": item.sku,
        "SettingDefinitions": [setting] if item.needs_setting else [],
        "Maximum": price(item, item.most or item.send),
        "Minimum": price(item, item.send),
        "CommissionRate": COMMISSION / 10_000,
        "ProcessingMode": item.mode,
        "RedemptionMechanism": item.redemption,
        "Benefits": list(item.benefits),
        "ValidityPeriodIso": item.validity,
        "UatNumber": item.uat_number,
        "AdditionalInformation": item.more,
        "DefaultDisplayText": item.text,
        "RegionCode": BY_CODE[item.provider].country,
        "PaymentTypes": ["Prepaid"],
        "LookupBillsRequired": item.needs_bill,
    }
