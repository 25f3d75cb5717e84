"""Read the books while the tills go on: many short looks instead of one long one, which on SQLite would hold up commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.orm import Session

from pos.store.db import reading

PAGE = 2000

# Which keys belong to a page, whatever column they stand in.
Page = Callable[[Any], ColumnElement[bool]]

# What a forged column does to whoever reads it.
UNREADABLE = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError)


def at_once(check: Callable[[Session], Iterator[str]]) -> Iterator[str]:
    """What adds up over everything is read at one moment."""
    with reading() as session:
        found = list(check(session))
    yield from found


def by_pages(key: Any, check: Callable[[Session, Page], Iterator[str]], *where: ColumnElement[bool]) -> Iterator[str]:
    """What is true or false of each row by itself is read a page at a time, the row and all that belongs to it at one moment.
    A row that comes behind a page that was read already is for the next time; none is ever taken away."""
    last: object = None
    while True:
        with reading() as session:
            chosen = select(key).where(*where).distinct().order_by(key).limit(PAGE)
            keys = list(session.scalars(chosen if last is None else chosen.where(key > last)))
            # The pages leave no gap between them and end nowhere: what belongs to a row that is gone is on one of them.
            up_to = keys[-1] if len(keys) == PAGE else None
            found = list(check(session, partial(_within, last, up_to)))
        yield from found
        if up_to is None:
            return
        last = up_to


def _within(after: object, up_to: object, key: Any) -> ColumnElement[bool]:
    return and_(true() if after is None else key > after, true() if up_to is None else key <= up_to)
