"""The two commands that ask a carrier by hand: for a statement, and about one receipt."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pos.cli import main
from pos.domain.renewals import RenewalState
from pos.sandbox.server import SandboxServer
from tests.conftest import LONDON_NOON
from tests.services.shop import Shop

# The configuration names a file; pos on PostgreSQL has a journey of its own.
pytestmark = pytest.mark.engines("sqlite")

CONFIG = """
[database]
url = "sqlite:///shop.sqlite3"
[security]
key_ring = "keys.json"
[logging]
level = "error"
[carriers.sandbox]
protocol = "tmforum"
base_url = "{url}"
currencies = ["GBP", "HKD"]
statement_path = "/statement"
auth = {{ kind = "client_credentials", token_url = "{url}/oauth/token", client_id = "demo", client_secret = "demo-secret" }}
[carriers.mute]
protocol = "tmforum"
base_url = "{url}"
currencies = ["GBP"]
auth = {{ kind = "none" }}
"""


@pytest.fixture
def config(folder: Path, sandbox: SandboxServer) -> Path:
    path = folder / "config.toml"
    path.write_text(CONFIG.format(url=sandbox.url), encoding="utf-8")
    return path


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(config), *words])


def test_a_statement_is_resolved_and_a_receipt_asked_about(shop: Shop, config: Path) -> None:
    desk = shop.desk()
    shop.open_shift(desk)
    ready = shop.ready(desk)
    shop.take_cash(ready)
    shop.work()
    day = LONDON_NOON.date().isoformat()
    done = run(config, "resolve-statement", day)
    assert (done.exit_code, done.output.splitlines()) == (0, ["sandbox: 1 agreed", "mute: has no statement"])
    assert run(config, "resolve-statement", day, "--carrier", "sandbox").output.splitlines() == ["sandbox: nothing new"]
    assert run(config, "resolve-statement", day, "--carrier", "nobody").exit_code == 1
    asked = run(config, "ask-again", "lon1-000001")
    assert asked.output == "the carrier said: found; the renewal is confirmed\n"
    shop.sandbox.carrier.books.reverse(shop.debits[0].order_id)
    assert run(config, "ask-again", "LON1-000001").output.endswith("the renewal is refund_due\n")
    assert shop.state(ready.sale_id) is RenewalState.REFUND_DUE
    assert run(config, "ask-again", "LON1-000002").exit_code == 1


def test_a_statement_that_cannot_be_read_is_a_sentence(shop: Shop, config: Path) -> None:
    shop.misbehave("error_500", "read", None)
    told = run(config, "resolve-statement", "2026-11-21", "--carrier", "sandbox")
    assert told.exit_code == 1 and "nothing was decided" in told.output
