"""config.example.toml is the manual: it loads, it names every key, and every key stands under the sentence that says why."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydantic import BaseModel, SecretStr

from pos.app import create_app, make_carriers
from pos.carriers import PROTOCOLS
from pos.carriers.configuration import BearerKeys, CarrierKeys, ClientCredentialsKeys, NoAuthKeys, ResellerKeys
from pos.carriers.tmforum import CODES, TmForumKeys
from pos.cli import main
from pos.config import ConfigUnusable, Settings, Settlement, load
from pos.domain.carriers import REASONS
from pos.ports import Reason
from pos.store import keys

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "config.example.toml"
CARRIERS_PAGE = ROOT / "docs" / "carriers.md"
LINES = EXAMPLE.read_text(encoding="utf-8").splitlines()
# A key or a table, at work or at rest. A sentence has a blank behind its #.
KEY = re.compile(r"#?(\w+) = ")
TABLE = re.compile(r"#?\[([\w.]+)\]")


@dataclass(frozen=True)
class Entry:
    """One key of the example: where it stands, and the line that would be read if it were at work."""

    table: str
    key: str
    line: str
    explained: bool
    at_work: bool


def entries() -> Iterator[Entry]:
    table, explained = "", False
    for line in LINES:
        if found := TABLE.match(line):
            table, explained = found[1], False
        elif found := KEY.match(line):
            yield Entry(table, found[1], line.removeprefix("#"), explained, not line.startswith("#"))
        elif line.startswith("# "):
            explained = True
        elif not line.strip():
            explained = False


ENTRIES = list(entries())


def awake() -> str:
    """The example with every key at work; of two lines for one key the first counts."""
    text, seen, table = [], set(), ""
    for line in LINES:
        if found := TABLE.match(line):
            table = found[1]
            text.append(line.removeprefix("#"))
        elif found := KEY.match(line):
            if (table, found[1]) not in seen:
                text.append(line.removeprefix("#"))
            seen.add((table, found[1]))
    return "\n".join(text)


RESELLERS = sorted(set(PROTOCOLS) - {"tmforum"})


def keys_of(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def sections() -> dict[str, type[BaseModel]]:
    """Table -> the model that reads it."""
    found: dict[str, type[BaseModel]] = {"": Settings, "carriers.lyca": TmForumKeys, "carriers.lyca.auth": ClientCredentialsKeys}
    found["settlements.cards"] = Settlement
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found[name] = field.annotation
    return found


# ------------------------------------------------------------------ the example


def test_the_example_loads_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    settings = load(tmp_path / "config.toml")
    assert settings.security.key_ring == tmp_path / "keys.json"
    assert settings.database.url.get_secret_value() == f"sqlite:///{(tmp_path / 'shop.sqlite3').as_posix()}"
    assert not settings.demo and settings.server.secure_cookies and settings.carriers == {}


def test_a_shop_starts_with_the_example(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    assert pos("--config", str(config), "keys", "make").exit_code == 0
    assert pos("--config", str(config), "db", "upgrade").exit_code == 0
    assert (tmp_path / "shop.sqlite3").exists(), "beside its configuration, not beside the program"
    assert pos("--config", str(config), "verify").exit_code == 0


def test_the_example_loads_with_every_key_at_work() -> None:
    settings = Settings.model_validate(tomllib.loads(awake()))
    assert set(settings.carriers) == {"lyca", "leb"} | set(RESELLERS)
    table = {key: value for key, value in settings.carriers["lyca"].items() if not key.endswith("_file")}
    for carrier in make_carriers(settings.model_copy(update={"carriers": settings.carriers | {"lyca": table}})).values():
        carrier.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("table", sections())
def test_every_key_stands_in_the_example_and_no_other(table: str) -> None:
    named = {entry.key for entry in ENTRIES if entry.table == table}
    wanted = keys_of(sections()[table]) - set(sections()) - {"carriers", "hooks", "identity_at", "settlements"}
    wanted |= {"protocol"} if table == "carriers.lyca" else set()
    assert named - wanted == set(), "the example has keys that would stop the start"
    assert wanted - named - {"auth"} == set(), "give these keys a line and a sentence in config.example.toml"


@pytest.mark.parametrize("protocol", RESELLERS)
def test_every_reseller_has_a_table_of_its_name(protocol: str) -> None:
    """Keys that every carrier's table may hold are explained once, at the first carriers."""
    named = {entry.key for entry in ENTRIES if entry.table == f"carriers.{protocol}"}
    model = PROTOCOLS[protocol].keys
    assert named - keys_of(model) == {"protocol"}, "the example has keys that would stop the start"
    explained = {entry.key for entry in ENTRIES if entry.table.startswith("carriers.")}
    assert keys_of(model) - named - keys_of(CarrierKeys) - (keys_of(ResellerKeys) & explained) == set()


