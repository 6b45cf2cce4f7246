"""What nodes promise their callers, and that a node that does not keep it is caught."""

from types import SimpleNamespace

import pytest

from background import Background
from broken import WAYS, Broken
from checker import verdict
from history import ledger_lines
from new_enemy import lag_line, lags, rounds
from nodes import Cluster, wait_until
from traffic import Traffic


@pytest.fixture(scope="module")
def cluster():
    with Cluster("promises") as running:
        yield running


def test_who_was_shut_out_stays_out(cluster, capsys):
    """The revision of the revocation, shown to another node, is enough."""
    with Background(cluster.nodes) as load:
        seen = rounds(cluster.nodes, 200)
    with Background(cluster.nodes) as more:
        found = lags(cluster.nodes, 100)
    with capsys.disabled():
        print(f"\n  {seen}; {load}\n  {lag_line(found)}; {more}", end="")
    assert seen.old == []
    assert not seen.none
    assert load.done["failed"] == more.done["failed"] == 0


def is_much(ops, node: str) -> bool:
    """Enough for each kind of violation to be met; the rarest operation is a `full` read at the one node."""
    return len(ops) > 800 and sum(op.full and op.node == node for op in list(ops)) >= 20


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.lower())
def test_a_broken_node_is_caught(cluster, way):
    with Broken(cluster.nodes[0], way()) as broken:
        # The other two do nothing wrong; everything is found all the same.
        traffic = Traffic(SimpleNamespace(nodes=[*cluster.nodes[1:], broken]), writers=8, readers=8).start()
        wait_until(lambda: is_much(traffic.history.ops, broken.node), 30, "hardly anything was done")
        traffic.finish()
    history = traffic.history
    lines = ledger_lines(cluster, {op.key for op in history.ops})
    good, words = verdict(history, lines, cluster.data)
    found = {line.partition(":")[0] for line in words.splitlines()[:-1]}
    assert good == (not way.caught), words
    assert way.caught <= found, words
