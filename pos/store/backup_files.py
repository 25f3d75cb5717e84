"""A backup as a file: a header that anybody can read, then the books in sealed chunks.

Each file has a key of its own, made from the backup key and a salt. A chunk's number and whether it is the last one are part of
its nonce, and the whole header is authenticated with each chunk: one that was changed, moved, dropped or taken from another file
does not open."""

from __future__ import annotations

import hashlib
import json
import secrets
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pos.store.keys import BACKUP, KeyRing

FORMAT = "simcounter backup 1"
SUFFIX = ".simbackup"
_MAGIC = b"simcounter backup\n"
_CHUNK = 1 << 20
_LONGEST_HEADER = 16 << 20
_TAG = 16


class BackupUnusable(Exception):
    """The file is no backup of this program, or not the one that was written; the sentence says what is true."""


def write(file: IO[bytes], header: dict[str, Any], lines: Iterable[str], keys: KeyRing) -> None:
    """Header and sealed lines. Memory: one chunk. Raises KeyRingUnusable without a backup key: there is never a clear one."""
    key_id, key = keys.current(BACKUP)
    salt = secrets.token_bytes(32)
    head = json.dumps({"format": FORMAT, "key_id": key_id, "salt": salt.hex(), **header}, sort_keys=True).encode()
    file.write(_MAGIC + len(head).to_bytes(4, "big") + head)
    sealer, bound = AESGCM(_file_key(key, salt)), hashlib.sha256(head).digest()
    number, waiting = 0, bytearray()
    for piece in _packed(lines):
        waiting += piece
        while len(waiting) > _CHUNK:
            _put(file, sealer.encrypt(_nonce(number, last=False), bytes(waiting[:_CHUNK]), bound))
            number, waiting = number + 1, waiting[_CHUNK:]
    _put(file, sealer.encrypt(_nonce(number, last=True), bytes(waiting), bound))


def header(path: Path) -> dict[str, Any]:
    """What stands in front, not yet proven by a seal. Raises BackupUnusable."""
    with _opened(path) as file:
        return _header(file, path)[0]


def lines(path: Path, keys: KeyRing) -> Iterator[str]:
    """What was written, line by line, each chunk after its seal was checked. Raises BackupUnusable, KeyRingUnusable."""
    unpack, rest = zlib.decompressobj(), b""
    for chunk in _chunks(path, keys):
        rest += unpack.decompress(chunk)
        *whole, rest = rest.split(b"\n")
        yield from (line.decode() for line in whole)
    if rest or not unpack.eof:
        raise BackupUnusable(f"{path.name} is not whole. Nothing was changed.")


def check(path: Path, keys: KeyRing) -> None:
    """Every seal to the end. Raises BackupUnusable for a file that is not, byte by byte, the one that was written."""
    for _ in _chunks(path, keys):
        pass


def _chunks(path: Path, keys: KeyRing) -> Iterator[bytes]:
    with _opened(path) as file:
        said, head = _header(file, path)
        try:
            key, salt = keys.by_id(said["key_id"]), bytes.fromhex(said["salt"])
        except (KeyError, ValueError, TypeError):
            raise BackupUnusable(f"{path.name} is no backup of this program. Nothing was changed.") from None
        sealer, bound = AESGCM(_file_key(key, salt)), hashlib.sha256(head).digest()
        number, sealed = 0, _take(file)
        while sealed is not None:
            following = _take(file)
            try:
                yield sealer.decrypt(_nonce(number, last=following is None), sealed, bound)
            except (InvalidTag, ValueError):
                place = f"{path.name} was damaged or changed at part {number + 1}"
                raise BackupUnusable(f"{place}, or is not whole. Nothing was changed; take another backup.") from None
            number, sealed = number + 1, following
        if not number:
            raise BackupUnusable(f"{path.name} is not whole. Nothing was changed; take another backup.")


def _header(file: IO[bytes], path: Path) -> tuple[dict[str, Any], bytes]:
    try:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError
        length = int.from_bytes(file.read(4), "big")
        if length > _LONGEST_HEADER:
            raise ValueError
        head = file.read(length)
        said = json.loads(head)
        known = said["format"] == FORMAT
    except (ValueError, KeyError, TypeError):
        raise BackupUnusable(f"{path.name} is no backup of this program. Nothing was changed.") from None
    if not known:
        raise BackupUnusable(f"{path.name} has another format than this version knows. Nothing was changed.")
    return said, head


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as fault:
        raise BackupUnusable(f"{path} cannot be read: {fault.strerror}. Nothing was changed.") from None


def _packed(lines: Iterable[str]) -> Iterator[bytes]:
    pack = zlib.compressobj()
    for line in lines:
        yield pack.compress(line.encode() + b"\n")
    yield pack.flush()


def _put(file: IO[bytes], sealed: bytes) -> None:
    file.write(len(sealed).to_bytes(4, "big") + sealed)


def _take(file: IO[bytes]) -> bytes | None:
    """The next chunk as it lies there, cut short where the file is; None at the end."""
    length = file.read(4)
    if not length:
        return None
    wanted = int.from_bytes(length, "big")
    return file.read(wanted) if len(length) == 4 and wanted <= _CHUNK + _TAG else b""


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _file_key(key: bytes, salt: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"simcounter backup").derive(key)
