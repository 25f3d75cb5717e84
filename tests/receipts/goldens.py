"""What every slip looks like, frozen: its text at both paper widths, and fingerprints of its pictures and its PDF.

`python tools/draw_receipts.py` draws all of it anew; the pictures, which are for eyes, go to a folder of your choice."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from PIL import features
from sample_slips import LANGUAGES, every_document, odd_documents

from receipts import pdf, raster, text
from receipts.document import Document

GOLDEN = Path(__file__).parent / "golden"
FINGERPRINTS = GOLDEN / "fingerprints.json"
# Columns of a printer's own characters on 80 and 58 mm paper, and the dots of both heads.
COLUMNS, DOTS = (48, 32), (576, 384)


def documents(language: str) -> dict[str, Document]:
    return every_document(language) | odd_documents(language)


NAMES = tuple(documents("en"))
CASES = [(name, language) for name in NAMES for language in LANGUAGES]


def text_path(name: str, language: str, columns: int) -> Path:
    return GOLDEN / f"{name}-{language}-{columns}.txt"


def drawn_by() -> dict[str, str]:
    """What decides over single dots and bytes besides us; with other versions the fingerprints say nothing."""
    return {"freetype": str(features.version("freetype2")), "pillow": version("pillow"), "reportlab": version("reportlab")}


def fingerprints(document: Document) -> dict[str, str]:
    """SHA-256 of the picture of each width, and of the PDF."""
    found = {f"{dots} dots": raster.draw(document, dots).tobytes() for dots in DOTS} | {"pdf": pdf.render(document)}
    return {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}


def kept() -> dict[str, dict[str, str]]:
    """The frozen fingerprints by "name-language", and "drawn by"."""
    found: dict[str, dict[str, str]] = json.loads(FINGERPRINTS.read_text(encoding="utf-8"))
    return found


def redraw(pictures: Path | None) -> None:
    """Freeze what the layouts draw now, and leave nothing of what they drew before."""
    for path in GOLDEN.glob("*.txt"):
        path.unlink()
    found: dict[str, dict[str, str]] = {"drawn by": drawn_by()}
    for name, language in CASES:
        document = documents(language)[name]
        for columns in COLUMNS:
            text_path(name, language, columns).write_text(text.render(document, columns), encoding="utf-8", newline="\n")
        found[f"{name}-{language}"] = fingerprints(document)
        if pictures is not None:
            keep_pictures(document, pictures / f"{name}-{language}")
    FINGERPRINTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8", newline="\n")


def keep_pictures(document: Document, place: Path) -> None:
    """For eyes: the paper of both widths, and the PDF."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for dots in DOTS:
        raster.draw(document, dots).save(f"{place}-{dots}.png")
    Path(f"{place}.pdf").write_bytes(pdf.render(document))
