"""The screens: each module is its forms, then its views. This is the table of contents."""

from flask import Blueprint

from pos.web import (
    audit,
    carriers,
    codes,
    counter,
    display,
    family,
    hooks,
    paying,
    prices,
    printing,
    receipts,
    refunds,
    replacements,
    search,
    shifts,
    sign_in,
    status,
    verdicts,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    sign_in.bp,
    counter.bp,
    receipts.bp,
    search.bp,
    shifts.bp,
    printing.bp,
    verdicts.bp,
    carriers.bp,
    prices.bp,
    audit.bp,
    display.bp,
    status.bp,
    hooks.bp,
)

__all__ = ["BLUEPRINTS", "codes", "family", "paying", "refunds", "replacements"]
