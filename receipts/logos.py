"""The shop's logo: read once at the start from a PNG, known by the hash of what it shows.

A slip names its logo and does not hold it: a logo is not what a receipt says. One that is not known here any more, because the
shop has another by now, is left out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image

MOST_BYTES, LEAST_SIDE, MOST_SIDE, KEPT_WIDTH = 1_000_000, 48, 3000, 600


class LogoUnusable(ValueError):
    """The file is missing or no picture that fits a receipt; the message is for the person who installs."""


@dataclass(frozen=True)
class Logo:
    """``png`` is the picture on white, at most ``KEPT_WIDTH`` wide, without anything else that the file held."""

    picture: Image.Image
    png: bytes


known: dict[str, Logo] = {}


def hang(path: Path) -> str:
    """Read the file and give its logo a name, the same for the same picture. Raises LogoUnusable."""
    logo = _read(path)
    key = hashlib.sha256(logo.picture.tobytes()).hexdigest()[:16]
    known[key] = logo
    return key


def _read(path: Path) -> Logo:
    try:
        data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
    except OSError as fault:
        raise LogoUnusable(f"The logo {path.name} cannot be read: {fault.strerror}.") from None
    if not data:
        raise LogoUnusable(f"The logo {path.name} is empty or larger than {MOST_BYTES // 1_000_000} MB.")
    try:
        with Image.open(BytesIO(data), formats=["PNG"]) as found:
            if not all(LEAST_SIDE <= side <= MOST_SIDE for side in found.size):
                raise LogoUnusable(f"The logo {path.name} needs sides of {LEAST_SIDE} to {MOST_SIDE} dots.")
            picture = _on_white(found.convert("RGBA"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as fault:
        if isinstance(fault, LogoUnusable):
            raise
        raise LogoUnusable(f"The logo {path.name} is no PNG picture, or a damaged one.") from None
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return Logo(picture, buffer.getvalue())


def _on_white(picture: Image.Image) -> Image.Image:
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    flat = white.convert("RGB")
    flat.thumbnail((KEPT_WIDTH, MOST_SIDE), Image.Resampling.LANCZOS)
    return flat


@lru_cache(maxsize=8)
def dots(key: str, width: int, height: int) -> Image.Image:
    """The logo for a print head. Here, unlike in text, greys become a pattern of dots (Floyd and Steinberg): a photograph keeps
    its shades, and plain black and white stays what it is."""
    grey = known[key].picture.convert("L").resize((width, height), Image.Resampling.LANCZOS)
    return grey.convert("1", dither=Image.Dither.FLOYDSTEINBERG)
