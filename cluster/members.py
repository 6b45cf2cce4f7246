"""Two PostgreSQL servers that look after themselves: each under Patroni, which agrees with the other by etcd.

Debian's packages `patroni` and `etcd-server`, on loopback, in a temporary directory. Commits are synchronous: what is
acknowledged is on both machines, as long as both are there.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from harness import free_port
from postgres import programs

# The leader's key in etcd lives so long: how long nobody notices that it is gone. Patroni takes no less than 20.
LEASE = 20

CONFIG = """
scope: grantd
name: {name}
restapi: {{listen: "127.0.0.1:{api}", connect_address: "127.0.0.1:{api}"}}
etcd3: {{hosts: "127.0.0.1:{etcd}"}}
bootstrap:
  dcs:
    ttl: {lease}
    loop_wait: 5
    retry_timeout: 5
    maximum_lag_on_failover: 1048576
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters: {{max_connections: 100, synchronous_commit: "on", wal_log_hints: "on"}}
  initdb: [encoding: UTF8, data-checksums, auth: trust]
  pg_hba: ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
postgresql:
  listen: "127.0.0.1:{port}"
  connect_address: "127.0.0.1:{port}"
  data_dir: {dir}/{name}/data
  bin_dir: {bin}
  pgpass: {dir}/{name}/pgpass
  authentication:
    superuser: {{username: postgres}}
    replication: {{username: replicator}}
    rewind: {{username: postgres}}
  parameters: {{unix_socket_directories: "{dir}/{name}"}}
"""


def need() -> None:
    """Says which packages are missing."""
    missing = [package for program, package in (("patroni", "patroni"), ("etcd", "etcd-server")) if not shutil.which(program)]
    assert not missing, f"apt-get install --no-install-recommends {' '.join(missing)}"


def wait_for(what: str, seconds: float, probe):
    """What `probe` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := probe():
            return found
        time.sleep(0.1)
    raise TimeoutError(f"{what}: not within {seconds} s")


class Member:
    """A PostgreSQL server and the Patroni that runs it."""

    def __init__(self, members: "Members", name: str):
        self.members, self.name = members, name
        self.port, self.api = free_port(), free_port()
        self.dir = members.dir / name
        self.dir.mkdir()
        own(self.dir)
        self.config = members.dir / f"{name}.yml"
        places = {"name": name, "port": self.port, "api": self.api, "etcd": members.etcd_port, "lease": LEASE}
        self.config.write_text(CONFIG.format(**places, dir=members.dir, bin=programs()))
        self.process = None

    def start(self) -> None:
        self.process = self.members.run(["patroni", str(self.config)], "log", self.dir)

    def kill(self) -> None:
        """Nothing of Patroni, of PostgreSQL or of its sessions runs after this: the machine is gone."""
        self.process.kill()
        self.process.wait()
        try:
            main = int((self.dir / "data" / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return
        for pid in [main, *children(main)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def stop(self) -> None:
        """As a service manager does: Patroni stops PostgreSQL first."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


class Members:
    """Etcd and both of them."""

    def __enter__(self) -> "Members":
        need()
        self.dir = Path(tempfile.mkdtemp(prefix="grantd-patroni-", dir="/tmp"))
        own(self.dir)
        self.logs, self.processes = [], []
        self.etcd_port, peer = free_port(), free_port()
        client = f"http://127.0.0.1:{self.etcd_port}"
        self.etcd = self.run(
            ["etcd", "--data-dir", str(self.dir / "etcd"), "--name", "one", "--logger", "zap",
             "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
             "--initial-cluster", f"one=http://127.0.0.1:{peer}"],
            "etcd.log", self.dir,
        )  # fmt: skip
        wait_for("etcd", 20, lambda: get(self.etcd_port, "/health"))
        self.members = [Member(self, name) for name in ("one", "two")]
        try:
            self.members[0].start()
            wait_for("the first PostgreSQL", 60, self.leader)
            self.members[1].start()
            wait_for("the synchronous replica", 60, self.synchronous)
            self.psql("CREATE DATABASE grantd")
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def run(self, command: list[str], log: str, directory: Path) -> subprocess.Popen:
        """Starts a program as the user that PostgreSQL wants, with a log of its own."""
        file = open(directory / log, "ab")
        self.logs.append(file)
        who = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        # In a session of its own: what ends this program must not end it by the way.
        return subprocess.Popen(
            command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True, **who
        )

    def url(self, _proxies=None) -> str:
        """Both servers; whoever connects looks for the one that takes writes."""
        hosts = ",".join(f"127.0.0.1:{member.port}" for member in self.members)
        return f"postgres://postgres@{hosts}/grantd?target_session_attrs=read-write"

    def state(self) -> list[dict]:
        """What Patroni says of each member, asked at whoever answers."""
        for member in self.members:
            if found := get(member.api, "/cluster"):
                return json.loads(found)["members"]
        return []

    def leader(self) -> Member | None:
        """Who is the primary now, by what it says itself."""
        return next((member for member in self.members if get(member.api, "/primary")), None)

    def synchronous(self) -> Member | None:
        """The replica that has whatever was acknowledged."""
        return next((member for member in self.members if get(member.api, "/synchronous")), None)

    def psql(self, statement: str) -> str:
        """Runs a statement on the primary."""
        port = str(wait_for("a primary", 60, self.leader).port)
        command = [programs() / "psql", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-Atqc", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()

    def switch_over(self) -> None:
        """The planned change of primary."""
        leader, candidate = self.leader(), self.synchronous()
        body = json.dumps({"leader": leader.name, "candidate": candidate.name}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{leader.api}/switchover", body, method="POST")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200, answer.read()

    def __exit__(self, kind=None, *rest) -> None:
        for member in getattr(self, "members", []):
            member.stop()
        self.etcd.terminate()
        self.etcd.wait(20)
        for log in self.logs:
            log.close()
        if kind is None:
            shutil.rmtree(self.dir, ignore_errors=True)
        else:
            print(f"what they wrote is kept: {self.dir}/*/log", file=sys.stderr)


def own(path: Path) -> None:
    """PostgreSQL refuses to run as root, and so needs a place of its own."""
    if os.geteuid() == 0:
        shutil.chown(path, "postgres", "postgres")


def children(pid: int) -> list[int]:
    """Who was started by it and still runs."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def get(port: int, path: str) -> bytes | None:
    """The body of an answer 200; None for any other, and for none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return answer.read() if answer.status == 200 else None
    except OSError:
        return None
