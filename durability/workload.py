"""Writers that know exactly what must be there afterwards, and the comparison with what is.

Each writer has identities and roles of its own, so that it knows its expected state without asking anybody. It sends
one command at a time, each with an Idempotency-Key. A command whose answer was lost is kept as `pending`: after the
restart it must be there wholly or not at all, and sending it again with the same key must do it exactly once.
"""

import http.client
import json
import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Callable
from urllib.parse import urlencode

from harness import Answer, Client, Server

IDENTITIES = "/identity/v1/identities"
RELATIONSHIPS = "/api/v1/relationships"
GONE = (OSError, http.client.HTTPException)


def relationship(role: str, user: str) -> dict:
    """Somebody is in a role: the plainest relationship that no record stands behind."""
    return {"resource": f"role:{role}", "relation": "member", "subject": f"user:{user}"}


def vm_path(identity: str, vm: str) -> str:
    return f"{IDENTITIES}/{identity}/permissions/vm/{vm}"


@dataclass
class Command:
    """One write: how to send it, what it means once done, and what of it can be seen."""

    name: str
    method: str
    path: str
    body: dict | None
    done: Callable[[Answer], None]
    # What can be seen: None for nothing of it, True for all of it, else a word about the half that is there.
    seen: Callable[[Client], object]
    key: str = field(default_factory=lambda: str(uuid.uuid4()))

    def send(self, client: Client) -> Answer:
        return client.call(self.method, self.path, self.body, headers={"Idempotency-Key": self.key})


