"""An independent reader of codes: zbarimg, where the system has it. It shares nothing with what draws them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

SCANNER = shutil.which("zbarimg")
needs_scanner = pytest.mark.skipif(SCANNER is None, reason="zbarimg is not installed")


def scan(picture: Image.Image, folder: Path) -> list[str]:
    """What all codes of a picture say."""
    assert SCANNER is not None
    path = folder / "scanned.png"
    picture.convert("L").save(path)
    found = subprocess.run([SCANNER, "-q", "--raw", str(path)], capture_output=True, text=True, encoding="utf-8", check=False)
    return found.stdout.splitlines()
