"""Receipts by e-mail: only with consent, through a real mail server in a process of its own, and nothing is kept of the address."""

from __future__ import annotations

import email
import email.policy
import ipaddress
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pypdf import PdfReader

from pos.app import press
from pos.domain.errors import AddressWrong, ConsentMissing, NotFound, NotYetKnown
from pos.domain.receipt_mails import is_address
from pos.domain.tills import Desk
from pos.mailer import Account, send
from pos.services import print_jobs, receipt_mails, receipts
from pos.worker import Worker
from tests.services.shop import Shop

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "anna.eriksson+sim@mail.example"
NUMBER = "LON1-000001"
OWNER = "worker-serve#1"


@dataclass
class MailServer:
    folder: Path
    account: Account

    def mood(self, word: str) -> None:
        (self.folder / "mood").write_text(word, encoding="utf-8")

    def letters(self) -> list[email.message.EmailMessage]:
        paths = sorted(self.folder.glob("*.eml"))
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]


def certificate(folder: Path) -> None:
    """One for 127.0.0.1 that only this test trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail of a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(private + made)
    (folder / "ca.pem").write_bytes(made)


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., MailServer]]:
    """Starts a mail server; the process ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> MailServer:
        folder = tmp_path_factory.mktemp("mail")
        certificate(folder)
        (folder / "mood").write_text("ok", encoding="utf-8")
        command = [sys.executable, "-m", "tests.smtp_server", str(folder), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        started.append(process)
        assert process.stdout is not None
        port = int(process.stdout.readline())
        encryption = options[0].removeprefix("--") if options else "none"
        name, password = ("shop", "secret") if options else ("", "")
        account = Account("127.0.0.1", port, encryption, "receipts@shop.example", name, password, 1.0, str(folder / "ca.pem"))
        return MailServer(folder, account)

    yield start
    for process in started:
        process.kill()
        process.wait(5)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def desk(shop: Shop) -> Desk:
    """A clerk with a paid and active sale behind him."""
    found = shop.desk()
    shop.open_shift(found)
    shop.take_cash(shop.ready(found))
    shop.work()
    return found


def ask(shop: Shop, desk: Desk, address: str = ADDRESS, consent: bool = True) -> None:
    with shop.app.app_context():
        receipt_mails.ask_for(NUMBER, address, consent, desk, kit=shop.kit)


def work(shop: Shop, account: Account) -> tuple[str, str | None] | None:
    """One step of the worker."""
    with shop.app.app_context():
        letter = receipt_mails.take_next(OWNER, kit=shop.kit)
        if letter is None:
            return None
        said = send(letter, account)
        receipt_mails.record(letter, *said, kit=shop.kit)
        return said


def rows(shop: Shop) -> list[tuple[str, str | None, bool]]:
    """(state, reason, whether an address is still kept)."""
    asked = shop.ask("select state, reason, address_sealed is not null from receipt_mails order by consent_at")
    return [(state, reason, bool(kept)) for state, reason, kept in asked]


@pytest.mark.parametrize("options", [(), ("--starttls",), ("--tls",)], ids=["none", "starttls", "tls"])
def test_the_customer_gets_the_receipt(
    shop: Shop, desk: Desk, served: Callable[..., MailServer], options: tuple[str, ...]
) -> None:
    server = served(*options)
    ask(shop, desk)
    assert rows(shop) == [("queued", None, True)]
    assert work(shop, server.account) == ("sent", None)
    assert rows(shop) == [("sent", None, False)], "the address goes with the letter"
    (letter,) = server.letters()
    assert (letter["To"], letter["From"]) == (ADDRESS, "receipts@shop.example")
    assert NUMBER in letter["Subject"] and "Camden Mobile" in letter["Subject"]
    (attached,) = letter.iter_attachments()
    assert attached.get_filename() == f"{NUMBER}.pdf"
    assert "8.00 GBP" in PdfReader(BytesIO(attached.get_content())).pages[0].extract_text()
    assert work(shop, server.account) is None


def test_a_file_beside_paper_is_marked_as_a_copy(shop: Shop, desk: Desk, served: Callable[..., MailServer]) -> None:
    """Above and below, in the letter's words too; without paper the file is the receipt."""
    server = served()
    ask(shop, desk)
    assert work(shop, server.account) == ("sent", None)
    with shop.app.app_context():
        marked = words_of(receipts.as_pdf(NUMBER, desk))
        ((job_id,),) = shop.ask("select id from print_jobs where kind = 'original'")
        print_jobs.cancel(job_id, desk, kit=shop.kit)
        assert words_of(receipts.as_pdf(NUMBER, desk)) == marked[1:-1]
    assert (marked[0], marked[-1]) == ("COPY", "COPY")
    ask(shop, desk)
    assert work(shop, server.account) == ("sent", None)
    told = {}
    for letter in server.letters():
        (attached,) = letter.iter_attachments()
        body = letter.get_body()
        assert body is not None
        told["It is a copy" in body.get_content()] = words_of(attached.get_content())
    assert told == {True: marked, False: marked[1:-1]}


def words_of(content: bytes) -> list[str]:
    return PdfReader(BytesIO(content)).pages[0].extract_text().splitlines()


def test_nothing_of_the_address_is_left(shop: Shop, desk: Desk, served: Callable[..., MailServer]) -> None:
    server = served()
    ask(shop, desk)
    (sealed,) = shop.ask("select address_sealed from receipt_mails")[0]
    assert ADDRESS.encode() not in bytes(sealed)
    work(shop, server.account)
    told = shop.ask("select content from journal where kind like 'receipt_mail.%'")
    assert len(told) == 3 and not any("anna" in row[0] or "example" in row[0] for row in told)


@pytest.mark.parametrize(
    ("mood", "said", "kept"),
    [
        ("busy", ("later", "code_451"), True),
        ("unknown", ("refused", "address"), False),
        ("full", ("later", "code_452"), True),
        ("never", ("refused", "content"), False),
        ("hangs", ("later", "connection_lost"), True),
        ("leaves", ("later", "connection_lost"), True),
        ("greets_not", ("later", "unreachable"), True),
    ],
)
def test_what_mail_servers_do(
    shop: Shop, desk: Desk, served: Callable[..., MailServer], mood: str, said: tuple[str, str], kept: bool
) -> None:
    server = served()
    server.mood(mood)
    ask(shop, desk)
    assert work(shop, server.account) == said
    state = "waiting" if said[0] == "later" else "refused"
    assert rows(shop) == [(state, said[1], kept)]
    server.mood("ok")
    assert work(shop, server.account) is None, "not before its time"
    shop.pass_time(30)
    if kept:
        assert work(shop, server.account) == ("sent", None)
        assert rows(shop) == [("sent", None, False)]
    assert len(server.letters()) == kept


def test_a_letter_that_is_tried_again_has_the_same_name(shop: Shop, desk: Desk, served: Callable[..., MailServer]) -> None:
    """A server that took it and died before it said so gets it once more; who reads mail sees one letter."""
    server = served()
    ask(shop, desk)
    with shop.app.app_context():
        letter = receipt_mails.take_next(OWNER, kit=shop.kit)
        assert letter is not None and send(letter, server.account)[0] == "sent"
        receipt_mails.recover("worker-serve#", kit=shop.kit)
        receipt_mails.record(letter, "sent", None, kit=shop.kit)
    assert rows(shop) == [("queued", None, True)], "the word of the dead changes nothing"
    work(shop, server.account)
    first, second = server.letters()
    assert first["Message-ID"] == second["Message-ID"]


def test_a_wrong_password_or_a_stranger_is_the_shops_to_mend(shop: Shop, desk: Desk, served: Callable[..., MailServer]) -> None:
    server = served("--starttls")
    ask(shop, desk)
    assert work(shop, replace(server.account, password="wrong")) == ("later", "not_let_in")
    shop.pass_time(30)
    assert work(shop, replace(server.account, ca_file=None)) == ("later", "certificate"), "a server that nobody vouches for"
    shop.pass_time(120)
    assert work(shop, replace(server.account, port=9)) == ("later", "unreachable")
    assert not server.letters()


def test_a_server_without_encryption_gets_nothing_from_an_account_that_wants_it(
    shop: Shop, desk: Desk, served: Callable[..., MailServer]
) -> None:
    server = served()
    ask(shop, desk)
    said = work(shop, replace(server.account, encryption="starttls"))
    assert said is not None and said[0] == "later"
    assert not server.letters()


def test_a_letter_that_nobody_takes_for_a_day_is_given_up_and_forgotten(
    shop: Shop, desk: Desk, served: Callable[..., MailServer]
) -> None:
    server = served()
    server.mood("busy")
    ask(shop, desk)
    for _ in range(40):
        work(shop, server.account)
        shop.pass_time(3600)
    assert rows(shop) == [("given_up", "code_451", False)]


@pytest.mark.parametrize(
    "address",
    ["", "anna", "anna@", "@mail.example", "a@b", "a b@mail.example", "Anna <a@mail.example>", "a@mail.example, b@mail.example",
     "a@mail.example\r\nBcc: x@y.example", "a@mail.example\n", "a..b@mail.example", ".a@mail.example", "a@-mail.example",
     "é@mail.example", "a@" + "m" * 250 + ".example"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    assert not is_address(address)


def test_only_with_consent_and_to_an_address(shop: Shop, desk: Desk) -> None:
    with pytest.raises(ConsentMissing):
        ask(shop, desk, consent=False)
    with pytest.raises(AddressWrong):
        ask(shop, desk, address="anna")
    with shop.app.app_context():
        with pytest.raises(NotFound):
            receipt_mails.ask_for("LON1-999999", ADDRESS, True, desk, kit=shop.kit)
        with pytest.raises(NotFound):
            receipt_mails.ask_for(NUMBER, ADDRESS, True, shop.desk("HKG1", "302"), kit=shop.kit)
    assert rows(shop) == []


def test_a_receipt_that_does_not_exist_yet_cannot_be_sent(shop: Shop) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    shop.take_cash(shop.ready(desk))
    with pytest.raises(NotYetKnown):
        ask(shop, desk)
    shop.work()


def test_the_worker_sends_by_itself(shop: Shop, desk: Desk, served: Callable[..., MailServer]) -> None:
    server = served()
    worker = Worker(shop.app, shop.kit, press, "worker-serve", 1, lambda letter: send(letter, server.account))
    worker.start()
    try:
        ask(shop, desk)
        end = time.monotonic() + 20
        while rows(shop) != [("sent", None, False)]:
            assert time.monotonic() < end, rows(shop)
            time.sleep(0.05)
    finally:
        worker.stop(10)
