"""Clients that write and read through all nodes, as good clients do, and note what they were told.

A write has an idempotency key; when nobody can tell what became of it, or the store is away, it is sent again with the same key to
the next node, until there is an answer. One writer in four gives up at once instead: what it asked for stays unknown, and it never
touches that key again.
"""

import http.client
import itertools
import random
import threading
import time

from harness import Answer, Client
from history import History, Op, now
from keys import Key, Keys
from nodes import Cluster, Node

GONE = (OSError, http.client.HTTPException)
# Codes by which a server says that nothing was done.
NOTHING_DONE = {"store_unavailable", "overloaded", "stopping", "not_yet", "unavailable", "realm_untrusted", "contradiction"}
_ids = itertools.count(1)


class Session:
    """One thread's connections, one for each node; nodes that failed lately are avoided for a second.

    Who has a home calls that node as long as it answers: so a node that keeps its callers waiting does not
    keep all of them. The others call any.
    """

    def __init__(self, cluster: Cluster, lot: random.Random, timeout: float, home: Node | None = None):
        self.cluster, self.lot, self.timeout, self.home = cluster, lot, timeout, home
        self._clients: dict[str, Client] = {}
        # Which process of a node a connection leads to.
        self._lives: dict[str, int] = {}
        self._shunned: dict[str, float] = {}

    def choose(self) -> Node:
        good = [node for node in self.cluster.nodes if self._shunned.get(node.node, 0) < time.monotonic()]
        return self.home if self.home in good else self.lot.choice(good or self.cluster.nodes)

    def shun(self, node: Node) -> None:
        self._shunned[node.node] = time.monotonic() + 1

    def call(self, node: Node, method, path, body, headers) -> Answer:
        client = self._clients.get(node.node)
        if client is None:
            client = self._clients[node.node] = node.client(timeout=self.timeout)
        if not client.is_connected:
            client.connect()
            # Not before: another process may have taken the place of the one that was.
            self._lives[node.node] = node.life
        return client.call(method, path, body, headers=headers)

    def life(self, node: Node) -> int:
        """The process that was called last."""
        return self._lives.get(node.node, node.life)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


def outcome_of(answer: Answer) -> str:
    if 200 <= answer.status < 300:
        return "ok"
    if answer.status == 503:
        try:
            return "failed" if answer.json().get("code") in NOTHING_DONE else "unknown"
        except ValueError:
            return "unknown"
    return "unknown" if answer.status >= 500 else "refused"


