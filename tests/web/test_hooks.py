"""The door that carriers knock at: a secret in the path, a limit, and no word about what is behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr

from pos.app import create_app, make_carriers
from pos.config import ConfigUnusable, load
from pos.sandbox.server import SandboxServer
from tests.conftest import StandingClock, _close, _release, settings_in

SECRET = "k" * 40


@pytest.fixture
def client(folder, sandbox: SandboxServer, clock: StandingClock) -> Iterator[FlaskClient]:
    settings = settings_in(folder, sandbox.url).model_copy(update={"hooks": {"sandbox": SecretStr(SECRET)}})
    app: Flask = create_app(settings, clock=clock, given=make_carriers(settings))
    yield app.test_client()
    with app.app_context():
        _release(app)
    _close(app.extensions["simcounter"].carriers)


def test_a_call_is_heard_without_cookie_or_token(client: FlaskClient) -> None:
    for path in ("", "/listener/productOrderStateChangeEvent"):
        answer = client.post(f"/hooks/sandbox/{SECRET}{path}", json={"event": {}})
        assert (answer.status_code, answer.data) == (204, b"")
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers


def test_a_carrier_may_ask_whether_anybody_is_there(client: FlaskClient) -> None:
    there = client.head(f"/hooks/sandbox/{SECRET}")
    assert (there.status_code, there.data) == (200, b"")
    for path in (f"/hooks/sandbox/{'k' * 39}", f"/hooks/other/{SECRET}"):
        assert client.head(path).status_code == 404


@pytest.mark.parametrize(
    "path", [f"/hooks/sandbox/{'k' * 39}", f"/hooks/other/{SECRET}", "/hooks/sandbox/", f"/hooks/{SECRET}/sandbox"]
)
def test_a_wrong_secret_and_an_unknown_carrier_look_the_same(client: FlaskClient, path: str) -> None:
    assert client.post(path, json={}).status_code == 404


def test_too_much_is_refused_and_get_is_no_call(client: FlaskClient) -> None:
    assert client.post(f"/hooks/sandbox/{SECRET}", data=b"a" * (64 * 1024 + 1)).status_code == 413
    assert client.get(f"/hooks/sandbox/{SECRET}").status_code == 405


def test_a_short_secret_stops_the_start(tmp_path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[database]\nurl = "sqlite:///x.sqlite3"\n[security]\nkey_ring = "keys.json"\n[hooks]\nlyca = "short"\n')
    with pytest.raises(ConfigUnusable, match="hooks.*32 letters"):
        load(file)
