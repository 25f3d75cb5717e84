"""The day that chooses what a run samples: the database of a test, the planted faults, the resellers, the seeds.

``POS_TEST_DAY=2026-11-22 python3 dev.py test`` replays the choice of that day."""

from __future__ import annotations

import os
from datetime import date


def day() -> date:
    said = os.environ.get("POS_TEST_DAY")
    return date.fromisoformat(said) if said else date.today()