class Traffic:
    """So many writers and readers, from `start` to `finish`."""

    def __init__(self, cluster: Cluster, writers=9, readers=9, seed=1, timeout=5.0, pause=0.0):
        self.cluster, self.history, self.timeout, self.pause = cluster, History(), timeout, pause
        self.latest = 0
        self.ledger_id = cluster.nodes[0].head().rpartition(".")[0]
        self._known: list[Key] = []
        self._stop, self._give_up = threading.Event(), threading.Event()
        client = cluster.nodes[0].client()
        self.keys = Keys(client)
        client.close()
        self._threads = [
            # A run that ends early must not leave them at work.
            threading.Thread(
                target=self._work, args=(work, number, random.Random(f"{seed}/{work.__name__}/{number}")), daemon=True
            )
            for work, count in ((self._write, writers), (self._read, readers))
            for number in range(count)
        ]

    def start(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def finish(self, patience=60) -> None:
        """No new operations; those under way are retried for so long."""
        self._stop.set()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
        self._give_up.set()
        for thread in self._threads:
            thread.join(self.timeout * 2 + 5)

    def _work(self, work, number: int, lot: random.Random) -> None:
        # Two of three stay with a node, and as many with each.
        nodes = self.cluster.nodes
        home = nodes[number // 3 % len(nodes)] if number % 3 else None
        session = Session(self.cluster, lot, self.timeout, home)
        try:
            work(session, number, lot)
        except Exception as error:
            self.history.unexpected.append(f"a client of ours ended: {error!r}")
            raise
        finally:
            session.close()

    # ---- writing ----

    def _write(self, session: Session, number: int, lot: random.Random) -> None:
        patient = number % 4 != 3
        own: list[Key] = []
        while not self._stop.is_set():
            if lot.random() < 0.05:
                self._attempts(session, self.keys.contest(), True, patient)
                continue
            if len(own) < 4:
                own.append(self.keys.make(lot))
                self._known.append(own[-1])
            key = lot.choice(own)
            outcome = self._attempts(session, key, not key.value, patient)
            if outcome == "ok":
                key.value = not key.value
            elif outcome != "failed":
                # Nobody can say what it is now.
                own.remove(key)
            # Who is told that nothing can be written now does not ask again at once.
            time.sleep(self.pause if outcome in ("ok", "refused") else 0.1)

    def _attempts(self, session: Session, key: Key, value: bool, patient: bool) -> str:
        op = Op(f"op-{next(_ids)}", "write", key.name, value)
        request = key.set_to(value)
        headers = {"Idempotency-Key": f"key-{op.id}", "Grantd-Reason": op.id}
        op.invoked = now()
        while True:
            node = session.choose()
            outcome, answer, said = self._attempt(session, node, request, headers)
            op.node, op.process = node.node, session.life(node)
            op.attempts.append(f"{op.node}{op.process}: {said}")
            if outcome in ("ok", "refused"):
                op.outcome, op.returned = outcome, now()
                if outcome == "ok":
                    op.revision, op.told = (answer.json() or {}).get("revision"), answer.revision
                    op.changed = True if op.revision else None
                    self.latest = max(self.latest, op.told)
                elif not (key.question is None and answer.status == 409):
                    self.history.unexpected.append(f"{op.id} {request.method} {request.path}: {said} {answer.raw[:200]!r}")
                break
            if outcome == "unknown":
                op.outcome = "unknown"
            elif len(op.attempts) == 1:
                op.outcome = "failed"
            session.shun(node)
            if not patient or self._give_up.is_set():
                op.returned = now() if op.outcome == "failed" else None
                break
            time.sleep(session.lot.uniform(0.05, 0.4))
        self.history.add(op)
        return op.outcome

    def _attempt(self, session, node, request, headers) -> tuple[str, Answer | None, str]:
        start = time.monotonic()
        try:
            answer = session.call(node, request.method, request.path, request.body, headers)
        except ConnectionRefusedError:
            return "failed", None, "refused a connection"
        except GONE as error:
            return "unknown", None, f"{type(error).__name__} after {time.monotonic() - start:.1f} s"
        outcome = outcome_of(answer)
        if answer.status == 500:
            self.history.unexpected.append(f"{request.method} {request.path}: 500 {answer.raw[:200]!r}")
        said = f"{answer.status} after {time.monotonic() - start:.1f} s"
        if answer.status == 503:
            said += f" {answer.json().get('code')}"
            if not answer.headers.get("Retry-After"):
                self.history.unexpected.append(f"{request.method} {request.path}: 503 without Retry-After")
        return outcome, answer, said

    # ---- reading ----

    def _read(self, session: Session, number: int, lot: random.Random) -> None:
        while not self._stop.is_set():
            if not self._known:
                time.sleep(0.05)
                continue
            key = self.any_key(lot)
            how = lot.choices(["plain", "at least", "full"], [10, 7, 2])[0]
            op = self.read(session, session.choose(), key, how)
            time.sleep(0.02 if op.outcome == "ok" else 0.05)

    def any_key(self, lot: random.Random) -> Key:
        """One of those that were written lately."""
        return lot.choice(self._known[-60:])

    def read(self, session: Session, node: Node, key: Key, how: str) -> Op:
        op = Op(f"op-{next(_ids)}", "read", key.name, None, full=how == "full")
        headers = {}
        if how == "at least" and self.latest:
            op.at_least = self.latest
            headers["Grantd-At-Least"] = f"{self.ledger_id}.{op.at_least}"
        elif how == "full":
            headers["Grantd-Consistency"] = "full"
        op.node, op.invoked = node.node, now()
        try:
            answer = session.call(node, "POST", "/api/v1/check", key.question, headers)
        except GONE as error:
            op.attempts.append(type(error).__name__)
            session.shun(node)
        else:
            op.outcome, op.returned = outcome_of(answer), now()
            op.attempts.append(str(answer.status))
            if op.outcome == "ok":
                body = answer.json()
                op.value, op.revision, op.told = body["allowed"], body["revision"], answer.revision
                stale = answer.headers.get("Grantd-Stale")
                op.stale = float(stale) if stale else None
            elif op.outcome == "refused":
                self.history.unexpected.append(f"{op.id} check: {answer.status} {answer.raw[:200]!r}")
            if op.outcome != "ok":
                session.shun(node)
        op.process = session.life(node)
        self.history.add(op)
        return op
