#!/usr/bin/env python3
"""The API's description, as it is served under /api/v1/openapi.json.

python tools/openapi.py            write docs/openapi.json
python tools/openapi.py --check    write nothing; say whether it is out of date"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
FILE = ROOT / "docs" / "openapi.json"


def written() -> str:
    """The document of an application that has no database and no carrier."""
    from pos.api.document import document
    from pos.app import create_app
    from pos.config import Settings
    from pos.store import keys

    with tempfile.TemporaryDirectory() as folder:
        keys.make(Path(folder) / "keys.json")
        content = {
            "database": {"url": "sqlite://"},
            "security": {"key_ring": str(Path(folder) / "keys.json")},
            "logging": {"level": "error"},
        }
        app = create_app(Settings.model_validate(content), given={})
        return json.dumps(document(app), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the document, or only look at it; the answer is the exit status."""
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    now = written()
    current = FILE.read_text(encoding="utf-8") == now if FILE.exists() else False
    if not current and not arguments:
        FILE.write_text(now, encoding="utf-8", newline="\n")
    print("up to date" if current else "out of date" if arguments else "written: docs/openapi.json")
    return 0 if current or not arguments else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
