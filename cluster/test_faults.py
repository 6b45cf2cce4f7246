"""One round of the rows that nothing else of this stage is like; `faults.py` runs them all."""

import pytest

from faults import Round
from nodes import Cluster
from rows import ROWS


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
