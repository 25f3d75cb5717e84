"""Where the five TM Forum interfaces live, and where an order is found."""

from __future__ import annotations

CATALOGUE = "/tmf-api/productCatalogManagement/v4"
INVENTORY = "/tmf-api/productInventory/v4"
BALANCE = "/tmf-api/prepayBalanceManagement/v4"
ORDERING = "/tmf-api/productOrderingManagement/v4"
PARTY = "/tmf-api/party/v4"


def order_path(order_id: str) -> str:
    """The path of a product order (PO-...) or a top-up (TB-...)."""
    if order_id.startswith("TB-"):
        return f"{BALANCE}/topupBalance/{order_id}"
    return f"{ORDERING}/productOrder/{order_id}"
