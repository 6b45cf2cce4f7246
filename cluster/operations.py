#!/usr/bin/env python3
"""Runs docs/operations.md as it is written.

    cluster/operations.py [--page docs/operations.md] [--only TEXT]

As root, on a machine of its own: namespaces for the network and for mounts, overlays over the directories that the page
changes, two PostgreSQL servers at `db-1` and `db-2` with the settings of the page, and nodes at `node-a`, `node-b` and `node-c`. In
place of `systemctl` there is a program that does with all three, one after the other, what packaging/grantd.service says. Nothing of it is left
afterwards. While upgrades and changes of keys go on, clients write through the page's nginx, and what they were refused is counted.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from harness import ROOT, Client, binary
from postgres import programs

HOSTS = {"db-1": 11, "db-2": 12, "node-a": 21, "node-b": 22, "node-c": 23, "grantd.example": 24}
PLACE = Path("/run/operations")
OVERLAID = ("/etc", "/root", "/usr/bin", "/var/lib", "/var/backups", "/usr/local/bin")
KEY = "gdk_the_first_key_of_the_page_00"

SYSTEMCTL = '''#!{python}
"""`systemctl start|stop|restart grantd` for three nodes of one machine, by the unit of this repository."""
import configparser, os, signal, subprocess, sys, time
from pathlib import Path

place, nodes = Path("{place}"), {nodes}
unit = configparser.RawConfigParser(strict=False, delimiters="=", comment_prefixes="#")
unit.optionxform = str
unit.read("{root}/packaging/grantd.service")
service = unit["Service"]
environment = dict(os.environ)
file = Path(service["EnvironmentFile"].lstrip("-"))
for line in file.read_text().splitlines() if file.exists() else []:
    name, _, value = line.partition("=")
    environment[name] = value.strip('"')
environment.pop("GRANTD_API_KEY", None)

def stop(name):
    pid = int((place / f"{{name}}.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    for _ in range(450):
        if not Path(f"/proc/{{pid}}/cmdline").exists() or not Path(f"/proc/{{pid}}/cmdline").read_bytes():
            return
        time.sleep(0.1)
    sys.exit(f"{{name}} did not stop")

def start(name):
    data = Path(f"/var/lib/grantd-{{name}}")
    subprocess.run(["install", "-d", "-m", service["StateDirectoryMode"], "-o", "grantd", "-g", "grantd", data], check=True)
    mine = {{**environment, "GRANTD_LISTEN": f"{{name}}:7070", "GRANTD_URL": f"http://{{name}}:7070", "GRANTD_BOOTSTRAP_API_KEY": "{key}"}}
    mine["GRANTD_LISTEN"] = {addresses}[name] + ":7070"
    command = [word.replace("/var/lib/grantd", str(data)) for word in service["ExecStart"].split()]
    who = ["setpriv", "--reuid", service["User"], "--regid", service["Group"], "--clear-groups", "--no-new-privs"]
    log = open(place / f"{{name}}.log", "ab")
    run = subprocess.Popen([*who, *command], env=mine, cwd=data, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    (place / f"{{name}}.pid").write_text(str(run.pid))
    subprocess.run(["/usr/bin/grantd", "ready", "--wait", "60"], env=mine, check=True)

verb, what = sys.argv[1:]
assert what == "grantd", what
for name in nodes:
    if verb in ("stop", "restart"):
        stop(name)
    if verb in ("start", "restart"):
        start(name)
    if verb == "restart":
        time.sleep(2)
'''


def alone() -> None:
    """Goes on in namespaces of its own, where what is mounted and who listens is nobody else's."""
    assert os.geteuid() == 0, "this needs root: it makes a machine of its own"
    if os.environ.get("OPERATIONS_ALONE") != "yes":
        command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, *sys.argv]
        os.environ["OPERATIONS_ALONE"] = "yes"
        os.execvp(command[0], command)
    run("ip", "link", "set", "lo", "up")
    PLACE.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "none", str(PLACE))
    PLACE.chmod(0o755)
    for number, directory in enumerate(OVERLAID):
        upper, work = PLACE / f"upper-{number}", PLACE / f"work-{number}"
        upper.mkdir()
        work.mkdir()
        shutil.copystat(directory, upper)
        options = f"lowerdir={directory},upperdir={upper},workdir={work}"
        run("mount", "-t", "overlay", "overlay", "-o", options, directory)


def run(*command: str, **more) -> None:
    subprocess.run(command, check=True, **more)


class Page:
    """The blocks of the page, each with the line it begins at."""

    def __init__(self, path: Path):
        text = path.read_text()
        found = re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        self.blocks = [(text[: block.start()].count("\n") + 1, block[1], block[2]) for block in found]

    def of(self, kind: str) -> str:
        return "".join(body for _, of, body in self.blocks if of == kind)


