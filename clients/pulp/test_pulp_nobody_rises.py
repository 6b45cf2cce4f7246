"""Nobody raises their own rights: every write of the dialect, walked by users who hold little.

What somebody holds is measured by asking about every operation on every path of interest, and by what the lists say. A user
with the automatic grants alone gains nothing by any sequence of calls. With `pulp.delegation = "held"` the same is true of a
user with EXECUTE on the permission actions. Neither gets into super-users.
"""

import random

import pytest

from harness import Server, Temp, grantd
from pulp_words import ACTIONS, LOGIN, OPERATIONS, PERMISSIONS, ROLES, USERS, Pulp, as_user, body, by_certificate, error, new_password, unique

ACTION_NAMES = ["grant_to_user", "revoke_from_user", "grant_to_role", "revoke_from_role"]


class World:
    """A user who wants more, somebody else, roles worth having, and what there is to gain."""

    def __init__(self, server, admin, *grants):
        self.server, self.admin, self.native = server, admin, server.client()
        self.other = admin.new_user(password=new_password())
        self.strong, self.weak = admin.new_role("strong"), admin.new_role("weak")
        admin.grant_role(self.strong, "/", *OPERATIONS)
        admin.grant_role(self.weak, "/v2/repositories/", "READ")
        self.user = by_certificate(server, admin)
        self.me = self.user.login
        for resource, operations in grants:
            admin.grant(self.me, resource, *operations)
        self.resources = [
            "/", "/v2/", USERS, f"{USERS}{self.me}/", f"{USERS}{self.other}/", f"{USERS}admin/", f"{USERS}search/",
            ROLES, *(f"{ROLES}{role}/{rest}" for role in (self.strong, self.weak, "super-users") for rest in ("", "users/", f"users/{self.me}/")),
            PERMISSIONS, ACTIONS, *(f"{ACTIONS}{name}/" for name in ACTION_NAMES), "/v2/actions/", LOGIN, "/v2/actions/logout/",
            "/v2/repositories/", "/v2/repositories/zoo/", "/elsewhere/",
        ]  # fmt: skip
        self.at_first = self.held()

    def held(self, login=None) -> set:
        """Every operation on every path of interest, asked of the engine."""
        pairs = [(op, resource) for resource in self.resources for op in OPERATIONS]
        subject = f"user:{login or self.me}"
        checks = [{"subject": subject, "action": op.lower(), "resource": f"pulp_uri:{resource}"} for op, resource in pairs]
        results = self.native.post("/api/v1/check/batch", {"checks": checks}).ok().json()["results"]
        return {pair for pair, result in zip(pairs, results, strict=True) if result["allowed"]}

    def is_super(self) -> bool:
        return self.me in self.admin.role("super-users")["users"]

    def assert_no_more(self, after) -> None:
        gained = self.held() - self.at_first
        assert not gained, f"{after}: gained {sorted(gained)}"
        assert not self.is_super(), after

    def writes(self):
        """Every write of the dialect, with bodies that would be a way up: method, path, body."""
        me, new = self.me, unique("new")
        roles = [self.strong, self.weak, "super-users", "nothing"]
        for who in (me, self.other, "admin", "nobody", "SYSTEM"):
            for resource in self.resources:
                for operations in (OPERATIONS, ["READ"], ["execute"]):
                    for name in ACTION_NAMES[:2]:
                        yield "POST", f"{ACTIONS}{name}/", {"login": who, "resource": resource, "operations": operations}
        for role in roles:
            for resource in self.resources:
                for name in ACTION_NAMES[2:]:
                    yield "POST", f"{ACTIONS}{name}/", {"role_id": role, "resource": resource, "operations": OPERATIONS}
        for login in (new, me, "search", "admin", "users"):
            yield "POST", USERS, {"login": login, "password": new_password()}
            yield "POST", USERS, {"login": login, "roles": ["super-users"]}
        for login in (me, self.other, "admin", "search"):
            for delta in ({"roles": ["super-users"]}, {"roles": [self.strong]}, {"roles": []}, {"roles": roles[:3]}):
                yield "PUT", f"{USERS}{login}/", {"delta": delta}
                yield "PUT", f"{USERS}{login}/", {"delta": {**delta, "name": "x"}}
            for delta in ({"login": "admin"}, {"id": "x"}, {"permissions": {"/": OPERATIONS}}, {"name": "super-users"}, {"active": True}):
                yield "PUT", f"{USERS}{login}/", {"delta": delta}
        yield "PUT", f"{USERS}{self.other}/", {"delta": {"password": new_password()}}
        yield "PUT", f"{USERS}admin/", {"delta": {"password": new_password()}}
        for role in (*roles, new):
            yield "POST", ROLES, {"role_id": role, "permissions": {"/": OPERATIONS}, "users": [me]}
            for delta in ({"permissions": {"/": OPERATIONS}}, {"users": [me]}, {"id": "super-users"}, {"display_name": "super-users"}):
                yield "PUT", f"{ROLES}{role}/", {"delta": delta}
            for login in (me, self.other):
                yield "POST", f"{ROLES}{role}/users/", {"login": login}
                yield "DELETE", f"{ROLES}{role}/users/{login}/", None
            yield "DELETE", f"{ROLES}{role}/users/admin/", None
            yield "DELETE", f"{ROLES}{role}/", None
        for login in (self.other, "admin"):
            yield "DELETE", f"{USERS}{login}/", None
        yield "POST", LOGIN, None


