#!/usr/bin/env python3
"""Cut the two receipt fonts out of Noto Sans SC and write down where they came from.

    npm pack @expo-google-fonts/noto-sans-sc@0.4.3
    python tools/cut_fonts.py expo-google-fonts-noto-sans-sc-0.4.3.tgz

Needs fontTools (dependency group "assets"). Two runs write identical bytes, so the hashes in
SOURCES.md can be compared. The static weights are taken because reportlab refuses CFF outlines and draws a
variable font in its thinnest weight.
"""

import hashlib
import io
import sys
import tarfile
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

PACKAGE = "@expo-google-fonts/noto-sans-sc"
VERSION = "0.4.3"
FOLDER = Path(__file__).resolve().parent.parent / "receipts" / "fonts"
LICENCE = ("package/LICENSE_FONT", "OFL.txt")
FACES = {
    "package/500Medium/NotoSansSC_500Medium.ttf": "NotoSansSC-Medium.subset.ttf",
    "package/700Bold/NotoSansSC_700Bold.ttf": "NotoSansSC-Bold.subset.ttf",
}

# Latin with its extensions, punctuation, box drawing, CJK punctuation, full-width forms.
RANGES = ((0x20, 0x24F), (0x2000, 0x206F), (0x2500, 0x257F), (0x3000, 0x303F), (0xFF00, 0xFFEF))
# Currencies of the neighbours and the few symbols receipts use; U+25A1 stands for a character the face lacks.
EXTRAS = "€₩₫₹฿№™•·×÷°→←↑↓✓①②③④⑤⑥⑦⑧⑨■□▲▼●○★☆"
DROPPED_TABLES = ["GSUB", "GPOS", "GDEF", "BASE", "vhea", "vmtx", "DSIG"]


def main(arguments: list[str]) -> int:
    """Read the tarball named on the command line, write fonts, licence and SOURCES.md."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    archive_path = Path(arguments[0])
    FOLDER.mkdir(parents=True, exist_ok=True)
    hashes = [("input", archive_path.name, digest(archive_path.read_bytes()))]
    with tarfile.open(archive_path) as archive:
        for member, name in FACES.items():
            original = read(archive, member)
            (FOLDER / name).write_bytes(cut := cut_face(original))
            hashes += [("input", member, digest(original)), ("output", name, digest(cut))]
            print(f"{name}: {len(cut):,} bytes")
        (FOLDER / LICENCE[1]).write_bytes(licence := read(archive, LICENCE[0]))
        hashes.append(("licence", LICENCE[1], digest(licence)))
    (FOLDER / "SOURCES.md").write_text(sources(hashes), encoding="utf-8", newline="\n")
    return 0


def cut_face(original: bytes) -> bytes:
    """One weight reduced to the receipt characters; raises SystemExit when a Han character would be missing."""
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = ["*"]
    options.glyph_names = False
    options.drop_tables = [*options.drop_tables, *DROPPED_TABLES]
    font = subset.load_font(io.BytesIO(original), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted())
    cutter.subset(font)
    cut = io.BytesIO()
    subset.save_font(font, cut, options)
    check(cut.getvalue())
    return cut.getvalue()


def wanted() -> set[int]:
    """Every code point a receipt may need."""
    ranges = {code for first, last in RANGES for code in range(first, last + 1)}
    return han() | ranges | {ord(character) for character in EXTRAS}


def han() -> set[int]:
    """The Han of GB2312 (6763) and of Big5 (13 051), asked from Python's own codecs."""
    found: set[int] = set()
    simplified = ((lead, trail, "gb2312") for lead in range(0xB0, 0xF8) for trail in range(0xA1, 0xFF))
    trails = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    traditional = ((lead, trail, "big5") for lead in range(0xA4, 0xFA) for trail in trails)
    for lead, trail, codec in [*simplified, *traditional]:
        text = bytes([lead, trail]).decode(codec, errors="ignore")
        found |= {ord(character) for character in text if 0x4E00 <= ord(character) <= 0x9FFF}
    return found


def check(cut: bytes) -> None:
    """A silent hole in the face would print boxes on a customer's slip; find it here."""
    font = TTFont(io.BytesIO(cut))
    have = set(font.getBestCmap())
    missing = han() - have
    if missing:
        raise SystemExit(f"{len(missing)} Han characters are missing, the first is U+{min(missing):04X}")
    if 0x25A1 not in have or "glyf" not in font:
        raise SystemExit("The face lacks U+25A1 or has no TrueType outlines")


def read(archive: tarfile.TarFile, member: str) -> bytes:
    """The bytes of one file of the package."""
    handle = archive.extractfile(member)
    if handle is None:
        raise SystemExit(f"{member} is not in the archive")
    return handle.read()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sources(hashes: list[tuple[str, str, str]]) -> str:
    """The text of SOURCES.md."""
    table = "\n".join(f"| {kind} | `{name}` | `{value}` |" for kind, name, value in hashes)
    return f"""# Where these fonts come from

Noto Sans SC, weights Medium (500) and Bold (700), from the npm package `{PACKAGE}` {VERSION}.
Licence: SIL Open Font License 1.1, the text is in `OFL.txt`. The only reserved font name is "Source".

`tools/cut_fonts.py` reduced them to the Han of GB2312 and Big5, Latin, punctuation and the symbols receipts use,
without hinting and layout tables. The same fontTools version writes the same bytes again.

| kind | file | sha256 |
| --- | --- | --- |
{table}
"""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
