"""The manager's screens, their files, and the dispute file: who sees them, what they say, and that they say what the books say."""

from __future__ import annotations

import csv
import json
import re
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import text

from pos.cli import main
from pos.domain.ledger import Account
from pos.services import bookkeeping
from pos.services.report_files import BOOKS
from pos.store.db import db
from receipts import sheet_csv, sheet_xlsx
from receipts.sheets import Book, Column, Table
from tests.counter import Counter

TABS = ("/reports", "/reports/close", "/reports/differences", "/reports/margin", "/reports/exceptions", "/disputes")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def sold(counter: Counter) -> Counter:
    """A day with one sale at LON1 and a drawer that was counted fifty pence short."""
    counter.open_shift().ready_to_pay().cash("10.00")
    counter.work()
    counter.get("/shift/close")
    counter.post("/shift/close", {"pieces_5000": "2", "pieces_200": "3", "pieces_50": "3", "left_in_drawer": "100.00"})
    return counter


@pytest.fixture
def manager(sold: Counter) -> Counter:
    return Counter(sold.app, till="LON2", staff="201")


def rows_of(app: Flask, sql: str) -> list[tuple[object, ...]]:
    with app.app_context(), db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def saved(who: Counter, path: str) -> bytes:
    answer = who.client.get(path)
    assert answer.status_code == 200, path
    return bytes(answer.get_data())


def in_csv(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(StringIO(content.decode("utf-8-sig"))))


# ------------------------------------------------------------------ screens


@pytest.mark.parametrize("path", [*TABS, "/reports/close/file.csv", "/reports/postings/file.beancount"])
def test_a_clerk_sees_nothing_of_it(sold: Counter, path: str) -> None:
    answer = sold.client.get(path)
    assert answer.status_code == 403
    assert "108" not in re.sub(r"<svg.*?</svg>|csrf[^>]*", "", answer.get_data(as_text=True))


def test_the_day_says_what_was_taken_by_tender_plan_clerk_and_hour(manager: Counter) -> None:
    page = manager.get("/reports").plain
    for words in ("Cash 1 8.00 GBP", "Lyca Data 7 days 8 GB", "101 Amelia", "12:00 1 8.00 GBP", "LON1 1 8.00 GBP"):
        assert words in page, words
    assert '<svg class="bar"' in manager.page.text


def test_each_screen_reads_in_three_languages(manager: Counter) -> None:
    for language, word in (("zh_Hans", "各店员收入"), ("zh_Hant", "各店員收入"), ("en", "Takings by clerk")):
        manager.get("/reports")
        manager.post("/language", {"language": language, "next": "/reports"})
        assert word in manager.page.plain
        for path in TABS:
            assert manager.get(path).status == 200


def test_the_checklist_names_what_is_left_and_the_day_is_closed_once(manager: Counter) -> None:
    page = manager.get("/reports/close").plain
    assert "Every drawer is counted and closed done 0" in page
    assert "Z-LON1-000001" in page and "-0.50 GBP" in page and "not closed yet" in page
    manager.post("/reports/close", {"day": "2026-11-21", "period": "day"})
    assert "D-LON-000001" in manager.page.plain and "8.00 GBP" in manager.page.plain
    manager.get("/reports/close")
    manager.post("/reports/close", {"day": "2026-11-21", "period": "day"})
    assert manager.page.status == 409 and "closed already, as D-LON-000001" in manager.page.plain
    assert manager.verify() == []


@pytest.mark.parametrize(
    "fields", [{"day": "x", "period": "day"}, {"day": "2026-11-21", "period": "week"}, {"day": "x" * 900}, {}]
)
def test_what_cannot_be_closed_is_no_period(manager: Counter, fields: dict[str, str]) -> None:
    manager.get("/reports")
    manager.post("/reports/close", fields)
    assert manager.page.status == 404
    assert rows_of(manager.app, "select count(*) from closings") == [(0,)]


