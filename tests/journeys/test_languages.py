"""One sale, told in each language: on the screens, in its timeline and on paper."""

from __future__ import annotations

import re

import pytest

from tests.counter import Counter

TOLD = {
    "en": ("What happened", "Document checked", "Confirmed by the carrier", "Receipt issued", "PAID - ACTIVATED"),
    "zh_Hans": ("经过", "证件已核对", "运营商已确认", "收据已开出", "已付款 - 已开通"),
    "zh_Hant": ("經過", "證件已核對", "營運商已確認", "收據已開出", "已付款 - 已開通"),
}


@pytest.mark.parametrize("language", TOLD)
def test_a_sale_is_told_in_the_language_of_the_screen(counter: Counter, language: str) -> None:
    counter.get("/")
    counter.post("/language", {"language": language, "next": "/"})
    counter.open_shift().ready_to_pay().cash("10.00")
    counter.work()
    page = counter.get(f"/search/{counter.sale_id}")
    assert page.status == 200
    *happened, title = TOLD[language]
    assert [words for words in happened if words not in page.plain] == []
    assert not re.findall(r"\b(?:sale|renewal|payment|print_job|receipt)\.[a-z_]+", page.plain), "a journal kind without words"
    assert title in counter.get("/receipts/LON1-000001").plain


def test_the_question_about_a_twin_names_its_state_in_words(counter: Counter) -> None:
    counter.get("/")
    counter.post("/language", {"language": "zh_Hans", "next": "/"})
    counter.open_shift().ready_to_pay().cash("10.00")
    counter.work()
    counter.number().document().plan()
    assert counter.page.status == 409
    assert "状态：已开通" in counter.page.plain
    assert "confirmed" not in counter.page.plain
