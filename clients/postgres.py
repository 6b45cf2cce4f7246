"""A PostgreSQL of our own in a temporary directory, and servers that share it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from harness import Server


def programs() -> Path:
    """The newest server binaries that are installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parent.parent.name))
    assert found, "PostgreSQL is not installed: apt-get install postgresql"
    return found[-1].parent


class Postgres:
    """One server process, reached by its socket and by a port of loopback if it is given one; gone after the test.

    It neither asks for a password nor syncs, unless `settings` say so.
    """

    def __init__(self, port: int | None = None, settings: dict | None = None):
        self.port = port
        self.settings = {"fsync": "off", "max_connections": "100", **(settings or {})}
        self.process = None

    def __enter__(self) -> "Postgres":
        self.make()
        self.init()
        self.start()
        return self

    def make(self) -> None:
        """The directory of everything it has."""
        self.dir = Path(tempfile.mkdtemp(prefix="grantd-postgres-", dir="/tmp"))
        self.data = self.dir / "data"
        # It refuses to run as root.
        self.user = {"user": "postgres"} if os.geteuid() == 0 else {}
        if self.user:
            shutil.chown(self.dir, "postgres")
        self.log = open(self.dir / "log", "ab")

    def init(self) -> None:
        """An empty database cluster."""
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    def run(self, program: str, *args, timeout=60) -> None:
        """One of PostgreSQL's own programs, as the user that the server runs as."""
        subprocess.run([programs() / program, *map(str, args)], check=True, timeout=timeout, **self._options())

    def _options(self) -> dict:
        return {"cwd": self.dir, "stdin": subprocess.DEVNULL, "stdout": self.log, "stderr": self.log, **self.user}

    def spawn(self) -> None:
        """Starts it without waiting."""
        where = {"listen_addresses": "127.0.0.1" if self.port else "", "port": str(self.port or 5432)}
        given = [part for name, value in {**where, **self.settings}.items() for part in ("-c", f"{name}={value}")]
        command = [programs() / "postgres", "-D", self.data, "-k", str(self.dir), *given]
        self.process = subprocess.Popen(command, **self._options())

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self.spawn()
        deadline = time.monotonic() + 30
        while not self.is_ready():
            assert time.monotonic() < deadline and self.process.poll() is None, self.log_tail()
            time.sleep(0.1)

    def is_ready(self) -> bool:
        ready = [programs() / "pg_isready", "-q", *self._socket()]
        return subprocess.run(ready, cwd=self.dir).returncode == 0

    def log_tail(self, size=3000) -> str:
        return (self.dir / "log").read_bytes()[-size:].decode(errors="replace")

    def _socket(self) -> list[str]:
        return ["-h", str(self.dir), "-p", str(self.port or 5432), "-U", "postgres"]

    def sql(self, statement: str, timeout=30) -> str:
        """What the statement answers, a row a line."""
        psql = ["psql", *self._socket(), "-d", "postgres", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement]
        done = subprocess.run(psql, cwd=self.dir, capture_output=True, text=True, timeout=timeout)
        assert done.returncode == 0, f"{statement}: {done.stderr}"
        return done.stdout.strip()

    @property
    def url(self) -> str:
        return f"postgres:///postgres?user=postgres&host={self.dir}&port={self.port or 5432}"

    def node(self, data: Path, name: str, first: Server | None = None, args=()) -> Server:
        """A server on this store, not started yet; with the secrets of the one that made it, if it is another one."""
        key = Path(data) / "master.key"
        store = ["--store", self.url, "--master-key-file", str(key), *args]
        server = Server(Path(data) / name, name, args=store)
        if first:
            server.key, server.password = first.key, first.password
        return server

    def stop(self) -> None:
        """Lets it end in order, without waiting for who is connected."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)

    def remove(self) -> None:
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __exit__(self, *_) -> None:
        self.stop()
        self.remove()
