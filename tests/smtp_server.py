"""A mail server of the tests, as a process of its own: `python -m tests.smtp_server FOLDER [--tls] [--starttls] [--mood MOOD]`.

Prints its port, keeps each letter as FOLDER/N.eml, and does what FOLDER/mood says: ok, busy (451 to the recipient), unknown
(550), full (452 to the letter), never (554 to the letter), hangs (says nothing after the letter), leaves (closes after it),
greets_not. With --starttls or --tls it wants both encryption and the name ``shop`` with the password ``secret``."""

from __future__ import annotations

import argparse
import base64
import socketserver
import ssl
import sys
import time
from pathlib import Path


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.safe = self.server.tls is not None and not self.server.starttls
        if self.safe:
            assert self.server.tls is not None
            self.speak(self.server.tls)
        self.known = not self.server.wants_login
        if self.mood == "greets_not":
            time.sleep(30)
            return
        self.say("220 mail.example ESMTP")
        while line := self.rfile.readline(2000):
            word, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            if not self.answer(word.upper(), rest):
                return

    @property
    def mood(self) -> str:
        return (self.server.folder / "mood").read_text(encoding="utf-8").strip()

    def speak(self, tls: ssl.SSLContext) -> None:
        self.connection = tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

    def say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")

    def answer(self, word: str, rest: str) -> bool:
        """Whether the conversation goes on."""
        match word:
            case "EHLO" | "HELO":
                offers = ["AUTH PLAIN LOGIN"] if self.safe or not self.server.wants_login else []
                offers += ["STARTTLS"] if self.server.starttls and not self.safe else []
                lines = ["mail.example", *offers, "SIZE 10000000"]
                self.say("\r\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines))
            case "STARTTLS" if self.server.tls is not None:
                self.say("220 go ahead")
                self.speak(self.server.tls)
                self.safe = True
            case "AUTH":
                right = rest.split()[-1] == base64.b64encode(b"\0shop\0secret").decode() and self.safe
                self.known = right
                self.say("235 welcome" if right else "535 who are you")
            case "MAIL":
                self.say("250 ok" if self.known else "530 sign in first")
            case "RCPT":
                self.say({"busy": "451 later", "unknown": "550 no such person"}.get(self.mood, "250 ok"))
            case "DATA":
                return self.take()
            case "QUIT":
                self.say("221 bye")
                return False
            case _:
                self.say("250 ok" if word in ("RSET", "NOOP") else "500 what")
        return True

    def take(self) -> bool:
        self.say("354 go on")
        content = b""
        while not content.endswith(b"\r\n.\r\n"):
            content += self.rfile.readline(100_000)
        if self.mood == "hangs":
            time.sleep(30)
            return False
        if self.mood == "leaves":
            return False
        if self.mood in ("full", "never"):
            self.say({"full": "452 no room", "never": "554 not from you"}[self.mood])
            return True
        number = len(list(self.server.folder.glob("*.eml"))) + 1
        (self.server.folder / f"{number}.eml").write_bytes(content[:-5].replace(b"\r\n..", b"\r\n."))
        self.say("250 taken")
        return True


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self, folder: Path, tls: ssl.SSLContext | None, starttls: bool) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.folder, self.tls, self.starttls, self.wants_login = folder, tls, starttls, tls is not None

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in mid-sentence is part of the tests."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--starttls", action="store_true")
    chosen = parser.parse_args()
    tls = None
    if chosen.tls or chosen.starttls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(chosen.folder / "server.pem")
    with MailServer(chosen.folder, tls, chosen.starttls) as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