def spellings(path: str):
    """The same path as somebody might write it who hopes that it is taken for another."""
    yield path
    yield path.rstrip("/")
    yield path.replace("/users/", "/%75sers/").replace("/roles/", "/role%73/")
    yield path.replace("/v2/", "/v2/./", 1)
    yield "/v2/actions/login/.." + path.removeprefix("/v2")
    yield "/v2/actions/login/%2e%2e/%2e%2e" + path.removeprefix("/v2")
    yield path.replace("/", "//", 1)


def attempt(world, method, path, request):
    answer = world.user.call(method, path, request)
    assert answer.status < 500, (method, path, request, answer)
    return answer


def test_with_the_automatic_grants_alone(tls, tls_admin):
    world = World(tls, tls_admin)
    own = f"{USERS}{world.me}/"
    before = tls_admin.permissions(), body(tls_admin.get(ROLES))
    for method, path, request in world.writes():
        answer = attempt(world, method, path, request)
        is_own = path in (own, LOGIN)
        assert is_own or answer.status == (405 if (method, path) == ("PUT", f"{USERS}search/") else 401), (method, path, answer)
        if answer.status == 401:
            error(answer, 401, "PLP0026", auth_error_code="permission_denied")
        if answer.status == 200 and path == own:
            # Nothing but a name, or what changes nothing.
            assert request["delta"] in ({"name": "super-users"}, {"roles": []}, {"roles": [], "name": "x"}), request
    world.assert_no_more("every write")
    assert (tls_admin.permissions(), body(tls_admin.get(ROLES))) == before


def test_with_the_automatic_grants_alone_by_any_spelling(tls, tls_admin):
    world = World(tls, tls_admin)
    for number, (method, path, request) in enumerate(world.writes()):
        if number % 5 and "users/" not in path:
            continue
        for spelled in spellings(path):
            attempt(world, method, spelled, request)
    world.assert_no_more("every spelling")


def test_with_the_automatic_grants_alone_in_any_order(tls, tls_admin):
    rng = random.Random(3)
    world = World(tls, tls_admin)
    writes = list(world.writes())
    for turn in range(3):
        for method, path, request in rng.sample(writes, 300):
            attempt(world, method, path, request)
        world.assert_no_more(f"turn {turn}")


@pytest.mark.parametrize("resource", [ACTIONS, PERMISSIONS, f"{ACTIONS}grant_to_user/"])
def test_who_may_execute_grants_no_more_than_they_hold(held, held_admin, resource):
    world = World(held, held_admin, (resource, ["EXECUTE"]), ("/v2/repositories/", ["READ", "UPDATE"]))
    rng = random.Random(5)
    # All but giving up what the walk is made with.
    gives_up = (f"{ACTIONS}revoke_from_user/", world.me)
    writes = [one for one in world.writes() if (one[1], (one[2] or {}).get("login")) != gives_up]
    for method, path, request in writes:
        answer = attempt(world, method, path, request)
        grants = path.startswith(f"{ACTIONS}grant")
        if grants and answer.status == 200 and request.get("login") != "SYSTEM":
            asked = {(op.upper(), request["resource"]) for op in request["operations"]}
            assert asked <= world.at_first, f"granted what the granter does not hold: {request}"
    world.assert_no_more("every write")
    for turn in range(4):
        for method, path, request in rng.sample(writes, 300):
            attempt(world, method, path, request)
        world.assert_no_more(f"turn {turn}")
    assert ("EXECUTE", f"{ACTIONS}grant_to_user/") in world.held(), "the walk had its right to the end"


