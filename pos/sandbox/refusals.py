"""Every way this carrier says no, as one table: code -> HTTP status and sentence.

The sentences are this simulator's own; a client must never match on them, only on the code. With one of these codes the
request did nothing (except DUPLICATE_EXTERNAL_ID: an earlier request with that reference exists)."""

from __future__ import annotations

CODES: dict[str, tuple[int, str]] = {
    # The request itself
    "INVALID_BODY": (400, "The body is not the JSON object this operation expects."),
    "MISSING_MEMBER": (400, "A member this operation needs is missing."),
    "UNKNOWN_MEMBER": (400, "The body holds a member this operation does not know."),
    "INVALID_VALUE": (400, "A member has a value this operation cannot take."),
    "INVALID_QUERY": (400, "A query parameter is unknown or cannot be read."),
    "UNAUTHENTICATED": (401, "The bearer token is missing, expired or revoked."),
    "FORBIDDEN": (403, "This dealer may not do that now."),
    "NOT_FOUND": (404, "There is nothing here under that name."),
    "METHOD_NOT_ALLOWED": (405, "That cannot be done here."),
    "DUPLICATE_EXTERNAL_ID": (409, "An order with this externalId exists."),
    "RATE_LIMITED": (429, "Too many requests; ask again later."),
    # The renewal
    "INVALID_NUMBER": (404, "That number is not on this carrier."),
    "INELIGIBLE": (422, "This line cannot have that plan now."),
    "PRODUCT_UNAVAILABLE": (422, "That offering is not sold."),
    "OPERATOR_DOWN": (422, "The operator cannot take orders at the moment."),
    "TOO_SOON": (422, "This line was renewed a moment ago."),
    "WALLET_EMPTY": (422, "The dealer's wallet does not cover this order."),
    "LIMIT_REACHED": (422, "This line has reached its limit of renewals."),
    "QUOTA_RULE_17": (422, "A rule no document mentions."),  # on purpose in no client's table: the fault unknown_code
    # Ours
    "INTERNAL_ERROR": (500, "Something broke at the carrier."),
}


class Refusal(Exception):
    """A definite no. ``reference`` is the id of the order that exists (409); ``retry_seconds`` goes out with a 429."""

    def __init__(self, code: str, detail: str = "", reference: str | None = None, retry_seconds: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.reason = CODES[code]
        self.detail = detail
        self.reference = reference
        self.retry_seconds = retry_seconds
