"""A document that was scanned before the number waits for it on the clerk's own page, sealed; nothing of it is written here.

What waits is what was understood and never the lines. The page holds it as one unreadable word that only this till opens, for the
one sale that the page belongs to, for ten minutes."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict
from datetime import date, datetime, timedelta

from cryptography.exceptions import InvalidTag

from pos.domain.documents import DocumentType
from pos.domain.tills import Desk
from pos.services.document_reading import Seen
from pos.services.kit import Kit
from pos.store.keys import KeyRingUnusable

# Long enough to hear and repeat a number, short enough that no page of an hour ago vouches for anybody.
WAITS = timedelta(minutes=10)


def set_aside(seen: Seen, sale_id: str, desk: Desk, *, kit: Kit) -> str:
    """The word that stands for ``seen`` on the page of the sale ``sale_id``."""
    content = asdict(seen) | {"expires_on": seen.expires_on and seen.expires_on.isoformat(), "at": kit.now().isoformat()}
    return urlsafe_b64encode(kit.keys.seal(json.dumps(content), _place(sale_id, desk))).decode()


def taken_up(word: str, sale_id: str, desk: Desk, *, kit: Kit) -> Seen | None:
    """What ``word`` stands for; None when it is of another sale or till, too old, or not ours."""
    try:
        content = json.loads(kit.keys.open(urlsafe_b64decode(word.encode()), _place(sale_id, desk)))
    except (InvalidTag, KeyRingUnusable, ValueError):
        return None
    if kit.now() - datetime.fromisoformat(content.pop("at")) > WAITS:
        return None
    ends = content.pop("expires_on")
    kind = DocumentType(content.pop("type"))
    return Seen(type=kind, expires_on=date.fromisoformat(ends) if ends else None, **content)


def _place(sale_id: str, desk: Desk) -> str:
    return f"page.document:{desk.till.id}:{sale_id}"