def test_every_way_to_sign_in_at_a_carrier_is_shown() -> None:
    text = "\n".join(entry.line for entry in ENTRIES)
    for model in (BearerKeys, ClientCredentialsKeys, NoAuthKeys):
        for key in keys_of(model):
            assert re.search(rf"\b{key} = ", text), key
        (kind,) = model.model_fields["kind"].annotation.__args__  # type: ignore[union-attr]
        assert f'kind = "{kind}"' in text


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if not e.table.startswith("carriers.leb")], ids=lambda e: f"{e.table}.{e.key}"
)
def test_every_key_is_explained(entry: Entry) -> None:
    assert entry.explained, "write above it, in a sentence, why somebody would change it"


def test_sentences_end_and_lines_are_short() -> None:
    for line in LINES:
        assert len(line) <= 130
    for paragraph in re.findall(r"(?:^# (?!-).*\n)+", "\n".join(LINES), flags=re.MULTILINE):
        assert paragraph.rstrip()[-1] in ".:)", paragraph


@pytest.mark.parametrize("table", sections())
def test_what_is_shown_at_rest_is_what_holds_anyway(table: str) -> None:
    """A key with a default shows that default, unless a second line shows another example."""
    shown = tomllib.loads(awake())
    for part in filter(None, table.split(".")):
        shown = shown[part]
    for name, field in sections()[table].model_fields.items():
        default = field.default
        if field.is_required() or default is None or isinstance(default, BaseModel) or name not in shown:
            continue
        if field.default_factory is None and not isinstance(default, (dict, SecretStr)):
            value = tuple(shown[name]) if isinstance(shown[name], list) else shown[name]
            assert value == default, f"{table}.{name} is shown as {value!r} and would be {default!r}"


def test_no_secret_and_no_address_of_anybody_stands_in_the_example() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    hosts = set(re.findall(r"(?:https?|postgresql\+psycopg)://(?:[^@/\s\"]*@)?([\w.-]+)", text))
    assert all(host == "127.0.0.1" or host.endswith(".example") for host in hosts), hosts
    assert set(re.findall(r'(?:client_secret|token) = "([^"]*)"', text)) == {"..."}


# ------------------------------------------------------------------ docs/carriers.md


def test_the_page_of_carriers_names_every_refusal_and_its_sentence() -> None:
    page = CARRIERS_PAGE.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| ([^|]+) \|$", page, flags=re.MULTILINE))
    codes = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page, flags=re.MULTILINE))
    for reason, sentence in rows.items():
        assert sentence == REASONS[reason]
    for code, meaning in CODES.items():
        assert f"`{code}`" in codes[meaning], f"{code} means {meaning}"
    said_by_a_carrier = {Reason(reason) for reason in rows}
    assert set(CODES.values()) <= said_by_a_carrier


def test_the_page_of_carriers_names_only_keys_that_exist() -> None:
    page = CARRIERS_PAGE.read_text(encoding="utf-8")
    known = {*REASONS}.union(*(keys_of(speaker.keys) for speaker in PROTOCOLS.values()))
    for word in re.findall(r"`([a-z]+(?:_[a-z]+)+)(?: = \w+)?`", page):
        assert word in known, word


# ------------------------------------------------------------------ a configuration that cannot be used


def pos(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def refused(*arguments: str) -> str:
    """The sentence with which the command line refuses, with exit status 1."""
    done = pos(*arguments)
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit), f"a traceback instead of a sentence: {done.exception!r}"
    assert done.output.startswith("Error: ") and "Traceback" not in done.output
    return done.output.strip()


