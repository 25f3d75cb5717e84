"""The code of a receipt: anybody can check it, with the shop's page or without a network; a changed one is refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pos.domain import receipt_links as links
from pos.domain.money import Money
from pos.sandbox import escpos_reader
from pos.services import receipt_checks, refunds
from pos.services.receipt_checks import Standing
from receipts import escpos
from receipts.document import Document, Qr
from receipts.settings import PrinterSettings
from tests.services.shop import Shop

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check_receipt.py"
CLAIM = links.Claim("LON1-000042", date(2026, 11, 21), Money(2000, "GBP"))


def codes(shop: Shop) -> list[str]:
    """What the codes of all issued slips say, oldest first."""
    written = [row[0] for row in shop.ask("select document from receipt_documents order by id")]
    return [block.data for text in written for block in Document.from_json(text).blocks if isinstance(block, Qr)]


def token_of(code: str) -> str:
    return code.rpartition("/")[2]


@pytest.fixture
def code(shop: Shop) -> str:
    """The code of a confirmed sale's receipt."""
    desk = shop.desk()
    shop.open_shift(desk)
    shop.take_cash(shop.ready(desk))
    shop.work()
    (found,) = codes(shop)
    return found


def look(shop: Shop, code: str) -> tuple[int, str]:
    answer = shop.app.test_client().get(f"/r/{token_of(code)}")
    return answer.status_code, answer.get_data(as_text=True)


def test_a_receipt_says_that_it_is_genuine_and_nothing_personal(shop: Shop, code: str) -> None:
    assert code.startswith("https://r.shop.example/r/LON1-000001.20261121.")
    status, page = look(shop, code)
    assert status == 200
    for words in (
        "This receipt is genuine.",
        "everything on it is active",
        "LON1-000001",
        "2026-11-21",
        "8.00 GBP",
        "Camden Mobile",
    ):
        assert words in page
    for private in ("0123", "Amelia", "101", "533380006", "csrf_token", "Set-Cookie"):
        assert private not in re.sub(r"<link[^>]*>", "", page)


@pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbarimg is not installed")
@pytest.mark.parametrize("dots", [576, 512, 384])
def test_the_code_scans_from_the_paper_and_the_page_verifies_it(shop: Shop, code: str, dots: int, tmp_path: Path) -> None:
    """The bytes that go to the printer, put back into a picture by the strict reader, and read by a scanner that is not ours."""
    ((written,),) = shop.ask("select document from receipt_documents")
    job = escpos_reader.read(escpos.job(Document.from_json(written), PrinterSettings("192.0.2.1", dots=dots)))
    job.image(dots).convert("L").save(tmp_path / "slip.png")
    command = ["zbarimg", "-q", "--raw", str(tmp_path / "slip.png")]
    scanned = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert scanned == code
    assert look(shop, scanned)[0] == 200
    assert look(shop, scanned.replace("800GBP", "808GBP"))[0] == 404


def test_every_changed_letter_is_refused(shop: Shop, code: str) -> None:
    token = token_of(code)
    with shop.app.app_context():
        assert receipt_checks.check(token, kit=shop.kit) is not None
        for place, letter in enumerate(token):
            for other in {"A", "B", "1", "9", ".", chr(ord(letter) ^ 1)} - {letter}:
                changed = token[:place] + other + token[place + 1 :]
                assert receipt_checks.check(changed, kit=shop.kit) is None, (place, other)
    status, page = look(shop, code.replace(".800GBP", ".900GBP"))
    assert (status, "We do not know this receipt." in page, "genuine" in page) == (404, True, False)


@pytest.mark.parametrize(
    "odd", ["x", ".", "a.b.c.d.e", "LON1-000001", "%00", "☃", "A" * 200, "LON1-1.20261340.8GBP.SIG-1." + "A" * 103]
)
def test_nonsense_is_an_unknown_receipt(shop: Shop, odd: str) -> None:
    assert look(shop, odd)[0] == 404


def test_a_signature_alone_makes_no_receipt(shop: Shop, code: str) -> None:
    """Signed by our key, but of a number that was never given: a ring that was used in another database."""
    with shop.app.app_context():
        made = receipt_checks.link_for(replace(CLAIM, number="LON1-999999"), kit=shop.kit)
        assert made is not None and receipt_checks.check(token_of(made), kit=shop.kit) is None


def test_no_other_signature_of_the_shop_passes_for_a_receipt(shop: Shop, code: str) -> None:
    key_id, signature = shop.kit.keys.sign(CLAIM.words("sig-1").encode())
    with shop.app.app_context():
        assert receipt_checks.check(links.token(CLAIM, key_id, bytes.fromhex(signature)), kit=shop.kit) is None


def test_only_keys_for_signatures_count(shop: Shop) -> None:
    misused = Ed25519PrivateKey.from_private_bytes(shop.kit.keys.keys["enc-1"]).sign(b"x")
    assert not shop.kit.keys.has_signed("enc-1", b"x", misused)
    assert not shop.kit.keys.has_signed("sig-9", b"x", b"y" * 64)


def test_what_was_paid_back_says_so(shop: Shop) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    shop.misbehave("refuse")
    ready = shop.ready(desk)
    shop.take_cash(ready)
    shop.work()
    first = codes(shop)[0]
    with shop.app.app_context():
        before = receipt_checks.check(token_of(first), kit=shop.kit)
        refunds.pay_back(ready.sale_id, desk, kit=shop.kit)
        after = receipt_checks.check(token_of(first), kit=shop.kit)
        refund = receipt_checks.check(token_of(codes(shop)[-1]), kit=shop.kit)
    assert before is not None and after is not None and refund is not None
    assert (before.standing, after.standing, refund.standing) == (Standing.WAITING, Standing.REFUNDED, Standing.REFUND)
    assert refund.claim.number.startswith("R-") and refund.claim.amount.minor < 0
    assert "Its money was paid back." in look(shop, first)[1]


def test_anybody_can_check_without_a_network(shop: Shop, code: str, tmp_path: Path) -> None:
    """A program of its own, with nothing but the published key."""
    answer = shop.app.test_client().get("/r/keys.json")
    published = tmp_path / "keys.json"
    published.write_bytes(answer.get_data())
    assert list(json.loads(answer.get_data())) == ["sig-1"]

    def tried(what: str) -> tuple[int, str]:
        run = subprocess.run(
            [sys.executable, str(TOOL), "--keys", str(published), what], capture_output=True, text=True, check=False
        )
        return run.returncode, run.stdout

    status, said = tried(code)
    assert status == 0 and said.startswith("GENUINE: receipt LON1-000001 of 2026-11-21, 800 ")
    assert tried(token_of(code)) == (status, said)
    assert tried(code.replace(".800GBP", ".900GBP"))[0] == 1
    assert tried(code[:-1] + ("A" if code[-1] != "A" else "B"))[0] == 1
    assert tried("https://r.shop.example/r/whatever")[0] == 1


def test_a_shop_without_a_public_address_prints_no_code(shop: Shop) -> None:
    assert receipt_checks.link_for(CLAIM, kit=replace(shop.kit, public_url="")) is None
    short = receipt_checks.link_for(CLAIM, kit=shop.kit)
    assert short is not None and len(short) < 180
