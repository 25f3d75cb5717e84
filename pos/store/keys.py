"""The key ring: a file outside the database, one key for each purpose, and the sealing of personal data with it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# jrn journal seals, sig Z signatures, enc fields, idh document numbers, idx number look-ups, pep PINs, web cookies.
PURPOSES = ("jrn", "sig", "enc", "idh", "idx", "pep", "web")
# Rings made before there were backups lack it: selling goes on, and there is no backup until it is added.
BACKUP = "bak"
ALL = (*PURPOSES, BACKUP)


class KeyRingUnusable(Exception):
    """The file is missing, unreadable or incomplete; the sentence says which and what to do."""


@dataclass(frozen=True)
class KeyRing:
    """Keys by id such as ``enc-1``; the current one of each purpose, and older ones that rows still name."""

    keys: dict[str, bytes]
    now: dict[str, str]
    path: Path | None = None

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(sorted(self.keys))})"

    def current(self, purpose: str) -> tuple[str, bytes]:
        """(key id, key) that new rows use. Raises KeyRingUnusable for a purpose that has none."""
        key_id = self.now.get(purpose)
        if key_id is None:
            raise KeyRingUnusable(f"the key ring has no key for {purpose}")
        return key_id, self.keys[key_id]

    def older(self, purpose: str) -> list[bytes]:
        """The keys that a purpose had before, newest first."""
        ids = [key_id for key_id in self.keys if purpose_of(key_id) == purpose and key_id != self.now.get(purpose)]
        return [self.keys[key_id] for key_id in sorted(ids, key=_number, reverse=True)]

    def by_id(self, key_id: str) -> bytes:
        """Raises KeyRingUnusable when a row names a key that is gone. One that was added while this process runs is read from
        the file: during a rotation rows under the new key appear before everybody was started anew."""
        if key_id not in self.keys and self.path is not None:
            self.keys.update(_read(self.path)[0])
        try:
            return self.keys[key_id]
        except KeyError:
            raise KeyRingUnusable(f"the key {key_id} is not in the key ring") from None

    def seal(self, plain: str, place: str) -> bytes:
        """AES-256-GCM: key id, nonce, ciphertext. ``place`` (table.column:record) is authenticated, so that a value pasted
        into another row fails."""
        key_id, key = self.current("enc")
        nonce = secrets.token_bytes(12)
        return key_id.encode() + b"\x00" + nonce + AESGCM(key).encrypt(nonce, plain.encode(), f"{place}:{key_id}".encode())

    def open(self, sealed: bytes, place: str) -> str:
        """Raises cryptography's InvalidTag when the value was changed or stands in another place than it was sealed for."""
        name, _, rest = sealed.partition(b"\x00")
        key_id = name.decode()
        opened = AESGCM(self.by_id(key_id)).decrypt(rest[:12], rest[12:], f"{place}:{key_id}".encode())
        return opened.decode()

    def look_up(self, purpose: str, plain: str) -> str:
        """A keyed digest with its key id, for finding equals without knowing them (``idx`` numbers, ``idh`` documents)."""
        return self.look_up_by(self.current(purpose)[0], plain)

    def look_up_by(self, key_id: str, plain: str) -> str:
        """The same digest under a key that an older row names."""
        return f"{key_id}:{hmac.new(self.by_id(key_id), plain.encode(), hashlib.sha256).hexdigest()}"

    def sign(self, message: bytes) -> tuple[str, str]:
        """(key id, Ed25519 signature in hexadecimal digits)."""
        key_id, key = self.current("sig")
        return key_id, Ed25519PrivateKey.from_private_bytes(key).sign(message).hex()

    def has_signed(self, key_id: str, message: bytes, signature: bytes) -> bool:
        """Whether a key for signatures of this ring made ``signature``; False for a key that we do not have."""
        if not key_id.startswith("sig-") or key_id not in self.keys:
            return False
        try:
            Ed25519PrivateKey.from_private_bytes(self.keys[key_id]).public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def public_key(self, key_id: str) -> bytes:
        """The 32 bytes an outsider needs to check signatures."""
        private = Ed25519PrivateKey.from_private_bytes(self.by_id(key_id))
        return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def purpose_of(key_id: str) -> str:
    return key_id.rpartition("-")[0]


def _number(key_id: str) -> int:
    return int(key_id.rpartition("-")[2])


def make(path: Path) -> KeyRing:
    """Write a new ring, readable by its owner only. Refuses to replace one: what it sealed would be lost for good."""
    keys = {f"{purpose}-1": secrets.token_bytes(32) for purpose in ALL}
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, keys, {purpose: f"{purpose}-1" for purpose in ALL}, os.O_EXCL)
    return load(path)


def add(path: Path, purpose: str) -> str:
    """The id of a new key of a purpose in the file, which nothing uses yet. A second call before it is used gives the same one:
    a rotation that was broken off goes on. The old file is replaced at once, whole."""
    keys, now = _read(path)
    newest = max((_number(key_id) for key_id in keys if purpose_of(key_id) == purpose), default=0)
    key_id = f"{purpose}-{newest}"
    if not newest or now.get(purpose) == key_id:
        key_id = f"{purpose}-{newest + 1}"
        _replace(path, keys | {key_id: secrets.token_bytes(32)}, now)
    return key_id


def use(path: Path, key_id: str) -> None:
    """New rows use this key from now on; the older ones stay, because rows name them."""
    keys, now = _read(path)
    if key_id not in keys:
        raise KeyRingUnusable(f"the key {key_id} is not in the key ring")
    _replace(path, keys, now | {purpose_of(key_id): key_id})


def _replace(path: Path, keys: dict[str, bytes], now: dict[str, str]) -> None:
    beside = path.with_name(path.name + ".new")
    _write(beside, keys, now, os.O_TRUNC)
    beside.replace(path)


def _write(path: Path, keys: dict[str, bytes], now: dict[str, str], how: int) -> None:
    content = {"now": now, "keys": {key_id: b64encode(key).decode() for key_id, key in keys.items()}}
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """(keys, which of them are current). Raises KeyRingUnusable with a sentence for the person who installs."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {key_id: b64decode(text) for key_id, text in content["keys"].items()}, dict(content["now"])
    except FileNotFoundError:
        raise KeyRingUnusable(f"There is no key ring at {path}. Restore it, or make one with `pos keys make`.") from None
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as fault:
        raise KeyRingUnusable(f"The key ring {path} cannot be read: {type(fault).__name__}.") from None


def load(path: Path) -> KeyRing:
    """Raises KeyRingUnusable with a sentence for the person who installs."""
    keys, now = _read(path)
    try:
        named = set(PURPOSES) | ({BACKUP} & now.keys())
        lacking = [p for p in ALL if p in named and (now.get(p) not in keys or len(keys[now[p]]) != 32)]
    except TypeError as fault:
        raise KeyRingUnusable(f"The key ring {path} cannot be read: {type(fault).__name__}.") from None
    if lacking:
        raise KeyRingUnusable(f"The key ring {path} lacks keys for: {', '.join(lacking)}.")
    return KeyRing(keys=keys, now=now, path=path)