GOOD = '[database]\nurl = "sqlite:///shop.sqlite3"\n[security]\nkey_ring = "keys.json"\n'
CARRIER = '[carriers.x]\nprotocol = "tmforum"\nbase_url = "https://c.example"\ncurrencies = ["GBP"]\n'
SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, r"There is no configuration at .*config\.toml\. Copy config\.example\.toml there and fill it in\."),
        ("demo = maybe", r"The configuration .* cannot be read: Invalid value"),
        ("[database", r"The configuration .* cannot be read"),
        (b"\xff\xfe\x00", r"The configuration .* cannot be read"),
        ("", r"is wrong at database: Field required; security: Field required"),
        (GOOD + "[server]\nprot = 1\n", r"is wrong at server\.prot: Extra inputs are not permitted"),
        (GOOD + "[sever]\nport = 1\n", r"is wrong at sever: Extra inputs are not permitted"),
        (GOOD + '[server]\nport = "many"\n', r"is wrong at server\.port: Input should be a valid integer"),
        (GOOD + "[server]\nport = 99999\n", r"is wrong at server\.port: Input should be less than or equal to 65535"),
        (GOOD + "[worker]\nthreads = 0\n", r"is wrong at worker\.threads: Input should be greater than or equal to 1"),
        (GOOD + '[logging]\nlevel = "loud"\n', r"is wrong at logging\.level: String should match pattern"),
        (
            "demo = true\n" + GOOD + '[server]\nhost = "0.0.0.0"\n',
            r"The demo has known PINs .* set server\.host to 127\.0\.0\.1\.",
        ),
        ("demo = true\n" + GOOD + '[server]\nhost = "till.example"\n', r"The demo has known PINs"),
        (GOOD + '[carriers.x]\nprotocol = "morse"\n', r"carriers\.x: protocol must be one of: .*tmforum"),
        (GOOD + CARRIER, r"carrier x: auth: Field required"),
        (GOOD + CARRIER + f'auth = {{ kind = "bearer", tokn = "{SECRET}" }}\n', r"carrier x: auth\.token: Field required"),
        (GOOD + CARRIER + 'base = 1\nauth = { kind = "none" }\n', r"carrier x: base: is not a key of this protocol"),
        (GOOD + CARRIER.replace("https", "http") + 'auth = { kind = "none" }\n', r"carrier x: base_url: .*must be https://"),
        (GOOD + CARRIER + 'ca_file = "none.pem"\nauth = { kind = "none" }\n', r"carrier x: a certificate file cannot be used"),
        (GOOD.replace("sqlite:///shop.sqlite3", "shop.sqlite3"), r"database\.url cannot be used: it is no address of a database"),
        (GOOD.replace("sqlite:", "nosuchdb:"), r"database\.url cannot be used"),
        (
            GOOD.replace("shop.sqlite3", "no/such/folder/shop.sqlite3"),
            r"The database cannot be used: unable to open database file",
        ),
    ],
)
def test_a_configuration_that_cannot_be_used(tmp_path: Path, content: str | bytes | None, sentence: str) -> None:
    config = tmp_path / "config.toml"
    keys.make(tmp_path / "keys.json")
    if content is not None:
        config.write_bytes(content if isinstance(content, bytes) else content.encode())
    for command in ("verify", "serve"):
        told = refused("--config", str(config), command)
        assert re.search(sentence, told), told
        assert SECRET not in told


def test_a_database_without_a_schema(tmp_path: Path) -> None:
    config = written(tmp_path)
    assert "Is it there, and was `pos db upgrade` run?" in refused("--config", str(config), "verify")


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    assert "cannot be read" in refused("--config", str(tmp_path), "serve")


def written(folder: Path, ring: str | bytes | None = "") -> Path:
    """A good configuration; a key ring of this content, a good one for the empty string, none for None."""
    (folder / "config.toml").write_text(GOOD, encoding="utf-8")
    if ring == "":
        keys.make(folder / "keys.json")
    elif ring is not None:
        (folder / "keys.json").write_bytes(ring if isinstance(ring, bytes) else ring.encode())
    return folder / "config.toml"


