"""The sandbox carrier as a process of its own: ``python -m pos.sandbox.carrier_main``."""

from __future__ import annotations

import argparse
import errno
import ipaddress
import signal
import sys
from pathlib import Path
from threading import Event

from pos.sandbox.server import SandboxServer
from pos.sandbox.settings import Settings


def main(argv: list[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; the answer is the exit status."""
    options = _options(argv)
    settings = Settings(
        client_id=options.client_id,
        client_secret=options.client_secret,
        late_seconds=options.late_seconds,
        pending_seconds=options.pending_seconds,
    )
    server = _start(options, settings)
    if server is None:
        print(f"No free port from {options.port} on.", file=sys.stderr)  # noqa: T201  # a command speaks
        return 1
    print(f"sandbox carrier on {server.url}/", flush=True)  # noqa: T201  # whoever started us waits for this line
    stop = Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    while not stop.wait(0.5):  # in steps, because Windows delivers Ctrl-C only between them
        pass
    server.stop()
    return 0


def _start(options: argparse.Namespace, settings: Settings) -> SandboxServer | None:
    """The server on the wanted port or the next free one of twenty; port 0 takes any."""
    for port in range(options.port, options.port + 20) if options.port else (0,):
        server = SandboxServer(settings, state=options.state, host=options.host, port=port, any_host=options.allow_any_host)
        try:
            return server.start()
        except OSError as error:
            # Windows says "no permission" for a port another process holds for itself.
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    return None


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="carrier_main", description="A simulated carrier for tests and training.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default %(default)s)")
    parser.add_argument("--allow-any-host", action="store_true", help="accept an address other machines can reach")
    parser.add_argument("--port", type=int, default=8090, help="0 for any; the next free one is taken if it is busy")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep the books in this file across restarts")
    parser.add_argument("--client-id", default="demo", help="the shop's name here (default %(default)s)")
    parser.add_argument("--client-secret", default="demo-secret", help="and its secret (default %(default)s)")
    parser.add_argument("--late-seconds", type=float, default=12.0, help="how late a late answer is")
    parser.add_argument("--pending-seconds", type=float, default=20.0, help="how long a waiting order waits")
    options = parser.parse_args(argv)
    if not options.allow_any_host and not _is_loopback(options.host):
        parser.error("anybody who reaches this carrier controls it: use a loopback address or --allow-any-host")
    return options


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
