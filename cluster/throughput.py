#!/usr/bin/env python3
"""Writes and checks a second of nodes on PostgreSQL, next to one node on SQLite, in one run.

    throughput.py [--rounds N] [--seconds S] [--connections N]

Each round measures every row once, so that what else the machine does falls on all of them; the table has medians of the rows and of
the ratios round by round. The load is Debian's `wrk`, one process for each node, and so many connections in all: closed loop,
each write a relationship that is new. Everything shares this machine: where the cores are the limit, more nodes share
them, which is why the processor time that a node takes for one answer is told too.
"""

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from harness import Server, Temp  # noqa: E402
from nodes import Cluster  # noqa: E402

# The first argument tells this process's names from those of all others.
LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local name, number = "", 0
function init(args)
    name = args[1] .. tostring(wrk.thread):match("0x(%w+)")
    wrk.headers["Authorization"] = "Bearer " .. args[2]
end
function request()
    number = number + 1
    return wrk.format(nil, PATH, nil, BODY)
end
function done(summary, latency)
    io.write(string.format("ANSWERS %d %d %d %d\\n", summary.requests, summary.duration,
        summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
        latency:percentile(99)))
end
"""
WRITE = ("/api/v1/relationships", """'{"write":[{"resource":"role:' .. name .. '","relation":"member","subject":"user:u' .. number .. '"}]}'""")
CHECK = ("/api/v1/check", """'{"subject":"user:u' .. (number % 1000) .. '","action":"member","resource":"role:asked"}'""")


THREADS = 2


class Load:
    """Asks so many nodes at once."""

    def __init__(self, directory: Path, connections: int, seconds: float):
        self.directory, self.connections, self.seconds, self.count = directory, connections, seconds, 0
        for name, (path, body) in (("write", WRITE), ("check", CHECK)):
            text = LUA.replace("PATH", json.dumps(path)).replace("BODY", body)
            (directory / f"{name}.lua").write_text(text)

    def run(self, what: str, nodes: list[Server]) -> tuple[float, float, float]:
        """Answers a second of all together, the nodes' processor time for one in microseconds, and the slowest one's p99 in ms."""
        entries, before = revision(nodes[0]), sum(map(cpu_seconds, nodes))
        # One thread of the generator is busy long before a node is.
        threads = max(1, THREADS // len(nodes))
        started = [self._start(what, node, self.connections // len(nodes), threads) for node in nodes]
        answers = rate = slowest = 0.0
        for process in started:
            text = process.communicate(timeout=self.seconds + 60)[0]
            requests, micros, errors, p99 = map(int, re.search(r"ANSWERS (\d+) (\d+) (\d+) (\d+)", text).groups())
            assert errors == 0, f"{errors} of {requests} answers were errors:\n{text}"
            answers += requests
            rate += requests / micros * 1e6
            slowest = max(slowest, p99 / 1000)
        spent = sum(map(cpu_seconds, nodes)) - before
        if what == "write":
            # Each was one of its own, and a write that changes nothing would be a cheap one.
            made = revision(nodes[0]) - entries
            assert made >= answers, f"{answers} writes were answered, but {made} entries made"
        return rate, spent / answers * 1e6, slowest

    def _start(self, what: str, node: Server, connections: int, threads: int) -> subprocess.Popen:
        self.count += 1
        script, url = self.directory / f"{what}.lua", f"http://127.0.0.1:{node.port}"
        many = ["-t", str(threads), "-c", str(connections), "-d", f"{self.seconds}s", "--timeout", "10s"]
        return subprocess.Popen(
            ["wrk", *many, "-s", script, url, "--", f"t{self.count}", node.key], stdout=subprocess.PIPE, text=True
        )


def cpu_seconds(node: Server) -> float:
    fields = Path(f"/proc/{node.process.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def revision(node: Server) -> int:
    """Of the newest entry, whoever made it."""
    client = node.client()
    try:
        newest = {"Grantd-Consistency": "full"}
        return client.get("/api/v1/relationships?resource=role:nobody&relation=member", headers=newest).ok().revision
    finally:
        client.close()


def seed(node: Server) -> None:
    """What the checks ask about: half of them are a yes."""
    client = node.client()
    items = [{"resource": "role:asked", "relation": "member", "subject": f"user:u{number}"} for number in range(0, 1000, 2)]
    for start in range(0, len(items), 100):
        client.post("/api/v1/relationships", {"write": items[start : start + 100]}).ok()
    client.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=60)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(Temp("throughput"))
        sqlite = Server(directory / "sqlite", "throughput-sqlite", {"GRANTD_LOG": "warn"})
        stack.enter_context(sqlite)
        nodes = stack.enter_context(Cluster("throughput", env={name: {"GRANTD_LOG": "warn"} for name in "abc"})).nodes
        seed(sqlite)
        seed(nodes[0])
        load = Load(directory, options.connections, options.seconds)
        table = [("write", "SQLite", [sqlite]), *(("write", f"PostgreSQL, {n} node{'s'[:n - 1]}", nodes[:n]) for n in (1, 2, 3))]
        table += [("check", "SQLite", [sqlite]), *(("check", f"PostgreSQL, {n} node{'s'[:n - 1]}", nodes[:n]) for n in (1, 2))]
        results = [[] for _ in table]
        for _ in range(options.rounds):
            for row, (what, _, servers) in zip(results, table):
                row.append(load.run(what, servers))
                # What one row left to do is not the next one's.
                time.sleep(0.3)
        report(table, results, options)
    return 0


def report(table, results, options) -> None:
    print(f"{options.rounds} rounds of {options.seconds} s, {options.connections} connections in all, {os.cpu_count()} cores for everything")
    print(f"{'':8} {'':22} {'/s':>9} {'to SQLite':>10} {'(lowest, highest)':>18} {'p99 ms':>8} {'node CPU us each':>17}")
    base = {}
    for (what, name, _), rows in zip(table, results):
        rates = [rate for rate, _, _ in rows]
        ratios = [rate / one for rate, one in zip(rates, base.setdefault(what, rates))]
        spread = f"({min(ratios):.2f}, {max(ratios):.2f})"
        cpu, p99 = (statistics.median(row[index] for row in rows) for index in (1, 2))
        print(
            f"{what:8} {name:22} {statistics.median(rates):9.0f} {statistics.median(ratios):10.2f} {spread:>18} {p99:8.1f} {cpu:17.0f}"
        )


if __name__ == "__main__":
    sys.exit(main())
