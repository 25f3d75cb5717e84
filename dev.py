#!/usr/bin/env python3
"""The developer's front door: run the demo shop, test, lint, measure. Standard library only, no make, no uv.

    python3 dev.py run [--fresh] [--port N]   bring up the demo shop
    python3 dev.py test [pytest arguments]    the whole suite, in random order
    python3 dev.py lint                       ruff, mypy --strict, import contracts, djlint
    python3 dev.py bench [arguments]          measured ratios of the sale path
    python3 dev.py prove [--size full]        crashes, bad carriers, races, days of a store: at any size, with seeds
    python3 dev.py words                      extract, update and compile the language catalogues
    python3 dev.py openapi                    write the description of the JSON API, docs/openapi.json
    python3 dev.py lock                       write the hash-pinned lock files anew (needs uv)

The first call on a bare machine makes .venv and installs the locked packages; later calls notice that nothing changed.
"""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def main(arguments: list[str]) -> int:
    """Do what the first word asks for; the answer is the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file must say so in one clear line on an older one
        print(f"simcounter needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
        return 2
    commands = {
        "run": run,
        "test": test,
        "lint": lint,
        "bench": bench,
        "prove": prove,
        "words": words,
        "openapi": openapi,
        "lock": lock,
    }
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 0 if arguments[:1] in ([], ["--help"], ["-h"]) else 2
    return commands[arguments[0]](arguments[1:])


def run(arguments: list[str]) -> int:
    """The demo shop: server, sandbox carrier and virtual printer, until Ctrl-C."""
    set_up("requirements.lock")
    return call([PYTHON, "-m", "pos.cli", "demo", *arguments])


def test(arguments: list[str]) -> int:
    """The whole suite; arguments go to pytest as they are. Workers: all cores unless -n is given."""
    set_up("requirements-dev.lock")
    workers = [] if any(a.startswith("-n") or a == "--pdb" for a in arguments) else ["-n", "auto", "--dist", "worksteal"]
    return call([PYTHON, "-m", "pytest", *workers, *arguments])


def lint(_arguments: list[str]) -> int:
    """Each check speaks for itself; all of them run even when an earlier one complains."""
    set_up("requirements-dev.lock")
    checks = [
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "mypy"],
        ["-c", "from importlinter.cli import lint_imports_command as c; c()"],
        ["-m", "djlint", "templates", "--lint", "--quiet"],
    ]
    return max(call([PYTHON, *check]) for check in checks)


def bench(arguments: list[str]) -> int:
    """Ratios within one run on this machine; see bench/README.md."""
    set_up("requirements-dev.lock")
    return call([PYTHON, "-m", "bench", *arguments])


def prove(arguments: list[str]) -> int:
    """The proofs of the renewal protocol as programs; see docs/proof.md."""
    set_up("requirements-dev.lock")
    return call([PYTHON, "-m", "tests.harness", *arguments])


def words(_arguments: list[str]) -> int:
    """Extract every sentence, bring the catalogues up to date and compile them."""
    set_up("requirements-dev.lock")
    return call([PYTHON, "tools/words.py"])


def openapi(_arguments: list[str]) -> int:
    """Draw the API's description, docs/openapi.json, from its views."""
    set_up("requirements-dev.lock")
    return call([PYTHON, "tools/openapi.py"])


def lock(_arguments: list[str]) -> int:
    """Resolve both lock files with hashes and without any address in them."""
    base = ["uv", "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header"]
    base += ["--no-annotate", "pyproject.toml", "--extra", "postgres"]
    groups = [part for group in ("test", "quality", "assets") for part in ("--group", group)]
    return max(call([*base, "-o", "requirements.lock"]), call([*base, *groups, "-o", "requirements-dev.lock"]))


def set_up(lock_name: str) -> None:
    """Make .venv hold exactly what the lock names. A stamp (lock, Python version) tells when there is nothing to do.

    The development lock contains the run-time lock, so its stamp satisfies both."""
    stamps = [VENV / f"stamp-{name}" for name in {lock_name, "requirements-dev.lock"}]
    if PYTHON.exists() and any(stamp.exists() and stamp.read_text() == fingerprint(stamp.name[6:]) for stamp in stamps):
        return
    if not PYTHON.exists():
        make_venv()
    print(f"Installing the packages of {lock_name} (once; needs the network) ...", flush=True)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    status = call([*pip, "--only-binary", ":all:", "-r", lock_name])
    if status:
        sys.exit(f"The packages could not be installed (pip ended with {status}); nothing was started.")
    site_packages = subprocess.run(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (Path(site_packages) / "simcounter-checkout.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    (VENV / f"stamp-{lock_name}").write_text(fingerprint(lock_name))


def make_venv() -> None:
    """A private environment; Debian and Ubuntu keep the module for it in a package of its own."""
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        sys.exit("This Python cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv")
    print("Making .venv ...", flush=True)
    venv.create(VENV, with_pip=True)


def fingerprint(lock_name: str) -> str:
    """What the installed set depends on, as one short text."""
    content = (ROOT / lock_name).read_bytes() + sys.version.encode()
    return hashlib.sha256(content).hexdigest()


def call(command: list[object]) -> int:
    """Run a command from the checkout; Ctrl-C belongs to the child, which stops cleanly and is waited for."""
    child = subprocess.Popen([str(part) for part in command], cwd=ROOT)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
