#!/usr/bin/env python3
"""Automatic failover: three nodes on two PostgreSQL servers under Patroni, of which the primary is killed under load.

    cluster/patroni.py [--rounds 10] [--nodes 3]

A round kills the primary with its Patroni, waits until writes go on, starts it again and waits until it follows; then
changes the primary as planned, and waits until writes go on. Nobody touches a node. At the end each acknowledged write
must be in the ledger exactly once, where it was said to be. It needs Debian's packages `patroni` and `etcd-server`.
"""

import argparse
import contextlib
import http.client
import json
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from members import Members, wait_for  # first: it makes the modules of `clients` known

from harness import Client, Server, Temp, grantd

RELATIONSHIPS = "/api/v1/relationships"
GONE = (OSError, http.client.HTTPException)
# A client that got no answer in this time asks another node.
PATIENCE = 8


@dataclass
class Done:
    """An acknowledged write."""

    id: str
    revision: int
    invoked: float
    returned: float


class Load:
    """Writers that go on with another node and the same key when they get no answer, and askers of each node."""

    def __init__(self, nodes: list[Server], writers: int):
        self.nodes, self.over = nodes, threading.Event()
        self.acknowledged: list[Done] = []
        # Of single attempts, not of writes: those are repeated until they are acknowledged.
        self.attempts = {"no answer": 0, "503": 0, "other": 0}
        self.others: list[str] = []
        self.never: list[str] = []
        self.wrong: list[str] = []
        self.checks = [Checks() for _ in nodes]
        self.lock = threading.Lock()
        work = [(self.write, number) for number in range(writers)] + [(self.ask, n) for n in range(len(nodes))]
        self.threads = [threading.Thread(target=run, args=(number,), daemon=True) for run, number in work]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(90)

    # ---- one writer ----

    def write(self, writer: int) -> None:
        clients = [node.client(timeout=PATIENCE) for node in self.nodes]
        count = 0
        while not self.over.is_set():
            count += 1
            op, member = f"op-{writer}-{count}", {
                "resource": f"role:drill-{writer}",
                "relation": "member",
                "subject": f"user:u{count // 2}",
            }
            # Each one is granted, and then revoked.
            grants = count % 2 == 0
            body = {"write": [member]} if grants else {"delete": [{**member, "subject": f"user:u{(count - 1) // 2}"}]}
            if count == 1:
                continue
            revision = self.until_acknowledged(clients, op, body, writer + count)
            if revision:
                self.ask_elsewhere(clients, op, body, grants, revision, writer + count + 1)
            time.sleep(0.02)

    def until_acknowledged(self, clients: list[Client], op: str, body: dict, at: int) -> str | None:
        """The `Grantd-Revision` of the answer."""
        headers = {"Idempotency-Key": op, "Grantd-Reason": op}
        first = time.monotonic()
        while time.monotonic() - first < 120:
            client, began = clients[at % len(clients)], time.monotonic()
            at += 1
            try:
                answer = client.post(RELATIONSHIPS, body, headers=headers)
            except GONE:
                self.count("no answer")
                time.sleep(0.1)
                continue
            if answer.status == 200:
                token = answer.headers["Grantd-Revision"]
                with self.lock:
                    self.acknowledged.append(Done(op, answer.json()["revision"], began, time.monotonic()))
                return token
            self.count("503" if answer.status == 503 else "other")
            if answer.status != 503:
                self.others.append(f"{op}: {answer.status} {answer.raw[:200]!r}")
            wait = answer.headers.get("Retry-After")
            # Not longer than a second, so that the time until writes go on is measured, not waited for.
            time.sleep(min(float(wait), 1.0) if wait else 0.2)
        self.never.append(op)
        return None

    def ask_elsewhere(self, clients, op, body, grants, token, at) -> None:
        """Another node, asked with the revision of the write, must know of it or say that it does not yet."""
        what = (body.get("write") or body["delete"])[0]
        question = {"subject": what["subject"], "action": "member", "resource": what["resource"]}
        try:
            answer = clients[at % len(clients)].post("/api/v1/check", question, headers={"Grantd-At-Least": token})
        except GONE:
            return
        if answer.status == 200 and answer.json()["allowed"] != grants:
            self.wrong.append(f"{op}: asked at {token}, {answer.raw[:200]!r} of {answer.headers['Grantd-Revision']}")

    # ---- the asker of one node ----

    def ask(self, number: int) -> None:
        """A plain check, without any header, must be answered whatever becomes of the database."""
        client, seen = self.nodes[number].client(timeout=PATIENCE), self.checks[number]
        question = {"subject": "user:u1", "action": "member", "resource": "role:drill-0"}
        while not self.over.is_set():
            began = time.monotonic()
            try:
                answer = client.post("/api/v1/check", question)
                seen.note(answer.status == 200, time.monotonic() - began, answer.headers.get("Grantd-Stale"))
            except GONE:
                seen.note(False, time.monotonic() - began, None)
            time.sleep(0.01)

    def count(self, what: str) -> None:
        with self.lock:
            self.attempts[what] += 1

    def since(self, moment: float) -> Done | None:
        """The first write that was begun after `moment` and is acknowledged."""
        with self.lock:
            later = [done for done in self.acknowledged if done.invoked > moment]
        return min(later, key=lambda done: done.returned, default=None)


class Checks:
    """What the plain checks of one node saw."""

    def __init__(self):
        self.answered = self.failed = self.marked = 0
        self.slowest = 0.0

    def note(self, answered: bool, seconds: float, stale: str | None) -> None:
        self.answered += answered
        self.failed += not answered
        self.marked += stale is not None
        self.slowest = max(self.slowest, seconds)


