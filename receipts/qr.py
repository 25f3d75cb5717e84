"""QR codes as a grid of modules, the same for every renderer."""

from __future__ import annotations

from functools import lru_cache

QUIET_MODULES = 4  # ISO/IEC 18004 asks for four; fewer and a counter scanner hunts

Grid = tuple[tuple[bool, ...], ...]


@lru_cache(maxsize=64)
def modules(data: str) -> Grid:
    """Rows of modules, True is black, with the quiet zone around them. Error correction level M: a folded or faded slip
    still scans. Raises ``receipts.document.DocumentError`` when ``data`` is too long for any code."""
    import qrcode  # 20 ms of imports that a slip without a code does not need
    from qrcode.exceptions import DataOverflowError

    from receipts.blocks import DocumentError

    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET_MODULES)
    try:
        code.add_data(data)
        code.make(fit=True)
    except (DataOverflowError, ValueError) as error:
        raise DocumentError("the QR code cannot hold so much text") from error
    return tuple(tuple(bool(module) for module in row) for row in code.get_matrix())


@lru_cache(maxsize=64)
def rectangles(grid: Grid) -> list[tuple[int, int, int, int]]:
    """The black as (column, row, length, height): equal runs below one another as one shape, a third fewer than runs."""
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for column, row, length in runs(grid):
        stack = found.setdefault((column, length), [])
        if stack and stack[-1][0] + stack[-1][1] == row:
            stack[-1] = (stack[-1][0], stack[-1][1] + 1)
        else:
            stack.append((row, 1))
    return [(column, row, length, height) for (column, length), stack in found.items() for row, height in stack]


def runs(grid: Grid) -> list[tuple[int, int, int]]:
    """The black of a grid as (column, row, length) of horizontal runs, so that few shapes draw it."""
    found: list[tuple[int, int, int]] = []
    for y, row in enumerate(grid):
        start = None
        for x, black in enumerate((*row, False)):
            if black and start is None:
                start = x
            elif not black and start is not None:
                found.append((start, y, x - start))
                start = None
    return found
