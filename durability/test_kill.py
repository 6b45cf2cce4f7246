"""The kill and power-cut rounds; the same as a program: kill.py."""

import pytest

from harness import Temp
from kill import ROUNDS, SECONDS, run


def assert_good(report, capsys):
    with capsys.disabled():
        print(f"\n  {report}")
    assert report.wrong == []
    assert report.rounds == ROUNDS
    # A run that hardly wrote anything, or never lost an answer, has shown nothing.
    assert report.acknowledged > 50 * SECONDS * ROUNDS
    assert report.sent_again > 0


def test_killed_under_writers(capsys):
    with Temp("kill") as work:
        assert_good(run(work, "kill"), capsys)


def test_power_cut_under_writers(capsys):
    with Temp("power-cut") as work:
        report = run(work, "power-cut", power_cut=True)
        assert_good(report, capsys)
        assert report.unsynced > 0, "nothing was ever unsynced: the library did not see the writes"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_store_that_does_not_sync_is_caught(seed, capsys):
    """The power cut has teeth: without syncs, acknowledged changes are gone, and the run says so."""
    with Temp("unsafe") as work:
        report = run(work, "unsafe", rounds=3, power_cut=True, unsafe=True, seed=seed)
    with capsys.disabled():
        print(f"\n  {report}; for example: {report.wrong[:1]}")
    assert report.wrong != []
