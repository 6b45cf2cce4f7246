"""The stories of `cases/decisions` about roles and URIs, told to a server over this dialect and asked by real attempts.

Where grantd serves the path, the question is an attempt at it by that user; where it does not, the list of permissions is
read from the path upwards. A role in a role is put there by grantd's own API, which alone knows of such.
"""

import re

import pytest

from harness import ROOT
from pulp_words import ROLES, Pulp, as_user, body, certificate_of, null, unique, with_certificate

STORIES = sorted((ROOT / "cases" / "decisions").glob("pulp-*.txt"))

# How an operation on a path is attempted; a body that says nothing goes with whatever takes one.
METHODS = {"read": "GET", "create": "POST", "update": "PUT", "delete": "DELETE", "execute": "POST"}
SERVED = {
    "read": r"/v2/(permissions|users|roles)/|/v2/(users|roles)/[^/]+/|/v2/roles/[^/]+/users/",
    "create": r"/v2/(users|roles)/",
    "update": r"/v2/(users|roles)/[^/]+/",
    "delete": r"/v2/(users|roles)/[^/]+/|/v2/roles/[^/]+/users/[^/]+/",
    "execute": r"/v2/permissions/actions/(grant_to|revoke_from)_(user|role)/",
}


class Told:
    """A realm of its own that was told a part of a story."""

    def __init__(self, server):
        self.server, self.name = server, unique("story")
        self.native = server.client(base=f"/r/{self.name}")
        assert server.client().post("/api/v1/realms", {"name": self.name}).status == 201
        self.mount = f"/r/{self.name}/pulp/api"
        self.api = Pulp(server.client(base=self.mount))
        self.users: dict[str, Pulp] = {}
        self.roles = {"super-users"}

    def user(self, login):
        if login not in self.users:
            self.api.new_user(login=login)
            file = certificate_of(as_user(self.server, self.api, login))
            self.users[login] = with_certificate(self.server, file, base=self.mount, login=login)
            # The stories begin with nothing.
            for resource, operations in self.api.held(login).items():
                self.api.revoke(login, resource, *operations)
        return login

    def role(self, role):
        if role not in self.roles:
            body(self.api.post(ROLES, {"role_id": role}), 201)
            self.roles.add(role)
        return role

    def write(self, text, given):
        resource, relation, subject = re.fullmatch(r"(.*)#(\w+)@(.*)", text).groups()
        kind, who = subject.split(":", 1)
        of_role = who.endswith("#member")
        who = self.role(who.removesuffix("#member")) if of_role else self.user(who)
        target = resource.split(":", 1)[1]
        if resource.startswith("role:") and of_role:
            path = f"/api/v1/roles/{self.role(target)}/members/role:{who}%23member"
            assert self.native.call("PUT" if given else "DELETE", path).status == 200
        elif resource.startswith("role:"):
            (self.api.join if given else self.api.leave)(self.role(target), who)
        elif who != "super-users":
            name = ("grant_to_" if given else "revoke_from_") + ("role" if of_role else "user")
            null(self.api.action(name, who, target, [relation]))

    def retire(self, text):
        role = text.removeprefix("role:")
        null(self.api.delete(f"{ROLES}{role}/"))
        self.roles.discard(role)

    def answer(self, subject, action, resource):
        """Yes or no; None where the dialect has no way to ask."""
        kind, path = resource.split(":", 1)
        if kind == "role":
            return subject.removeprefix("user:") in self.api.role(path)["users"] if subject.startswith("user:") else None
        if not subject.startswith("user:"):
            return None
        login = subject.removeprefix("user:")
        path = path if path.endswith("/") else path + "/"
        if login in self.users and re.fullmatch(SERVED.get(action, "-"), path):
            return self.attempt(self.users[login], action, path)
        return self.listed(login, action.upper() if action == action.lower() else "-", path)

    @staticmethod
    def attempt(user, action, path):
        method = METHODS[action]
        # Refused for its form after the permission was looked at, so that nothing is made or deleted.
        answer = user.call(method, path, {} if method in ("POST", "PUT") else None, headers={"Idempotency-Key": "x" * 300})
        assert answer.status in ((200, 404, 401) if method == "GET" else (400, 401)), answer
        return answer.status != 401

    def listed(self, login, operation, path):
        held = self.api.held(login)
        steps = path.strip("/").split("/") if path != "/" else []
        above = ["/" + "".join(f"{step}/" for step in steps[:n]) for n in range(len(steps) + 1)]
        return any(operation in held.get(resource, []) for resource in above)


def events(path):
    """Heading and line, in order; comments left out."""
    heading = None
    for line in path.read_text().splitlines():
        if re.fullmatch(r"\w[\w ]*:", line):
            heading = line[:-1]
        elif line.strip() and not line.strip().startswith("#") and heading != "model":
            yield heading, line.strip()


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_stories(tls, story):
    told, asked, wrong = Told(tls), 0, []
    for heading, line in events(story):
        match heading:
            case "given":
                told.write(line, True)
            case "deleted":
                told.write(line, False)
            case "retired":
                told.retire(line)
            case _:
                words = line.split()
                if words[0] not in ("yes", "no"):
                    continue  # a search
                found = told.answer(*words[1:])
                asked += found is not None
                if found is not None and found != (words[0] == "yes"):
                    wrong.append(line)
    assert wrong == [], "\n".join(wrong)
    assert asked >= 10, "nothing was asked"


def test_there_are_stories():
    assert len(STORIES) >= 3