def test_differences_stand_by_clerk_and_till(manager: Counter) -> None:
    page = manager.get("/reports/differences").plain
    assert "LON1 1 0.00 GBP -0.50 GBP -0.50 GBP" in page
    assert 'class="bar-less"' in manager.page.text


def test_margin_is_price_less_tax_less_cost(manager: Counter) -> None:
    ((price, tax, cost),) = rows_of(manager.app, "select price_minor, tax_minor, cost_minor from renewals")
    margin = (int(str(price)) - int(str(tax)) - int(str(cost))) / 100
    assert f"{margin:.2f} GBP" in manager.get("/reports/margin").plain


def test_a_wrong_pin_stands_among_the_overrides(manager: Counter, sold: Counter) -> None:
    sold.get("/sign-in")
    sold.post("/sign-in", {"staff_number": "101", "pin": "000000"})
    assert "Wrong PIN" in manager.get("/reports/exceptions").plain


def test_a_manager_sees_the_own_store_and_the_owner_every_one(manager: Counter) -> None:
    assert manager.client.get("/reports?store=HKG").status_code == 404
    owner = Counter(manager.app, till="LON2", staff="801")
    assert "SkyLink" in owner.get("/reports?store=HKG").plain
    assert owner.get("/reports?store=NONE").status == 404


@pytest.mark.parametrize("asked", ["day=x", "first=9999-99-99", "store=%00", "last=2026-13-01&first=x", "day=4111111111111111"])
def test_an_address_that_cannot_be_read_asks_for_the_running_day(manager: Counter, asked: str) -> None:
    page = manager.get(f"/reports?{asked}")
    assert page.status in (200, 404)
    assert "4111111111111111" not in page.text


def test_a_z_is_printed_again_as_a_copy(manager: Counter) -> None:
    assert "Print a Z report again" in manager.get("/reports/close").plain
    manager.post("/reports/z/1/copy", {})
    assert rows_of(manager.app, "select copy_number from print_jobs where kind = 'copy'") == [(1,)]
    manager.get("/reports")
    manager.post("/reports/z/99/copy", {})
    assert manager.page.status == 404


# ------------------------------------------------------------------ files


@pytest.mark.sampled(3)
@pytest.mark.parametrize("form", ["pdf", "xlsx", "csv"])
@pytest.mark.parametrize("report", ["today", "close", "differences", "margin", "exceptions"])
def test_every_report_is_a_file_too(manager: Counter, report: str, form: str) -> None:
    content = saved(manager, f"/reports/{report}/file.{form}")
    assert content.startswith({"pdf": b"%PDF", "xlsx": b"PK", "csv": b"\xef\xbb\xbf"}[form])
    assert manager.client.get(f"/reports/{report}/file.exe").status_code == 404
    assert report in BOOKS


def test_the_workbook_holds_numbers_with_their_currency(manager: Counter) -> None:
    book = load_workbook(BytesIO(saved(manager, "/reports/today/file.xlsx")))
    sheet = book["Takings by tender"]
    assert [cell.value for cell in sheet[2]] == ["Cash", 1, 8]
    assert sheet["C2"].number_format == '#,##0.00 "GBP";-#,##0.00 "GBP"'


@pytest.mark.parametrize("language", ["en", "zh_Hans", "zh_Hant"])
def test_the_pdf_can_be_read_and_says_the_sums(manager: Counter, language: str) -> None:
    manager.get("/reports")
    manager.post("/language", {"language": language, "next": "/"})
    pdf = PdfReader(BytesIO(saved(manager, "/reports/today/file.pdf")))
    words = "".join(page.extract_text() for page in pdf.pages)
    assert "8.00 GBP" in words and "\u25a1" not in words
    assert {"en": "Takings by clerk", "zh_Hans": "各店员收入", "zh_Hant": "各店員收入"}[language] in words
    assert all(float(page.mediabox.width) == pytest.approx(595.3, abs=0.1) for page in pdf.pages)


