"""The rows of the fault table: what is done to a cluster under load, and what else must be so afterwards.

A row's `fault` does it, undoes it where that is anybody's to undo, and returns; the clients go on all the while. What it
returns is a word for the report. It raises `AssertionError` when something is not as promised.
"""

import json
import os
import random
import signal
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Callable

from history import Op
from nodes import Cluster, Node, clock_off, wait_until
from traffic import Session, Traffic


@dataclass
class Row:
    name: str
    about: str
    fault: Callable[["Scene"], str]
    # How the cluster is made.
    options: dict = field(default_factory=dict)
    # Seconds within which writes go on when the cause is gone.
    within: float = 10.0
    # The longest that nobody may write, where others can.
    hush: float = float("inf")


@dataclass
class Scene:
    """One round of one row."""

    cluster: Cluster
    traffic: Traffic
    lot: random.Random
    number: int
    # How long a node is paused.
    pause: float = 60.0

    def any_node(self) -> Node:
        return self.lot.choice(self.cluster.nodes)

    def nap(self, least: float, most: float) -> None:
        time.sleep(self.lot.uniform(least, most))


# ---- nodes ----


def node_killed(scene: Scene) -> str:
    """At the moment of its COMMIT: before the database has it, or after."""
    node, how = scene.any_node(), ("before", "after")[scene.number % 2]
    life = node.life
    for proxy in node.proxies:
        proxy.in_commit(how, then=lambda: node.signal(signal.SIGKILL))
    try:
        wait_until(lambda: node.life > life, 20, f"node {node.node} was not killed, or not started again")
    finally:
        for proxy in node.proxies:
            proxy.in_commit(None)
    return f"node {node.node} killed {how} its COMMIT was forwarded"


def node_paused(scene: Scene) -> str:
    node = scene.any_node()
    node.signal(signal.SIGSTOP)
    try:
        time.sleep(scene.pause)
        since = time.monotonic_ns() - int(scene.pause * 0.8 * 1e9)
        others = [op for op in scene.traffic.history.writes(since) if op.outcome == "ok" and op.node != node.node]
        assert others, f"while node {node.node} was paused, nobody could write"
    finally:
        node.signal(signal.SIGCONT)
    return f"node {node.node} paused for {scene.pause:.0f} s; the others wrote {len(others)}"


# ---- the primary ----


def primary_killed(scene: Scene) -> str:
    lost = scene.cluster.pair.primary.name
    scene.cluster.pair.fail_over()
    return f"primary {lost} killed, {scene.cluster.pair.primary.name} promoted"


def copy_behind(scene: Scene) -> str:
    """What must never be done: a replica is promoted that lacks what was acknowledged, as nobody waited for it."""
    pair = scene.cluster.pair
    pair.primary.configure(follows=None, waits_for=None)
    pair.primary.reload()
    time.sleep(0.5)
    # Nothing reaches the copy from here on.
    os.kill(int(pair.primary.sql("SELECT pid FROM pg_stat_replication")), signal.SIGSTOP)
    time.sleep(1)
    pair.fail_over()

    def noticed() -> bool:
        return any("contradiction" in node.is_ready()[1] for node in scene.cluster.nodes)

    wait_until(noticed, 20, "no node has noticed that what it had seen is gone")
    # What their log tells an operator to do, once it is known why.
    for node in scene.cluster.nodes:
        node.terminate_and_wait()
    return "a replica promoted that lacks a second, and the nodes started anew"


def primary_away(scene: Scene) -> str:
    """Until somebody is promoted, checks are answered and say how old they may be, and writes are told at once to come again."""
    pair = scene.cluster.pair
    pair.primary.kill()
    answers = ask_all(scene, 6.0)
    told = [told_to_come_again(node) for node in scene.cluster.nodes]
    answers += [(after + 6.0, op) for after, op in ask_all(scene, 6.0)]
    ready = {node.node: node.is_ready() for node in scene.cluster.nodes}
    pair.promote()
    judge_answers(answers)
    assert not any(told), f"writes without a primary: {told}"
    assert all(status == 200 for status, _ in ready.values()), f"all nodes answer checks, and /readyz says {ready}"
    return f"no primary for 12 s; {len(answers)} checks answered meanwhile"


def told_to_come_again(node: Node) -> str | None:
    """What is wrong with the answer to a write that cannot be done."""
    client, start = node.client(timeout=10), time.monotonic()
    try:
        item = {"resource": "role:nobody", "relation": "member", "subject": f"user:{start}"}
        answer = client.post("/api/v1/relationships", {"write": [item]})
    except OSError as error:
        return f"node {node.node}: {error!r}"
    finally:
        client.close()
    took, again = time.monotonic() - start, answer.headers.get("Retry-After")
    good = answer.status == 503 and again and took < 3
    return None if good else f"node {node.node}: {answer.status} after {took:.1f} s, Retry-After: {again}"


