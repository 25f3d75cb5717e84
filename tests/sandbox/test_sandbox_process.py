"""The carrier as a process: it says where it is, ends when told, and remembers after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sandbox_shop import Shop

from pos.sandbox import carrier_main
from pos.sandbox.server import SandboxServer

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.process


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], Shop]]:
    """The process and a shop that is signed in; it is gone afterwards, whatever happened."""
    command = [sys.executable, "-m", "pos.sandbox.carrier_main", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said.startswith("sandbox carrier on http://127.0.0.1:"), said
            shop = Shop(said.split()[-1].rstrip("/"))
            shop.sign_in()
            yield process, shop
        finally:
            process.kill()


def test_it_remembers_after_a_kill(tmp_path: Path) -> None:
    state = str(tmp_path / "books.json")
    with running("--port", "0", "--state", state) as (process, shop):
        shop.renew("R-1")
        process.kill()
        process.wait(10)
    with running("--port", "0", "--state", state) as (_, shop):
        assert shop.find("R-1")[0]["state"] == "completed"
        assert shop.renew("R-1").status == 409
        assert len(shop.ask("GET", "/control/books").json["debits"]) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send to another process")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_it_stops_cleanly_and_quietly(name: str) -> None:
    with running("--port", "0") as (process, shop):
        shop.ask("GET", "/wallet")
        process.send_signal(getattr(signal, name))
        output, _ = process.communicate(timeout=10)
        assert (process.returncode, output) == (0, "")


def test_a_taken_port_is_passed_over() -> None:
    with SandboxServer() as other:
        taken = int(other.url.rpartition(":")[2])
        with running("--port", str(taken)) as (_, shop):
            assert taken < int(shop.address.rpartition(":")[2]) < taken + 20


def test_it_stays_at_home_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        carrier_main.main(["--host", "0.0.0.0"])
    assert "--allow-any-host" in capsys.readouterr().err
