"""Section 1 of the contract: paths, methods, bodies, the error envelope, the order of checks."""

import json

import pytest

from harness import Client, Server, Temp, free_port
from pulp_words import (
    ACTIONS,
    JSON,
    LOGIN,
    PERMISSIONS,
    ROLES,
    USERS,
    as_user,
    body,
    denied,
    error,
    invalid,
    is_oid,
    missing,
    not_found,
    null,
    rule,
    unique,
)

# Method, path, and whether a JSON object is read.
ROUTES = [
    ("GET", PERMISSIONS, False),
    *(("POST", f"{ACTIONS}{name}/", True) for name in ("grant_to_user", "revoke_from_user", "grant_to_role", "revoke_from_role")),
    ("GET", USERS, False),
    ("POST", USERS, True),
    ("GET", f"{USERS}search/", False),
    ("POST", f"{USERS}search/", True),
    ("GET", f"{USERS}admin/", False),
    ("PUT", f"{USERS}admin/", True),
    ("DELETE", f"{USERS}nobody/", False),
    ("GET", ROLES, False),
    ("POST", ROLES, True),
    ("GET", f"{ROLES}super-users/", False),
    ("PUT", f"{ROLES}super-users/", True),
    ("DELETE", f"{ROLES}nothing/", False),
    ("GET", f"{ROLES}super-users/users/", False),
    ("POST", f"{ROLES}super-users/users/", True),
    ("DELETE", f"{ROLES}nothing/users/admin/", False),
    ("POST", LOGIN, False),
]
OPERATION = {"GET": "READ", "POST": "CREATE", "PUT": "UPDATE", "DELETE": "DELETE"}


def operation(method, path):
    if path.startswith(ACTIONS):
        return "EXECUTE"
    if path == LOGIN or path.endswith("search/"):
        return "READ"
    if path.endswith("/users/") and path != USERS and method == "POST":
        return "UPDATE"
    return OPERATION[method]


@pytest.mark.parametrize("path", [PERMISSIONS, USERS, f"{USERS}admin/", ROLES, f"{ROLES}super-users/", f"{ROLES}super-users/users/"])
def test_with_and_without_the_last_slash(api, path):
    with_slash = api.get(path)
    assert with_slash.headers["Content-Type"] == JSON
    if path == PERMISSIONS and not api.client.base:
        return  # at the root, the path without the slash is another dialect's
    without = api.get(path[:-1])
    assert (without.status, without.json()) == (200, body(with_slash))
    assert "Location" not in without.headers


def test_a_post_without_the_last_slash_is_no_redirect(api):
    login = unique("user")
    assert body(api.post("/v2/users", {"login": login}), 201)["login"] == login
    null(api.post("/v2/permissions/actions/grant_to_user", {"login": login, "resource": "/x/", "operations": ["READ"]}))


@pytest.mark.parametrize(
    "path",
    ["/v2/users/admin/more/", "/v2/roles/a/b/", "/v2/actions/logout/", "/v2/actions/", "/v2/permissions/actions/nothing/", "/v2/users/admin/roles/"],
)
def test_an_unknown_path_is_null(api, path):
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = api.call(method, path)
        assert (answer.status, answer.raw, answer.headers["Content-Type"]) == (404, b"null", JSON)


def test_paths_of_nobody_below_the_mount(api):
    if not api.client.base:
        return
    for path in ("/", "", "/v2/", "/v2/repositories/", "/v2/permissions/x/", "/v3/users/", "/pulp/api/v2/users/"):
        answer = api.get(path)
        assert (answer.status, answer.raw) == (404, b"null"), path


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", USERS, {"GET", "HEAD", "POST"}),
        ("POST", f"{USERS}admin/", {"GET", "HEAD", "PUT", "DELETE"}),
        ("PATCH", f"{USERS}admin/", {"GET", "HEAD", "PUT", "DELETE"}),
        ("PUT", f"{USERS}search/", {"GET", "HEAD", "POST"}),
        ("GET", LOGIN, {"POST"}),
        ("GET", f"{ACTIONS}grant_to_user/", {"POST"}),
        ("POST", PERMISSIONS, {"GET", "HEAD"}),
        ("GET", f"{ROLES}super-users/users/admin/", {"DELETE"}),
        ("PUT", ROLES, {"GET", "HEAD", "POST"}),
    ],
)
def test_a_wrong_method_is_405_and_empty(api, method, path, allowed):
    answer = api.call(method, path)
    assert (answer.status, answer.raw) == (405, b"")
    assert {name.strip() for name in answer.headers["Allow"].split(",")} == allowed