# ---- the rounds ----


def ready(nodes: list[Server]) -> str:
    """What `/readyz` of each node says."""
    codes = []
    for node in nodes:
        try:
            probe = node.nobody(timeout=3)
            codes.append(str(probe.get("/readyz").status))
            probe.close()
        except GONE:
            codes.append("none")
    return "/".join(codes)


def kill_round(members: Members, load: Load) -> str:
    dead = wait_for("a primary", 60, members.leader)
    began = time.monotonic()
    dead.kill()
    time.sleep(2)
    meanwhile = ready(load.nodes)
    back = wait_for("writes after the kill", 150, lambda: load.since(began + 0.5))
    promoted = wait_for("another primary", 60, members.leader)
    after = time.monotonic()
    dead.start()
    wait_for("the old primary as a synchronous replica", 150, lambda: members.synchronous() is dead)
    rejoined = time.monotonic() - after
    return (
        f"killed {dead.name}, {promoted.name} took over; writes went on after {back.returned - began:.1f} s; "
        f"ready meanwhile {meanwhile}, at the end {ready(load.nodes)}; the old one followed after {rejoined:.1f} s"
    )


def switch_round(members: Members, load: Load) -> str:
    before = wait_for("a primary", 60, members.leader)
    wait_for("a synchronous replica", 60, members.synchronous)
    began = time.monotonic()
    members.switch_over()
    back = wait_for("writes after the switch", 120, lambda: load.since(began + 0.5))
    after = wait_for("another primary", 60, lambda: (now := members.leader()) is not before and now)
    wait_for("the old primary as a synchronous replica", 120, lambda: members.synchronous() is before)
    longest = longest_pause(load, began)
    return (
        f"switched from {before.name} to {after.name}; first new write after {back.returned - began:.1f} s, "
        f"longest pause between acknowledgements {longest:.1f} s; ready {ready(load.nodes)}"
    )


def longest_pause(load: Load, since: float) -> float:
    """Seconds without an acknowledgement, at most, from that moment on."""
    with load.lock:
        times = sorted(done.returned for done in load.acknowledged if done.returned > since)
    return max((b - a for a, b in zip([since, *times], times)), default=0.0)


# ---- afterwards ----


def verdict(nodes: list[Server], members: Members, load: Load, data: Path) -> list[str]:
    """What is wrong, in words; nothing if all is as it must be."""
    wrong = [f"a client was shown an old answer: {what}" for what in load.wrong]
    wrong += [f"refused for another reason: {what}" for what in load.others]
    wrong += [f"never acknowledged: {op}" for op in load.never]
    store = ["--store", members.url, "--data", data, "--master-key-file", data / "master.key"]
    shown = grantd("ledger", "show", *store, "--limit", 10**9, "--json", timeout=300)
    assert shown.returncode == 0, shown.stderr
    places: dict[str, list[int]] = {}
    for line in shown.stdout.splitlines():
        entry = json.loads(line)
        if (entry.get("reason") or "").startswith("op-"):
            places.setdefault(entry["reason"], []).append(entry["revision"])
    wrong += [f"in the ledger twice: {op} at {at}" for op, at in places.items() if len(at) > 1]
    for done in load.acknowledged:
        if places.get(done.id) != [done.revision]:
            wrong.append(f"acknowledged at {done.revision}: {done.id}, which is at {places.get(done.id, 'no place')}")
    verified = grantd("ledger", "verify", *store, "--json", timeout=300)
    if verified.returncode != 0:
        wrong.append(f"grantd ledger verify: {verified.stdout} {verified.stderr}")
    last = max(places.values(), default=[0])[-1]
    for node in nodes:
        if node.process.poll() is not None:
            wrong.append(f"{node.name} ended with {node.process.returncode}")
            continue
        client = node.client()
        at = client.get("/api/v1/relationships?limit=1", headers={"Grantd-Consistency": "full"})
        if at.status != 200 or at.revision < last:
            wrong.append(f"{node.name} is at {at.headers.get('Grantd-Revision')} ({at.status}), the ledger at {last}")
        client.close()
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--writers", type=int, default=6)
    args = parser.parse_args()
    with Temp("patroni") as data, contextlib.ExitStack() as stack:
        members = stack.enter_context(Members())
        nodes: list[Server] = []
        for number in range(args.nodes):
            flags = ["--store", members.url, "--master-key-file", str(data / "master.key")]
            node = Server(data / f"node-{number}", f"patroni-node-{number}", {"GRANTD_LOG": "info"}, flags)
            if nodes:
                node.key, node.password = nodes[0].key, nodes[0].password
            nodes.append(stack.enter_context(node))
        with Load(nodes, args.writers) as load:
            wait_for("the first writes", 30, lambda: load.since(0))
            for number in range(1, args.rounds + 1):
                for kind, run in (("kill", kill_round), ("switch", switch_round)):
                    print(f"round {number} {kind}: {run(members, load)}", flush=True)
        print(f"{len(load.acknowledged)} writes acknowledged; attempts without success: {load.attempts}")
        for node, checks in zip(nodes, load.checks):
            print(
                f"{node.name}: {checks.answered} checks answered, {checks.failed} not, {checks.marked} marked as stale, "
                f"slowest {checks.slowest * 1000:.0f} ms"
            )
        wrong = verdict(nodes, members, load, data)
        for what in wrong[:50]:
            print(f"WRONG: {what}")
        print("good" if not wrong else f"{len(wrong)} things are wrong")
        return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
