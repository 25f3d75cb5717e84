"""The control page's part about the resellers: a section each, with its wallet, its last sales and the way in."""

from __future__ import annotations

from html import escape

from pos.sandbox.carrier import Carrier
from pos.sandbox.clock import moment
from pos.sandbox.page_pieces import Pieces, money, text_field
from pos.sandbox.records import COMPLETED
from pos.sandbox.vendors import Vendor

_SHOWN = 10  # transactions of each

# Key in Carrier.vendors -> (its name, where its base address begins, where its tokens come from, if that is not below it).
_RESELLERS = {
    "airalo": ("Airalo", "/airalo/v2", ""),
    "ding": ("DingConnect", "/ding/api/V1", "/ding/connect/token"),
    "dtone": ("DT One", "/dtone/v1", ""),
    "reloadly": ("Reloadly", "/reloadly", "/reloadly/oauth/token"),
}


def reseller(page: Pieces, carrier: Carrier, name: str, base: str) -> str:
    """``base`` is this server's own address. Codes that were sold (PIN, LPA) stay with the reseller's doors, as in life."""
    vendor, (title, path, token) = carrier.vendors[name], _RESELLERS[name]
    way_in = [f"{page.say('base_url')} <code>{escape(base + path)}</code>"]
    if token:
        way_in.append(f"{page.say('token_url')} <code>{escape(base + token)}</code>")
    client, secret = carrier.settings.client_id, carrier.settings.client_secret
    way_in.append(f"{page.say('credentials')} <code>{escape(client)}</code> / <code>{escape(secret)}</code>")
    body = (
        f"<p>{' · '.join(way_in)}</p>"
        + _wallets(page, name, vendor)
        + f'<p class="quiet">{page.say("magic")}: {page.say(f"magic_{name}")}</p>'
        + _sales(page, name, vendor)
    )
    return page.section("reseller", body, wide=True, called=title, place=name)


def _wallets(page: Pieces, name: str, vendor: Vendor) -> str:
    aside = vendor.books.holding()
    rows = [
        (
            escape(currency),
            money(minor),
            money(aside[currency]),
            page.form(
                "vendor_wallet", "set", text_field("available", "short", money(minor)), row=True, name=name, currency=currency
            ),
        )
        for currency, minor in sorted(vendor.books.wallets().items())
    ]
    return page.table(("wallets", ">available", ">set_aside", ""), rows)


def _sales(page: Pieces, name: str, vendor: Vendor) -> str:
    """The newest first."""
    rows = [
        (
            f"<code>{moment(sold.created_at)}</code>",
            f"<code>{escape(sold.number)}</code>",
            f"<code>{escape(sold.product)}</code>",
            f"{money(sold.cost_minor)} {escape(sold.currency)}",
            f"<code>{escape(sold.ref)}</code>",
            f"<code>{sold.id}</code>",
            escape(sold.state),
            page.form("vendor_reverse", "give_back", row=True, style="plain", name=name, transaction=str(sold.id))
            if sold.state == COMPLETED
            else "",
        )
        for sold in reversed(vendor.books.transactions()[-_SHOWN:])
    ]
    return page.table(("at", "number", "offering", ">amount", "reference", "transaction", "state", ""), rows)
