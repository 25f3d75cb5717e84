"""Hands a letter to the shop's mail server: TLS unless it stands on this machine, limits for everything, an honest answer."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from typing import Protocol

# Together with the lease of a letter: whatever the server does, the worker has its hands free before somebody else takes over.
LONGEST_SECONDS = 90


class Written(Protocol):
    """What is to be sent; see ``services.receipt_mails.Letter``."""

    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def file_name(self) -> str: ...

    def attachment(self) -> bytes: ...


@dataclass(frozen=True)
class Account:
    """The mail server and who we are there. ``encryption`` is tls (from the first byte), starttls or none."""

    host: str
    port: int
    encryption: str
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: float = 20
    ca_file: str | None = None


def send(letter: Written, account: Account) -> tuple[str, str | None]:
    """(sent, None), (refused, why) when it will never be taken, or (later, why). Never raises for what a network does."""
    content = message(letter, account)
    try:
        server = connected(account)
    except smtplib.SMTPResponseException as fault:
        return "later", f"code_{fault.smtp_code}"
    except ssl.SSLError:
        return "later", "certificate"
    except (OSError, UnicodeError, smtplib.SMTPException):
        return "later", "unreachable"
    alarm = threading.Timer(LONGEST_SECONDS, cut, [server])
    alarm.daemon = True
    alarm.start()
    try:
        return deliver(server, content, account)
    finally:
        alarm.cancel()
        server.close()


def connected(account: Account) -> smtplib.SMTP:
    """A connection that is encrypted as the account says, or an exception: never less than it says."""
    trusted = ssl.create_default_context(cafile=account.ca_file or None)
    if account.encryption == "tls":
        return smtplib.SMTP_SSL(account.host, account.port, timeout=account.timeout_seconds, context=trusted)
    server = smtplib.SMTP(account.host, account.port, timeout=account.timeout_seconds)
    if account.encryption == "starttls":
        try:
            server.starttls(context=trusted)
        except Exception:
            server.close()
            raise
    return server


def deliver(server: smtplib.SMTP, content: EmailMessage, account: Account) -> tuple[str, str | None]:
    """The conversation after the greeting. A permanent refusal of this letter is final; of us, it is the shop's to mend."""
    try:
        if account.username:
            server.login(account.username, account.password)
        server.send_message(content)
    except smtplib.SMTPAuthenticationError:
        return "later", "not_let_in"
    except smtplib.SMTPRecipientsRefused as fault:
        ((code, _said),) = fault.recipients.values()
        return ("refused", "address") if code >= 500 else ("later", f"code_{code}")
    except smtplib.SMTPDataError as fault:
        return ("refused", "content") if fault.smtp_code >= 500 else ("later", f"code_{fault.smtp_code}")
    except smtplib.SMTPResponseException as fault:
        return "later", f"code_{fault.smtp_code}"
    except (OSError, smtplib.SMTPException):
        return "later", "connection_lost"
    # The letter is theirs now; a server that hangs up without a word has it all the same.
    with suppress(OSError, smtplib.SMTPException):
        server.quit()
    return "sent", None


def cut(server: smtplib.SMTP) -> None:
    """End a conversation that takes too long: whoever waits for the socket gets an OSError."""
    with suppress(OSError):
        if server.sock is not None:
            server.sock.shutdown(socket.SHUT_RDWR)


def message(letter: Written, account: Account) -> EmailMessage:
    """Plain text and the PDF. The header fields refuse a line break, so no text can add one of its own."""
    content = EmailMessage()
    content["From"] = account.sender
    content["To"] = letter.address
    content["Subject"] = letter.subject
    content["Message-ID"] = f"<{letter.name}@{account.sender.rpartition('@')[2]}>"
    content["Date"] = formatdate(usegmt=True)
    content["Auto-Submitted"] = "auto-generated"
    content.set_content(letter.body)
    content.add_attachment(letter.attachment(), maintype="application", subtype="pdf", filename=letter.file_name)
    return content