@pytest.mark.parametrize(
    ("ring", "sentence"),
    [
        (None, r"There is no key ring at .*keys\.json\. Restore it, or make one with `pos keys make`\."),
        ("{", r"The key ring .* cannot be read: JSONDecodeError"),
        ("[]", r"The key ring .* cannot be read"),
        ("null", r"The key ring .* cannot be read"),
        (b"\x00\xff", r"The key ring .* cannot be read"),
        ('{"now": {}, "keys": {}}', r"lacks keys for: jrn, sig, enc, idh, idx, pep, web\."),
        ('{"now": {"jrn": "jrn-1"}, "keys": {"jrn-1": "AAAA"}}', r"lacks keys for: jrn, "),
        ('{"now": {"jrn": ["x"]}, "keys": {}}', r"The key ring .* (cannot be read|lacks keys)"),
        ('{"now": {}, "keys": {"jrn-1": 5}}', r"The key ring .* cannot be read"),
        ('{"now": {}, "keys": {"jrn-1": "é"}}', r"The key ring .* cannot be read"),
    ],
)
def test_a_key_ring_that_cannot_be_used(tmp_path: Path, ring: str | bytes | None, sentence: str) -> None:
    config = written(tmp_path, ring)
    told = refused("--config", str(config), "serve")
    assert re.search(sentence, told), told


def test_a_key_ring_is_never_replaced(tmp_path: Path) -> None:
    config = written(tmp_path)
    before = (tmp_path / "keys.json").read_bytes()
    assert "Nothing was changed" in refused("--config", str(config), "keys", "make")
    assert (tmp_path / "keys.json").read_bytes() == before
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0


def test_a_port_that_somebody_else_has(tmp_path: Path) -> None:
    config = written(tmp_path)
    assert pos("--config", str(config), "db", "upgrade").exit_code == 0
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        config.write_text(GOOD + f"[server]\nport = {port}\n[worker]\nin_server = false\n", encoding="utf-8")
        # As a process of its own, because the server that fails leaves its socket to the end of the process.
        command = [sys.executable, "-m", "pos.cli", "--config", str(config), "serve"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, timeout=60)
    assert (done.returncode, done.stderr.splitlines()[:1]) == (1, [done.stderr.strip()])
    assert f"Error: Nobody can listen on 127.0.0.1:{port}" in done.stderr


@pytest.mark.parametrize(
    "command", [("enrol-code", "NONE"), ("set-printer", "NONE", "192.0.2.1"), ("import-plans", "NONE", "none")]
)
def test_things_the_shop_does_not_have(tmp_path: Path, command: tuple[str, ...]) -> None:
    config = written(tmp_path)
    assert pos("--config", str(config), "db", "upgrade").exit_code == 0
    assert refused("--config", str(config), *command)


def test_settings_cannot_be_changed_and_hide_their_secret(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(GOOD.replace("sqlite:///shop.sqlite3", f"postgresql+psycopg://u:{SECRET}@127.0.0.1/x"), encoding="utf-8")
    settings = load(config)
    assert SECRET not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.demo = True  # type: ignore[misc]


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("sqlite:///shop.sqlite3", "sqlite:///{here}/shop.sqlite3"),
        ("sqlite:///data/shop.sqlite3?timeout=5", "sqlite:///{here}/data/shop.sqlite3?timeout=5"),
        ("sqlite:////srv/shop.sqlite3", "sqlite:////srv/shop.sqlite3"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite://", "sqlite://"),
        ("postgresql+psycopg://u:p@127.0.0.1/x", "postgresql+psycopg://u:p@127.0.0.1/x"),
    ],
)
def test_paths_are_relative_to_the_file(tmp_path: Path, url: str, whole: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(GOOD.replace("sqlite:///shop.sqlite3", url) + CARRIER + 'ca_file = "ca.pem"\n', encoding="utf-8")
    settings = load(config)
    assert settings.database.url.get_secret_value() == whole.format(here=tmp_path.as_posix())
    assert settings.carriers["x"]["ca_file"] == str(tmp_path / "ca.pem")


def test_the_application_refuses_what_the_file_would(tmp_path: Path) -> None:
    keys.make(tmp_path / "keys.json")
    content: Mapping[str, Any] = {"database": {"url": "sqlite://"}, "security": {"key_ring": str(tmp_path / "none.json")}}
    with pytest.raises(keys.KeyRingUnusable):
        create_app(Settings.model_validate(content), given={})
    with pytest.raises(ConfigUnusable):
        load(tmp_path / "none.toml")
