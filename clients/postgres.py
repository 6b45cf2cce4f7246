"""A PostgreSQL of our own in a temporary directory, reached by its socket only, and servers that share it."""

import os
import shutil
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
    """One server process, without a password and without sync: it is gone after the test."""

    def __enter__(self) -> "Postgres":
        self.dir = Path(tempfile.mkdtemp(prefix="grantd-postgres-", dir="/tmp"))
        # It refuses to run as root.
        self.user = {"user": "postgres"} if os.geteuid() == 0 else {}
        if self.user:
            shutil.chown(self.dir, "postgres")
        self.log = open(self.dir / "log", "wb")
        options = {"cwd": self.dir, "stdin": subprocess.DEVNULL, "stdout": self.log, "stderr": self.log, **self.user}
        data, bin = str(self.dir / "data"), programs()
        init = [bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(init, check=True, timeout=60, **options)
        settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=100"]
        self.process = subprocess.Popen([bin / "postgres", "-D", data, "-k", str(self.dir), *settings], **options)
        ready = [bin / "pg_isready", "-q", "-h", str(self.dir), "-U", "postgres"]
        deadline = time.monotonic() + 30
        while subprocess.run(ready, cwd=self.dir).returncode:
            assert time.monotonic() < deadline and self.process.poll() is None, (self.dir / "log").read_text()
            time.sleep(0.1)
        return self

    @property
    def url(self) -> str:
        return f"postgres:///postgres?user=postgres&host={self.dir}"

    def node(self, data: Path, name: str, first: Server | None = None, args=()) -> Server:
        """A server on this store, not started yet; with the secrets of the one that made it, if it is another one."""
        key = Path(data) / "master.key"
        store = ["--store", self.url, "--master-key-file", str(key), *args]
        server = Server(Path(data) / name, name, args=store)
        if first:
            server.key, server.password = first.key, first.password
        return server

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
