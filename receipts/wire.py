"""What a printer says, one byte at a time. Answers of four families share one wire and look alike, so each is known by
its pattern and its place, never by being the next byte."""

from __future__ import annotations

import contextlib
import select
import socket
import time

MOST_READS = 64  # a device that never stops talking must not keep us listening
ASB_REST = 3  # an automatic status group is four bytes; the last three look like GS r answers


class Gone(Exception):
    """The printer closed or reset the connection."""


class Wire:
    """A connection whose incoming bytes are sorted. Every wait is given a moment of ``time.monotonic`` to end at."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.unread = bytearray()
        self.asb_left = 0

    def more(self, until: float) -> bool:
        """Wait for bytes and keep them; False when none came in time. Raises Gone."""
        self.connection.settimeout(max(0.001, until - time.monotonic()))
        try:
            received = self.connection.recv(4096)
        except TimeoutError:
            return False
        except OSError as error:
            raise Gone from error
        if not received:
            raise Gone
        self.unread += received
        return True

    def take(self) -> int | None:
        """The next unread byte that is not part of an ASB group; None when there is none."""
        while self.unread:
            byte = self.unread.pop(0)
            if self.asb_left:
                self.asb_left -= 1
            elif byte & 0x93 == 0x10:
                self.asb_left = ASB_REST
            else:
                return byte
        return None

    def status(self, until: float) -> int | None:
        """The next answer to DLE EOT, ``0xx1xx10``; None when it does not come. Raises Gone."""
        return self.byte(0x93, 0x12, until)

    def in_order(self, until: float) -> int | None:
        """The next answer to GS r, ``0xx0xxxx``; None when it does not come. Raises Gone."""
        return self.byte(0x90, 0x00, until)

    def byte(self, mask: int, wanted: int, until: float) -> int | None:
        while True:
            while (byte := self.take()) is not None:
                if byte & mask == wanted:
                    return byte
            if time.monotonic() >= until or not self.more(until):
                return None

    def sequence(self, wanted: bytes, until: float) -> bool:
        """Whether ``wanted`` came, whole and in order; whatever else comes is passed over. Raises Gone."""
        while wanted not in self.unread:
            if time.monotonic() >= until or not self.more(until):
                return False
        return True

    def forget(self) -> None:
        """Drop what came so far, so that an old byte is not taken for the answer to the next question.

        It still passes through ``take``: a half-received ASB group must not leave its rest behind. Raises Gone."""
        for _ in range(MOST_READS):
            if not select.select([self.connection], [], [], 0)[0]:
                break
            self.more(time.monotonic() + 0.001)
        while self.take() is not None:
            pass

    def drain(self, until: float) -> bool:
        """Say that nothing more comes, and read until the printer closes too.

        Closing with a byte unread would reset the connection and throw away what the printer has not taken yet. True
        when it ended in order or simply stayed silent, False when it was reset."""
        try:
            self.connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(TimeoutError):
                while (left := until - time.monotonic()) > 0:
                    self.connection.settimeout(left)
                    if not self.connection.recv(4096):
                        break
        except OSError:
            return False
        return True
