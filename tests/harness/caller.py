"""The carrier that calls about an order, and repeats itself until it is heard."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request

from tests.harness.clerk import MOST_PRESSES, Clerk, Refused, Visit
from tests.harness.machine import HOOK, NotDone, wait_until

_REF = "select ref from attempts join renewals on renewals.id = renewal_id where sale_id = ? order by attempts.id desc"
_NOTED = "select count(*) from journal join renewals on renewals.id = object_id where sale_id = ? and journal.kind = 'renewal.notified'"


def event(ref: str) -> bytes:
    order = {"id": "77", "externalId": [{"externalIdentifierType": "clientRef", "id": ref}], "state": "completed"}
    told = {"eventId": ref, "eventType": "productOrderStateChangeEvent", "event": {"productOrder": order}}
    return json.dumps(told).encode()


def call_about(clerk: Clerk, visit: Visit) -> None:
    """As soon as there is an order to call about, until it is answered with 204; and once more, for it may not have seen that."""
    if visit.voided:
        return

    def ordered() -> bool:
        if not clerk.machine.is_on:
            clerk.rise()
        return bool(clerk.machine.rows(_REF, visit.sale_id))

    wait_until(ordered, "nothing was ordered")
    body = event(clerk.machine.rows(_REF, visit.sale_id)[0][0])
    for _ in range(2):
        _until_heard(clerk, body)


def _until_heard(clerk: Clerk, body: bytes) -> None:
    for _ in range(MOST_PRESSES):
        try:
            status = _post(clerk.machine.url + HOOK, body)
        except (OSError, http.client.HTTPException):
            clerk.rise()
            continue
        if status != 204:
            raise Refused(f"the carrier's call was answered with {status}")
        return
    raise NotDone("the carrier is never heard")


def _post(url: str, body: bytes) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with opener.open(asked, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


def heard_once(clerk: Clerk, visit: Visit) -> None:
    """However often it called, it is one message and one line in the journal."""
    if visit.voided:
        return
    ref = clerk.machine.rows(_REF, visit.sale_id)[0][0]
    kept = clerk.machine.rows("select count(*), count(renewal_id) from notifications where ref = ?", ref)
    assert kept == [(1, 1)], f"the same call is kept {kept} times"
    assert clerk.machine.rows(_NOTED, visit.sale_id) == [(1,)], "the same call stands in the journal more than once, or not"
