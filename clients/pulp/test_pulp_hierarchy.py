"""Who may do what, by real attempts of limited users on the dialect's own paths; and the same answers from the other faces."""

import pytest

from pulp_words import ACTIONS, LOGIN, OPERATIONS, PERMISSIONS, ROLES, USERS, body, by_certificate, denied, unique

# Something that each operation is needed for: method, path, body. None of them changes anything that matters.
ATTEMPTS = {
    ("READ", USERS): ("GET", USERS, None),
    ("READ", f"{USERS}admin/"): ("GET", f"{USERS}admin/", None),
    ("READ", f"{USERS}search/"): ("POST", f"{USERS}search/", {"criteria": {}}),
    ("CREATE", USERS): ("POST", USERS, {}),
    ("UPDATE", f"{USERS}admin/"): ("PUT", f"{USERS}admin/", {}),
    ("DELETE", f"{USERS}nobody/"): ("DELETE", f"{USERS}nobody/", None),
    ("READ", ROLES): ("GET", ROLES, None),
    ("CREATE", ROLES): ("POST", ROLES, {}),
    ("READ", f"{ROLES}super-users/"): ("GET", f"{ROLES}super-users/", None),
    ("UPDATE", f"{ROLES}super-users/"): ("PUT", f"{ROLES}super-users/", {}),
    ("DELETE", f"{ROLES}nothing/"): ("DELETE", f"{ROLES}nothing/", None),
    ("READ", f"{ROLES}super-users/users/"): ("GET", f"{ROLES}super-users/users/", None),
    ("UPDATE", f"{ROLES}super-users/users/"): ("POST", f"{ROLES}super-users/users/", {}),
    ("DELETE", f"{ROLES}nothing/users/admin/"): ("DELETE", f"{ROLES}nothing/users/admin/", None),
    ("READ", PERMISSIONS): ("GET", PERMISSIONS, None),
    ("EXECUTE", f"{ACTIONS}grant_to_user/"): ("POST", f"{ACTIONS}grant_to_user/", {}),
    ("EXECUTE", f"{ACTIONS}revoke_from_role/"): ("POST", f"{ACTIONS}revoke_from_role/", {}),
    ("READ", LOGIN): ("POST", LOGIN, None),
}


@pytest.fixture(scope="module")
def limited(tls, tls_admin):
    """A user who holds nothing but what a test gives."""
    user = by_certificate(tls, tls_admin)
    for resource, operations in tls_admin.held(user.login).items():
        tls_admin.revoke(user.login, resource, *operations)
    return user


def may(user, needed) -> bool:
    """Whether the attempt gets past the permission; a no names the operation."""
    method, path, request = ATTEMPTS[needed]
    answer = user.call(method, path, request)
    assert answer.status < 500
    if answer.status == 401:
        denied(answer, user.login, needed[0])
    return answer.status != 401


def allowed(user) -> set:
    return {needed for needed in ATTEMPTS if may(user, needed)}


def covered(grants) -> set:
    """By the contract: whole segments, from the path upwards, no operation part of another."""
    below = lambda path, resource: path.startswith(resource)  # noqa: E731
    return {(op, path) for op, path in ATTEMPTS if any(op in ops and below(path, resource) for resource, ops in grants.items())}


GRANTS = {
    "nothing": {},
    "a collection covers what is in it": {"/v2/users/": ["READ"]},
    "no operation is part of another": {"/v2/users/": ["UPDATE"]},
    "one thing covers nothing above it": {"/v2/users/admin/": OPERATIONS},
    "half a segment covers nothing": {"/v2/user/": OPERATIONS, "/v2/use/": OPERATIONS, "/v/": OPERATIONS, "/v2/users/adm/": OPERATIONS},
    "more than the segment covers nothing": {"/v2/userss/": OPERATIONS, "/v2/users/admin2/": OPERATIONS},
    "another letter case covers nothing": {"/V2/": OPERATIONS, "/v2/USERS/": OPERATIONS},
    "the version covers all of it": {"/v2/": ["READ", "EXECUTE"]},
    "the root covers all": {"/": OPERATIONS},
    "the root for one operation": {"/": ["DELETE"]},
    "deeper covers nothing above": {"/v2/permissions/actions/": ["EXECUTE"], "/v2/roles/super-users/users/": OPERATIONS},
    "several at once": {"/v2/users/": ["READ"], "/v2/users/search/": ["EXECUTE"], "/v2/roles/": ["CREATE", "UPDATE"], LOGIN: ["READ"]},
    "actions by the permissions": {"/v2/permissions/": ["EXECUTE"]},
    "a resource that nobody serves": {"/v2/repositories/": OPERATIONS},
}


