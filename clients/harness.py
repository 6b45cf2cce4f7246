"""Starts and stops a real grantd process, talks HTTP to it, and keeps what the secret scan needs afterwards.

Everything of a run is kept below one directory (`GRANTD_RUN_DIR`, by default `target/run`):

    logs/<name>.log     what each server process wrote
    errors.log          every answer body that was not a success
    secrets.tsv         kind and value of every secret that a test made or was given
"""

import base64
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = Path(os.environ.get("GRANTD_RUN_DIR", ROOT / "target" / "run"))
START_TIMEOUT = float(os.environ.get("GRANTD_START_TIMEOUT", "30"))

_append_lock = threading.Lock()


def binary() -> str:
    """The program under test: `GRANTD_BIN`, else the newest of the two that cargo builds."""
    named = os.environ.get("GRANTD_BIN")
    if named:
        return named
    built = [p for p in (ROOT / "target" / kind / "grantd" for kind in ("release", "debug")) if p.exists()]
    if not built:
        raise FileNotFoundError("no grantd binary: build one or set GRANTD_BIN")
    return str(max(built, key=lambda p: p.stat().st_mtime))


def program() -> str:
    """What is started as grantd: with `GRANTD_TEST_NODES` several nodes that look like one process."""
    return str(Path(__file__).resolve().parent / "balanced.py") if os.environ.get("GRANTD_TEST_NODES") else binary()


def _append(name: str, line: str) -> None:
    with _append_lock:
        RUN.mkdir(parents=True, exist_ok=True)
        with open(RUN / name, "a", encoding="utf-8") as file:
            file.write(line + "\n")


def record_secret(kind: str, value: str) -> str:
    """Notes a secret; no log and no error body of the run may contain it."""
    _append("secrets.tsv", f"{kind}\t{value}")
    return value


def new_api_key() -> str:
    """An API key as an operator would choose one for the first start."""
    return record_secret("api key", "gdk_" + secrets.token_hex(20))


def new_password() -> str:
    """A password for the first start."""
    return record_secret("password", "pw-" + secrets.token_hex(12))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Temp:
    """A directory of its own for one test, on the disk of the run (not in memory), removed afterwards."""

    def __init__(self, name: str):
        (RUN / "data").mkdir(parents=True, exist_ok=True)
        self.path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=RUN / "data"))

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, kind, value, trace) -> None:
        # A failed test leaves its data for whoever looks into it.
        if kind is None:
            shutil.rmtree(self.path, ignore_errors=True)


@dataclass
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    raw: bytes

    def json(self):
        return json.loads(self.raw)

    @property
    def content_type(self) -> str:
        return (self.headers.get("Content-Type") or "").split(";")[0].strip()

    @property
    def revision(self) -> int:
        """Number after the dot of `Grantd-Revision`."""
        return int(self.headers["Grantd-Revision"].rpartition(".")[2])

    def ok(self) -> "Answer":
        """Itself, when it is a success."""
        assert 200 <= self.status < 300, f"{self.status}: {self.raw[:500]!r}"
        return self


# Why some paths and failures are looked at on one node only.
NGINX_REFUSES = "nginx refuses such a path itself"
EACH_COUNTS = "wrong credentials are counted by each node"

# What knows grantd. On several nodes such a client says that it wants the newest; those of the dialects do not know how to.
OWN_FACES = re.compile(r"(/r/[^/]+)?/(api|access)/v1/")


class Client:
    """One keep-alive connection with one credential. The path goes out byte for byte as given.

    Neither proxies nor redirects nor path clean-up: `/a/../b` stays what it is. Not for use by two threads at once.
    """

    def __init__(self, port, key=None, token=None, base="", source=None, timeout=30, basic=None, tls=None):
        """`basic` is a login and its password, `tls` the context of an encrypted connection."""
        self.port, self.base, self.source, self.timeout, self.tls = port, base, source, timeout, tls
        self.headers = {}
        if basic:
            pair = ":".join(basic).encode()
            self.headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        if key:
            self.headers["Authorization"] = f"Bearer {key}"
        if token:
            self.headers["X-Freestyle-Identity-Access-Token"] = token
        self._connection = None

    def call(self, method, path, body=None, headers=None, content_type="application/json") -> Answer:
        """`body` is bytes as they are, or anything else to be sent as JSON; None sends no body at all."""
        fields = {**self.headers, **(headers or {})}
        if os.environ.get("GRANTD_TEST_NODES") and OWN_FACES.match(self.base + path):
            fields.setdefault("Grantd-Consistency", "full")
        if body is not None:
            fields.setdefault("Content-Type", content_type)
            if fields["Content-Type"] is None:
                del fields["Content-Type"]
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
        elif method in ("POST", "PUT", "PATCH"):
            fields["Content-Length"] = "0"
        connection = self._open()
        try:
            try:
                connection.request(method, self.base + path, body=body, headers=fields)
            except (BrokenPipeError, ConnectionResetError):
                # A server may answer before it has read a body that it will not take.
                if connection.sock is None:
                    raise
                answer = http.client.HTTPResponse(connection.sock, method=method)
                answer.begin()
                return self._finish(answer, method, path, closing=True)
            return self._finish(connection.getresponse(), method, path)
        except BaseException:
            self.close()
            raise

    def _finish(self, answer, method, path, closing=False) -> Answer:
        raw = answer.read()
        result = Answer(answer.status, answer.headers, raw)
        if closing or answer.will_close:
            self.close()
        if result.status >= 400:
            _append("errors.log", f"{method} {path} {result.status} {raw[:4000].decode(errors='replace')}")
        return result

    def _open(self):
        if self._connection is None:
            source = (self.source, 0) if self.source else None
            options = {"timeout": self.timeout, "source_address": source}
            if self.tls:
                self._connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, **options)
            else:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, **options)
            self._connection.connect()
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._connection

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    def connect(self) -> None:
        self._open()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get(self, path, **more) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more) -> Answer:
        return self.call("POST", path, body, **more)

    def put(self, path, body=None, **more) -> Answer:
        return self.call("PUT", path, body, **more)

    def patch(self, path, body=None, **more) -> Answer:
        return self.call("PATCH", path, body, **more)

    def delete(self, path, **more) -> Answer:
        return self.call("DELETE", path, **more)


