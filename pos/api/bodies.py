"""What was sent: JSON and nothing else, read strictly. Whatever cannot be read is refused before anything is looked at."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request, abort
from webargs.flaskparser import FlaskParser

_FRACTION = object()


class Bodies(FlaskParser):
    """Python's reader takes more than JSON is (NaN, names that stand twice), and some of it ends in a fault."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": ma.RAISE, "query": ma.RAISE}

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        if req.mimetype != "application/json":
            abort(415)
        try:
            return json.loads(
                req.get_data().decode("utf-8"), parse_constant=_refuse, parse_float=_fraction, object_pairs_hook=_once
            )
        except (ValueError, RecursionError):  # also: not UTF-8, and whole numbers of thousands of digits
            abort(400)


def _refuse(_word: str) -> NoReturn:
    raise ValueError("no number")


def _fraction(_text: str) -> object:
    """Nothing here is a fraction, so every field refuses this; and 1e999 is infinity to nobody."""
    return _FRACTION


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may choose differently between two values of one name, so none is chosen."""
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name stands twice")
    return content