def test_the_postings_are_those_of_the_ledger(manager: Counter) -> None:
    head, *lines = in_csv(saved(manager, "/reports/postings/file.csv?day=2026-11-21"))
    assert tuple(head) == bookkeeping.COLUMNS
    said = [(int(row[0]), row[6], row[7], row[8], row[9].replace(".", "")) for row in lines]
    wanted = rows_of(
        manager.app, "select id, code, debit, credit, amount_minor from ledger_transfers where store_id = 1 order by id"
    )
    assert said == [(key, code, debit, credit, f"{amount:03}") for key, code, debit, credit, amount in wanted]
    assert len(said) > 4


ACCOUNT = re.compile(r"(Assets|Liabilities|Equity|Income|Expenses)(:[A-Z0-9][A-Za-z0-9-]*)+")


def test_the_beancount_text_opens_what_it_uses_and_every_posting_balances(manager: Counter) -> None:
    written = saved(manager, "/reports/postings/file.beancount?day=2026-11-21").decode()
    opened = re.findall(r"^\d{4}-\d\d-\d\d open (\S+)$", written, flags=re.MULTILINE)
    entries = re.findall(r"^(\d{4}-\d\d-\d\d) \* \"LON\d\" \"(\w+)\"\n((?:  .*\n)+)", written, flags=re.MULTILINE)
    count = rows_of(manager.app, "select count(*) from ledger_transfers where store_id = 1")[0][0]
    assert len(entries) == count
    for _, code, body in entries:
        legs = re.findall(r"^  (\S+)  (-?\d+\.\d\d) ([A-Z]{3})$", body, flags=re.MULTILINE)
        assert len(legs) == 2 and float(legs[0][1]) == -float(legs[1][1]), code
        assert all(ACCOUNT.fullmatch(account) and account in opened for account, *_ in legs)


def test_every_account_has_a_name_for_bookkeeping_and_a_line_on_its_page() -> None:
    assert set(bookkeeping.BEANCOUNT) == set(Account)
    page = (ROOT / "docs" / "bookkeeping.md").read_text(encoding="utf-8")
    for account, name in bookkeeping.BEANCOUNT.items():
        assert f"| `{account}` | `{name}` |" in page
    for column in bookkeeping.COLUMNS:
        assert f"| `{column}` |" in page


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1+1", '=cmd|"/c calc"!A0')


def test_no_name_becomes_a_formula() -> None:
    rows = tuple((name,) for name in FORMULAS)
    book = Book("x", "=title", "+shop", "en", (("=a", "=b"),), (Table("=[t]", (Column("=c"),), rows),), "=made")
    cells = [cell for row in in_csv(sheet_csv.render(book)) for cell in row]
    assert all(not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "＝")) for cell in cells), cells
    for sheet in load_workbook(BytesIO(sheet_xlsx.render(book))):
        assert [cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None] != []
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


# ------------------------------------------------------------------ the dispute file


def test_a_sale_is_found_by_whatever_somebody_says_of_it(manager: Counter) -> None:
    ((sale_id, receipt),) = rows_of(manager.app, "select id, receipt_number from sales where paid_at is not null")
    ((provider_ref, masked),) = rows_of(manager.app, "select provider_ref, masked from renewals")
    ((ref,),) = rows_of(manager.app, "select ref from attempts")
    asked = [{"query": str(word)} for word in (receipt, provider_ref, ref, "07700 900123", sale_id)]
    asked += [{"ending": str(masked)[-3:]}, {"day": "2026-11-21"}, {"query": str(receipt).lower(), "day": "2026-11-21"}]
    for fields in asked:
        manager.get("/disputes")
        manager.post("/disputes", fields)
        assert str(receipt) in manager.page.plain, fields
    for fields in (
        {"query": "LON1-999999"},
        {"ending": "999"},
        {"day": "2026-11-20"},
        {},
        {"query": str(receipt), "day": "2026-11-20"},
    ):
        manager.get("/disputes")
        manager.post("/disputes", fields)
        assert "Nothing was found" in manager.page.plain, fields