class Writer:
    """One of many, with its own connection."""

    def __init__(self, number: int, seed: int):
        self.number, self.lot = number, random.Random(f"{seed}/{number}")
        self.identities: dict[str, dict[str, list | None]] = {}
        self.roles: dict[str, frozenset] = {}
        self.pending: Command | None = None
        # How the answer to it got lost.
        self.lost: Exception | None = None
        self.acknowledged = self.count = 0
        self.revision = 0
        self.refused: list[str] = []

    # ---- the commands ----

    def create(self) -> Command:
        def done(answer):
            self.identities[answer.json()["id"]] = {}

        return Command("create", "POST", IDENTITIES, None, done, lambda client: True)

    def delete(self, identity: str) -> Command:
        grants = dict(self.identities[identity])

        def seen(client):
            left = {vm for vm in grants if client.get(vm_path(identity, vm)).status == 200}
            there = client.get(f"{IDENTITIES}/{identity}/tokens").status == 200
            if not there:
                return True if not left else f"deleted, but {len(left)} grants are left"
            return None if len(left) == len(grants) else f"there, but {len(left)} of {len(grants)} grants are left"

        return Command(
            "delete", "DELETE", f"{IDENTITIES}/{identity}", None, lambda _: self.identities.pop(identity), seen
        )

    def grant(self, identity: str) -> Command:
        self.count += 1
        vm = f"vm-{self.number}-{self.count}"
        users = self.lot.choice([None, [], ["dev"], ["dev", "ops", "root"]])
        return self._set_users("grant", "POST", identity, vm, users, None)

    def update(self, identity: str, vm: str) -> Command:
        before = {"allowedUsers": self.identities[identity][vm]}
        # Always a change, so that what is seen tells whether it was done.
        choices = [None, [], ["adm", "bin", "sys"], ["dev", "ops", "root"]]
        users = self.lot.choice([choice for choice in choices if choice != before["allowedUsers"]])
        return self._set_users("update", "PUT", identity, vm, users, before)

    def _set_users(self, name, method, identity, vm, users, before) -> Command:
        def done(_):
            self.identities[identity][vm] = users

        def seen(client):
            answer = client.get(vm_path(identity, vm))
            now = {"allowedUsers": answer.json()["allowedUsers"]} if answer.status == 200 else None
            open_to = {
                user for user in ("dev", "ops", "root", "adm", "bin", "sys", "x") if may_login(client, identity, vm, user)
            }
            for candidate, verdict in (({"allowedUsers": users}, True), (before, None)):
                if now == candidate and open_to == who_may(candidate):
                    return verdict
            return f"{now} while {sorted(open_to)} may log in"

        return Command(name, method, vm_path(identity, vm), {"allowedUsers": users}, done, seen)

    def revoke(self, identity: str, vm: str) -> Command:
        users = self.identities[identity][vm]

        def seen(client):
            answer = client.get(vm_path(identity, vm))
            if answer.status == 404:
                return True
            return None if answer.json()["allowedUsers"] == users else f"changed to {answer.raw!r}"

        return Command(
            "revoke", "DELETE", vm_path(identity, vm), None, lambda _: self.identities[identity].pop(vm), seen
        )

    def relate(self) -> Command:
        """One call that empties a role and fills another one: ten changes, all or none."""
        self.count += 1
        old = self.lot.choice(list(self.roles)) if len(self.roles) > 5 else None
        new = f"kill-{self.number}-{self.count}"
        users = frozenset(f"u{self.lot.randrange(1000)}" for _ in range(5))
        body = {"write": [relationship(new, user) for user in sorted(users)]}
        if old:
            body["delete"] = [relationship(old, user) for user in sorted(self.roles[old])]
        leaving = self.roles.get(old, frozenset())

        def done(_):
            self.roles.pop(old, None)
            self.roles[new] = users

        def seen(client):
            now = (members(client, old) if old else frozenset(), members(client, new))
            if now == (leaving, frozenset()):
                return None
            return True if now == (frozenset(), users) else f"{len(now[0])} of the old and {len(now[1])} of the new"

        return Command("relate", "POST", RELATIONSHIPS, body, done, seen)

    def next(self) -> Command:
        if len(self.identities) < 3:
            return self.create()
        identity = self.lot.choice(list(self.identities))
        vms = list(self.identities[identity])
        kind = self.lot.choices(
            ["create", "grant", "update", "revoke", "relate", "delete"],
            [1 if len(self.identities) < 6 else 0, 4 if len(vms) < 6 else 0, 2 if vms else 0, 1 if vms else 0, 3, 1],
        )[0]
        if kind in ("update", "revoke"):
            return getattr(self, kind)(identity, self.lot.choice(vms))
        if kind in ("grant", "delete"):
            return getattr(self, kind)(identity)
        return getattr(self, kind)()

    # ---- running ----

    def run(self, client: Client, stop: threading.Event) -> None:
        """Commands until told to stop or until the server is gone."""
        while not stop.is_set():
            command = self.next()
            try:
                answer = command.send(client)
            except GONE as error:
                self.pending, self.lost = command, error
                return
            self.take(command, answer)

    def take(self, command: Command, answer: Answer) -> None:
        if answer.status == 200:
            command.done(answer)
            self.acknowledged += 1
            self.revision = max(self.revision, answer.revision)
        else:
            self.refused.append(f"{command.name} {command.path}: {answer.status} {answer.raw[:300]!r}")


def who_may(permission: dict | None) -> set:
    """Which of the users that the look asks about a permission opens a VM to."""
    if permission is None:
        return set()
    users = permission["allowedUsers"]
    return {"dev", "ops", "root", "adm", "bin", "sys", "x"} if users is None else set(users)


def may_login(client: Client, identity: str, vm: str, user: str) -> bool:
    question = {
        "subject": {"type": "identity", "id": identity},
        "action": {"name": "login"},
        "resource": {"type": "fs_vm", "id": f"/{vm}/{user}/"},
    }
    return client.post("/api/v1/check", question).ok().json()["allowed"]


def members(client: Client, role: str) -> frozenset:
    query = urlencode({"resource": f"role:{role}", "relation": "member", "limit": 1000})
    page = client.get(f"{RELATIONSHIPS}?{query}").ok().json()
    return frozenset(subject_id(item["subject"]) for item in page["items"])


