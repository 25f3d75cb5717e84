"""Where templates and migrations lie: inside an installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_dir(name: str) -> Path:
    """``pos/<name>`` of a wheel, else ``<checkout>/<name>``. Raises FileNotFoundError when the installation is incomplete."""
    for place in (_PACKAGE / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"simcounter is installed without its {name} folder")