def test_the_file_tells_everything_and_each_look_is_written_down(manager: Counter) -> None:
    ((sale_id,),) = rows_of(manager.app, "select id from sales where paid_at is not null")
    page = manager.get(f"/disputes/{sale_id}").plain
    for words in ("LON1-000001", "Confirmed by the carrier", "Payment recorded", "Receipt issued", "Rows of the journal"):
        assert words in page, words
    assert "900123" not in page.replace(" ", ""), "the number stands there in part only"
    for chain, seq, mac in rows_of(manager.app, "select chain, seq, mac from journal where object_kind = 'sale'"):
        if seq and str(mac) not in page:
            assert rows_of(manager.app, f"select kind from journal where chain = '{chain}' and seq = {seq}") == [
                ("dispute.seen",)
            ]
    pdf = PdfReader(BytesIO(saved(manager, f"/disputes/{sale_id}.pdf")))
    assert "LON1-000001" in "".join(sheet.extract_text() for sheet in pdf.pages)
    assert rows_of(manager.app, "select count(*) from journal where kind = 'dispute.seen'") == [(2,)]
    assert manager.verify() == []


def test_a_file_of_another_store_is_not_there(manager: Counter) -> None:
    ((sale_id,),) = rows_of(manager.app, "select id from sales where paid_at is not null")
    other = Counter(manager.app, till="HKG1", staff="401")
    assert other.client.get(f"/disputes/{sale_id}").status_code == 404
    other.get("/disputes")
    other.post("/disputes", {"query": "LON1-000001"})
    assert "LON1-000001" not in re.sub(r'value="[^"]*"', "", other.page.text)


@pytest.mark.parametrize("card", ["4111111111111111", "4222222222222"])
def test_a_card_number_is_not_searched_for_nor_shown_again(manager: Counter, card: str) -> None:
    manager.get("/disputes")
    for field in ("query", "ending", "day"):
        manager.post("/disputes", {field: card})
        assert card not in manager.page.text


# ------------------------------------------------------------------ the command line


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    (folder / "config.toml").write_text(
        f'demo = true\n[database]\nurl = "sqlite:///{(folder / "shop.sqlite3").as_posix()}"\n[security]\nkey_ring = "keys.json"\n'
        '[server]\nsecure_cookies = false\n[logging]\nlevel = "error"\n',
        encoding="utf-8",
    )
    done = CliRunner(mix_stderr=False) if "mix_stderr" in CliRunner.__init__.__code__.co_varnames else CliRunner()
    result = done.invoke(main, ["--config", str(folder / "config.toml"), "report", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


@pytest.mark.engines("sqlite")
def test_the_command_line_says_the_same(sold: Counter, folder: Path, tmp_path: Path) -> None:
    database = next(path for path in folder.iterdir() if path.suffix.startswith(".sqlite") or path.suffix == ".db")
    (folder / "shop.sqlite3").exists() or database.rename(folder / "shop.sqlite3")
    status, said = run(folder, "z", "--till", "lon1", "--json", "--pdf", str(tmp_path / "z.pdf"))
    figures = json.loads(said)
    assert (status, figures["z"], figures["gross"]) == (0, "Z-LON1-000001", 800)
    assert (tmp_path / "z.pdf").read_bytes().startswith(b"%PDF")
    assert run(folder, "x", "--till", "LON1")[0] == 1, "no drawer is open"
    assert run(folder, "month", "--store", "LON", "--day", "2026-11-21")[0] == 1, "not closed yet"
    for again in (False, True):
        day = ["day", "--store", "LON", "--day", "2026-11-21", "--close", "--json", "--xlsx", str(tmp_path / "day.xlsx")]
        status, said = run(folder, *day)
        (report,) = json.loads(said)
        assert (status, report["report"]) == (0, "D-LON-000001"), f"again: {again}"
    assert {path.name for path in tmp_path.glob("*.part")} == set()
    assert load_workbook(tmp_path / "day.xlsx")["Sums"]["B2"].value == 8
    assert sold.verify() == []
