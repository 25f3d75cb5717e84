"""What the customer takes home, in three forms, and as a numbered copy on paper."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from pos.api.fields import Answer
from pos.api.keys import bp, desk, door, kit, refuses
from pos.domain.permissions import Permission
from pos.services import receipts

_BYTES = {"type": "string", "format": "binary"}


class CopyAnswer(Answer):
    sale = fields.UUID(required=True, allow_none=True)


@bp.route("/receipts/<string(maxlength=30):number>.pdf", tags=["Receipts"])
@door(Permission.SEARCH)
@bp.response(200, _BYTES, content_type="application/pdf")
@refuses(404, 409)
def receipt_as_pdf(number: str) -> Any:
    """The receipt as PDF: the same bytes each time."""
    return Response(receipts.as_pdf(number, desk()), mimetype="application/pdf")


@bp.route("/receipts/<string(maxlength=30):number>.png", tags=["Receipts"])
@door(Permission.SEARCH)
@bp.response(200, _BYTES, content_type="image/png")
@refuses(404, 409)
def receipt_as_png(number: str) -> Any:
    """The receipt as an 80 mm printer draws it, black and white, 576 dots wide."""
    return Response(receipts.as_png(number, desk()), mimetype="image/png")


@bp.route("/receipts/<string(maxlength=30):number>.txt", tags=["Receipts"])
@door(Permission.SEARCH)
@bp.response(200, {"type": "string"}, content_type="text/plain")
@refuses(404, 409)
def receipt_as_text(number: str) -> Any:
    """The receipt as lines of 48 columns; a Chinese sign takes two."""
    return Response(receipts.as_text(number, desk()), mimetype="text/plain")


@bp.route("/receipts/<string(maxlength=30):number>/copies", methods=["POST"], tags=["Receipts"])
@door(Permission.REPRINT)
@bp.response(201, CopyAnswer)
@refuses(404, 409)
def reprint(number: str) -> Any:
    """Print a numbered copy at this till. Each call prints one more."""
    return {"sale": receipts.reprint(number, desk(), kit=kit())}
