"""What the simulated eSIM reseller sells: a dozen packages for Britain, Japan, Europe and the world, in pounds and dollars.

Operators and prices are invented. A package whose id ends in ``-topup`` goes onto an eSIM that was bought here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Package:
    """``net_minor`` is what the wallet pays and ``retail_minor`` what the reseller recommends, both pence. ``megabytes`` of an
    unlimited package are zero; ``minutes`` and ``texts`` are None where it is data alone."""

    id: str
    kind: str  # sim or topup
    megabytes: int
    days: int
    net_minor: int
    retail_minor: int
    minutes: int | None = None
    texts: int | None = None

    @property
    def is_unlimited(self) -> bool:
        return self.megabytes == 0

    @property
    def data(self) -> str:
        return "Unlimited" if self.is_unlimited else f"{self.megabytes // 1024} GB"

    @property
    def title(self) -> str:
        return f"{self.data} - {self.days} Days"


@dataclass(frozen=True)
class Operator:
    """``country`` is empty for one that serves many. ``asks_for_papers``: its packages want an identity check of its own
    (is_kyc_verify); ``takes_top_ups``: rechargeability."""

    id: int
    title: str
    country: str
    packages: tuple[Package, ...]
    asks_for_papers: bool = False
    takes_top_ups: bool = True


COUNTRIES: Mapping[str, tuple[str, str]] = {
    "GB": ("united-kingdom", "United Kingdom"),
    "JP": ("japan", "Japan"),
    "ES": ("spain", "Spain"),
}

OPERATORS: tuple[Operator, ...] = (
    Operator(
        301,
        "Thames Mobile",
        "GB",
        (
            Package("thames-7days-1gb", "sim", 1024, 7, 280, 350),
            Package("thames-30days-3gb", "sim", 3072, 30, 720, 900),
            Package("thames-7days-1gb-topup", "topup", 1024, 7, 280, 350),
            Package("thames-30days-3gb-topup", "topup", 3072, 30, 720, 900),
            Package("thames-30days-20gb-topup", "topup", 20480, 30, 1680, 2100),  # always sold out: code 33
        ),
    ),
    Operator(
        302,
        "Sakura Mobile",
        "JP",
        (
            Package("sakura-30days-5gb", "sim", 5120, 30, 960, 1200),
            Package("sakura-10days-unlimited", "sim", 0, 10, 1920, 2400),
            Package("sakura-30days-5gb-topup", "topup", 5120, 30, 960, 1200),
        ),
    ),
    Operator(
        303,
        "Verano Mobile",
        "ES",
        (Package("verano-30days-10gb", "sim", 10240, 30, 1040, 1300, minutes=60, texts=30),),
        asks_for_papers=True,
    ),
    Operator(
        304,
        "Eurolink",
        "",
        (
            Package("eurolink-30days-10gb", "sim", 10240, 30, 1480, 1850, minutes=100, texts=100),
            Package("eurolink-30days-10gb-topup", "topup", 10240, 30, 1480, 1850, minutes=100, texts=100),
            Package("eurolink-7days-1gb-topup", "topup", 1024, 7, 360, 450),  # sold and then answered with code 53, always
        ),
    ),
    Operator(
        305,
        "Globe Trotter",
        "",
        (Package("globe-15days-2gb", "sim", 2048, 15, 1400, 1750),),
        takes_top_ups=False,
    ),
)

SOLD_OUT = "thames-30days-20gb-topup"
UNSURE = "eurolink-7days-1gb-topup"

PACKAGES: Mapping[str, Package] = {package.id: package for operator in OPERATORS for package in operator.packages}
_OPERATORS = {package.id: operator for operator in OPERATORS for package in operator.packages}


def operator_of(package_id: str) -> Operator:
    return _OPERATORS[package_id]
