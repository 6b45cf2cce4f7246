#!/usr/bin/env python3
"""grantd as several nodes: takes grantd's command line and behaves like one process of it.

`serve` starts `GRANTD_TEST_NODES` nodes on a database of their own in the PostgreSQL that `GRANTD_TEST_POSTGRES` names, and nginx
on the address to listen on. Each request goes to the next node; on TLS, which nginx does not open, each connection does. Whatever
ends this process ends them all. Other commands get the same database for their data directory.
"""

import ctypes
import hashlib
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from harness import START_TIMEOUT, binary, free_port
from postgres import programs

COUNT = int(os.environ.get("GRANTD_TEST_NODES", "3"))
PR_SET_PDEATHSIG = 1
# Where a data directory notes which database is its own.
STORE = "store.url"


def value_of(args: list[str], flag: str) -> str | None:
    """What a flag is given, in either form."""
    for at, arg in enumerate(args):
        if arg == flag:
            return args[at + 1]
        if arg.startswith(f"{flag}="):
            return arg.partition("=")[2]
    return None


def without(args: list[str], flag: str) -> list[str]:
    """All arguments but this flag and its values."""
    left, given = [], iter(args)
    for arg in given:
        if arg == flag:
            next(given)
        elif not arg.startswith(f"{flag}="):
            left.append(arg)
    return left


