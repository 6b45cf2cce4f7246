"""The kill and power-cut rounds; the same as a program: kill.py."""

import random
import signal
import time

import pytest

from faultfs import FaultFs
from harness import Server, Temp
from kill import ROUNDS, SECONDS, run
from ledger_cli import verify
from workload import Writer, finish_pending, losses, run_writers


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


def test_power_cut_in_the_first_start():
    """Whenever it comes, once or again and again: the next start gets up, and the key of the environment opens."""
    lot = random.Random(4)
    for turn in range(10):
        with Temp("first-start") as work:
            fs = FaultFs(work / "data", work)
            server = Server(work / "data", f"first-start-{turn}", env=fs.environment)
            for cut in range(3):
                server.spawn()
                time.sleep(lot.uniform(0, 0.3))
                server.kill()
                fs.power_cut(seed=turn * 3 + cut if cut % 2 else None)
            server.start()
            client = server.client()
            assert client.post("/identity/v1/identities").status == 200
            client.close()
            server.terminate()
            code, text = verify(server.data)
            assert code == 0, text


def test_power_cut_while_stopping():
    """A clean stop that the power interrupts is no worse than no stop."""
    lot = random.Random(5)
    with Temp("stopping") as work:
        fs = FaultFs(work / "data", work)
        server = Server(work / "data", "stopping", env=fs.environment).start()
        writers = [Writer(number, 5) for number in range(8)]
        for turn in range(6):

            def end():
                time.sleep(0.2)
                server.process.send_signal(signal.SIGTERM)
                time.sleep(lot.uniform(0, 0.05))
                server.kill()

            run_writers(server, writers, end)
            fs.power_cut(seed=turn if turn % 2 else None)
            server.start()
            assert finish_pending(server, writers)[1] == []
            assert losses(server, writers) == []
        server.kill()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_store_that_does_not_sync_is_caught(seed, capsys):
    """The power cut has teeth: without syncs, acknowledged changes are gone, and the run says so."""
    with Temp("unsafe") as work:
        report = run(work, "unsafe", rounds=3, power_cut=True, unsafe=True, seed=seed)
    with capsys.disabled():
        print(f"\n  {report}; for example: {report.wrong[:1]}")
    assert report.wrong != []
