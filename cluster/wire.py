"""As much of PostgreSQL's wire protocol as it takes to see a COMMIT go by."""

import struct

# Codes in the place of a protocol version: they ask for TLS or GSSAPI, and the server answers one byte.
NEGOTIATIONS = {80877103, 80877104}


class Frontend:
    """What a client sends, cut into messages. `feed` gives those that are whole: their bytes, and whether one commits."""

    def __init__(self):
        self._pending = b""
        self._started = False
        # Names of prepared statements, and of portals made of them, that are a COMMIT.
        self._statements: set[bytes] = set()
        self._portals: set[bytes] = set()

    def feed(self, data: bytes) -> list[tuple[bytes, bool]]:
        self._pending += data
        found = []
        while (end := self._end()) is not None:
            message, self._pending = self._pending[:end], self._pending[end:]
            if self._started:
                found.append((message, self._commits(message)))
            else:
                self._started = struct.unpack_from("!I", message, 4)[0] not in NEGOTIATIONS
                found.append((message, False))
        return found

    def _end(self) -> int | None:
        """Where the first message ends, if it is all there."""
        at = 1 if self._started else 0
        if len(self._pending) < at + 4:
            return None
        end = at + struct.unpack_from("!I", self._pending, at)[0]
        return end if len(self._pending) >= end else None

    def _commits(self, message: bytes) -> bool:
        kind, body = message[:1], message[5:]
        if kind == b"Q":
            return is_commit(body)
        if kind == b"P":
            name, text = body.split(b"\0", 2)[:2]
            self._statements.discard(name)
            if is_commit(text):
                self._statements.add(name)
        elif kind == b"B":
            portal, statement = body.split(b"\0", 2)[:2]
            self._portals.discard(portal)
            if statement in self._statements:
                self._portals.add(portal)
        elif kind == b"E":
            return body.split(b"\0", 1)[0] in self._portals
        return False


def is_commit(text: bytes) -> bool:
    return text.rstrip(b"\0; \n").strip().upper() in (b"COMMIT", b"COMMIT TRANSACTION", b"COMMIT WORK", b"END")
