"""One round of the rows that nothing else of this stage is like; `faults.py` runs them all."""

import pytest

from faults import Round
from nodes import Cluster
from rows import ROWS, Row, copy_behind


@pytest.fixture(scope="module")
def cluster():
    with Cluster("faults", proxied=True) as running:
        yield running


@pytest.mark.parametrize("name", ["commit-after", "clock"])
def test_a_row(cluster, name, capsys):
    row = next(row for row in ROWS if row.name == name)
    one = Round(row, cluster, number=1, seed=1, pause=5).run()
    with capsys.disabled():
        print(f"\n  {one}", end="")
    assert one.wrong == []


def test_acknowledged_writes_that_are_gone_are_noticed(cluster, capsys):
    """By the clients' history, and by the nodes, which have seen in the store what is there no longer."""
    row = Row("copy-behind", "a replica is promoted that lacks writes", copy_behind)
    one = Round(row, cluster, number=1, seed=1, pause=5).run()
    with capsys.disabled():
        print(f"\n  {one}", end="")
    assert one.said, one.wrong
    assert one.found["lost"]
    assert "lost: " in one.words, one.words