class Databases:
    """A primary at `db-1` and its replica at `db-2`, with the page's settings."""

    def __init__(self, settings: str):
        self.settings = settings
        self.processes = []

    def start(self) -> None:
        self.certificates()
        for name in ("db-1", "db-2"):
            (PLACE / name).mkdir(mode=0o700)
            shutil.chown(PLACE / name, "postgres", "postgres")
        first, second = PLACE / "db-1" / "data", PLACE / "db-2" / "data"
        self.program("initdb", "-D", first, "-U", "postgres", "-A", "trust", "-E", "UTF8")
        # As the page says for grantd; the rest of the page and the replica are let in as they are.
        (first / "pg_hba.conf").write_text(
            "hostssl grantd grantd 127.0.0.0/8 scram-sha-256\nhost all grantd all reject\n"
            "host all postgres 127.0.0.0/8 trust\nhost replication postgres 127.0.0.0/8 trust\n"
        )
        with open(first / "postgresql.conf", "a") as file:
            file.write(f"{self.settings}\nport = 5432\nunix_socket_directories = ''\n")
            file.write(f"ssl = on\nssl_cert_file = '{PLACE}/db.crt'\nssl_key_file = '{PLACE}/db.key'\n")
        self.serve("db-1")
        self.program("pg_basebackup", "-h", "db-1", "-U", "postgres", "-D", second, "-R", "-c", "fast", "-d", "application_name=db_2")
        self.serve("db-2")

    def certificates(self) -> None:
        """An authority, and one certificate for both names."""
        (PLACE / "names").write_text("subjectAltName=DNS:db-1,DNS:db-2\n")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": PLACE}
        new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        run(*new, "-x509", "-days", "2", "-subj", "/CN=the authority", "-keyout", "ca.key", "-out", "ca.crt", **quiet)
        run(*new, "-subj", "/CN=db", "-keyout", "db.key", "-out", "db.csr", **quiet)
        sign = ["openssl", "x509", "-req", "-in", "db.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "2"]
        run(*sign, "-extfile", "names", "-out", "db.crt", **quiet)
        shutil.chown(PLACE / "db.key", "postgres", "postgres")
        (PLACE / "db.key").chmod(0o600)
        shutil.copy(PLACE / "ca.crt", PLACE / "db-ca.pem")

    def program(self, name: str, *args) -> None:
        with open(PLACE / "databases.log", "ab") as log:
            run(*map(str, (programs() / name, *args)), user="postgres", cwd="/", stdout=log, stderr=log)

    def serve(self, name: str) -> None:
        log = open(PLACE / f"{name}.log", "ab")
        command = [programs() / "postgres", "-D", PLACE / name / "data", "-c", f"listen_addresses={name}"]
        self.processes.append(
            subprocess.Popen(list(map(str, command)), user="postgres", cwd="/", stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        )
        until(lambda: subprocess.run([programs() / "pg_isready", "-q", "-h", name, "-U", "postgres"]).returncode == 0, name)


def until(condition, what: str, seconds=30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.1)


class Writers:
    """Clients who write through the page's nginx while it goes on, and send again what was not acknowledged."""

    def __init__(self):
        self.over, self.acknowledged, self.repeated, self.lost = threading.Event(), 0, 0, []
        self.thread = threading.Thread(target=self.work, daemon=True)

    def work(self) -> None:
        client, number = Client(8080, key=KEY, timeout=10), 0
        while not self.over.is_set():
            number += 1
            body = {"write": [{"resource": "role:page", "relation": "member", "subject": f"user:u{number}"}]}
            for _ in range(100):
                try:
                    if client.post("/api/v1/relationships", body, headers={"Idempotency-Key": f"page-{number}"}).status == 200:
                        self.acknowledged += 1
                        break
                except OSError:
                    client.close()
                self.repeated += 1
                time.sleep(0.2)
            else:
                self.lost.append(number)
            time.sleep(0.05)


class Machine:
    """What the page runs on."""

    def __init__(self, page: Page):
        self.page, self.servers, self.writers = page, [], None

    def make(self) -> None:
        lines = [f"127.0.0.{last} {name}\n" for name, last in HOSTS.items()]
        Path("/etc/hosts").write_text("127.0.0.1 localhost\n" + "".join(lines))
        run("systemd-sysusers", str(ROOT / "packaging" / "grantd.sysusers"), stderr=subprocess.DEVNULL)
        shutil.copy(binary(), "/usr/bin/grantd")
        self.home = PLACE / "home"
        self.home.mkdir()
        shutil.copy(binary(), self.home / "grantd-new")
        (PLACE / "bin").mkdir()
        systemctl = PLACE / "bin" / "systemctl"
        nodes = [name for name in HOSTS if name.startswith("node-")]
        addresses = {name: f"127.0.0.{HOSTS[name]}" for name in nodes}
        places = {"python": sys.executable, "place": PLACE, "root": ROOT, "nodes": nodes, "key": KEY, "addresses": addresses}
        systemctl.write_text(SYSTEMCTL.format(**places))
        systemctl.chmod(0o755)
        Databases(self.page.of("ini")).start()
        # Where the page says that the authority of the databases is.
        Path("/etc/grantd").mkdir(exist_ok=True)
        shutil.copy(PLACE / "db-ca.pem", "/etc/grantd/db-ca.pem")

    def shell(self, block: str) -> subprocess.CompletedProcess:
        """Each block in a shell of its own, with what the page says that the shell knows."""
        known = "set -eu -o pipefail\nif [ -e /etc/grantd/environment ]; then set -a; . /etc/grantd/environment; set +a; fi\n"
        environment = {"PATH": f"{PLACE}/bin:{programs()}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "GRANTD_API_KEY": KEY}
        return subprocess.run(
            ["bash", "-c", known + block], cwd=self.home, env=environment, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
        )  # fmt: skip

    def nginx(self, body: str) -> subprocess.CompletedProcess:
        file = PLACE / "nginx.conf"
        file.write_text(f"pid {PLACE}/nginx.pid;\nerror_log {PLACE}/nginx.log;\nevents {{}}\nhttp {{\naccess_log off;\n{body}}}\n")
        done = subprocess.run(["nginx", "-c", str(file)], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode == 0:
            # Something for the drills to hold on to, and who writes meanwhile.
            client = Client(8080, key=KEY)
            user = {"login": "alice", "password": "correct horse battery", "roles": []}
            assert client.post("/api/v1/users", user).status in (200, 201) and self.answers(8080)
            self.writers = Writers()
            self.writers.thread.start()
        return done

    def haproxy(self, body: str) -> subprocess.CompletedProcess:
        file = PLACE / "haproxy.cfg"
        file.write_text(body)
        for command in (["haproxy", "-c", "-f", str(file)], ["haproxy", "-D", "-f", str(file)]):
            done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode:
                return done
        until(lambda: self.answers(8081), "HAProxy with a node that is ready", 15)
        return done

    def answers(self, port: int) -> bool:
        try:
            client = Client(port, key=KEY, timeout=5)
            return client.get("/api/v1/users/alice").status == 200 and client.get("/metrics").status == 404
        except OSError:
            return False

    def yaml(self, body: str) -> subprocess.CompletedProcess:
        """Those are the settings that the Patroni drill runs with."""
        told = (ROOT / "cluster" / "members.py").read_text().replace("{lease}", "20")
        missing = [line for line in body.splitlines() if line not in [one.strip() for one in told.splitlines()]]
        return subprocess.CompletedProcess([], len(missing), "\n".join(f"not in cluster/members.py: {line}" for line in missing))

    def run(self) -> int:
        wrong = 0
        for line, kind, body in self.page.blocks:
            how = {"sh": self.shell, "nginx": self.nginx, "haproxy": self.haproxy, "yaml": self.yaml}.get(kind)
            if how is None:
                print(f"line {line}: {kind}: the databases run with it")
                continue
            began = time.monotonic()
            done = how(body)
            print(f"line {line}: {kind}: {'good' if done.returncode == 0 else 'FAILED'} after {time.monotonic() - began:.1f} s")
            said = body if kind == "sh" else ""
            print(textwrap.indent(said, "    $ ") + textwrap.indent((done.stdout or "")[-3000:], "    "), flush=True)
            wrong += done.returncode != 0
        if self.writers:
            self.writers.over.set()
            self.writers.thread.join(60)
            w = self.writers
            print(f"meanwhile through nginx: {w.acknowledged} writes acknowledged, {w.repeated} sent again, {len(w.lost)} given up")
            wrong += len(w.lost)
        else:
            wrong += 1
        return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "operations.md")
    args = parser.parse_args()
    page = Page(args.page.resolve())
    for program, package in (("nginx", "nginx-light"), ("haproxy", "haproxy"), ("curl", "curl"), ("systemd-sysusers", "systemd")):
        assert shutil.which(program), f"{program} is missing: apt-get install --no-install-recommends {package}"
    alone()
    machine = Machine(page)
    machine.make()
    wrong = machine.run()
    if wrong:
        for log in sorted(PLACE.glob("*.log")):
            print(f"---- {log.name}\n{log.read_bytes()[-2500:].decode(errors='replace')}")
    print("good" if not wrong else f"{wrong} things are wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