def test_options_and_head(api, server):
    answer = server.nobody(base=api.client.base).call("OPTIONS", USERS)
    assert (answer.status, answer.raw) == (200, b"")
    assert {name.strip() for name in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "POST"}
    get, head = api.get(USERS), api.call("HEAD", USERS)
    assert (head.status, head.raw, head.headers["Content-Type"]) == (200, b"", JSON)
    assert int(head.headers["Content-Length"]) == len(get.raw)
    assert api.call("HEAD", f"{USERS}nobody/").status == 404


def test_nothing_is_checked_before_who_calls(api, server):
    nobody = server.nobody(base=api.client.base)
    for method, path, _ in ROUTES:
        for request in ({}, b"{", b"[]", None):
            answer = nobody.call(method, path, request if method in ("POST", "PUT") else None)
            value = error(answer, 401, "PLP0025", auth_error_code="authentication_failed")
            assert value["error_message"] == "Authentication failed." and value["error"]["data"] == {}
            assert "WWW-Authenticate" not in answer.headers
    nobody.close()


def test_nothing_is_checked_before_the_permission(api, server, tls, tls_admin):
    limited = as_user(server, api)
    for method, path, _ in ROUTES:
        if path == LOGIN:
            continue  # everybody may sign in
        for request in (b"{", None):
            answer = limited.call(method, path, request if method in ("POST", "PUT") else None)
            denied(answer, limited.login, operation(method, path))
    for path in (f"{USERS}nobody/", f"{ROLES}nothing/", f"{ROLES}nothing/users/"):
        denied(limited.get(path), limited.login, "READ")


BODIES = {
    "empty": (b"", "PLP1009"),
    "blank": (b" \n", "PLP1009"),
    "cut": (b'{"a":', "PLP1009"),
    "text": (b"hello", "PLP1009"),
    "two values": (b"{} {}", "PLP1009"),
    "single quotes": (b"{'a': 1}", "PLP1009"),
    "NaN": (b'{"a": NaN}', "PLP1009"),
    "not UTF-8": (b'{"a": "\xff\xfe"}', "PLP1009"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "PLP1009"),
    "deep": (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "PLP1009"),
    "deep objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "PLP1009"),
    "an array": (b"[]", "PLP1015"),
    "a string": (b'"x"', "PLP1015"),
    "null": (b"null", "PLP1015"),
    "a number": (b"1", "PLP1015"),
    "true": (b"true", "PLP1015"),
}