def rejoin(scene: Scene) -> None:
    """The lost one is back as the replica, while the clients go on."""
    scene.cluster.pair.rejoin()


def replica_lost(scene: Scene) -> str:
    """Commits wait for a copy that nobody makes; they must not be lost when it is made."""
    replica = scene.cluster.pair.replica
    replica.kill()
    scene.nap(2, 4)
    replica.start()
    replica.wanted = True
    scene.cluster.pair.until_copied()
    return f"replica {replica.name} away and back"


def disk_full(scene: Scene) -> str:
    primary = scene.cluster.pair.members[0]
    assert primary is scene.cluster.pair.primary
    primary.fill_disk()
    filled = time.monotonic_ns()

    def felt() -> bool:
        if primary.small == "wal":
            use_up(primary)
        return any("503" in attempt or "500" in attempt for op in scene.traffic.history.writes(filled) for attempt in op.attempts)

    try:
        # The server may be down as a whole, in which case it is what is felt.
        wait_until(felt, 60, "a full disk was not felt")
        scene.nap(1, 3)
    finally:
        primary.free_disk()
    return f"disk of the {'tables' if primary.small == 'data' else 'log'} full"


def use_up(primary) -> None:
    """Takes the pieces of the log that are already there."""
    try:
        primary.sql("SELECT pg_logical_emit_message(false, '', repeat('x', 100000)), pg_switch_wal()", timeout=2)
    except Exception:
        # That it cannot is what this is for.
        time.sleep(0.2)


# ---- the network ----


def cut(how: str) -> Callable[[Scene], str]:
    def fault(scene: Scene) -> str:
        node = scene.any_node()
        seconds = scene.lot.uniform(3, 8)
        node.cut(how)
        try:
            time.sleep(seconds)
        finally:
            node.heal()
        return f"node {node.node} cut off for {seconds:.1f} s"

    return fault


def all_cut(scene: Scene) -> str:
    """Nobody reaches a database: nobody writes, everybody answers from memory and says how old that may be."""
    how = ("reset", "freeze", "drop")[scene.number % 3]
    for node in scene.cluster.nodes:
        node.cut(how)
    try:
        answers = ask_all(scene, 9.0)
    finally:
        for node in scene.cluster.nodes:
            node.heal()
    judge_answers(answers)
    return f"all nodes cut off ({how}) for 9 s; {len(answers)} checks answered meanwhile"


def judge_answers(answers: list[tuple[float, Op]]) -> None:
    """Of checks that were asked so many seconds after the databases went."""
    silent = [op for _, op in answers if op.outcome != "ok"]
    assert not silent, f"{len(silent)} of {len(answers)} checks were not answered while the databases were away: {silent[0]}"
    # Five seconds, and as long as a node may take to find that its question to the store is not answered.
    unmarked = [op for after, op in answers if after > 7 and op.stale is None]
    assert not unmarked, f"{len(unmarked)} answers after more than seven seconds are not marked stale, the first by {unmarked[0].node}"


def ask_all(scene: Scene, seconds: float) -> list[tuple[float, Op]]:
    """Plain checks to each node in turn, with the time at which each was asked."""
    session = Session(scene.cluster, scene.lot, timeout=3)
    start, answers = time.monotonic(), []
    while (after := time.monotonic() - start) < seconds:
        for node in scene.cluster.nodes:
            answers.append((after, scene.traffic.read(session, node, scene.traffic.any_key(scene.lot), "plain")))
        time.sleep(0.1)
    session.close()
    return answers


def commit_lost(how: str) -> Callable[[Scene], str]:
    def fault(scene: Scene) -> str:
        lost = 0
        for node in scene.cluster.nodes * 2:
            before = sum(proxy.lost for proxy in node.proxies)
            for proxy in node.proxies:
                proxy.in_commit(how)
            try:
                wait_until(lambda: sum(proxy.lost for proxy in node.proxies) > before, 20, "no COMMIT came by")
            finally:
                for proxy in node.proxies:
                    proxy.in_commit(None)
            lost += 1
            scene.nap(0.1, 0.6)
        return f"{lost} connections lost in COMMIT"

    return fault


# ---- the clock ----


