#!/usr/bin/env python3
"""Check an export of simcounter without simcounter. Its own parser; needs Python 3.11 and the package `cryptography`.

    python check_export.py FILE [--json] [--key-file FILE] [--public-key HEX ...] [--earlier FILE]

An outsider's check: rows without a gap, their hash in each Z, the Z's signature, its sums and what it carries on from the Z
before; every transfer, receipt and Z as the journal sealed it. With --key-file (the shop's key ring) also every seal of the
journal. With --public-key only signatures of these keys count: get them from the shop, not from the file you are checking. With
--earlier (an export made before) every row of that one must stand in this one as it was, except where a chain was brought back
from a backup: then what was lost and which receipt numbers were used twice is named.
Ends with 0 when all is true and 1 when not, naming the first bad row. The format is described in docs/journal.md."""

import argparse
import base64
import hashlib
import hmac
import json
import sys
import unicodedata
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FIELDS = ("chain", "seq", "at", "business_day", "kind", "actor", "object_kind", "object_id", "content", "key_id", "prev_mac")
NOTHING = "0" * 64
TABLES = ("ledger_transfers", "receipts", "z_reports", "closings")
# What a line that was tampered with may do to its reader.
BAD = (ValueError, LookupError, TypeError, AttributeError)


class Wrong(Exception):
    """``row`` is not as it must be, because of ``what``."""

    def __init__(self, row, what):
        super().__init__(f"{row}: {what}")
        self.row, self.what = row, what


def message(row):
    """The canonical bytes of a journal row."""
    raws = [str(row[name]).encode() for name in FIELDS]
    return b"\x01simcounter journal" + b"".join(len(raw).to_bytes(4, "big") + raw for raw in raws)


