#!/usr/bin/env python3
"""Automatic failover: nodes on two PostgreSQL servers under Patroni and etcd, under load, round after round.

    patroni.py [--rounds 10] [--nodes 3] [--seed N]

A round kills the primary with its Patroni (`kill`), waits until writes go on and brings the lost one back; another changes the
primary as planned (`switch`). Nobody touches a node. Each is judged as a round of the fault table is: `faults.py`. Needs
Debian's packages `patroni` and `etcd-server`. Ends with 1 if any round was wrong.
"""

import argparse
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from faults import Round, keep_round  # noqa: E402
from harness import RUN  # noqa: E402
from members import Members  # noqa: E402
from nodes import Cluster, wait_until  # noqa: E402
from rows import AFTERWARDS, Row, Scene  # noqa: E402


def kill(scene: Scene) -> str:
    """The machine of the primary is gone: PostgreSQL and Patroni at once."""
    members = scene.cluster.pair
    dead = members.leader()
    dead.kill()
    killed = time.monotonic()
    # Checks are answered meanwhile; that they are right is for the checker to say.
    wait_until(lambda: members.leader() not in (None, dead), 60, "the replica was not promoted")
    return f"primary {dead.name} killed, {members.leader().name} promoted after {time.monotonic() - killed:.1f} s"


def bring_back(scene: Scene) -> None:
    """It is started again, as a service manager does, and follows; the copy counts again."""
    members = scene.cluster.pair
    began = time.monotonic()
    next(member for member in members.members if member.process.poll() is not None).start()
    wait_until(members.synchronous, 120, "the old primary does not follow")
    print(f"    the old primary follows after {time.monotonic() - began:.1f} s")


def switch(scene: Scene) -> str:
    """The planned change, as before an upgrade of PostgreSQL."""
    members = scene.cluster.pair
    before = members.leader()
    members.switch_over()
    wait_until(lambda: members.leader() not in (None, before), 60, "nobody else is primary")
    return f"switched from {before.name} to {members.leader().name}"


def settle(scene: Scene) -> None:
    wait_until(scene.cluster.pair.synchronous, 120, "the old primary does not follow")


AFTERWARDS.update({kill: bring_back, switch: settle})
ROWS = [
    Row("kill", "the primary's machine is gone; Patroni promotes the replica", kill, within=15),
    Row("switch", "a planned change of the primary", switch, within=15),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    # So that nothing of ours runs on.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wrong = 0
    with Cluster("patroni", nodes=args.nodes, pair=Members()) as cluster:
        for number in range(1, args.rounds + 1):
            for row in ROWS:
                one = Round(row, cluster, number, args.seed, 0).run()
                print(one, flush=True)
                for line in one.wrong:
                    print(f"    WRONG {line}", flush=True)
                if one.wrong:
                    wrong += 1
                    keep_round(one, cluster, RUN / "patroni")
    print(f"{2 * args.rounds} rounds, {wrong} wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
