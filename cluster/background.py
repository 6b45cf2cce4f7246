"""Load in the background, from a process of its own, so that whoever measures has a core to itself.

python background.py WRITERS READERS WRITES_PER_SECOND PORT...   the system key in GRANTD_KEY; ends when its standard input does,
and then prints as JSON how much it did.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from harness import Client, Server  # noqa: E402


class Background:
    """The process, around whatever is measured under it."""

    def __init__(self, nodes: list[Server], writers=2, readers=2, writes_per_second=100):
        ports = [str(node.port) for node in nodes]
        self.command = [sys.executable, __file__, *map(str, (writers, readers, writes_per_second)), *ports]
        self.environment = {**os.environ, "GRANTD_KEY": nodes[0].key}
        self.done = {}

    def __enter__(self) -> "Background":
        self._process = subprocess.Popen(
            self.command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_) -> None:
        out, _ = self._process.communicate(timeout=60)
        self.done = json.loads(out)

    def __str__(self) -> str:
        return "load: {writes_per_second} writes/s and {checks_per_second} checks/s, {failed} of them failed".format(**self.done)


class Load:
    """Writers at a steady rate, readers one question after the other."""

    def __init__(self, writers: int, readers: int, writes_per_second: int, ports: list[int]):
        writers = writers if writes_per_second else 0
        self.ports, self.pause = ports, writers / max(writes_per_second, 1)
        self.stop = threading.Event()
        self.writes = self.checks = self.failed = 0
        self._count = threading.Lock()
        work = [(self.write, number) for number in range(writers)] + [(self.check, number) for number in range(readers)]
        self.threads = [threading.Thread(target=target, args=(number,)) for target, number in work]

    def run(self) -> dict:
        start = time.monotonic()
        for thread in self.threads:
            thread.start()
        sys.stdin.read()
        self.stop.set()
        for thread in self.threads:
            thread.join()
        took = time.monotonic() - start
        return {
            "writes_per_second": round(self.writes / took),
            "checks_per_second": round(self.checks / took),
            "failed": self.failed,
        }

    def clients(self) -> list[Client]:
        return [Client(port, key=os.environ["GRANTD_KEY"]) for port in self.ports]

    def write(self, number: int) -> None:
        clients = self.clients()
        due = time.monotonic()
        for turn in range(1_000_000_000):
            due = max(due + self.pause, time.monotonic() - 1)
            if self.stop.wait(max(0.0, due - time.monotonic())):
                return
            item = {"resource": f"role:load-{number}-{turn // 2 % 50}", "relation": "member", "subject": "user:load"}
            change = {"delete" if turn % 2 else "write": [item]}
            answer = clients[turn // 2 % len(clients)].post("/api/v1/relationships", change)
            with self._count:
                self.writes += 1
                self.failed += answer.status != 200

    def check(self, number: int) -> None:
        clients = self.clients()
        turn = 0
        while not self.stop.is_set():
            turn += 1
            asked = {"resource": f"role:load-{turn % 2}-{turn % 50}", "action": "member", "subject": "user:load"}
            answer = clients[(turn + number) % len(clients)].post("/api/v1/check", asked)
            with self._count:
                self.checks += 1
                self.failed += answer.status != 200
            # Load, not a measurement of how much goes.
            time.sleep(0.002)


if __name__ == "__main__":
    writers, readers, rate, *ports = map(int, sys.argv[1:])
    print(json.dumps(Load(writers, readers, rate, ports).run()))
