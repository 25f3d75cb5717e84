"""The screens: each module is its forms, then its views. This is the table of contents."""

from flask import Blueprint

from pos.web import (
    audit,
    carriers,
    codes,
    counter,
    differences,
    display,
    disputes,
    drawer,
    family,
    hooks,
    paying,
    people,
    prices,
    printing,
    receipts,
    reconciliation,
    refunds,
    replacements,
    reports,
    search,
    shifts,
    sign_in,
    status,
    tills,
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
    people.bp,
    tills.bp,
    reconciliation.bp,
    reports.bp,
    disputes.bp,
    audit.bp,
    display.bp,
    status.bp,
    hooks.bp,
)

__all__ = ["BLUEPRINTS", "codes", "differences", "drawer", "family", "paying", "refunds", "replacements"]
