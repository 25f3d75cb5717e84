"""The API against its own description: generated requests, right and wrong ones, at every operation of the served document.

Whatever is sent, the answer is a documented status with the documented type and shape, and never a fault; afterwards journal
and books are whole. Rounds are examples for each operation, each of right and of wrong data."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pos.app import DEMO_PINS, create_app, make_carriers
from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings as SandboxSettings
from tests.api.caller import Caller
from tests.conftest import LONDON_NOON, StandingClock, _close, _release, settings_in
from tests.harness.result import Result, Say

SIZES = {"commit": 5, "tenth": 150, "full": 1500}
MUST_BE = "only documented answers, no fault, journal and books whole"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = {"right": GenerationMode.POSITIVE, "wrong": GenerationMode.NEGATIVE}


def run(rounds: int, seed: int, say: Say) -> Result:
    """A furnished shop of its own in a temporary folder, and every operation of its document."""
    result = Result("api_fuzz", MUST_BE, seed, rounds)
    with tempfile.TemporaryDirectory() as name, _shop(Path(name)) as app:
        fuzz(app, rounds, seed, say, result)
    return result


@contextmanager
def _shop(folder: Path) -> Iterator[Flask]:
    import flask_migrate

    from pos import demo
    from pos.store import keys

    keys.make(folder / "keys.json")
    with SandboxServer(SandboxSettings(), state=None, port=0) as server:
        shop = settings_in(folder, server.url)
        app = create_app(shop, clock=StandingClock(LONDON_NOON), given=make_carriers(shop))
        with app.app_context():
            flask_migrate.upgrade()
            demo.furnish(9, DEMO_PINS, kit=app.extensions["simcounter"])
            demo.stock(kit=app.extensions["simcounter"])
        try:
            yield app
        finally:
            with app.app_context():
                _release(app)
            _close(app.extensions["simcounter"].carriers)
    shutil.rmtree(folder, ignore_errors=True)


def fuzz(app: Flask, rounds: int, seed_: int, say: Say, result: Result) -> None:
    """Each operation with its own caller: what one does to the till must not blunt the next."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    for found in schema.get_all_operations():
        operation = found.ok()
        known = _known(_caller(app)) if "{" in operation.path else {}
        for mode in MODES:
            caller = _caller(app)
            try:
                _examples(operation, MODES[mode], caller, known, rounds, seed_, result)
            except Exception as fault:  # noqa: BLE001 - every failure of a check is one sentence of the result
                result.failures.append(f"{operation.label} with {mode} data, seed {seed_}: {_first_lines(fault)}")
        say(f"{operation.label}: {result.counts.get('requests', 0)} requests so far")
    last = _caller(app)
    last.work()
    result.failures += [f"seed {seed_}: {finding}" for finding in last.findings()]


def _caller(app: Flask) -> Caller:
    """A manager at an enrolled till with an open shift; wrong PINs of earlier examples are waited out."""
    clock = app.extensions["simcounter"].clock
    clock.pass_time(minutes=20)
    caller = Caller(app, "LON1", "201")
    if caller.ok("GET", "/shift")["shift"] is None:
        caller.open_shift()
    return caller


def _known(caller: Caller) -> dict[str, list[Any]]:
    """Things that addresses may lead to: sales at several steps, with a receipt."""
    number = f"07700 900{sum(caller.kit.clock.now().timetuple()[:5]) % 90 + 110}"
    paid = caller.pay(caller.ready(number))
    caller.work()
    ready, begun = caller.ready("07700 900145"), caller.begin("07700 900146")
    family = caller.begin("07700 900147")
    caller.ok("POST", f"/sales/{family}/lines", {"id": str(uuid4()), "number": "07700 900148"})
    renewals = [sale["lines"][0]["renewal"]["id"] for sale in (paid, ready)]
    return {
        "sale_id": [paid["id"], ready["id"], begun, family, str(uuid4())],
        "renewal_id": [*renewals, str(uuid4())],
        "number": [paid["receipt_number"] or "LON1-000001", "LON1-999999"],
        "shift_id": [1, 2],
        "line": ["1", "2", family],
    }


def _examples(
    operation: Any,
    mode: GenerationMode,
    caller: Caller,
    known: dict[str, list[Any]],
    rounds: int,
    seed_: int,
    result: Result,
) -> None:
    things = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in known.items()})

    @seed(seed_)
    @settings(
        max_examples=rounds,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), thing=things, lead=st.integers(0, 3))
    def example(case: Any, thing: dict[str, Any], lead: int) -> None:
        result.count("requests")
        if lead:  # three of four lead to something that exists
            for name in case.path_parameters or {}:
                case.path_parameters[name] = thing.get(name, case.path_parameters[name])
        response = case.call(headers=dict(caller.headers))
        result.count(f"{response.status_code // 100}xx")
        case.validate_response(response, checks=CHECKS)

    try:
        example()
    except schemathesis.errors.SchemathesisError as fault:
        if "negative" not in str(fault).lower():  # an operation without parameters has no wrong data
            raise
        result.count("operations without wrong data")


def _first_lines(fault: BaseException) -> str:
    inner = getattr(fault, "exceptions", None)
    return " | ".join(_first_lines(one) for one in inner) if inner else " ".join(str(fault).split())[:600]