@pytest.mark.parametrize("grants", GRANTS.values(), ids=GRANTS.keys())
@pytest.mark.parametrize("by", ["user", "role", "other spelling"])
def test_attempts(limited, tls_admin, grants, by):
    assert allowed(limited) == set()
    role = tls_admin.new_role()
    tls_admin.join(role, limited.login)
    for resource, operations in grants.items():
        if by == "role":
            tls_admin.grant_role(role, resource, *operations)
        else:
            spelled = resource if by == "user" else f"pulp/api{resource}"[: None if resource == "/" else -1]
            tls_admin.grant(limited.login, spelled, *operations)
    assert allowed(limited) == covered(grants)
    for resource, operations in grants.items():
        (tls_admin.revoke_role if by == "role" else tls_admin.revoke)(role if by == "role" else limited.login, resource, *operations)
    assert allowed(limited) == set()
    tls_admin.delete(f"{ROLES}{role}/")


def test_the_path_is_the_one_that_is_called(limited, tls_admin):
    """Whatever a path is spelled like, it is routed and authorized as one and the same."""
    own, other = tls_admin.new_user(prefix="a@b"), tls_admin.new_user()
    tls_admin.grant(limited.login, f"{USERS}{own}", "READ")
    for spelled in (own, own.replace("@", "%40"), own.replace("a", "%61", 1), own.replace("-", "%2d")):
        assert body(limited.get(f"{USERS}{spelled}/"))["login"] == own
        assert body(limited.get(f"/v2/%75sers/{spelled}"))["login"] == own
    for path in (f"{USERS}{own}/../{other}/", f"{USERS}{own}/%2e%2e/{other}/", f"{USERS}{own}%2F..%2F{other}/", f"{USERS}{own}/..%2f{other}/"):
        assert limited.get(path).status == 400, path
    denied(limited.get(f"{USERS}{other}/"), limited.login, "READ")
    tls_admin.revoke(limited.login, f"{USERS}{own}", "READ")


def test_resources_that_nobody_serves_are_asked_about_elsewhere(tls, tls_admin):
    """A server of such resources asks here: by the native call and by AuthZEN, with the same answer."""
    native = tls.client()
    login, role = tls_admin.new_user(), tls_admin.new_role()
    base = f"/v2/{unique('repositories')}"
    tls_admin.grant(login, base, "READ")
    tls_admin.grant_role(role, f"{base}/zoo", "UPDATE")
    tls_admin.join(role, login)
    for path, operation, expected in [
        (f"{base}/", "read", True),
        (f"{base}/zoo/", "read", True),
        (f"{base}/zoo/", "update", True),
        (f"{base}/zoo/deep/er/", "update", True),
        (f"{base}/", "update", False),
        (f"{base}-x/", "read", False),
        (f"{base}/zoo/", "delete", False),
        ("/v2/", "read", False),
        ("/", "read", False),
    ]:
        subject, resource = {"type": "user", "id": login}, {"type": "pulp_uri", "id": path}
        question = {"subject": subject, "action": {"name": operation}, "resource": resource}
        assert native.post("/api/v1/check", question).ok().json()["allowed"] is expected, (path, operation)
        assert native.post("/access/v1/evaluation", question).ok().json()["decision"] is expected, (path, operation)
