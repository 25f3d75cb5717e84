"""The screens of the printers, as a manager uses them; and what a manager may mistype."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.counter import Counter

FIELDS = {"name": "Door", "transport": "lan", "address": "192.0.2.9", "port": "9100", "baud": "9600", "dots": "384"}
FIELDS |= {"text_mode": "raster", "cut": "partial", "drawer_pin": "", "status": "dle_eot", "marker": "gs_r"}


@pytest.fixture
def manager(app: Flask) -> Counter:
    return Counter(app, staff="201")


@pytest.mark.engines("sqlite")
def test_a_manager_sets_up_a_printer_and_chooses_the_spare_one(manager: Counter) -> None:
    assert "Receipts 80 mm" in manager.get("/printing/printers").plain
    manager.get("/printing/printers/new")
    manager.post("/printing/printers/new", FIELDS)
    page = manager.get("/printing/printers")
    assert "Door 192.0.2.9:9100" in page.plain
    manager.post("/printing/tills/LON1", {"printer": "1", "spare": "3"})
    assert "Door helps out when it is not ready." in manager.get("/printing").plain
    manager.get("/printing/printers/3")
    assert 'value="384" selected' in manager.page.text and 'value="" selected' in manager.page.text
    manager.post("/printing/printers/3", {**FIELDS, "address": "192.0.2.10"})
    assert "192.0.2.10" in manager.get("/printing/printers").plain
    manager.post("/printing/printers/3/test", {})
    assert manager.get("/printing").status == 200


@pytest.mark.engines("sqlite")
def test_what_was_mistyped_stays_with_a_sentence_at_its_field(manager: Counter) -> None:
    for changed, words in (
        ({"address": ""}, "This is no address of such a printer."),
        ({"address": "a b\u202ec", "transport": "cups"}, "This is no address of such a printer."),
        ({"port": "nine"}, "No printer has such settings."),
        ({"port": "9" * 400}, "This is far too long."),
        ({"transport": "pigeon"}, "No printer has such settings."),
        ({"name": "Receipts 80 mm"}, "There is a printer called Receipts 80 mm already."),
        ({"name": "4111 1111 1111 1111"}, "This looks like a payment card number."),
    ):
        manager.get("/printing/printers/new")
        manager.post("/printing/printers/new", {**FIELDS, **changed})
        assert manager.page.status in (409, 422), changed
        assert words in manager.page.plain
    manager.get("/printing/printers")
    assert "Door" not in manager.page.plain


@pytest.mark.engines("sqlite")
def test_a_clerk_sets_up_nothing(app: Flask) -> None:
    clerk = Counter(app)
    assert "Set up printers" not in clerk.get("/printing").plain
    assert clerk.get("/printing/printers").status == 403
    assert clerk.get("/printing/printers/1").status == 403


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("odd", ["0", "999999", "x", "-1", "9" * 12])
def test_a_printer_that_never_was(manager: Counter, odd: str) -> None:
    assert manager.get(f"/printing/printers/{odd}").status == 404
    manager.get("/printing/printers")
    manager.post("/printing/tills/LON1", {"printer": odd, "spare": ""})
    assert manager.page.status == 404
    manager.get("/printing/printers")
    manager.post("/printing/tills/HKG1", {"printer": "", "spare": ""})
    assert manager.page.status == 404
