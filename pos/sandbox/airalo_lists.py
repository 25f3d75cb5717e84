"""What the simulated eSIM reseller shows: its packages, the eSIMs that were bought here, and the wallet."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pos.sandbox.airalo_catalogue import COUNTRIES, OPERATORS, Operator, Package, operator_of
from pos.sandbox.airalo_manners import MANNERS, moment, page_of, vendor_of
from pos.sandbox.airalo_sims import SMDP, OnSim, Sim, sim_of, sims_of
from pos.sandbox.carrier import Carrier
from pos.sandbox.misbehave import play
from pos.sandbox.records import Fate
from pos.sandbox.refusals import Refusal
from pos.sandbox.wire import Answer, Request, amount, json_answer

DOLLARS = 1.25  # to the pound, for the prices in dollars


def get_packages(carrier: Carrier, request: Request) -> Answer:
    query = request.query("filter[type]", "filter[country]", "include", "limit", "page")
    kind, country = query.get("filter[type]"), query.get("filter[country]")
    if kind not in (None, "local", "global") or query.get("include", "topup") != "topup":
        raise Refusal("INVALID_QUERY", "filter[type]" if query.get("include", "topup") == "topup" else "include")
    if country is not None and not re.fullmatch("[A-Z]{2}", country):
        raise Refusal("INVALID_QUERY", "filter[country]")

    def work(_: Fate) -> Answer:
        chosen = [o for o in OPERATORS if (kind is None or bool(o.country) == (kind == "local")) and country in (None, o.country)]
        # One entry for each country; the global ones stand in an entry each.
        entries = [_country(group, "include" in query) for group in _by_country(chosen)]
        return page_of(request, query, entries)

    return play(carrier, request, "read", None, None, work, MANNERS)


def _by_country(chosen: list[Operator]) -> list[list[Operator]]:
    local = [[o for o in chosen if o.country == country] for country in COUNTRIES]
    return [group for group in local if group] + [[o] for o in chosen if not o.country]


def _country(group: list[Operator], with_top_ups: bool) -> dict[str, Any]:
    slug, title = COUNTRIES.get(group[0].country, (group[0].title.lower().replace(" ", "-"), group[0].title))
    operators = [
        {
            "id": operator.id,
            "title": operator.title,
            "type": "local" if operator.country else "global",
            "is_kyc_verify": operator.asks_for_papers,
            "rechargeability": operator.takes_top_ups,
            "plan_type": "data-voice-text" if any(p.minutes for p in operator.packages) else "data",
            "activation_policy": "first-usage",
            "packages": [_package(p) for p in operator.packages if with_top_ups or p.kind == "sim"],
        }
        for operator in group
    ]
    return {"slug": slug, "country_code": group[0].country, "title": title, "operators": operators}


def _package(package: Package) -> dict[str, Any]:
    """``price`` and ``net_price`` without a currency are in dollars; ``prices`` names each."""
    return {
        "id": package.id,
        "type": package.kind,
        "price": _dollars(package.retail_minor),
        "amount": package.megabytes,
        "day": package.days,
        "is_unlimited": package.is_unlimited,
        "title": package.title,
        "data": package.data,
        "voice": package.minutes,
        "text": package.texts,
        "net_price": _dollars(package.net_minor),
        "prices": {
            "net_price": {"GBP": amount(package.net_minor), "USD": _dollars(package.net_minor)},
            "recommended_retail_price": {"GBP": amount(package.retail_minor), "USD": _dollars(package.retail_minor)},
        },
    }


def _dollars(minor: int) -> float:
    return amount(round(minor * DOLLARS))


def _of_sim(serial: str, carrier: Carrier, request: Request, told: Callable[[Sim], object]) -> Answer:
    def work(_: Fate) -> Answer:
        sim = sim_of(serial, vendor_of(carrier).books)
        if sim is None:
            raise Refusal("NOT_FOUND", serial)
        return json_answer(200, {"data": told(sim), "meta": {"message": "success"}})

    return play(carrier, request, "read", serial, None, work, MANNERS)


def get_sims(carrier: Carrier, request: Request) -> Answer:
    query = request.query("limit", "page")

    def work(_: Fate) -> Answer:
        return page_of(request, query, [_sim(sim) for sim in sims_of(vendor_of(carrier).books)])

    return play(carrier, request, "read", None, None, work, MANNERS)


def get_sim(carrier: Carrier, request: Request, serial: str) -> Answer:
    request.query()
    return _of_sim(serial, carrier, request, _sim)


def get_usage(carrier: Carrier, request: Request, serial: str) -> Answer:
    request.query()
    return _of_sim(serial, carrier, request, lambda sim: _usage(sim.now))


def get_sim_packages(carrier: Carrier, request: Request, serial: str) -> Answer:
    request.query()
    return _of_sim(serial, carrier, request, lambda sim: [_on_sim(entry) for entry in sim.packages])


def get_top_ups(carrier: Carrier, request: Request, serial: str) -> Answer:
    """What fits this eSIM."""
    request.query()

    def fitting(sim: Sim) -> list[dict[str, Any]]:
        operator = operator_of(sim.now.package.id)
        return [_package(p) for p in operator.packages if p.kind == "topup" and operator.takes_top_ups]

    return _of_sim(serial, carrier, request, fitting)


def _sim(sim: Sim) -> dict[str, Any]:
    code = sim.lpa
    return {
        "id": sim.id,
        "iccid": sim.iccid,
        "created_at": moment(sim.created_at),
        "lpa": SMDP,
        "matching_id": sim.matching_id,
        "qrcode": code,
        "apn_type": "automatic",
    }


def _usage(entry: OnSim) -> dict[str, Any]:
    """In megabytes, minutes and texts; without a package in use there is no end."""
    package = entry.package
    return {
        "remaining": entry.left_megabytes,
        "total": package.megabytes,
        "expired_at": moment(entry.expires_at) if entry.expires_at else None,
        "is_unlimited": package.is_unlimited,
        "status": entry.status,
        "remaining_voice": package.minutes or 0,
        "total_voice": package.minutes or 0,
        "remaining_text": package.texts or 0,
        "total_text": package.texts or 0,
    }


def _on_sim(entry: OnSim) -> dict[str, Any]:
    return {
        "id": entry.id,
        "status": entry.status,
        "remaining": entry.left_megabytes,
        "activated_at": moment(entry.activated_at) if entry.activated_at else None,
        "expired_at": moment(entry.expires_at) if entry.expires_at else None,
        "finished_at": None,
        "package": {"id": entry.package.id, "title": entry.package.title, "day": entry.package.days},
    }


def get_balance(carrier: Carrier, request: Request) -> Answer:
    request.query()

    def work(_: Fate) -> Answer:
        minor = vendor_of(carrier).books.wallets()["GBP"]
        balance = {"name": "balance", "availableBalance": {"amount": amount(minor), "currency": "GBP"}}
        return json_answer(200, {"data": {"balances": balance}, "meta": {"message": "success"}})

    return play(carrier, request, "read", None, None, work, MANNERS)
