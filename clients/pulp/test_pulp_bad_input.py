"""Whatever comes in: the documented error, never a 5xx, never a partial effect."""

import itertools
import json
import random

import pytest

from harness import NGINX_REFUSES
from pulp_words import ACTIONS, PERMISSIONS, ROLES, USERS, error, rule

PATHS = [
    "/v2/users/.", "/v2/users/..", "/v2/users/./", "/v2/users/../", "/v2/./users/", "/v2/../v2/users/", "/v2/users/../roles/",
    "/v2/users//", "/v2//users/", "//v2/users/", "/v2/users/admin//", "/v2/users///admin/",
    "/v2/users/%2F", "/v2/users/%2f/", "/v2/users/a%2Fb/", "/v2%2Fusers/", "/v2/users/%2E/", "/v2/users/%2e%2e/", "/v2/users/.%2e/",
    pytest.param("/v2/users/%00/", marks=pytest.mark.one_node(NGINX_REFUSES)), "/v2/users/a%0Ab/", "/v2/users/%7F/", "/v2/users/" + "x" * 2_000 + "/", "/v2/users/" + "a/" * 100,
    "/v2/users/%C2%85/",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:40])
def test_paths(server, path):
    """Refused before anybody is asked who they are: there is no route to ask for."""
    mount = "/pulp/api"
    for client in (server.client(base=mount), server.nobody(base=mount)):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            value = rule(client.call(method, path, {} if method in ("POST", "PUT") else None))
            assert value["_href"] == mount + path
        client.close()


@pytest.mark.parametrize("path", ["/v2/users/%FF/", "/v2/users/%C3%28/", "/v2/roles/%80/users/", "/v2/roles/a/users/%FE/"])
def test_paths_that_are_not_utf8(admin, path):
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = admin.call(method, path, {} if method in ("POST", "PUT") else None)
        assert answer.status in (400, 405), answer
        if answer.status == 400:
            error(answer, 400, "PLP0000")


@pytest.mark.parametrize("path", [
    *(pytest.param(path, marks=pytest.mark.one_node(NGINX_REFUSES)) for path in ("/v2/users/%", "/v2/users/%zz/", "/v2/users/%4/")),
    "/v2/users/a b/".replace(" ", "%20"), "/v2/users/ü/".replace("ü", "%C3%BC"),
])  # fmt: skip
def test_paths_that_are_odd_and_well_formed(admin, path):
    assert admin.get(path).status == 404


WRONG = [None, True, False, 0, -1, 1.5, 1e308, "", "x", "\u0000", "ü" * 100, [], [[]], {}, {"a": 1}, {"$oid": "x"}, ["x"] * 100, "x" * 10_000]
FIELDS = {
    ("POST", USERS): ["login", "password", "name"],
    ("POST", ROLES): ["role_id", "display_name", "description"],
    ("POST", f"{ACTIONS}grant_to_user/"): ["login", "resource", "operations"],
    ("POST", f"{ACTIONS}revoke_from_user/"): ["login", "resource", "operations"],
    ("POST", f"{ACTIONS}grant_to_role/"): ["role_id", "resource", "operations"],
    ("POST", f"{ACTIONS}revoke_from_role/"): ["role_id", "resource", "operations"],
    ("PUT", f"{USERS}admin/"): ["delta"],
    ("PUT", f"{ROLES}super-users/"): ["delta"],
    ("POST", f"{ROLES}super-users/users/"): ["login"],
    ("POST", f"{USERS}search/"): ["criteria"],
}


@pytest.mark.parametrize(("route", "fields"), FIELDS.items(), ids=lambda value: str(value)[:50])
def test_wrong_types_everywhere(admin, route, fields):
    """Every pair of values in every pair of fields: the envelope, or a success that was meant."""
    method, path = route
    before = admin.permissions(), admin.get(ROLES).raw
    values = WRONG if len(fields) == 1 else WRONG[:-1]
    # What is made is called `x` and goes away again; what actions are about does not exist.
    someone = "x" if path in (USERS, ROLES) else "nobody"
    for chosen in itertools.product(values) if len(fields) == 1 else pairs(fields, values, someone):
        request = dict(zip(fields, chosen, strict=True))
        answer = admin.call(method, path, request)
        assert answer.status in (200, 201, 400, 404, 409), (request, answer)
        if answer.status == 400:
            error(answer, 400, answer.json()["error"]["code"])
    made = [user["login"] for user in admin.get(USERS).json()]
    if path.startswith(ACTIONS) or path.startswith(f"{ROLES}super"):
        assert (admin.permissions(), admin.get(ROLES).raw) == before
    assert set(made) <= {"admin", "x"}
    for one in (f"{USERS}x/", f"{ROLES}x/"):
        assert admin.delete(one).status in (200, 404)


def pairs(fields, values, someone):
    """Not all triples: two fields vary, the others are good."""
    good = {"login": someone, "role_id": someone, "resource": "/x/", "operations": ["READ"]}
    for one, two in itertools.combinations(range(len(fields)), 2):
        for a, b in itertools.product(values, repeat=2):
            chosen = [good.get(field) for field in fields]
            chosen[one], chosen[two] = a, b
            yield chosen


@pytest.mark.parametrize("path", [f"{USERS}admin/", f"{ROLES}super-users/"])
def test_wrong_types_in_a_delta(admin, path):
    names = ["name", "password", "roles"] if path.startswith(USERS) else ["display_name", "description", "id"]
    before = admin.get(path).json()
    for name, value in itertools.product([*names, "x", "", "_id", "users", "permissions", "login"], [v for v in WRONG if not isinstance(v, str)]):
        answer = admin.put(path, {"delta": {name: value}})
        assert answer.status in (200, 400), (name, value, answer)
    assert admin.get(path).json() == before


def test_random_bodies(admin):
    """Bytes near to what is expected."""
    rng = random.Random(7)
    samples = [
        json.dumps({"login": "nobody", "resource": "/x/", "operations": ["READ"]}).encode(),
        json.dumps({"criteria": {"filters": {"login": {"$regex": "a"}}, "limit": 5}}).encode(),
        json.dumps({"delta": {"name": "x"}}).encode(),
    ]
    for _ in range(600):
        raw = bytearray(rng.choice(samples))
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(raw))
            match rng.randrange(3):
                case 0:
                    raw[at] = rng.randrange(256)
                case 1:
                    del raw[at : at + rng.randint(1, 4)]
                case 2:
                    raw[at:at] = bytes(rng.choice(b'{}[]",:\\0') for _ in range(rng.randint(1, 4)))
            if not raw:
                raw = bytearray(b"{")
        path = rng.choice([f"{ACTIONS}grant_to_user/", f"{ACTIONS}revoke_from_role/", f"{USERS}search/", f"{ROLES}nothing/", f"{USERS}nobody/"])
        method = "PUT" if path.endswith(("nothing/", "nobody/")) else "POST"
        answer = admin.call(method, path, bytes(raw))
        assert answer.status in (200, 400, 404), (bytes(raw), answer)


def test_queries(admin):
    for query in ("?", "?&&", "?=", "?=x", "?%FF=1", "?resource", "?a=%zz", "?resource=%2Fx&" + "a=b&" * 5_000):
        answer = admin.get(f"{PERMISSIONS}{query}")
        assert answer.status in (200, 400), (query[:20], answer)


def test_a_long_head_is_refused_and_the_server_goes_on(admin, server):
    answer = server.client(base="/pulp/api").get(f"{PERMISSIONS}?resource=" + "x" * 60_000)
    assert answer.status in (400, 414, 431)
    assert admin.get(USERS).status == 200
