"""Processes that begin with everything imported: forked from one that has done it, a start takes a fifth of a second instead
of two. Windows has no fork, and there each process imports for itself."""

from __future__ import annotations

import multiprocessing

_HOW = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"

LIVES = multiprocessing.get_context(_HOW)
if _HOW == "forkserver":
    LIVES.set_forkserver_preload(["tests.harness.victim", "tests.harness.contenders"])
