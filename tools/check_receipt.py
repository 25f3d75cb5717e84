#!/usr/bin/env python3
"""Check the code of a receipt without a network and without simcounter. Needs the package `cryptography`.

    python check_receipt.py --keys keys.json CODE

CODE is what a scan of the receipt shows: the link, or the part of it after the last slash. keys.json is what the shop
publishes at /r/keys.json: fetch it once, from the shop and not from the receipt. Says what the receipt says and ends with 0
when the shop signed exactly that, with 1 when it did not. Whether the money was paid back since only the shop's page knows.

The format: number.day.sum.key.signature, where the signature is Ed25519 over the byte 1, the words "simcounter receipt" and
everything before the last dot, and is written in base32 without padding."""

import argparse
import base64
import json
import sys
import urllib.parse
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", required=True, type=Path)
    parser.add_argument("code")
    chosen = parser.parse_args(arguments)
    keys = json.loads(chosen.keys.read_text(encoding="utf-8"))
    code = urllib.parse.unquote(chosen.code.strip().rpartition("/")[2])
    said, _, written = code.rpartition(".")
    try:
        number, day, amount, key_name = said.split(".")
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys[key_name.lower()]))
        signature = base64.b32decode(written + "=")
        if base64.b32encode(signature).decode().rstrip("=") != written:
            raise ValueError("another spelling of the signature")
        key.verify(signature, b"\x01simcounter receipt" + said.encode())
    except (ValueError, KeyError, InvalidSignature):
        print("NOT GENUINE: this shop did not sign this receipt.")
        return 1
    print(f"GENUINE: receipt {number} of {day[:4]}-{day[4:6]}-{day[6:]}, {amount[:-3]} smallest units of {amount[-3:]}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
