#!/usr/bin/env python3
"""What many small realms take of one node: memory, time to load, bytes in the store; and what a write leaves behind.

    cluster/scale.py [--realms 1000] [--relationships 100] [--writes 5000] [--store sqlite|postgres]

Prints the figures of docs/scale.md. A figure of time is of this machine; nothing else should run.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from harness import Server, Temp
from postgres import Postgres, programs

RELATIONSHIPS = "/api/v1/relationships"


def memory(server: Server) -> int:
    """Resident bytes of the process."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")


def busy(server: Server, seconds=10.0) -> float:
    """What of one core the process uses while nobody asks it anything."""

    def used() -> float:
        fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(seconds)
    return (used() - before) / seconds


class Sqlite:
    """The store in the data directory."""

    def __init__(self, data: Path):
        self.data = data

    def size(self) -> dict[str, int]:
        return {"all": sum(file.stat().st_size for file in self.data.glob("grantd.db*"))}

    def log(self) -> int:
        return 0


class Tables:
    """The store in PostgreSQL."""

    def __init__(self, postgres: Postgres):
        self.postgres = postgres

    def size(self) -> dict[str, int]:
        rows = self.ask("SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        sizes = {name: int(size) for name, size in (row.split("|") for row in rows.splitlines())}
        return {"all": sum(sizes.values()), **sizes}

    def log(self) -> int:
        return int(self.ask("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))

    def connections(self) -> int:
        return int(self.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'grantd'"))

    def ask(self, statement: str) -> str:
        command = [programs() / "psql", "-h", self.postgres.dir, "-U", "postgres", "-Atqc", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout.strip()


def grants(prefix: str, count: int) -> list[dict]:
    """So many relationships of users in a tenth as many roles."""
    return [
        {"resource": f"role:{prefix}{n % max(1, count // 10)}", "relation": "member", "subject": f"user:person-{n}"}
        for n in range(count)
    ]


def make_realms(server: Server, names: list[str], relationships: int) -> float:
    """Makes them over four connections, each with an entry of relationships; seconds."""
    began, left = time.monotonic(), iter(names)
    lock = threading.Lock()

    def work():
        client = server.client()
        while True:
            with lock:
                name = next(left, None)
            if name is None:
                return
            client.post("/api/v1/realms", {"name": name}).ok()
            client.post(f"/r/{name}{RELATIONSHIPS}", {"write": grants("team-", relationships)}).ok()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began


def ask_each(server: Server, names: list[str]) -> list[float]:
    """Seconds until each realm answered one question, one after the other."""
    client, times = server.client(), []
    question = {"subject": "user:person-0", "action": "member", "resource": "role:team-0"}
    for name in names:
        began = time.monotonic()
        answer = client.post(f"/r/{name}/api/v1/check", question).ok()
        times.append(time.monotonic() - began)
        assert answer.json()["allowed"], answer.raw
    return times


def say(what: str, value: str) -> None:
    print(f"{what:<62} {value}", flush=True)


def spread(times: list[float]) -> str:
    ordered = sorted(times)
    return f"median {statistics.median(times) * 1000:.2f} ms, p99 {ordered[len(ordered) * 99 // 100] * 1000:.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--realms", type=int, default=1000)
    parser.add_argument("--relationships", type=int, default=100)
    parser.add_argument("--writes", type=int, default=5000)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    args = parser.parse_args()
    names = [f"r{number:06}" for number in range(args.realms)]
    with Temp("scale") as data, contextlib.ExitStack() as stack:
        env = {"GRANTD_LOG": "warn"}
        if args.store == "postgres":
            postgres = stack.enter_context(Postgres())
            server = postgres.node(data, "scale")
            server.env = env
            store = Tables(postgres)
        else:
            server, store = Server(data, "scale", env), Sqlite(data)
        server.start()
        say(f"store {args.store}; memory of a server with the first realms alone", f"{memory(server) / 1e6:.1f} MB")
        server.restart()
        before, log = store.size(), store.log()
        seconds = make_realms(server, names, args.relationships)
        log_grown = store.log() - log
        say(f"{args.realms} realms made, each with {args.relationships} relationships", f"{args.realms / seconds:.0f}/s")
        server.terminate()
        # Only now SQLite has everything in its one file.
        after = store.size()
        say("bytes in the store, each realm", f"{(after['all'] - before['all']) / args.realms:.0f}")
        if log_grown:
            say("bytes of write-ahead log, each realm", f"{log_grown / args.realms:.0f}")
        began = time.monotonic()
        server.start()
        say("restart with so many realms, until ready", f"{time.monotonic() - began:.2f} s")
        idle = memory(server)
        say("memory then, none of them loaded", f"{idle / 1e6:.1f} MB")
        say("first question to each, which loads it", spread(ask_each(server, names)))
        loaded = memory(server)
        say("memory with all of them loaded", f"{loaded / 1e6:.1f} MB")
        say("that is, each realm", f"{(loaded - idle) / args.realms / 1e3:.1f} kB")
        say("second question to each", spread(ask_each(server, names)))
        say("of one core, while nobody asks anything", f"{busy(server) * 100:.1f} %")
        if args.store == "postgres":
            say("connections of the node to PostgreSQL", str(store.connections()))
        # What one write of one relationship leaves behind.
        server.restart()
        client = server.client()
        before, log = store.size(), store.log()
        for number in range(args.writes):
            member = {"resource": "role:ops", "relation": "member", "subject": f"user:somebody-{number}"}
            client.post(RELATIONSHIPS, {"write": [member]}).ok()
        log_grown = store.log() - log
        server.terminate()
        after = store.size()
        say(f"{args.writes} writes of one relationship: bytes in the store, each", f"{(after['all'] - before['all']) / args.writes:.0f}")
        for table in sorted(after):
            if table != "all" and after[table] - before[table] > args.writes:
                say(f"  of these in `{table}`", f"{(after[table] - before[table]) / args.writes:.0f}")
        if log_grown:
            say("  bytes of write-ahead log, each", f"{log_grown / args.writes:.0f}")


if __name__ == "__main__":
    main()
