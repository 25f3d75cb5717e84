"""Starts the virtual printer and its page: ``python -m pos.sandbox.printer_main``."""

from __future__ import annotations

import argparse
import ipaddress
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pos.sandbox.page_server import PageServer
from pos.sandbox.paper_page import create_paper_app
from pos.sandbox.printer import VirtualPrinter

WAKE_SECONDS = 0.5  # Windows delivers Ctrl-C only to a thread that is awake from time to time


def main(argv: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM; the answer is the exit status. SystemExit(2) for arguments that cannot be."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not (arguments.allow_any_host or is_loopback(arguments.host)):
        parser.error(f"other computers can reach {arguments.host}; say --allow-any-host if they shall")
    stop = threading.Event()
    with _told_to_stop(stop), running(arguments.host, arguments.port, arguments.page_port) as (printer, page):
        _say(f"printer listening on {_joined(printer.host, printer.port)}")
        _say(f"paper page on {page.address}")
        while not stop.wait(WAKE_SECONDS):
            pass
    return 0


@contextmanager
def running(host: str, port: int, page_port: int) -> Iterator[tuple[VirtualPrinter, PageServer]]:
    """Printer and page, until the block ends. Taken ports move to the next free one; OSError when none is."""
    with VirtualPrinter(host, port) as printer, PageServer(create_paper_app(printer), host, page_port) as page:
        yield printer, page


def is_loopback(host: str) -> bool:
    """Whether only programs on this computer can reach ``host``."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def _told_to_stop(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and the system's polite request set ``stop``. Only a main thread can listen to them; others are stopped
    by whoever started them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGINT", "SIGTERM", "SIGBREAK")  # the last one is Windows' Ctrl-Break
    before = {
        getattr(signal, name): signal.signal(getattr(signal, name), lambda *_: stop.set())
        for name in names
        if hasattr(signal, name)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pos.sandbox.printer_main", description=__doc__)
    parser.add_argument("--port", type=int, default=9100, help="of the printer (default 9100)")
    parser.add_argument("--page-port", type=int, default=8091, help="of the page that shows the paper (default 8091)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--allow-any-host", action="store_true", help="also listen where other computers can reach it")
    return parser


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _say(line: str) -> None:
    """Flushed, because the launcher that started us waits for these lines."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
