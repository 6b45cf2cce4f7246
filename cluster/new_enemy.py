#!/usr/bin/env python3
"""The new-enemy problem: who was shut out by one node must not be let in by another.

    cluster/new_enemy.py [--rounds 10000] [--lag-rounds 1000]

Each round grants through one node and asks another with the revision of the grant, then revokes and asks again: two times an old
answer would be wrong. After that the same without a revision: how long after the acknowledgement the other node first says no.
All of it under load, through three nodes on a primary and its synchronous replica. Ends with 1 if there was an old answer.
"""

import argparse
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from background import Background  # noqa: E402
from harness import Answer, Server  # noqa: E402
from nodes import Cluster  # noqa: E402


@dataclass
class Seen:
    """What the rounds came to."""

    rounds: int = 0
    # Answers from before what their caller named, as lines for people.
    old: list[str] = field(default_factory=list)
    # Answers that were none, by status: a node may say that it cannot know yet.
    none: Counter = field(default_factory=Counter)

    def __str__(self) -> str:
        none = ", ".join(f"{count} times {status}" for status, count in self.none.items())
        return f"{self.rounds} rounds, {2 * self.rounds} questions with a revision: {len(self.old)} old answers" + (
            f", without an answer: {none}" if none else ""
        )


class Lane:
    """One relationship, which is granted and revoked, and connections to all nodes."""

    def __init__(self, nodes: list[Server], number: int, seed=1):
        self.lot = random.Random(f"{seed}/{number}")
        self.clients = [node.client() for node in nodes]
        self.item = {"resource": f"role:door-{number}", "relation": "member", "subject": "user:enemy"}

    def pair(self):
        """The node that is told, and another one that is asked."""
        return self.lot.sample(self.clients, 2)

    def let_in(self, client, value: bool) -> str:
        """The revision of the change, as the node gives it."""
        answer = client.post("/api/v1/relationships", {"write" if value else "delete": [self.item]}).ok()
        assert answer.json()["written" if value else "deleted"] == 1, answer.raw
        return answer.headers["Grantd-Revision"]

    def ask(self, client, at_least: str | None = None) -> Answer:
        """The same question by one of two faces."""
        headers = {"Grantd-At-Least": at_least} if at_least else {}
        kind, _, id = self.item["resource"].partition(":")
        if self.lot.random() < 0.5:
            question = {"resource": {"type": kind, "id": id}, "action": {"name": "member"}, "subject": {"type": "user", "id": "enemy"}}
            return client.post("/access/v1/evaluation", question, headers=headers)
        question = {"resource": self.item["resource"], "action": "member", "subject": self.item["subject"]}
        return client.post("/api/v1/check", question, headers=headers)

    def close(self) -> None:
        for client in self.clients:
            client.close()


def is_in(answer: Answer) -> bool:
    said = answer.ok().json()
    return said["decision"] if "decision" in said else said["allowed"]


def rounds(nodes: list[Server], count: int, lanes=4) -> Seen:
    """So many rounds, by several callers at once."""
    seen, lock = Seen(), threading.Lock()

    def run(number: int) -> None:
        lane = Lane(nodes, number)
        for _ in range(count // lanes + (number < count % lanes)):
            for value in (True, False):
                told, asked = lane.pair()
                token = lane.let_in(told, value)
                answer = lane.ask(asked, token)
                with lock:
                    if answer.status != 200:
                        seen.none[answer.status] += 1
                    elif is_in(answer) != value or answer.revision < int(token.rpartition(".")[2]):
                        seen.old.append(f"asked for {token}, got {answer.raw!r} of {answer.headers['Grantd-Revision']}")
            with lock:
                seen.rounds += 1
        lane.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen.rounds == count, "a caller ended before its time; its error is above"
    return seen


def lags(nodes: list[Server], count: int) -> list[float]:
    """Seconds from an acknowledged revocation to the first answer of another node that knows it, without a revision."""
    lane, found = Lane(nodes, 1_000), []
    for _ in range(count):
        told, asked = lane.pair()
        is_in(lane.ask(asked, lane.let_in(told, True)))
        lane.let_in(told, False)
        start = time.monotonic()
        while is_in(lane.ask(asked)):
            assert time.monotonic() - start < 30, "the other node never learns of it"
        found.append(time.monotonic() - start)
    lane.close()
    return sorted(found)


def quantile(found: list[float], share: float) -> float:
    return found[min(len(found) - 1, int(share * len(found)))]


def lag_line(found: list[float]) -> str:
    p50, p99, most = (1000 * value for value in (quantile(found, 0.5), quantile(found, 0.99), found[-1]))
    return f"without a revision, {len(found)} rounds: known elsewhere after p50 {p50:.1f} ms, p99 {p99:.1f} ms, at most {most:.1f} ms"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10_000)
    parser.add_argument("--lag-rounds", type=int, default=1_000)
    parser.add_argument("--writes", type=int, default=100, help="background writes a second; 0 for none, so that a node hears only of what is measured")
    given = parser.parse_args()
    with Cluster("new-enemy") as cluster:
        with Background(cluster.nodes, writes_per_second=given.writes) as load:
            seen = rounds(cluster.nodes, given.rounds)
        print(seen, load, sep="; ", flush=True)
        for line in seen.old[:20]:
            print(" ", line)
        with Background(cluster.nodes, writes_per_second=given.writes) as load:
            found = lags(cluster.nodes, given.lag_rounds)
        print(lag_line(found), load, sep="; ", flush=True)
    return 1 if seen.old or seen.none else 0


if __name__ == "__main__":
    sys.exit(main())
