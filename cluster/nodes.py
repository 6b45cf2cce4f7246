"""Nodes on one pair of databases, kept running as a service manager would."""

import json
import os
import signal
import threading
import time
from pathlib import Path

from database import Pair
from harness import Server, Temp, grantd
from proxy import Network, Proxy

NAMES = ("a", "b", "c", "d", "e")
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


class Node(Server):
    """One of the servers. `life` counts its processes."""

    def __init__(self, cluster: "Cluster", name: str, args=(), env=None):
        # Each has its own way to each database.
        self.proxies = [Proxy(cluster.network, member.port) for member in cluster.pair.members] if cluster.network else []
        url = cluster.pair.url([proxy.port for proxy in self.proxies] or None)
        key = cluster.data / "master.key"
        options = ["--store", url, "--master-key-file", str(key), *args]
        # Each request in the log would cost more than the request.
        super().__init__(cluster.data / name, f"{cluster.name}-{name}", {"GRANTD_LOG": "info", **(env or {})}, options)
        self.node, self.life = name, 0
        # Whether a service manager would start it again.
        self.wanted = False

    def spawn(self) -> None:
        self.life += 1
        super().spawn()

    def terminate_and_wait(self) -> None:
        """Ends it in order, for its keeper to start another; returns when that one runs."""
        life = self.life
        self.signal(signal.SIGTERM)
        wait_until(lambda: self.life > life, 20, f"node {self.node} was not started again")

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def cut(self, how: str) -> None:
        """The network between it and both databases."""
        for proxy in self.proxies:
            proxy.cut(how)

    def heal(self) -> None:
        for proxy in self.proxies:
            proxy.heal()

    def is_ready(self) -> tuple[int, str]:
        """What a load balancer is told: status and text of `/readyz`; 0 if nobody answers."""
        probe = self.nobody(timeout=2)
        try:
            answer = probe.get("/readyz")
            return answer.status, answer.raw.decode(errors="replace")
        except OSError as error:
            return 0, str(error)
        finally:
            probe.close()

    def head(self) -> str:
        """Ledger id and revision of the state that it answers checks from; it asks nobody for that."""
        question = {"subject": "user:nobody", "action": "member", "resource": "role:nobody"}
        probe = self.client(timeout=10)
        try:
            return probe.post("/api/v1/check", question).ok().headers["Grantd-Revision"]
        finally:
            probe.close()


class Cluster:
    """So many nodes on a primary and its synchronous replica; with `proxied`, each connection goes through a proxy."""

    def __init__(self, name: str, nodes=3, proxied=False, settings=None, small=None, args=(), env=None, pair=None):
        """`env` has more of the environment for the nodes that it names; `pair` is another pair of databases than an ordinary one."""
        self.name, self.count, self.args, self.env = name, nodes, args, env or {}
        self.pair = pair or Pair(settings, small)
        self.network = Network() if proxied else None
        self.nodes: list[Node] = []
        self._stopping = threading.Event()

    def __enter__(self) -> "Cluster":
        self._temp = Temp(self.name)
        self.data: Path = self._temp.__enter__()
        self.pair.__enter__()
        try:
            for name in NAMES[: self.count]:
                self.nodes.append(Node(self, name, self.args, self.env.get(name)))
            first = self.nodes[0].start()
            for node in self.nodes[1:]:
                node.key, node.password = first.key, first.password
                node.spawn()
            for node in self.nodes[1:]:
                wait_until(lambda node=node: node.is_ready()[0] == 200, 30, f"node {node.node} is not ready")
        except BaseException:
            self.__exit__(RuntimeError)
            raise
        for node in self.nodes:
            node.wanted = True
        self._keeper = threading.Thread(target=self._keep, name="node keeper", daemon=True)
        self._keeper.start()
        return self

    def _keep(self) -> None:
        while not self._stopping.wait(0.1):
            for node in self.nodes:
                process = node.process
                if node.wanted and process is not None and process.poll() is not None:
                    node._ended()
                    node.spawn()

    def stop(self, node: Node) -> None:
        """In order, and it stays so."""
        node.wanted = False
        node.terminate()

    def complaint(self) -> str | None:
        """What `grantd ledger verify` has against the ledgers."""
        done = self.ledger("verify")
        return None if done.returncode == 0 else f"ledger verify: {done.returncode} {done.stdout}{done.stderr}"

    def verified(self, realm: str) -> dict:
        """What the ledger in the store folds to."""
        done = self.ledger("verify", "--json", "--realm", realm)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def ledger(self, *args):
        store = ["--store", self.pair.url(), "--master-key-file", self.data / "master.key", "--data", self.data / "a"]
        return grantd("ledger", *args, *store)

    def __exit__(self, kind=None, *rest) -> None:
        self._stopping.set()
        for node in self.nodes:
            node.wanted = False
            if node.process is not None:
                node.signal(signal.SIGCONT)
                node.kill()
            for proxy in node.proxies:
                proxy.close()
        self.pair.__exit__()
        if self.network:
            self.network.close()
        self._temp.__exit__(kind, None, None)


def wait_until(condition, timeout: float, complaint: str) -> float:
    """Seconds that it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < timeout, complaint
        time.sleep(0.05)
    return time.monotonic() - start


def clock_off(seconds: int) -> dict[str, str]:
    """The environment of a process whose clock is wrong. What measures how long something takes is not."""
    assert os.path.exists(FAKETIME), "faketime is not installed: apt-get install faketime"
    return {"LD_PRELOAD": FAKETIME, "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
