"""A python-escpos printer that only collects bytes, imported late and with its side effects undone.

Importing python-escpos 3.1 costs a quarter of a second, gives the root logger a handler, and leaves a pickle of its
printer profiles in a new temporary directory that nobody removes. It would also *load* a pickle lying in the directory
named by ESCPOS_CAPABILITIES_PICKLE_DIR, which is code to whoever can write there; so it gets a private directory that
is gone when the import is over."""

from __future__ import annotations

import logging
import os
import tempfile
from functools import lru_cache
from threading import Lock
from typing import Any

PICKLE_VARIABLE = "ESCPOS_CAPABILITIES_PICKLE_DIR"
importing = Lock()


def new_collector() -> Any:
    """A fresh ``escpos.printer.Dummy``: ``_raw(bytes)`` adds, ``output`` is everything so far."""
    with importing:
        return dummy_class()()


@lru_cache(maxsize=1)
def dummy_class() -> Any:
    """The class, imported once per process."""
    root = logging.getLogger()
    handlers, before = list(root.handlers), os.environ.get(PICKLE_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="simcounter-") as private:
        os.environ[PICKLE_VARIABLE] = private
        try:
            from escpos.printer import Dummy
        finally:
            root.handlers[:] = handlers
            if before is None:
                del os.environ[PICKLE_VARIABLE]
            else:
                os.environ[PICKLE_VARIABLE] = before
    return Dummy