class Server:
    """A grantd process on a data directory. It can be ended and started again on the same data."""

    def __init__(self, data: Path, name: str, env=None, args=()):
        self.data, self.name = Path(data), name
        self.env, self.args = dict(env or {}), list(args)
        self.key, self.password = new_api_key(), new_password()
        self.port = free_port()
        self.process = None
        self._log = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_path(self) -> Path:
        return RUN / "logs" / f"{self.name}.log"

    def command(self, port=None) -> list[str]:
        return [program(), "serve", "--data", str(self.data), "--listen", f"127.0.0.1:{port or self.port}", *self.args]

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "GRANTD_BOOTSTRAP_API_KEY": self.key,
            "GRANTD_BOOTSTRAP_PASSWORD": self.password,
            # Each request too, so that the search for secrets has something to search.
            "GRANTD_LOG": "debug,h2=info,hyper=info",
            **self.env,
        }

    def spawn(self) -> None:
        """Starts the process without waiting for it."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self._log = open(self.log_path, "ab")
        self._log_start = self._log.tell()
        self.process = subprocess.Popen(
            self.command(), env=self.environment(), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )

    def start(self) -> "Server":
        """Starts the process and waits until `/readyz` answers 200."""
        self.spawn()
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                code = self.process.returncode
                self._ended()
                raise RuntimeError(f"{self.name} ended with {code} at start:\n{self.log_tail()}")
            try:
                probe = self.nobody(timeout=2)
                ready = probe.get("/readyz").status == 200
                probe.close()
                if ready:
                    return self
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        self.kill()
        raise TimeoutError(f"{self.name} was not ready within {START_TIMEOUT} s:\n{self.log_tail()}")

    def log_tail(self, size=3000) -> str:
        """The end of what the present process wrote."""
        return self.log_path.read_bytes()[self._log_start :][-size:].decode(errors="replace")

    def client(self, **more) -> Client:
        """A connection with the system key, unless another credential is given."""
        if not {"key", "token", "basic"} & more.keys():
            more["key"] = self.key
        return self.nobody(**more)

    def nobody(self, **more) -> Client:
        """A connection without any credential."""
        return Client(self.port, **more)

    def _ended(self) -> int:
        code = self.process.wait()
        self.process = None
        self._log.close()
        return code

    def terminate(self, timeout=20) -> int:
        """SIGTERM, as a service manager does; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"{self.name} did not end within {timeout} s of SIGTERM") from None
        return self._ended()

    def kill(self) -> None:
        """SIGKILL: nothing of the process runs after this."""
        if self.process is not None:
            self.process.kill()
            self._ended()

    def restart(self) -> "Server":
        self.terminate()
        return self.start()

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_) -> None:
        if self.process is not None:
            self.terminate()


class TlsServer(Server):
    """The same, on TLS with a certificate that it makes itself and keeps in its data."""

    def __init__(self, data: Path, name: str, env=None, args=()):
        super().__init__(data, name, env, ["--tls-self-signed", *args])

    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:")

    def context(self) -> ssl.SSLContext:
        """Trusts the server's certificate and nobody else's."""
        context = ssl.create_default_context(cafile=str(self.data / "tls-self-signed.crt"))
        # A certificate that signs itself names no authority above it.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context

    def nobody(self, **more) -> Client:
        more.setdefault("tls", self.context())
        return super().nobody(**more)


def grantd(*args, env=None, timeout=120) -> subprocess.CompletedProcess:
    """Runs a subcommand of the program to its end; output as text."""
    return subprocess.run(
        # A server that is expected to end by itself is one alone.
        [binary() if args[0] == "serve" else program(), *map(str, args)],
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
    )
