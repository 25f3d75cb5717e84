"""The JSON API for integrators and self-service devices: each module is its schemas, then its views. The table of contents."""

from __future__ import annotations

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from pos.api import (
    codes,
    document,
    further,
    keys,
    numbers,
    payments,
    receipts,
    refunds,
    replacements,
    sales,
    sessions,
    shifts,
    tills,
)

PREFIX = keys.PREFIX
MODULES = (tills, sessions, numbers, sales, further, payments, codes, refunds, replacements, receipts, shifts)

__all__ = ["MODULES", "PREFIX", "init"]


def init(app: Flask, csrf: CSRFProtect) -> None:
    """Register the API's doors. Raises Unguarded when one has no permission.

    A token is never sent by a browser on its own, so a foreign page cannot borrow it: the views that ask for tokens, and
    those alone, need no CSRF token. They do not look at cookies at all."""
    document.init(app)
    keys.check_doors(app)
    for view in keys.guarded_views(app):
        csrf.exempt(view)