def die_with_parent() -> None:
    """SIGKILL of this process is one of everything that it started."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run_on_store(args: list[str]) -> None:
    """A command that is not `serve`: with the database, if its data directory has one."""
    data = value_of(args, "--data")
    note = Path(data) / STORE if data else None
    if note and note.exists():
        args = [*args, "--store", note.read_text(), "--master-key-file", str(Path(data) / "master.key")]
    os.execv(binary(), [binary(), *args])


def database(data: Path) -> str:
    """The URL of the database of this data directory, made if there is none."""
    note = data / STORE
    if not note.exists():
        server = os.environ["GRANTD_TEST_POSTGRES"]
        name = "t_" + hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:16]
        psql = [programs() / "psql", server, "-XAtq", "-c", f"CREATE DATABASE {name}"]
        subprocess.run(psql, check=True, stdin=subprocess.DEVNULL)
        note.write_text(re.sub("^(postgres://[^/]*)/[^?]*", rf"\1/{name}", server))
    return note.read_text()


class Balanced:
    """The nodes and what is in front of them."""

    def __init__(self, args: list[str]):
        self.data = Path(value_of(args, "--data"))
        self.tls = any(arg.startswith("--tls-") for arg in args)
        listens = [args[at + 1] for at, arg in enumerate(args) if arg == "--listen"]
        # The dialect, if the address is of one alone, and the address.
        self.addresses = [listen.rpartition("=")[::2] for listen in listens]
        self.args = without(without(args, "--listen"), "--data")
        if value_of(args, "--public-url") is None:
            self.args += ["--public-url", f"{'https' if self.tls else 'http'}://{self.addresses[0][1]}"]
        # Where anybody is let in without a credential, no proxy is allowed to speak for others.
        if not self.tls and "--mix-open" not in args and "--behind-proxy" not in args:
            self.args.append("--behind-proxy")
        self.ports = [[free_port() for _ in self.addresses] for _ in range(COUNT)]
        self.nodes: list[subprocess.Popen] = []
        self.nginx: subprocess.Popen | None = None
        self.stopping, self.parent = False, os.getppid()

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self.stop)
        self.data.mkdir(parents=True, exist_ok=True)
        self.store = database(self.data)
        # The first makes what all of them share.
        for number in range(COUNT):
            self.spawn(number)
            if (number == 0 or number == COUNT - 1) and (code := self.until_ready(number)) is not None:
                return self.end(code)
        self.balance()
        while self.nginx.poll() is None and all(node.poll() is None for node in self.nodes):
            if os.getppid() != self.parent:
                # Nobody is left who could stop it.
                return self.end(1)
            time.sleep(0.05)
        if self.stopping:
            codes = [node.wait() for node in self.nodes]
            return self.end(max(codes, key=abs))
        print(f"a node or nginx ended by itself: {[one.poll() for one in [*self.nodes, self.nginx]]}", file=sys.stderr)
        return self.end(1)

    def stop(self, *_) -> None:
        self.stopping = True
        for node in self.nodes:
            node.send_signal(signal.SIGTERM)

    def end(self, code: int) -> int:
        for one in [*self.nodes, self.nginx]:
            if one is not None and one.poll() is None:
                one.kill()
                one.wait()
        return code

    def spawn(self, number: int) -> None:
        own = self.data / f"node-{number + 1}"
        own.mkdir(exist_ok=True)
        if number:
            # What a client may have been told to trust is the same everywhere.
            for file in (self.data / "node-1").glob("tls-self-signed.*"):
                (own / file.name).write_bytes(file.read_bytes())
                (self.data / file.name).write_bytes(file.read_bytes())
        listens = []
        for (dialect, _), port in zip(self.addresses, self.ports[number]):
            listens += ["--listen", f"{dialect}{'=' if dialect else ''}127.0.0.1:{port}"]
        shared = ["--store", self.store, "--master-key-file", str(self.data / "master.key")]
        command = [binary(), *self.args, "--data", str(own), *shared, *listens]
        # As on a file system that all of them mount; a flag wins over it.
        environment = {"GRANTD_GIT_DIRECTORY": str(self.data / "git"), **os.environ}
        self.nodes.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent))

    def until_ready(self, number: int) -> int | None:
        """Nothing when all up to this node are, the exit code when one ended before that."""
        anybody = ssl._create_unverified_context() if self.tls else None
        deadline = time.monotonic() + START_TIMEOUT
        for node, ports in zip(self.nodes[: number + 1], self.ports):
            while True:
                if node.poll() is not None:
                    return node.returncode or 1
                try:
                    url = f"{'https' if self.tls else 'http'}://127.0.0.1:{ports[0]}/readyz"
                    urllib.request.urlopen(url, timeout=2, context=anybody).close()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        print("a node was not ready in time", file=sys.stderr)
                        return 1
                    time.sleep(0.02)
        return None

    # ---- nginx ----

    def balance(self) -> None:
        directory = self.data / "nginx"
        directory.mkdir(exist_ok=True)
        # Its workers, if it is started as root, must get in.
        config = directory / "nginx.conf"
        config.write_text(self.streams() if self.tls else self.pages(directory))
        command = ["nginx", "-p", str(directory), "-c", str(config.resolve()), "-e", "stderr"]
        self.nginx = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)

    def _common(self) -> str:
        return "daemon off; master_process off; pid nginx.pid; error_log stderr warn;\nevents { worker_connections 4096; }\n"

    def _upstreams(self) -> str:
        text = ""
        for at, _ in enumerate(self.addresses):
            servers = " ".join(f"server 127.0.0.1:{ports[at]} max_fails=0;" for ports in self.ports)
            text += f"  upstream nodes{at} {{ {servers} }}\n"
        return text

    def streams(self) -> str:
        """Connections as they are."""
        text = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n" + self._common() + "stream {\n" + self._upstreams()
        for at, (_, address) in enumerate(self.addresses):
            text += f"  server {{ listen {address}; proxy_pass nodes{at}; proxy_timeout 1h; }}\n"
        return text + "}\n"

    def pages(self, directory: Path) -> str:
        """Request by request; each to the next node, over a connection of its own."""
        temporary = "".join(f"  {kind}_temp_path {kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        text = self._common() + f"""http {{
{temporary}  access_log off;
  client_max_body_size 0;
  client_body_buffer_size 1m;
  client_header_buffer_size 16k;
  large_client_header_buffers 8 64k;
  underscores_in_headers on;
  keepalive_requests 1000000;
  keepalive_timeout 1h;
  proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_buffering off;
  proxy_read_timeout 1h;
  proxy_send_timeout 1h;
  send_timeout 1h;
{self._upstreams()}"""
        for at, (_, address) in enumerate(self.addresses):
            # Nodes that are gone together with nginx are a process that is gone, not a bad gateway.
            text += f"  server {{ listen {address}; location / {{ proxy_pass http://nodes{at}; error_page 502 504 =444 @gone; }}\n"
            text += "    location @gone { return 444; } }\n"
        return text + "}\n"


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[:1] != ["serve"] or value_of(given, "--store") is not None:
        run_on_store(given)
    sys.exit(Balanced(given).run())