def test_what_they_hold_they_may_grant(held, held_admin):
    world = World(held, held_admin, (ACTIONS, ["EXECUTE"]), ("/v2/repositories/", ["READ"]))
    me = world.user
    me.grant(world.other, "/v2/repositories/", "READ")
    me.grant(world.other, "/v2/repositories/zoo/", "READ")
    me.grant_role(world.weak, "/v2/repositories/", "READ")
    for resource, operations in (("/v2/repositories/", ["UPDATE"]), ("/v2/", ["READ"]), ("/", ["READ"]), ("/v2/repositories/", ["READ", "UPDATE"])):
        answer = me.action("grant_to_user", world.other, resource, operations)
        value = error(answer, 401, "PLP0026", auth_error_code="permission_denied")
        assert value["error"]["data"]["user"] == world.me
        assert value["error"]["data"]["operation"] in operations
    # All or nothing.
    assert held_admin.permissions("/v2/repositories/")["/v2/repositories/"][world.other] == ["READ"]
    # Taking back needs no more than the right to the call.
    me.revoke(world.other, "/v2/repositories/", "READ", "UPDATE")


def test_freely_whoever_may_execute_may_grant_anything(tls, tls_admin):
    """What upstream does and its users rely on; into super-users it leads nobody."""
    world = World(tls, tls_admin, (ACTIONS, ["EXECUTE"]))
    world.user.grant(world.me, "/", *OPERATIONS)
    assert ("DELETE", "/") in world.held()
    body(world.user.get(USERS))
    for answer in (
        world.user.post(f"{ROLES}super-users/users/", {"login": world.me}),
        world.user.put(f"{USERS}{world.me}/", {"delta": {"roles": ["super-users"]}}),
        world.user.delete(f"{ROLES}super-users/users/admin/"),
        world.user.delete(f"{USERS}admin/"),
        world.user.put(f"{USERS}admin/", {"delta": {"password": new_password()}}),
    ):
        assert answer.status == 401, answer
    assert not world.is_super() and tls_admin.role("super-users")["users"] == ["admin"]


def test_the_setting_may_stand_in_the_file_and_on_the_command_line(tmp_path):
    file = tmp_path / "grantd.toml"
    for text, args, free in (
        ('pulp.delegation = "held"\n', [], False),
        ('[pulp]\ndelegation = "held"\n', ["--pulp-delegation", "free"], True),
        ("", ["--pulp-delegation", "held"], False),
        ("", [], True),
    ):
        file.write_text(text)
        with Temp("delegation") as data, Server(data, "delegation", args=["--config", str(file), *args]) as running:
            admin = Pulp(running.client(base="/pulp/api"))
            user = as_user(running, admin)
            admin.grant(user.login, ACTIONS, "EXECUTE")
            assert user.action("grant_to_user", user.login, "/x/", ["READ"]).status == (200 if free else 401)
    for text in ('pulp.delegation = "other"', "pulp.colour = 1", "pulp = 1"):
        file.write_text(text)
        done = grantd("serve", "--config", file, "--data", tmp_path / "data")
        assert done.returncode != 0 and "grantd.toml" in done.stderr, text


def test_two_who_hold_different_things_gain_nothing_together(held, held_admin):
    one = World(held, held_admin, (ACTIONS, ["EXECUTE"]), ("/v2/repositories/", ["READ"]))
    two = World(held, held_admin, (ACTIONS, ["EXECUTE"]), ("/elsewhere/", ["UPDATE"]))
    union = one.at_first | two.at_first
    rng = random.Random(9)
    for _ in range(300):
        giver, taker = rng.choice([(one, two), (two, one)])
        resource, operation = rng.choice(giver.resources), rng.choice(OPERATIONS)
        giver.user.action("grant_to_user", taker.me, resource, [operation])
    shared = {(op, resource) for op, resource in one.held() | two.held() if resource not in (f"{USERS}{one.me}/", f"{USERS}{two.me}/")}
    assert shared <= union
    assert not one.is_super() and not two.is_super()


def test_a_password_of_somebody_stronger_is_out_of_reach(tls, tls_admin):
    """UPDATE on all users is much, and yet not everything."""
    world = World(tls, tls_admin, (USERS, ["UPDATE"]))
    answer = world.user.put(f"{USERS}admin/", {"delta": {"password": new_password()}})
    assert answer.status == 401
    body(world.user.put(f"{USERS}{world.other}/", {"delta": {"password": new_password()}}))
    answer = world.user.put(f"{USERS}{world.me}/", {"delta": {"roles": [world.strong]}})
    assert answer.status == 401
    world.assert_no_more("UPDATE on all users")


def test_the_walk_covers_every_write(tls, tls_admin):
    """Each write route of the table is among what was tried."""
    import re

    from harness import ROOT

    text = (ROOT / "crates" / "server" / "src" / "pulp" / "routes.rs").read_text()
    tried = {(method, path) for method, path, _ in World(tls, tls_admin).writes()}
    for table in text.split(".route(")[1:]:
        path = re.search(r'"(/[^"]*)"', table)[1]
        pattern = re.compile("^" + re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$")
        for method in re.findall(r"\b(post|put|delete)\(", table):
            if path.endswith("search/"):
                continue
            assert any(m == method.upper() and pattern.match(p) for m, p in tried), (method, path)
