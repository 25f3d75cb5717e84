"""A manager's reconciliation through the real screens, and the same unattended from the command line."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from pos.app import DEMO_PINS
from pos.cli import main
from tests.conftest import SETTLEMENTS, StandingClock
from tests.counter import Counter, Page
from tests.web.test_bad_input import NASTY, as_bytes, check_answer

HEAD = "Date,Time,Amount,Fee,Auth,Card\n"
LINE = "2026-11-21,12:00:00,{amount},{fee},A1B2C3,4242\n"
PAGE = "/reconciliation?day=2026-11-21"


def file_of(amount: str = "8.00", fee: str = "", end: str = "TOTAL,1,,,,\n") -> str:
    return HEAD + LINE.format(amount=amount, fee=fee) + end


@pytest.fixture
def sold(counter: Counter) -> Counter:
    """A card sale, and a manager at the till."""
    counter.open_shift().ready_to_pay().card_begin().card_slip()
    return counter.sign_in("201")


def upload(counter: Counter, content: str, profile: str = "cards") -> Page:
    token = counter.get(PAGE).hidden("csrf_token")
    fields = {"csrf_token": token, "profile": profile, "day": "2026-11-21", "statement": (BytesIO(content.encode()), "a.csv")}
    answer = counter.client.post("/reconciliation/import", data=fields, follow_redirects=True)
    return Page(answer, answer.get_data(as_text=True))


def decide(counter: Counter, **changed: str) -> Page:
    page = counter.get("/reconciliation/items/1")
    fields = {"action": "fee", "reference": "acquirer's letter 17", "seen": page.hidden("seen")}
    fields |= {"approver_number": "102", "approver_pin": DEMO_PINS["102"]}
    return counter.post("/reconciliation/items/1/decide", fields | changed)


def test_down_to_zero_open_items(sold: Counter) -> None:
    assert "nobody spoke of it yet" in sold.get(PAGE).plain
    page = upload(sold, file_of("7.88", "0.12"))
    for words in ("1 new line was read.", "1 item of this day is open.", "the amount lacks the fee", "-0.12 GBP", "Priya Nair"):
        assert words in page.plain, words
    assert "4242" in page.plain and "4242" not in page.response.request.path
    assert "Every line of this file is here already." in upload(sold, file_of("7.88", "0.12")).plain

    for changed, words in (
        ({"reference": ""}, "Write where the evidence can be found again"),
        ({"approver_pin": "000000"}, "give no right to agree"),
        ({"approver_number": "201", "approver_pin": DEMO_PINS["201"]}, "another person has to agree"),
        ({"action": ""}, "Choose one of the decisions below"),
        ({"seen": "other"}, "Another line came in the meantime"),
    ):
        refused = decide(sold, **changed)
        assert refused.status in (409, 422) and words in refused.plain, changed
        assert DEMO_PINS["201"] not in refused.text
    done = decide(sold)
    assert (done.status, "Nothing of this day is open." in done.plain) == (200, True)
    assert "acquirer's letter 17" in sold.get("/reconciliation/items/1").plain
    assert sold.verify() == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (file_of(end=""), "The file ends too early: its last line TOTAL is missing."),
        (file_of(end="TOTAL,9,,,,\n"), "it has 1 lines, and says 9"),
        (file_of("8.00x"), "Line 2 of the file cannot be read"),
        (file_of("8.00", "4111111111111111"), "holds a whole card number"),
        ("", "it is empty"),
    ],
)
def test_a_bad_file_is_a_sentence_at_the_field(sold: Counter, content: str, words: str) -> None:
    page = upload(sold, content)
    assert page.status == 422 and words in page.plain and "Nothing was stored" in page.plain
    assert "4111111111111111" not in page.text
    assert "nobody spoke of it yet" in sold.get(PAGE).plain


def test_a_file_from_nobody_and_one_that_is_far_too_large(sold: Counter) -> None:
    assert "Choose who sent the file" in upload(sold, file_of(), "nobody").plain
    assert upload(sold, "x" * 300_000).status == 413


def test_take_it_and_put_it_off(sold: Counter) -> None:
    upload(sold, file_of("7.00"))
    assert sold.post("/reconciliation/items/1/take", {}).status == 200
    assert sold.post("/reconciliation/items/1/later", {"next_on": "2026-12-01"}).status == 200
    assert "2026-12-01" in sold.get("/reconciliation/items/1").plain
    for wrong in ("", "soon", "2020-01-01"):
        page = sold.post("/reconciliation/items/1/later", {"next_on": wrong})
        assert page.status == 422 and "Type the day" in page.plain


def test_filters_and_other_days(sold: Counter) -> None:
    upload(sold, file_of("7.00"))
    assert "A1B2C3" in sold.get(PAGE + "&bucket=different&direction=card").plain
    assert "Nothing to show here." in sold.get(PAGE + "&bucket=ours_only").plain
    assert "Open on other days" in sold.get("/reconciliation?day=2026-11-20").plain
    for odd in ("?day=x", "?day=9999-12-31", "?day=0001-01-01", "?bucket=<script>", "?day=2026-11-21&direction=%00"):
        assert sold.get("/reconciliation" + odd).status == 200, odd


def test_a_clerk_sees_none_of_it(sold: Counter) -> None:
    upload(sold, file_of("7.00"))
    sold.sign_in("101")
    assert "/reconciliation" not in sold.get("/").text
    for path in (PAGE, "/reconciliation/items/1"):
        assert sold.get(path).status == 403
    for path in ("compare", "import", "items/1/decide", "items/1/take", "items/1/later"):
        assert sold.post(f"/reconciliation/{path}", {}).status == 403


FORMS = {
    "/reconciliation/compare": {"day": "2026-11-21"},
    "/reconciliation/import": {"day": "2026-11-21", "profile": "cards", "statement": ""},
    "/reconciliation/items/1/decide": {
        "action": "fee",
        "reference": "x",
        "seen": "",
        "approver_number": "1",
        "approver_pin": "1",
    },
    "/reconciliation/items/1/take": {},
    "/reconciliation/items/1/later": {"next_on": "2026-12-01"},
    "/reconciliation/items/999999/take": {},
}


def test_nothing_that_can_be_typed_breaks_these_pages(sold: Counter) -> None:
    upload(sold, file_of("7.00"))
    token = sold.get(PAGE).hidden("csrf_token")
    for path, fields in FORMS.items():
        for place, nasty in enumerate([*NASTY, "4111111111111111"] if fields else [""]):
            field = list(fields)[place % len(fields)] if fields else "none"
            answer = sold.client.post(path, data={"csrf_token": token, **fields, field: as_bytes(nasty)})
            check_answer(answer.status_code, answer.get_data(as_text=True), answer.location or "", (path, field, nasty[:40]))


# ---------------------------------------------------------------- the command line


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


def run(folder: Path, *words: str) -> tuple[int, str]:
    config = folder / "cli.toml"
    config.write_text(
        f"[database]\nurl = {json.dumps(_url(folder))}\n[security]\nkey_ring = 'keys.json'\n[logging]\nlevel = 'error'\n"
        + "[settlements]\n"
        + "\n".join(f"{name} = {toml(one)}" for name, one in SETTLEMENTS.items()),
        encoding="utf-8",
    )
    answer = CliRunner().invoke(main, ["--config", str(config), *words])
    return answer.exit_code, answer.output


def _url(folder: Path) -> str:
    from tests.engines import address_in

    return address_in(folder)


def test_the_same_unattended(sold: Counter, app: Flask, folder: Path, clock: StandingClock) -> None:
    day = clock.now().date().isoformat()
    code, said = run(folder, "reconcile", day, "--store", "LON")
    assert code == 0 and "card: ours 8.00 GBP, nobody spoke of it yet" in said
    (folder / "day.csv").write_text(file_of("7.88", "0.12"), encoding="utf-8")
    asked = ("import", "settlement", str(folder / "day.csv"), "--store", "LON", "--profile", "cards")
    code, said = run(folder, *asked, "--json")
    told = json.loads(said)
    assert (code, told["new"], told["open"], told["days"]) == (3, 1, 1, ["2026-11-21"])
    assert json.loads(run(folder, *asked, "--json")[1])["new"] == 0

    code, said = run(folder, "reconcile", day, "--json")
    stores = {one["store"]: one for one in json.loads(said[said.index("[") :])}
    assert code == 3 and stores["LON"]["items"][0]["proposal"] == "fee"

    (folder / "day.csv").write_text(file_of(end=""), encoding="utf-8")
    code, said = run(folder, *asked)
    assert code == 1 and "ends too early" in said
    for wrong in (("reconcile", day, "--store", "NOWHERE"), (*asked[:3], "--store", "LON", "--profile", "nobody")):
        assert run(folder, *wrong)[0] == 1
    assert run(folder, "reconcile", "yesterday")[0] == 2
