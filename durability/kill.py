#!/usr/bin/env python3
"""Kills the real server under concurrent writers, round after round over the same data, and looks what is left.

    kill.py [--rounds N] [--writers N] [--power-cut] [--unsafe]

With --power-cut, each kill is a power cut as well: what was not synced is taken away, wholly in every other round,
sector by sector by lot in the rest. With --unsafe, SQLite does not sync at all; that must then show.
"""

import argparse
import os
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from faultfs import FaultFs  # noqa: E402
from harness import Server, Temp, grantd  # noqa: E402
from workload import GONE, Writer, finish_pending, losses, run_writers  # noqa: E402

ROUNDS = int(os.environ.get("GRANTD_KILL_ROUNDS", "20"))
SECONDS = float(os.environ.get("GRANTD_KILL_SECONDS", "0.8"))
WRITERS = int(os.environ.get("GRANTD_KILL_WRITERS", "32"))


@dataclass
class Report:
    """What a run came to."""

    rounds: int = 0
    acknowledged: int = 0
    sent_again: int = 0
    unsynced: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds, {self.acknowledged} acknowledged writes, {self.sent_again} sent again after a lost "
            f"answer, {self.unsynced} unsynced writes taken away, {len(self.wrong)} wrong"
        )


def run(work: Path, name: str, rounds=ROUNDS, writers=WRITERS, power_cut=False, unsafe=False, seed=1) -> Report:
    """Stops at the first round in which something is wrong."""
    report, lot = Report(), random.Random(seed)
    fs = FaultFs(work / "data", work) if power_cut else None
    server = Server(work / "data", name, env=fs.environment if fs else {})
    team = [Writer(number, seed) for number in range(writers)]
    if unsafe:
        # The empty store is sound and on the disk; only what is written from here on is not synced.
        server.start().terminate()
        fs.settle()
        server.env["GRANTD_UNSAFE_SYNCHRONOUS"] = "off"
    server.start()
    try:
        for number in range(rounds):
            run_writers(server, team, lambda: (time.sleep(SECONDS * lot.uniform(0.5, 1.5)), server.kill()))
            report.acknowledged = sum(writer.acknowledged for writer in team)
            if fs:
                report.unsynced += fs.power_cut(seed=number if number % 2 else None).writes
            verified = grantd("ledger", "verify", "--data", work / "data")
            if verified.returncode != 0:
                report.wrong.append(f"ledger verify: {verified.returncode} {verified.stdout}{verified.stderr}")
            try:
                server.start()
                sent_again, wrong = finish_pending(server, team)
                report.sent_again += sent_again
                report.wrong += wrong + losses(server, team)
            except (AssertionError, RuntimeError, TimeoutError, *GONE) as error:
                report.wrong.append(f"after the restart: {error}")
            report.wrong += [line for writer in team for line in writer.refused]
            report.rounds += 1
            if report.wrong:
                break
    finally:
        server.kill()
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--writers", type=int, default=WRITERS)
    parser.add_argument("--power-cut", action="store_true")
    parser.add_argument("--unsafe", action="store_true")
    options = parser.parse_args()
    with Temp("kill") as work:
        report = run(work, "kill", options.rounds, options.writers, options.power_cut, options.unsafe)
    print(report)
    for line in report.wrong[:20]:
        print(f"  {line}")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
