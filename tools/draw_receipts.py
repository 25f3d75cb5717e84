#!/usr/bin/env python3
"""Draw every sample slip anew after a wanted change of a layout, a font or a word.

    python tools/draw_receipts.py                  tests/receipts/golden: text and fingerprints
    python tools/draw_receipts.py --pictures DIR   also the pictures and PDFs, to be looked at

Read the difference of the text and look at the pictures before you commit: the tests will believe whatever this draws."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "receipts")]


def main() -> int:
    from goldens import CASES, redraw

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path)
    redraw(parser.parse_args().pictures)
    print(f"{len(CASES)} slips drawn")
    return 0


if __name__ == "__main__":
    sys.exit(main())