def subject_id(subject) -> str:
    """`user:alice` or `{"type": "user", "id": "alice"}`."""
    return subject["id"] if isinstance(subject, dict) else subject.partition(":")[2]


def run_writers(server: Server, writers: list[Writer], end: Callable[[], None]) -> None:
    """All writers at work; `end` is called meanwhile and returns when the server is to be ended, or has been."""
    stop = threading.Event()
    threads = []
    for writer in writers:
        client = server.client(timeout=20)
        threads.append(threading.Thread(target=writer.run, args=(client, stop)))
    for thread in threads:
        thread.start()
    try:
        end()
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def losses(server: Server, writers: list[Writer]) -> list[str]:
    """Everything that was acknowledged and is not there, or is there and was not asked for."""
    found: list[str] = []
    client = server.client()
    there = list_identities(client)
    expected = {identity for writer in writers for identity in writer.identities}
    found += [f"identity {identity} is lost" for identity in expected - there]
    found += [f"identity {identity} is nobody's" for identity in there - expected]
    newest = max(writer.revision for writer in writers)
    head = client.get(f"{IDENTITIES}?limit=1").ok().revision
    if head < newest:
        found.append(f"the ledger ends at revision {head}, but {newest} was acknowledged")
    client.close()

    def compare(writer: Writer) -> list[str]:
        own, wrong = server.client(), []
        for identity, grants in writer.identities.items():
            if identity not in there:
                continue
            page = own.get(f"{IDENTITIES}/{identity}/permissions/vm?limit=1000").ok().json()["permissions"]
            now = {item["vmId"]: item["allowedUsers"] for item in page}
            if now != grants:
                wrong.append(f"grants of {identity}: {now} in place of {grants}")
        for role, users in writer.roles.items():
            now = members(own, role)
            if now != users:
                wrong.append(f"members of {role}: {sorted(now)} in place of {sorted(users)}")
        own.close()
        return wrong

    with ThreadPoolExecutor(8) as pool:
        return found + [line for lines in pool.map(compare, writers) for line in lines]


def list_identities(client: Client) -> set[str]:
    ids, offset = set(), 0
    while True:
        page = client.get(f"{IDENTITIES}?limit=1000&offset={offset}").ok().json()
        ids |= {item["id"] for item in page["identities"]}
        offset += 1000
        if offset >= page["total"]:
            return ids


def finish_pending(server: Server, writers: list[Writer]) -> tuple[int, list[str]]:
    """Sends every command again whose answer was lost; how many there were, and what was wrong with them."""
    client, count, wrong = server.client(), 0, []
    pending = [writer for writer in writers if writer.pending]
    created = sum(writer.pending.name == "create" for writer in pending)
    known = sum(len(writer.identities) for writer in writers)
    deleting = sum(writer.pending.name == "delete" for writer in pending)
    total = len(list_identities(client))
    if not known - deleting <= total <= known + created:
        wrong.append(f"{total} identities, but {known} were acknowledged, {created} more and {deleting} less in doubt")
    for writer in pending:
        command, writer.pending = writer.pending, None
        count += 1
        half = command.seen(client)
        if half not in (None, True):
            wrong.append(f"half of a {command.name}: {half}")
        first = command.send(client)
        if first.status != 200:
            wrong.append(f"{command.name} sent again: {first.status} {first.raw[:300]!r}")
            continue
        again = command.send(client)
        if (again.status, canonical(again)) != (first.status, canonical(first)):
            wrong.append(f"{command.name} sent twice: {first.raw!r}, then {again.raw!r}")
        writer.take(command, first)
        if command.seen(client) is not True:
            wrong.append(f"{command.name} answered 200 when sent again, but is not there")
    client.close()
    return count, wrong


def canonical(answer: Answer) -> str:
    return json.dumps(answer.json(), sort_keys=True)
