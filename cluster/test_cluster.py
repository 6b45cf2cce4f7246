"""Three nodes on a primary and its synchronous replica: one truth, and it outlives the primary."""

import time

import pytest

from checker import verdict
from history import faults_in, ledger_lines
from nodes import Cluster, wait_until
from traffic import Traffic


@pytest.fixture(scope="module")
def cluster():
    with Cluster("cluster") as running:
        yield running


def judge(cluster, traffic, capsys) -> None:
    """Nothing lost, nothing twice, nothing stale, and the checker has nothing to add."""
    ops = traffic.history.ops
    lines = ledger_lines(cluster, {op.key for op in ops})
    good, words = verdict(traffic.history, lines, cluster.data)
    with capsys.disabled():
        print(f"\n  {words.splitlines()[-1]}")
    assert traffic.history.unexpected == []
    assert faults_in(ops, lines) == {"lost": [], "twice": [], "undone": [], "stale": []}
    assert cluster.complaint() is None
    assert good, words


def heads(cluster) -> set[str]:
    return {node.head() for node in cluster.nodes}


def test_all_nodes_reach_the_same_state(cluster, capsys):
    traffic = Traffic(cluster, writers=16).start()
    # So many that each node keeps a state snapshot when it ends.
    wait_until(lambda: len(traffic.history.writes()) > 1_200, 60, "hardly anything was written")
    traffic.finish()
    judge(cluster, traffic, capsys)
    nodes = {op.node for op in traffic.history.writes() if op.outcome == "ok"}
    assert nodes == {"a", "b", "c"}, "each node has taken writes"
    wait_until(lambda: len(heads(cluster)) == 1, 10, f"{heads(cluster)} stay apart")

    # What each of them has in memory: a node that ends in order leaves its state, with its hash, in the store.
    kept = set()
    for node in cluster.nodes:
        cluster.pair.primary.sql("DELETE FROM snapshot")
        cluster.stop(node)
        state = "SELECT revision, encode(head_hash, 'hex'), encode(state_hash, 'hex') FROM snapshot WHERE realm = 'default'"
        kept.add(cluster.pair.primary.sql(state))
        node.start()
        node.wanted = True
    assert len(kept) == 1, f"the nodes' states differ: {kept}"
    told = cluster.verified("default")
    assert kept == {f"{told['revision']}|{told['head_hash']}|{told['state_hash']}"}


def test_the_primary_is_lost_under_load(cluster, capsys):
    traffic = Traffic(cluster, seed=2).start()
    time.sleep(2)
    cluster.pair.fail_over()
    lost = time.monotonic_ns()

    def written():
        return any(op.outcome == "ok" for op in traffic.history.writes(since=lost))

    waited = wait_until(written, 60, "writes do not go on")
    cluster.pair.rejoin()
    time.sleep(1)
    traffic.finish()
    with capsys.disabled():
        print(f"\n  writes went on {waited:.1f} s after the replica was promoted", end="")
    judge(cluster, traffic, capsys)
    wait_until(lambda: len(heads(cluster)) == 1, 10, f"{heads(cluster)} stay apart")
    assert any(op.outcome == "ok" and op.returned < lost for op in traffic.history.writes()), "nothing was written before"
