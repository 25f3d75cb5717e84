"""The picture: nothing leaves the paper, and the code in it scans."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from sample_slips import LANGUAGES, every_document

from receipts.document import Bar, Document, Qr, Role, Row, Text
from receipts.faces import fit, letters
from receipts.glyphs import THRESHOLD, font, widths, write
from receipts.page import Box, Code, Ink
from receipts.qr import modules
from receipts.raster import SIZES, draw, measures
from receipts.typesetting import set_page

LINK = "https://r.example/c/7Q4M-2K9D-XW3E-5T8B-0123"
TEXTS = st.text(alphabet="ab 1.\x1b\x10汉字話費，（😀é\u202e", max_size=120)


def assert_inside(document: Document, dots: int) -> None:
    """Every placed thing lies on the paper, whole."""
    page = set_page(fit(document), measures(dots))
    for thing in page.things:
        match thing:
            case Ink(x, y, text, size, bold):
                assert x >= 0 and y >= 0
                assert x + font(bold, int(size)).getlength(text) <= dots + 1
                assert y + size <= page.height
            case Box(x, y, width, height):
                assert x >= 0 and x + width <= dots and y + height <= page.height
            case Code(x, y, grid, module):
                assert x >= 0 and x + module * len(grid) <= dots and module == int(module)


@pytest.mark.parametrize("dots", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_runs_off_the_paper(language: str, dots: int) -> None:
    for document in every_document(language).values():
        assert_inside(document, dots)


@settings(max_examples=40, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from(list(Role)), st.sampled_from(list(SIZES)))
def test_any_text_stays_on_the_paper(label: str, value: str, role: Role, dots: int) -> None:
    assert_inside(Document((Bar(label), Text(value, role), Row(label, value, role)), "t", "en"), dots)


def test_a_picture_is_black_and_white_and_as_wide_as_the_print_head() -> None:
    image = draw(every_document("zh_Hant")["sale_activated"], 384)
    assert (image.mode, image.width) == ("1", 384)
    assert {value for _, value in image.getcolors() or []} == {0, 255}


def test_a_long_shop_name_shrinks_before_it_breaks() -> None:
    page = set_page(Document((Text("Harbour Mobile & Travel Shop", Role.SHOP),), "t", "en"), measures(384))
    (ink,) = [thing for thing in page.things if isinstance(thing, Ink)]
    assert SIZES[384][Role.NORMAL] <= ink.size < SIZES[384][Role.SHOP]


@pytest.mark.parametrize("dots", SIZES)
def test_every_module_of_a_code_is_where_it_belongs(dots: int) -> None:
    document = Document((Qr(LINK),), "t", "en")
    image = draw(document, dots)
    (code,) = [thing for thing in set_page(document, measures(dots)).things if isinstance(thing, Code)]
    middle = code.module / 2
    seen = tuple(
        tuple(
            image.getpixel((int(code.x + column * code.module + middle), int(code.y + row * code.module + middle))) == 0
            for column in range(len(code.grid))
        )
        for row in range(len(code.grid))
    )
    assert seen == modules(LINK)


@pytest.mark.parametrize("dots", SIZES)
def test_the_code_scans(dots: int, tmp_path: Path) -> None:
    """With zbarimg where it is installed; otherwise the quiet zone, which scanners need most, is looked at."""
    image = draw(every_document("en")["sale_activated"], dots)
    if scanner := shutil.which("zbarimg"):
        image.save(tmp_path / "slip.png")
        command = [scanner, "-q", "--raw", str(tmp_path / "slip.png")]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == LINK
    assert all(not any(row[:4]) and not any(row[-4:]) for row in modules(LINK))
    assert not any(any(row) for row in (*modules(LINK)[:4], *modules(LINK)[-4:]))


def test_too_long_a_code_is_named() -> None:
    from receipts.document import DocumentError

    with pytest.raises(DocumentError):
        draw(Document((Qr("x" * 5000),), "t", "en"), 576)


def test_the_same_document_gives_the_same_picture() -> None:
    document = every_document("zh_Hans")["sale_activated"]
    first, second = draw(document, 576), draw(document, 576)
    assert isinstance(first, Image.Image)
    assert first.tobytes() == second.tobytes()


LETTERS = st.one_of(
    st.text(alphabet="ABCfjgyTVAWoQ.,-/ ()0123456789话费充值有效期应付总额ÄéłŁ́", max_size=30),
    st.text(alphabet=st.sampled_from(sorted(letters() - {"\n"})), max_size=12),
)


@settings(max_examples=150, deadline=None)
@example("-充Ag/g", 18, False, False)
@given(LETTERS, st.sampled_from([18, 21, 22, 24, 29, 33, 36]), st.booleans(), st.booleans())
def test_stamps_in_a_row_are_the_line_dot_for_dot(text: str, size: int, bold: bool, white: bool) -> None:
    """What Pillow draws of the whole line at once, and how far it goes."""
    back, front = (0, 255) if white else (255, 0)
    whole = Image.new("L", (1200, 90), back)
    ImageDraw.Draw(whole).text((30, 20), text, font=font(bold, size), fill=front)
    stamped = Image.new("1", whole.size, back)
    write(stamped, 30, 20, text, bold, size, white)
    assert stamped.tobytes() == whole.point(lambda grey: 255 if grey > THRESHOLD else 0, mode="1").tobytes()
    assert sum(widths(bold, size)[letter] for letter in text) == font(bold, size).getlength(text)
