"""What clients did and saw, as JSON lines; and what the ledger says of it."""

import json
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path


def now() -> int:
    return time.monotonic_ns()


@dataclass
class Op:
    """One operation, from its first attempt to its last. `attempts` says what became of each."""

    id: str
    kind: str
    key: str
    value: bool | None
    node: str | None = None
    process: int = 0
    at_least: int | None = None
    full: bool = False
    invoked: int = 0
    returned: int | None = None
    outcome: str = "unknown"
    # Exactly that of the write, or of the state that a read was of; of dialects that do not say it, none.
    revision: int | None = None
    # That of the answer: it may be later than the write's.
    told: int | None = None
    changed: bool | None = None
    stale: float | None = None
    attempts: list[str] = field(default_factory=list)


class History:
    """All operations of a run."""

    def __init__(self):
        self.ops: list[Op] = []
        # Answers that no client should ever get.
        self.unexpected: list[str] = []
        self._lock = threading.Lock()

    def add(self, op: Op) -> None:
        with self._lock:
            self.ops.append(op)

    def writes(self, since=0) -> list[Op]:
        return [op for op in list(self.ops) if op.kind == "write" and op.invoked >= since]

    def save(self, path: Path) -> None:
        with open(path, "w", encoding="utf-8") as file:
            for op in sorted(self.ops, key=lambda op: op.invoked):
                file.write(json.dumps(asdict(op)) + "\n")


def ledger_lines(cluster, keys: set[str]) -> list[dict]:
    """Each change of a key that stands in the ledger, with the reason it was given."""
    lines, after = [], 0
    while True:
        done = cluster.ledger("show", "--limit", 100_000, "--after", after, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        entries = [json.loads(line) for line in done.stdout.splitlines()]
        for entry in entries:
            lines += [{"revision": entry["revision"], "reason": entry.get("reason"), "key": key, "value": value}
                      for key, value in map(change_of, entry["changes"]) if key in keys]
        if len(entries) < 100_000:
            return lines
        after = entries[-1]["revision"]


def change_of(change: dict) -> tuple[str | None, bool]:
    kind = change["kind"]
    if kind in ("relationship_written", "relationship_deleted"):
        return change["relationship"], kind == "relationship_written"
    return (f"role:{change['key']}", True) if kind == "role_created" else (None, False)


def faults_in(ops: list[Op], lines: list[dict]) -> dict[str, list[str]]:
    """What must not be, by name; the checker looks at far more."""
    found = {"lost": [], "twice": [], "undone": [], "stale": []}
    times = Counter(line["reason"] for line in lines)
    where = {line["reason"]: line["revision"] for line in lines}
    for op in ops:
        if op.kind == "write":
            there = where.get(op.id)
            if op.outcome == "ok" and (there is None or there > op.told or op.revision not in (None, there)):
                found["lost"].append(f"{op.id}: acknowledged at {op.revision or op.told}, in the ledger at {there}")
            if times[op.id] > 1:
                found["twice"].append(f"{op.id}: {times[op.id]} times")
            if op.outcome in ("failed", "refused") and times[op.id]:
                found["undone"].append(f"{op.id}: {op.outcome}, but in the ledger at {where[op.id]}")
        elif op.outcome == "ok" and op.at_least and op.revision < op.at_least:
            found["stale"].append(f"{op.id}: asked for {op.at_least}, answered at {op.revision} by {op.node}")
    return found


def save_ledger(lines: list[dict], path: Path) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
