#!/usr/bin/env python3
"""The alarms of docs/operations.md, each brought about for real: what `/readyz`, the metrics and the answers say then.

    alarms.py

Two nodes; the clock of `b` is ten minutes ahead. Ends with 1 if a node does not say what the page says that it does.
"""

import json
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from nodes import Cluster, Node, clock_off, wait_until  # noqa: E402

MAX_LAG = 4
WRITE = {"write": [{"resource": "role:alarm", "relation": "member", "subject": "user:ann"}]}
QUESTION = {"subject": "user:ann", "action": "member", "resource": "role:alarm"}


def codes(node: Node) -> list[str]:
    """Why it is not ready; nothing if it is."""
    status, text = node.is_ready()
    if status == 0:
        return ["does not answer"]
    return [] if status == 200 else [reason["code"] for reason in json.loads(text)["reasons"]]


def until(node: Node, expected: list[str], seconds=20) -> None:
    try:
        wait_until(lambda: codes(node) == expected, seconds, "")
    except AssertionError:
        raise AssertionError(f"node {node.node} says {codes(node)}, not {expected}") from None


def metric(node: Node, name: str) -> float:
    text = node.nobody().get("/metrics").raw.decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE)[1])


def clock(cluster: Cluster) -> str:
    a, b = cluster.nodes
    until(b, ["clock_off"])
    assert abs(metric(b, "grantd_store_clock_offset_seconds")) > 590
    assert b.client().post("/api/v1/check", QUESTION).ok().json()["allowed"]
    assert codes(a) == []
    return "b, ten minutes ahead, is not ready and answers right"


def away(cluster: Cluster) -> str:
    a, _ = cluster.nodes
    primary = cluster.pair.primary
    primary.wanted = False
    primary.stop()
    # Until the node has noticed.
    wait_until(lambda: a.client(timeout=30).post("/api/v1/relationships", WRITE).status == 503, 20, "a write is answered")
    began = time.monotonic()
    refused = a.client(timeout=30).post("/api/v1/relationships", {"delete": WRITE["write"]})
    took = time.monotonic() - began
    assert refused.status == 503 and refused.headers["Retry-After"], refused.raw
    assert codes(a) == [], "a node is not ready as soon as the database is away"
    until(a, ["lagging"], MAX_LAG + 5)
    lag = metric(a, "grantd_store_lag_seconds")
    wait_until(lambda: a.client().post("/api/v1/check", QUESTION).ok().headers["Grantd-Stale"], 10, "no answer is marked")
    stale = a.client().post("/api/v1/check", QUESTION).headers["Grantd-Stale"]
    primary.start()
    primary.wanted = True
    until(a, [])
    wait_until(lambda: a.client(timeout=30).post("/api/v1/relationships", WRITE).status == 200, 20, "writes do not go on")
    return (
        f"without a primary a write is 503 {refused.json()['code']} after {took:.1f} s, Retry-After {refused.headers['Retry-After']}; "
        f"the node lags ({lag:.0f} s), then checks say Grantd-Stale {stale}"
    )


def back_in_time(cluster: Cluster) -> str:
    """As if the database had been restored from before: the ledger ends earlier than the nodes saw."""
    a, b = cluster.nodes
    for number in range(3):
        subject = {**WRITE["write"][0], "subject": f"user:later-{number}"}
        a.client().post("/api/v1/relationships", {"write": [subject]}).ok()
    cluster.pair.primary.sql(
        "BEGIN; DELETE FROM entry WHERE realm = 'default' AND revision > (SELECT revision - 2 FROM ledger WHERE realm = 'default');"
        "UPDATE ledger SET (revision, hash) = (SELECT revision, hash FROM entry WHERE realm = 'default' ORDER BY revision DESC LIMIT 1)"
        " WHERE realm = 'default'; COMMIT"
    )
    until(a, ["contradiction"])
    answer = a.client().post("/api/v1/check", QUESTION)
    assert answer.status == 503, answer.raw
    cluster.stop(a)
    a.start()
    a.wanted = True
    until(a, [])
    assert a.client().post("/api/v1/check", QUESTION).ok().json()["allowed"]
    return f"a realm that lost entries is 503 {answer.json()['code']}; after a restart all is well"


def main() -> int:
    wrong = 0
    env = {"b": clock_off(600)}
    with Cluster("alarms", nodes=1, args=["--max-lag", str(MAX_LAG), "--stale-after", "2"]) as cluster:
        a = cluster.nodes[0]
        a.client().post("/api/v1/relationships", WRITE).ok()
        # Not by the cluster, which waits until a node is ready.
        b = Node(cluster, "b", cluster.args, env["b"])
        b.key, b.password = a.key, a.password
        b.spawn()
        cluster.nodes.append(b)
        for alarm in (clock, away, back_in_time):
            try:
                print(f"{alarm.__name__}: {alarm(cluster)}", flush=True)
            except AssertionError as error:
                wrong += 1
                print(f"{alarm.__name__}: WRONG {error}", flush=True)
    print("good" if not wrong else f"{wrong} are wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
