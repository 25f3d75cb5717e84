"""How the simulated eSIM reseller calls back: signed, and only where a HEAD was answered first."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import urllib.error
import urllib.request
from typing import Any

from pos.sandbox.airalo_sims import Sim
from pos.sandbox.vendors import Vendor

# what the simulator's request calls it -> the word of the notification
LEVELS = {"expire_1": "1days", "expire_3": "3days", "data_75": "75%", "data_90": "90%"}


def signature(payload: bytes, secret: str) -> str:
    """Hexadecimal HMAC-SHA512."""
    return hmac.new(secret.encode(), payload, hashlib.sha512).hexdigest()


def low_data(level: str, sim: Sim) -> dict[str, Any]:
    package = sim.now.package
    left = round(100 * sim.now.left_megabytes / package.megabytes) if package.megabytes else 100
    return {"level": LEVELS[level], "package_name": package.title, "remaining_percentage": left, "iccid": sim.iccid}


def send(vendor: Vendor, news: dict[str, Any], secret: str) -> None:
    """Signed over compact JSON with slashes escaped, as PHP writes it, and sent with blanks between: whoever verifies must
    write the body again."""
    signed = json.dumps(news, separators=(",", ":")).replace("/", "\\/").encode()
    vendor.callbacks.send(
        vendor.switches["webhook_url"], json.dumps(news).encode(), {"airalo-signature": signature(signed, secret)}
    )


def answers_head(url: str) -> bool:
    """Whether the shop's address says 200 to HEAD, as this reseller wants before it calls."""
    if not url:
        return False
    try:
        asked = urllib.request.Request(url, method="HEAD")  # noqa: S310  # an address of the tests' own
        with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310
            return int(answer.status) == 200
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except (OSError, http.client.HTTPException):
        return False
