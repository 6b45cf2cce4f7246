"""The proxy does to a connection what it says: otherwise the fault table would show nothing."""

import socket
import struct
import threading

import pytest

from proxy import Network, Proxy
from wire import Frontend


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


STARTUP = struct.pack("!II", 16, 196608) + b"user\0me\0"[:8]
ASK_FOR_TLS = struct.pack("!II", 8, 80877103)
BEGIN, COMMIT = message(b"Q", b"BEGIN\0"), message(b"Q", b"COMMIT\0")
PREPARED = [
    message(b"P", b"s1\0COMMIT\0\0\0"),
    message(b"B", b"\0s1\0\0\0\0\0\0\0"),
    message(b"E", b"\0\0\0\0\0"),
    message(b"S", b""),
]


@pytest.mark.parametrize("piece", [1, 3, 7, 1000])
def test_a_commit_is_seen_however_it_is_sent_and_cut(piece):
    stream = ASK_FOR_TLS + STARTUP + BEGIN + COMMIT + b"".join(PREPARED) + message(b"Q", b"SELECT 'COMMIT'\0")
    frontend, found = Frontend(), []
    for at in range(0, len(stream), piece):
        found += frontend.feed(stream[at : at + piece])
    assert b"".join(bytes for bytes, _ in found) == stream
    assert [bytes for bytes, commits in found if commits] == [COMMIT, PREPARED[2]]


class Database:
    """Takes connections, keeps what comes, and answers each COMMIT."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.got, self.came = b"", threading.Condition()
        self.ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection) -> None:
        try:
            while data := connection.recv(1 << 16):
                with self.came:
                    self.got += data
                    self.came.notify_all()
                if COMMIT in data:
                    connection.sendall(b"done")
        except OSError:
            pass
        self.ended.set()

    def has(self, data: bytes, within=5.0) -> bool:
        with self.came:
            return self.came.wait_for(lambda: data in self.got, within)


@pytest.fixture
def way():
    network, database = Network(), Database()
    proxy = Proxy(network, database.port)
    client = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    client.sendall(STARTUP)
    assert database.has(STARTUP)
    yield proxy, database, client
    client.close()
    proxy.close()
    network.close()
    database.listener.close()


def is_over(client) -> bool:
    try:
        return client.recv(100) == b""
    except ConnectionResetError:
        return True


def test_lost_before_a_commit(way):
    proxy, database, client = way
    proxy.in_commit("before")
    client.sendall(BEGIN + COMMIT)
    assert is_over(client)
    assert database.ended.wait(5) and database.got == STARTUP + BEGIN


@pytest.mark.parametrize("how", ["after", "late"])
def test_lost_after_a_commit(way, how):
    proxy, database, client = way
    then = threading.Event()
    proxy.in_commit(how, then=then.set, late=0.2)
    client.sendall(BEGIN + COMMIT)
    assert is_over(client)
    assert database.has(COMMIT) and then.wait(5) and proxy.lost == 1


def test_only_the_next_commit_is_lost(way):
    proxy, database, client = way
    proxy.in_commit("before")
    client.sendall(COMMIT)
    assert is_over(client)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as again:
        again.sendall(STARTUP + COMMIT)
        assert again.recv(4) == b"done"


def test_frozen_bytes_arrive_after_the_healing(way):
    proxy, database, client = way
    proxy.cut("freeze")
    client.sendall(COMMIT)
    assert not database.has(COMMIT, within=0.2)
    proxy.heal()
    assert client.recv(4) == b"done"


def test_dropped_bytes_never_arrive_and_the_connection_ends_with_the_healing(way):
    proxy, database, client = way
    proxy.cut("drop")
    client.sendall(COMMIT)
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(4)
    proxy.heal()
    client.settimeout(5)
    assert is_over(client) and COMMIT not in database.got


def test_a_reset_way_refuses_until_it_is_healed(way):
    proxy, database, client = way
    proxy.cut("reset")
    assert is_over(client)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    proxy.heal()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as again:
        again.sendall(STARTUP + COMMIT)
        assert again.recv(4) == b"done"