@pytest.mark.parametrize(("raw", "code"), BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_no_object(admin, raw, code):
    for method, path, reads in ROUTES:
        if not reads:
            continue
        value = error(admin.call(method, path, raw), 400, code, args=[])
        assert value["http_request_method"] == method and value["_href"] == f"/pulp/api{path}"
        if code == "PLP1009":
            assert value["error_message"] == "The request body does not contain valid JSON"
            assert value["error"]["data"] == {}
        else:
            assert value["error_message"] == "The JSON data must be of type 'dict'."
            assert value["error"]["data"] == {"data_type": "dict"}


def test_no_body_at_all(admin):
    for method, path, reads in ROUTES:
        if reads:
            error(admin.call(method, path), 400, "PLP1009", args=[])


def test_the_content_type_is_not_looked_at(admin):
    for kind in (None, "text/plain", "application/x-www-form-urlencoded"):
        login = unique("user")
        answer = admin.post(USERS, json.dumps({"login": login}).encode(), content_type=kind)
        assert body(answer, 201)["login"] == login


def test_more_than_a_mebibyte(admin):
    before = len(body(admin.get(USERS)))
    huge = b'{"login": "x", "name": "' + b"x" * (1 << 20) + b'"}'
    value = error(admin.post(USERS, huge), 413, "PLP0000")
    assert value["args"] == [value["error_message"]]
    assert len(body(admin.get(USERS))) == before


def test_the_address_in_an_error_is_the_one_that_was_called(api):
    value = not_found(api.get("/v2/users/nobody/?a=b&c=%20"), login="nobody")
    assert value["_href"] == f"{api.client.base}/v2/users/nobody/?a=b&c=%20"
    assert value["http_request_method"] == "GET"
    assert value["error_message"] == "Missing resource(s): login=nobody"
    assert not_found(api.get("/v2/roles/nothing"), resource_id="nothing")["_href"] == f"{api.client.base}/v2/roles/nothing"


def test_a_realm_of_its_own(server):
    key = server.client()
    name = unique("realm")
    assert key.post("/api/v1/realms", {"name": name}).status == 201
    for mount in (f"/r/{name}/pulp/api", f"/r/{name}"):
        there = server.client(base=mount)
        login = unique("user")
        made = there.post(USERS, {"login": login})
        assert body(made, 201)["_href"] == made.headers["Location"] == f"{mount}{USERS}{login}/"
        assert not_found(server.client(base="/pulp/api").get(f"{USERS}{login}/"), login=login)
        value = not_found(there.get(f"{USERS}nobody/"), login="nobody")
        assert value["_href"] == f"{mount}{USERS}nobody/"
    answer = server.client(base="/r/nowhere/pulp/api").get(USERS)
    assert (answer.status, answer.raw) == (404, b"null")


def test_an_address_of_its_own():
    """Pulp's clients put their mount in front of every path, also there."""
    port = free_port()
    with Temp("pulp-alone") as data, Server(data, "pulp-alone", args=["--listen", f"pulp=127.0.0.1:{port}"]) as running:
        for base in ("", "/pulp/api"):
            alone = Client(port, basic=("admin", running.password), base=base)
            login = unique("user")
            made = alone.post(USERS, {"login": login})
            assert body(made, 201)["_href"] == made.headers["Location"] == f"{base}{USERS}{login}/"
            assert len(body(alone.get("/v2/permissions"))) > 0
            assert alone.get("/healthz").raw == b"null"
            alone.close()


def test_without_the_paths_at_the_root():
    with Temp("pulp-mount") as data, Server(data, "pulp-mount", args=["--no-root-paths"]) as running:
        assert running.client(base="/pulp/api").get(USERS).status == 200
        answer = running.client().get(USERS)
        assert (answer.status, answer.content_type) == (404, "application/problem+json")


def test_unknown_keys(admin):
    """Ignored in role creation and the actions; refused in user creation and both deltas."""
    role = unique("role")
    body(admin.post(ROLES, {"role_id": role, "colour": "red"}), 201)
    login = admin.new_user()
    null(admin.post(f"{ACTIONS}grant_to_user/", {"login": login, "resource": "/x/", "operations": ["READ"], "colour": 1}))
    invalid(admin.post(USERS, {"login": unique("user"), "colour": "red"}), "colour")
    invalid(admin.post(USERS, {"login": unique("user"), "roles": []}), "roles")
    invalid(admin.put(f"{USERS}{login}/", {"delta": {"colour": "red"}}), "colour")
    invalid(admin.put(f"{USERS}{login}/", {"delta": {"login": "other"}}), "login")
    rule(admin.put(f"{ROLES}{role}/", {"delta": {"colour": "red"}}), "Update Keyword [colour] is not supported")


def test_names_are_reported_as_python_writes_them(admin):
    value = invalid(admin.post(USERS, {"login": unique("user"), "it's": 1}), "it's")
    assert value["error"]["data"]["properties"] == '["it\'s"]'
    assert missing(admin.post(USERS, {}), "login")["error_message"] == "Missing values for: ['login']"


def test_ids_are_those_of_the_database(admin):
    login, role = admin.new_user(), admin.new_role()
    admin.grant(login, "/x/", "READ")
    records = [admin.user(login), admin.role(role), *body(admin.get(f"{PERMISSIONS}?resource=/x/"))]
    for record, kind in zip(records, ("users", "roles", "permissions"), strict=True):
        assert record["_ns"] == kind and set(record["_id"]) == {"$oid"} and is_oid(record["_id"]["$oid"])
    assert records[0]["id"] == records[0]["_id"]["$oid"] and records[2]["id"] == records[2]["_id"]["$oid"]
    assert records[1]["id"] == role
