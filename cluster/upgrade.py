#!/usr/bin/env python3
"""A rolling upgrade under load: two nodes of an older version, to which newer ones come until all are new.

    upgrade.py --old PROGRAM [--new PROGRAM] [--seconds 5]

At each step it says who serves and what was written through whom. At the end an old node is started once more, which must be
refused if the new version has changed the tables. Judged as a round of the fault table is: `faults.py`.
"""

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from checker import verdict  # noqa: E402
from harness import binary  # noqa: E402
from history import faults_in, ledger_lines  # noqa: E402
from nodes import Cluster, Node, wait_until  # noqa: E402
from traffic import Traffic  # noqa: E402


def of(program: str, node: Node) -> Node:
    """The node as a process of that program from its next start on."""
    usual = type(node).command
    node.command = lambda port=None: [program, *usual(node, port)[1:]]
    return node


def step(traffic: Traffic, seconds: float, what: str) -> None:
    began = time.monotonic_ns()
    time.sleep(seconds)
    writes = [op for op in traffic.history.writes(began) if op.outcome == "ok"]
    by = Counter(op.node for op in writes)
    ready = {node.node: node.is_ready()[0] for node in traffic.cluster.nodes}
    print(f"{what}: written through {dict(sorted(by.items()))}, ready {ready}", flush=True)
    missing = [node.node for node in traffic.cluster.nodes if node.wanted and not by[node.node]]
    assert not missing, f"nothing was written through {missing}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", required=True)
    parser.add_argument("--new", default=binary())
    parser.add_argument("--seconds", type=float, default=5)
    args = parser.parse_args()
    os.environ["GRANTD_BIN"] = args.old
    with Cluster("upgrade", nodes=2) as cluster:
        a, b = (of(args.old, node) for node in cluster.nodes)
        # What looks at the store from now on is new.
        os.environ["GRANTD_BIN"] = args.new
        traffic = Traffic(cluster).start()
        step(traffic, args.seconds, "a and b are old")
        c = of(args.new, Node(cluster, "c"))
        c.key, c.password = a.key, a.password
        c.start()
        c.wanted = True
        cluster.nodes.append(c)
        step(traffic, args.seconds, "c is new, a and b are old")
        for node, left in ((b, "a is old"), (a, "all are new")):
            cluster.stop(node)
            of(args.new, node).start()
            node.wanted = True
            step(traffic, args.seconds, f"{node.node} was upgraded, {left}")
        traffic.finish()
        wait_until(lambda: len({node.head() for node in cluster.nodes}) == 1, 15, "the nodes stay apart")
        cluster.stop(a)
        try:
            of(args.old, a).start()
            print("an old one can be started again: the tables are as they were")
        except RuntimeError as refused:
            print(f"an old one is not started again: {str(refused).strip().splitlines()[-1]}")
        lines = ledger_lines(cluster, {op.key for op in traffic.history.ops})
        found = faults_in(traffic.history.ops, lines)
        good, words = verdict(traffic.history, lines, cluster.data)
        wrong = [*traffic.history.unexpected, *(line for faults in found.values() for line in faults)]
        wrong += filter(None, [cluster.complaint()])
        print(f"{sum(op.outcome == 'ok' for op in traffic.history.writes())} writes acknowledged; checker: {words.splitlines()[-1]}")
        for line in wrong[:20]:
            print(f"    WRONG {line}")
        print("good" if good and not wrong else "wrong")
        return not good or bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
