"""What is written and read: each key is one relationship, which somebody grants and revokes by one of the dialects.

A key is spelled as the ledger spells the relationship. It belongs to one writer at a time, who knows what was said of it last.
"""

import itertools
import threading
from dataclasses import dataclass
from typing import Callable

from harness import Client

_numbers = itertools.count(1)


@dataclass
class Request:
    method: str
    path: str
    body: object = None


@dataclass
class Key:
    """How it is granted and revoked, and how one asks for it."""

    name: str
    grant: Callable[[], Request]
    revoke: Callable[[], Request] | None
    question: dict | None
    value: bool = False

    def set_to(self, value: bool) -> Request:
        return self.grant() if value else self.revoke()


def question(subject: str, action: str, kind: str, id: str) -> dict:
    return {"subject": subject, "action": action, "resource": {"type": kind, "id": id}}


def native() -> Key:
    """grantd's own API."""
    role, user = f"n{next(_numbers)}", "user:u1"
    item = {"resource": f"role:{role}", "relation": "member", "subject": user}
    return Key(
        f"role:{role}#member@{user}",
        lambda: Request("POST", "/api/v1/relationships", {"write": [item]}),
        lambda: Request("POST", "/api/v1/relationships", {"delete": [item]}),
        question(user, "member", "role", role),
    )


def freestyle(identity: str) -> Key:
    """The identities dialect: whom a VM is open to."""
    vm = f"vm{next(_numbers)}"
    path = f"/identity/v1/identities/{identity}/permissions/vm/{vm}"
    return Key(
        f"fs_vm:/{vm}/#login@identity:{identity}",
        lambda: Request("POST", path, {"allowedUsers": None}),
        lambda: Request("DELETE", path),
        question(f"identity:{identity}", "login", "fs_vm", f"/{vm}/"),
    )


def pulp(role: str, login: str) -> Key:
    """The users-and-roles dialect: who is in a role."""
    return Key(
        f"role:{role}#member@user:{login}",
        lambda: Request("POST", f"/v2/roles/{role}/users/", {"login": login}),
        lambda: Request("DELETE", f"/v2/roles/{role}/users/{login}/"),
        question(f"user:{login}", "member", "role", role),
    )


def contested(role: str) -> Key:
    """A role that several want to make: one of them does, the others are told that it is there."""
    return Key(f"role:{role}", lambda: Request("POST", "/api/v1/roles", {"key": role}), None, None)


class Keys:
    """Makes keys; what stands behind those of the dialects is made beforehand."""

    def __init__(self, client: Client, people=40):
        self._lock = threading.Lock()
        self._identity = client.post("/identity/v1/identities").ok().json()["id"]
        role = f"p{next(_numbers)}"
        client.post("/v2/roles/", {"role_id": role}).ok()
        logins = [f"{role}-{number}" for number in range(people)]
        for login in logins:
            client.post("/api/v1/users", {"login": login}).ok()
        self._role, self._contests = role, itertools.count()
        self._members = [pulp(role, login) for login in logins]

    def make(self, lot) -> Key:
        kind = lot.choice(["native", "native", "freestyle", "pulp"])
        with self._lock:
            if kind == "pulp" and self._members:
                return self._members.pop()
            return freestyle(self._identity) if kind == "freestyle" else native()

    def contest(self) -> Key:
        """The same one three times."""
        return contested(f"{self._role}-contested{next(self._contests) // 3}")