def digest(table, values):
    text = json.dumps({"table": table, "row": values}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()[:32]


class Checker:
    def __init__(self, keys, trusted):
        self.keys, self.trusted = keys, trusted
        self.public, self.heads, self.marks, self.starts = {}, {}, {}, {}
        self.said, self.sold, self.slips, self.zs, self.closings = {}, {}, set(), {}, {}
        self.counts = dict.fromkeys(("journal", "row", "slip", "seals", "z"), 0)
        self.number, self.ended = 0, False
        self.epochs, self.issued = {}, {}
        self.whole = True

    def run(self, lines):
        """Wrong for the first bad line; otherwise the figures of what was checked."""
        for text in lines:
            self.number += 1
            where = f"line {self.number}"
            if self.ended:
                raise Wrong(where, "something follows the end")
            try:
                line = json.loads(text)
                read = getattr(self, f"read_{line['line']}", None)
            except BAD:
                raise Wrong(where, "is no JSON object of the format") from None
            if read is None:
                raise Wrong(where, "is of a kind that this format does not have")
            if self.number == 1 and line["line"] != "export":
                raise Wrong(where, "the head of the export is missing")
            try:
                read(line)
            except BAD as fault:
                raise Wrong(where, f"cannot be read ({type(fault).__name__})") from None
        if not self.ended:
            raise Wrong(f"line {self.number + 1}", "the end of the export is missing")
        self.check_sealed()
        self.check_zs()
        self.check_closings()
        return self.counts

    def read_export(self, line):
        if self.number != 1 or line["format"] != "simcounter export 1":
            raise Wrong(f"line {self.number}", "another format than this program knows")
        self.whole = not line["from"] and not line["to"]

    def read_end(self, line):
        self.ended = True
        if line["lines"] != self.number - 1:
            raise Wrong(f"line {self.number}", f"{line['lines']} lines were written, {self.number - 1} are here")

    def read_public_key(self, line):
        if self.trusted and line["ed25519"] not in self.trusted:
            raise Wrong(f"public key {line['key_id']}", "is none of those you trust")
        self.public[line["key_id"]] = Ed25519PublicKey.from_public_bytes(bytes.fromhex(line["ed25519"]))

    def read_chain(self, line):
        chain, seq = line["chain"], line["first_seq"]
        if chain in self.heads:
            raise Wrong(f"journal {chain}", "begins twice")
        if seq == 1 and (line["prev_mac"], line["rows_sha256"]) != (NOTHING, NOTHING):
            raise Wrong(f"journal {chain} row 1", "a chain begins with noughts")
        if self.whole and seq != 1:
            raise Wrong(f"journal {chain} row 1", "is missing")
        self.heads[chain] = (seq - 1, line["prev_mac"], line["rows_sha256"])
        self.starts[chain] = seq
        self.marks[chain] = {seq - 1: (line["prev_mac"], line["rows_sha256"])}

    def read_journal(self, row):
        chain, name = row["chain"], f"journal {row['chain']} row {row['seq']}"
        if chain not in self.heads:
            raise Wrong(name, "its chain has no beginning")
        seq, mac, so_far = self.heads[chain]
        if row["seq"] != seq + 1:
            raise Wrong(name, f"row {seq + 1} is missing")
        if row["prev_mac"] != mac:
            raise Wrong(name, "it does not follow the row before")
        raw = message(row)
        if self.keys is not None:
            self.counts["seals"] += 1
            key = self.keys.get(row["key_id"])
            if key is None or not hmac.compare_digest(hmac.new(key, raw, hashlib.sha256).hexdigest(), row["mac"]):
                raise Wrong(name, "it was changed after it was sealed")
        content = json.loads(row["content"])
        if row["kind"] == "epoch.begun":
            self.begin_epoch(name, row, content, (seq, mac, so_far))
        so_far = hashlib.sha256(bytes.fromhex(so_far) + raw).hexdigest()
        self.heads[chain] = (row["seq"], row["mac"], so_far)
        self.marks[chain][row["seq"]] = (row["mac"], so_far)
        self.counts["journal"] += 1
        self.listen(row, content)

    def begin_epoch(self, name, row, content, head):
        """The books were brought back from a backup, and the chain goes on here."""
        before = self.epochs.setdefault(row["chain"], [])
        quoted = (content["after_seq"], content["after_head"], content["after_rows_sha256"])
        if quoted != head or (before and content["epoch"] != len(before) + 1 and self.whole):
            raise Wrong(name, "its epoch quotes another head")
        before.append(row["seq"])

    def listen(self, row, content):
        """What the journal says of other lines."""
        if row["kind"] == "rows.sealed":
            for name, was, becomes in content["rows"]:
                edges = self.said.setdefault(name, {})
                edges[becomes] = edges.get(becomes, 0) + 1
                if was:
                    edges[was] = edges.get(was, 0) - 1
        elif row["kind"] == "sale.paid":
            self.sold.setdefault(row["chain"], []).append((row["seq"], content["total"], content["receipt"]))
        elif row["kind"] == "receipt.issued":
            self.slips.add((content["number"], content["slip"], content["sha256"]))
            self.issued[content["number"], content["slip"]] = (row["chain"], row["seq"], content["sha256"])

    def read_row(self, line):
        table, values = line["table"], line["values"]
        name = f"{table}:{values['id']}"
        edges = self.said.pop(name, None)
        if edges is None:
            raise Wrong(name, "no commit of the program wrote it")
        if [word for word, times in edges.items() if times > 0] != [digest(table, values)]:
            raise Wrong(name, "it is not as it was written")
        self.counts["row"] += 1
        if table == "z_reports":
            self.zs.setdefault(values["till_id"], []).append(values)
        elif table == "closings":
            self.closings.setdefault((values["store_id"], values["period"]), []).append(values)
        elif table == "ledger_transfers" and (values["amount_minor"] <= 0 or values["debit"] == values["credit"]):
            raise Wrong(name, "a transfer moves a positive amount between two accounts")

    def read_slip(self, line):
        slip = (line["number"], line["slip"], line["sha256"])
        if slip not in self.slips:
            raise Wrong(f"slip {line['number']} {line['slip']}", "the journal issued another")
        self.slips.remove(slip)
        self.counts["slip"] += 1

    def compare(self, earlier):
        """What an earlier export says otherwise: (rows that a restore lost, receipt numbers that were used twice)."""
        lost, twice, cut = {}, set(), {}
        for chain, marks in earlier.marks.items():
            for seq, (mac, rows) in sorted(marks.items()):
                beyond = not self.whole and seq > self.heads.get(chain, (0,))[0]
                if seq < self.starts.get(chain, 1) - 1 or not seq or beyond:
                    continue
                if self.marks.get(chain, {}).get(seq) != (mac, rows):
                    cut[chain] = seq
                    lost[chain] = earlier.heads[chain][0] - seq + 1
                    break
        for chain, seq in cut.items():
            if seq not in self.epochs.get(chain, []):
                raise Wrong(f"journal {chain} row {seq}", "an earlier export says otherwise, and no restore does")
        for name, (chain, seq, sha256) in earlier.issued.items():
            if seq >= cut.get(chain, seq + 1) and name in self.issued and self.issued[name][2] != sha256:
                twice.add(name[0])
        return lost, sorted(twice)

    def check_sealed(self):
        gone = sorted(name for name in self.said if name.partition(":")[0] in TABLES)
        if gone:
            raise Wrong(gone[0], "it was written and is gone")
        if self.slips:
            number, slip, _ = sorted(self.slips)[0]
            raise Wrong(f"slip {number} {slip}", "it was issued and is gone")

    def check_zs(self):
        for reports in self.zs.values():
            before = None
            for z in sorted(reports, key=lambda z: z["sequence"]):
                try:
                    self.check_z(z, json.loads(z["figures"]), before)
                except BAD as fault:
                    raise Wrong(z.get("number", "a Z"), f"cannot be read ({type(fault).__name__})") from None
                self.counts["z"] += 1
                before = z

    def check_closings(self):
        """Each closing follows the one before and adds up what it names, where that is in this export."""
        zs = {z["number"]: z for reports in self.zs.values() for z in reports}
        days = {row["number"]: row for (_, period), rows in self.closings.items() if period == "day" for row in rows}
        for (_, period), rows in self.closings.items():
            before = None
            for row in sorted(rows, key=lambda row: row["sequence"]):
                try:
                    says = json.loads(row["figures"])
                    self.check_signed(row)
                    named = [z[1::2][:2] for z in says["zs"]] if period == "day" else [day[::2][:2] for day in says["days"]]
                    self.check_closing(row, says, before, named, zs if period == "day" else days)
                except BAD as fault:
                    raise Wrong(row.get("number", "a closing"), f"cannot be read ({type(fault).__name__})") from None
                self.counts["closing"] = self.counts.get("closing", 0) + 1
                before = row

    def check_closing(self, row, says, before, named, known):
        number = row["number"]
        if (says["closing"], says["previous"], says["grand_total"]) != (number, row["previous_hash"], row["grand_total_minor"]):
            raise Wrong(number, "its columns are not its figures")
        if before is None and self.whole and (row["sequence"], says["opening_total"]) != (1, 0):
            raise Wrong(number, "the closing before it is missing")
        if before is not None:
            if row["sequence"] != before["sequence"] + 1 or row["previous_hash"] != before["own_hash"]:
                raise Wrong(number, f"it does not follow {before['number']}")
            if says["opening_total"] != before["grand_total_minor"]:
                raise Wrong(number, "it does not carry on the grand total before it")
        if says["opening_total"] + says["gross"] != says["grand_total"]:
            raise Wrong(number, "opening total + sold is not the grand total")
        if any(known.get(part, {}).get("own_hash", own_hash) != own_hash for part, own_hash in named):
            raise Wrong(number, "what it adds up is not as it was then")
        if all(part in known for part, _ in named):
            parts = [json.loads(known[part]["figures"]) for part, _ in named]
            for name in ("gross", "tax", "refunds", "sales", "card", "card_refunds", "counted", "difference"):
                if sum(part[name] for part in parts) != says[name]:
                    raise Wrong(number, f"its {name} is not the sum of its parts")

    def check_signed(self, z):
        number = z["number"]
        if hashlib.sha256(z["figures"].encode()).hexdigest() != z["own_hash"]:
            raise Wrong(number, "its figures were changed after they were written")
        try:
            self.public[z["key_id"]].verify(bytes.fromhex(z["signature"]), z["own_hash"].encode())
        except (InvalidSignature, KeyError, ValueError):
            raise Wrong(number, "its signature is not right") from None

    def check_z(self, z, says, before):
        number = z["number"]
        self.check_signed(z)
        columns = ("number", "first_seq", "last_seq", "head_mac", "grand_total_minor", "previous_hash")
        names = ("z", "first_seq", "last_seq", "head", "grand_total", "previous")
        if any(z[column] != says[name] for column, name in zip(columns, names, strict=True)):
            raise Wrong(number, "its columns are not its figures")
        self.check_continuity(z, says, before)
        self.check_rows(z, says)
        self.check_sums(z, says)

    def check_continuity(self, z, says, before):
        number = z["number"]
        if before is None and self.whole and (z["sequence"], z["first_seq"], says["opening_total"]) != (1, 1, 0):
            raise Wrong(number, "the Z before it is missing")
        if before is not None:
            if z["sequence"] != before["sequence"] + 1 or z["previous_hash"] != before["own_hash"]:
                raise Wrong(number, f"it does not follow {before['number']}")
            if z["first_seq"] != before["last_seq"] + 1:
                raise Wrong(number, "its journal rows do not begin after the Z before it")
            if says["opening_total"] != before["grand_total_minor"]:
                raise Wrong(number, "it does not carry on the grand total before it")
        if says["opening_total"] + says["gross"] != says["grand_total"] or says["gross"] < 0:
            raise Wrong(number, "opening total + sold is not the grand total")

    def check_rows(self, z, says):
        chain = "till:" + z["number"].removeprefix("Z-").rpartition("-")[0]
        quoted = [(chain, says["last_seq"], says["head"], says["rows_sha256"])]
        office = says["office"]
        quoted.append((office["chain"], office["seq"], office["head"], office["rows_sha256"]))
        for name, seq, mac, rows in quoted:
            here = self.heads.get(name)
            if here is None or seq > here[0]:
                if seq and self.whole:
                    raise Wrong(z["number"], f"{name} ends before row {seq}, which it quotes")
            elif seq >= self.starts[name] - 1 and self.marks[name][seq] != (mac, rows):
                raise Wrong(z["number"], f"the rows of {name} up to {seq} are not those it was written over")
        covered = [sale for sale in self.sold.get(chain, []) if says["first_seq"] <= sale[0] <= says["last_seq"]]
        if says["first_seq"] >= self.starts.get(chain, 1):
            if (sum(sale[1] for sale in covered), len(covered)) != (says["gross"], says["sales"]):
                raise Wrong(z["number"], "what it says was sold is not the sum of the paid sales in its rows")
            ends = (covered[0][2], covered[-1][2]) if covered else ("", "")
            if (says["first_receipt"], says["last_receipt"]) != ends:
                raise Wrong(z["number"], "its first and last receipt are others in its rows")

    def check_sums(self, z, says):
        cash = says["cash"]
        inward = cash["float"] + cash["sale"] + cash["paid_in"] + cash.get("surplus", 0)
        expected = inward - cash["change"] - cash["refund"] - cash["paid_out"] - cash["drop"]
        if expected != says["expected"]:
            raise Wrong(z["number"], "expected cash is not the sum of what moved")
        # A forgotten shift may be closed without a count; then it has no difference and no pieces either.
        counted = says["counted"]
        if (0 if counted is None else counted - says["expected"]) != says["difference"]:
            raise Wrong(z["number"], "counted - expected is not the difference")
        if sum(int(unit) * count for unit, count in says["pieces"].items()) != (counted or 0):
            raise Wrong(z["number"], "the pieces do not add up to what was counted")
        if sum(plan[3] for plan in says["plans"]) != says["gross"]:
            raise Wrong(z["number"], "the plans do not add up to what was sold")


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--earlier", type=Path, default=None)
    parser.add_argument("--key-file", type=Path, default=None)
    parser.add_argument("--public-key", action="append", default=[], metavar="HEX")
    chosen = parser.parse_args(arguments)
    keys = None
    if chosen.key_file is not None:
        ring = json.loads(chosen.key_file.read_text(encoding="utf-8"))["keys"]
        keys = {key_id: base64.b64decode(text) for key_id, text in ring.items()}
    checker = Checker(keys, set(chosen.public_key))
    try:
        with chosen.file.open(encoding="utf-8", newline="\n") as lines:
            counts = checker.run(lines)
        lost, twice = checker.compare(read_earlier(chosen.earlier, keys)) if chosen.earlier else ({}, [])
    except (Wrong, UnicodeDecodeError) as wrong:
        row, what = (wrong.row, wrong.what) if isinstance(wrong, Wrong) else (f"line {checker.number + 1}", "is not UTF-8")
        print(json.dumps({"ok": False, "row": row, "what": what}) if chosen.json else f"The first bad row is {row}: {what}.")
        return 1
    if chosen.json:
        told = {"lost_by_restore": lost, "used_twice": twice} if chosen.earlier else {}
        print(json.dumps({"ok": True, **counts, **told, "heads": {name: [*head] for name, head in checker.heads.items()}}))
    else:
        print("All true: " + ", ".join(f"{count} {what}" for what, count in counts.items()) + ".")
        for name, (seq, _, rows) in sorted(checker.heads.items()):
            for begun in checker.epochs.get(name, []):
                print(f"  {name} was brought back from a backup before row {begun}.")
            print(f"  {name} ends at row {seq}, {rows[:16]}; a tail cut off after the last Z cannot be seen from here.")
        for name, count in sorted(lost.items()):
            print(f"  {name}: {count} rows of the earlier export were lost by the restore.")
        if twice:
            print(f"  Receipt numbers that were used twice: {', '.join(twice)}.")
    return 0


def read_earlier(path, keys):
    """An export made before, checked by itself. What the later one trusts of it are its rows, not its signatures."""
    earlier = Checker(keys, set())
    with path.open(encoding="utf-8", newline="\n") as lines:
        earlier.run(lines)
    return earlier


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