def clock_wrong(scene: Scene) -> str:
    """Ten minutes ahead or behind; what has an end must end when it does, whoever is asked."""
    node = scene.cluster.nodes[1]
    seconds = 600 if scene.number % 2 else -600
    node.env.update(clock_off(seconds))
    node.terminate_and_wait()
    wait_until(lambda: node.is_ready()[0] != 0, 20, "the node with the wrong clock does not answer")
    status, words = node.is_ready()
    client = scene.cluster.nodes[0].client()
    wrong = node.client()
    try:
        role = f"until{scene.number}"
        soon, later = (iso(time.time() + after) for after in (2, 120))
        items = [
            {"resource": f"role:{role}", "relation": "member", "subject": f"user:{user}", "until": until}
            for user, until in (("soon", soon), ("later", later))
        ]
        revision = client.post("/api/v1/relationships", {"write": items}).ok().headers["Grantd-Revision"]
        at_least = {"Grantd-At-Least": revision}
        allowed = {user: ask(wrong, user, role, at_least) for user in ("soon", "later")}
        assert allowed == {"soon": True, "later": True}, f"a clock {seconds:+d} s off ends what has not ended: {allowed}"
        made = wrong.post("/api/v1/relationships", {"write": [{**items[1], "subject": "user:third"}]}).ok().revision
        off = abs(entry_time(scene.cluster, made) - time.time())
        assert off < 5, f"what a node with a clock {seconds:+d} s off writes is dated {off:.0f} s off"
        time.sleep(2.5)
        allowed = {user: ask(wrong, user, role, at_least) for user in ("soon", "later")}
        assert allowed == {"soon": False, "later": True}, f"a clock {seconds:+d} s off: {allowed} after its end"
    finally:
        client.close()
        wrong.close()
    wait_until(lambda: node.is_ready()[0] == 503, 10, f"a clock {seconds:+d} s off, and /readyz says {status} {words}")
    assert "clock_off" in node.is_ready()[1], node.is_ready()
    return f"the clock of node {node.node} {seconds:+d} s off"


def clock_right(scene: Scene) -> None:
    node = scene.cluster.nodes[1]
    for name in clock_off(0):
        node.env.pop(name, None)
    node.terminate_and_wait()


def ask(client, user: str, role: str, headers: dict) -> bool:
    question = {"subject": f"user:{user}", "action": "member", "resource": f"role:{role}"}
    return client.post("/api/v1/check", question, headers=headers).ok().json()["allowed"]


def entry_time(cluster: Cluster, revision: int) -> float:
    shown = cluster.ledger("show", "--after", revision - 1, "--limit", 1, "--json").stdout
    return datetime.fromisoformat(json.loads(shown)["time"][:19] + "+00:00").timestamp()


def iso(when: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + f".{int(when % 1 * 1000):03d}Z"


PROXIED = {"proxied": True}
# A session that goes silent in the middle of an append holds the ledger's row for two seconds at the most.
HUSH = 4.0
# What is done when the writes go on, before the next round.
AFTERWARDS = {primary_killed: rejoin, primary_away: rejoin, clock_wrong: clock_right}

ROWS = [
    Row("node-kill", "SIGKILL of a node in the middle of its COMMIT", node_killed, PROXIED, hush=HUSH),
    Row("primary-kill", "SIGKILL of the primary, promotion of the replica", primary_killed, within=20),
    Row("primary-away", "the primary is gone for long before the replica is promoted", primary_away, within=20),
    Row("replica-away", "the replica is gone for seconds, and commits wait", replica_lost, within=20),
    Row("cut-reset", "a node and the databases: connections reset, new ones refused", cut("reset"), PROXIED, hush=HUSH),
    Row("cut-freeze", "a node and the databases: nothing moves, and all of it arrives later", cut("freeze"), PROXIED, hush=HUSH),
    Row("cut-drop", "a node and the databases: half open, bytes vanish", cut("drop"), PROXIED, hush=HUSH),
    Row("all-cut", "all nodes and the databases", all_cut, PROXIED, within=20),
    Row("commit-before", "connection lost just before COMMIT arrives", commit_lost("before"), PROXIED, hush=HUSH),
    Row("commit-after", "connection lost after COMMIT arrived, before its answer", commit_lost("after"), PROXIED, hush=HUSH),
    Row("commit-late", "connection lost, and COMMIT arrives a second later", commit_lost("late"), PROXIED, hush=HUSH),
    Row("pause", "SIGSTOP of a node, which wakes after a minute", node_paused, hush=HUSH),
    Row("clock", "a node's clock is ten minutes off", clock_wrong),
    Row("disk-tables", "the disk of the tables is full", disk_full, {"small": "data"}, within=30),
    Row("disk-log", "the disk of the write-ahead log is full", disk_full, {"small": "wal"}, within=30),
]
