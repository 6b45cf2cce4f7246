"""The list of permissions and the four actions; grants and roles as section 3 has them."""

import time

import pytest

from pulp_words import (
    ACTIONS,
    OPERATIONS,
    PERMISSIONS,
    ROLES,
    USERS,
    as_user,
    body,
    invalid,
    is_oid,
    missing,
    null,
    rule,
    unique,
)

USER_ACTIONS = ["grant_to_user", "revoke_from_user"]
ROLE_ACTIONS = ["grant_to_role", "revoke_from_role"]


def path(name):
    return f"{ACTIONS}{name}/"


def field(name):
    return "login" if name in USER_ACTIONS else "role_id"


def test_grant_and_revoke(api):
    login, resource = api.new_user(), f"/v2/{unique('repositories')}/"
    api.grant(login, resource, "CREATE", "READ", "DELETE")
    record = body(api.get(f"{PERMISSIONS}?resource={resource}"))
    assert len(record) == 1 and is_oid(record[0]["id"])
    assert record[0] == {
        "_id": {"$oid": record[0]["id"]},
        "_ns": "permissions",
        "id": record[0]["id"],
        "resource": resource,
        "users": {login: ["CREATE", "READ", "DELETE"]},
    }
    assert record[0] in body(api.get(PERMISSIONS))
    api.grant(login, resource, "READ", "UPDATE")
    assert api.permissions(resource) == {resource: {login: ["CREATE", "READ", "UPDATE", "DELETE"]}}
    api.revoke(login, resource, "CREATE", "DELETE", "EXECUTE")
    assert api.permissions(resource) == {resource: {login: ["READ", "UPDATE"]}}
    api.revoke(login, resource, "READ", "UPDATE")
    assert api.permissions(resource) == {} and body(api.get(f"{PERMISSIONS}?resource={resource}")) == []
    api.revoke(login, resource, "READ")


def test_operations_in_any_letter_case_and_repeated(admin):
    login = admin.new_user()
    admin.grant(login, "/case/", "read", "Update", "READ", "eXeCuTe")
    assert admin.permissions("/case/") == {"/case/": {login: ["READ", "UPDATE", "EXECUTE"]}}
    admin.revoke(login, "/case/", "UPDATE", "update")
    assert admin.permissions("/case/") == {"/case/": {login: ["READ", "EXECUTE"]}}


def test_what_every_user_holds(admin):
    login = admin.new_user()
    own = f"{USERS}{login}/"
    assert admin.held(login) == {resource: ["READ", "UPDATE"] for resource in ("/v2/actions/login/", "/v2/actions/logout/", own)}


def test_whoever_makes_a_user_holds_everything_on_them(api):
    login = api.new_user()
    assert api.permissions(f"{USERS}{login}/")[f"{USERS}{login}/"] == {"admin": OPERATIONS, login: ["READ", "UPDATE"]}


@pytest.mark.parametrize("name", USER_ACTIONS + ROLE_ACTIONS)
def test_what_is_missing_is_named_at_once(admin, name):
    who = field(name)
    missing(admin.post(path(name), {}), who, "resource", "operation_names")
    missing(admin.post(path(name), {who: None, "resource": None, "operations": None}), who, "resource", "operation_names")
    missing(admin.post(path(name), {who: "x", "resource": "/x/"}), "operation_names")
    missing(admin.post(path(name), {"resource": "/x/", "operations": ["bad"]}), who)
    missing(admin.post(path(name), {who: "x", "operations": ["READ"]}), "resource")


BAD_OPERATIONS = [[], ["FLY"], ["READ", "FLY"], [None], [""], [1], ["READ", 1], [["READ"]], [{}], [True], "READ", 5, {"READ": 1}, True, ["READ "], ["ALL"]]


@pytest.mark.parametrize("name", USER_ACTIONS + ROLE_ACTIONS)
def test_bad_operations_are_found_before_anything_else(admin, name):
    before = admin.permissions()
    who = admin.new_user() if name in USER_ACTIONS else admin.new_role()
    for bad in BAD_OPERATIONS:
        for whom in (who, "nobody", "super-users"):
            invalid(admin.action(name, whom, "/bad/", bad), "operation_name")
        invalid(admin.action(name, who, 5, bad), "operation_name")
    assert "/bad/" not in admin.permissions()
    assert set(admin.permissions()) - set(before) <= {f"{USERS}{who}/"}


BAD_RESOURCES = [
    "", 7, True, [], {}, ["/x/"], 1.5,
    ".", "..", "/.", "/..", "/./", "/../", "/v2/../x/", "/v2/./x", "../v2/users", "/v2/users/..",
    "//", "/v2//users/", "//v2/users/", "/v2/users//", "///",
    "/v2%2Fusers/", "/v2/%2f/", "/a%2Fb", "/%2E%2E/", "/%2e/", "/v2/%2e%2e/users/",
    "/pulp/api//", "/pulp/api/../x/",
    "/" + "x" * 10_000, "/" + "x" * 1_024, "/é" * 400, "/a" * 65, "/a" * 5_000,
    "/x\u0000/", "/x\n/", "/%00/",
]


@pytest.mark.parametrize("name", USER_ACTIONS + ROLE_ACTIONS)
def test_bad_resources(admin, name):
    who = admin.new_user() if name in USER_ACTIONS else admin.new_role()
    held = admin.held(who), admin.permissions("/")
    for bad in BAD_RESOURCES:
        invalid(admin.action(name, who, bad, ["READ"]), "resource")
    assert (admin.held(who), admin.permissions("/")) == held, "none of these became another resource"
    if name in ROLE_ACTIONS:
        assert admin.role(who)["permissions"] == {}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/", "/"),
        ("/pulp/api", "/"),
        ("/pulp/api/", "/"),
        ("pulp/api/v2/n1/", "/v2/n1/"),
        ("/pulp/api/v2/n2", "/v2/n2/"),
        ("v2/n3", "/v2/n3/"),
        ("/v2/n4", "/v2/n4/"),
        ("/v2/n5/", "/v2/n5/"),
        ("/pulp/apix/", "/pulp/apix/"),
        ("/v2/a@b:c+d/", "/v2/a@b:c+d/"),
        ("/v2/a%40b/", "/v2/a@b/"),
        ("/v2/%6E6/", "/v2/n6/"),
        ("/v2/a b/", "/v2/a%20b/"),
        ("/v2/...", "/v2/.../"),
        ("/é", "/%C3%A9/"),
        ("/" + "/".join("a" * 64), "/" + "a/" * 64),
        ("/V2/Case", "/V2/Case/"),
    ],
)
def test_a_resource_is_normalised_alike_everywhere(admin, given, kept):
    login, role = admin.new_user(), admin.new_role()
    admin.grant(login, given, "READ")
    admin.grant_role(role, given, "UPDATE")
    assert admin.held(login)[kept] == ["READ"]
    assert admin.role(role)["permissions"] == {kept: ["UPDATE"]}
    quoted = given.replace("%", "%25").replace("+", "%2B").replace(" ", "%20").replace("é", "%C3%A9")
    assert admin.permissions(quoted)[kept][login] == ["READ"]
    # Another spelling takes it back.
    admin.revoke(login, kept, "READ")
    admin.revoke_role(role, f"/pulp/api{kept}", "UPDATE")
    assert kept not in admin.held(login) and admin.role(role)["permissions"] == {}


def test_the_filter(admin):
    login = admin.new_user()
    admin.grant(login, "/filter/below/", "READ")
    assert body(admin.get(f"{PERMISSIONS}?resource=/filter/")) == [], "exactly this resource, nothing below"
    assert body(admin.get(f"{PERMISSIONS}?resource=/filter/below/more/")) == []
    assert list(admin.permissions("/filter/below")) == ["/filter/below/"]
    last = body(admin.get(f"{PERMISSIONS}?resource=/nothing/&resource=/filter/below/"))
    assert [one["resource"] for one in last] == ["/filter/below/"]
    assert body(admin.get(f"{PERMISSIONS}?resource=/filter/below/&resource=/nothing/")) == []
    assert len(body(admin.get(f"{PERMISSIONS}?other=x"))) == len(admin.permissions())
    for bad in ("", "//", "/..", "/a/../b", "/%252F", "x" * 10_000, "%FF", "/%00"):
        invalid(admin.get(f"{PERMISSIONS}?resource={bad}"), "resource")


def test_nobody_is_granted_anything(admin):
    for name in USER_ACTIONS:
        invalid(admin.action(name, "nobody", "/x/", ["READ"]), "login")
        invalid(admin.action(name, "nobody", 5, ["READ"]), "login")
        for bad in (5, True, [], {}):
            invalid(admin.action(name, bad, "/x/", ["READ"]), "login")
    for name in ROLE_ACTIONS:
        invalid(admin.action(name, "nothing", "/x/", ["READ"]), "role_id")
        invalid(admin.action(name, "nothing", 5, ["READ"]), "role_id")
        rule(admin.action(name, "super-users", 5, ["READ"]), "super-users role cannot be changed")
        for bad in (5, True, [], {}):
            invalid(admin.action(name, bad, "/x/", ["READ"]), "role_id")
    # The name of upstream's own tasks is taken, and means nothing.
    before = admin.permissions()
    for name in USER_ACTIONS:
        null(admin.action(name, "SYSTEM", "/x/", ["READ"]))
    assert admin.permissions() == before


def test_a_role_gives_to_its_members(api, server):
    role, user = api.new_role(), as_user(server, api)
    resource = f"/{unique('r')}/"
    api.grant_role(role, resource, "READ")
    assert api.permissions(resource) == {}, "a record without users is not listed"
    assert api.role(role)["permissions"] == {resource: ["READ"]}
    api.join(role, user.login)
    assert api.permissions(resource) == {resource: {user.login: ["READ"]}}
    api.grant_role(role, resource, "DELETE")
    assert api.permissions(resource) == {resource: {user.login: ["READ", "DELETE"]}}
    api.leave(role, user.login)
    assert api.permissions(resource) == {}
    body(api.put(f"{USERS}{user.login}/", {"delta": {"roles": [role]}}))
    assert api.permissions(resource) == {resource: {user.login: ["READ", "DELETE"]}}
    api.revoke_role(role, resource, "DELETE")
    assert api.permissions(resource) == {resource: {user.login: ["READ"]}}
    null(api.delete(f"{ROLES}{role}/"))
    assert api.permissions(resource) == {}


def test_two_roles_and_a_direct_grant_are_kept_apart(admin):
    login, one, two = admin.new_user(), admin.new_role(), admin.new_role()
    resource = f"/{unique('r')}/"
    held = lambda: admin.permissions(resource).get(resource, {}).get(login, [])  # noqa: E731
    admin.grant_role(one, resource, "READ", "UPDATE")
    admin.grant_role(two, resource, "UPDATE", "DELETE")
    admin.join(one, login)
    admin.join(two, login)
    admin.grant(login, resource, "DELETE", "EXECUTE")
    assert held() == ["READ", "UPDATE", "DELETE", "EXECUTE"]
    # A direct revoke touches the direct grant alone.
    admin.revoke(login, resource, "READ", "DELETE")
    assert held() == ["READ", "UPDATE", "DELETE", "EXECUTE"]
    admin.revoke_role(one, resource, "UPDATE")
    assert held() == ["READ", "UPDATE", "DELETE", "EXECUTE"], "the other role has it, too"
    null(admin.delete(f"{ROLES}{two}/"))
    assert held() == ["READ", "EXECUTE"]
    admin.leave(one, login)
    assert held() == ["EXECUTE"], "a direct grant outlives every role"


def test_one_call_is_one_entry_and_a_call_without_effect_is_none(admin, native):
    def entries(work):
        before = native.get("/api/v1/schema").revision
        work()
        return native.get("/api/v1/schema").revision - before

    role, login = admin.new_role(), admin.new_user()
    assert entries(lambda: admin.grant(login, "/one/", *OPERATIONS)) == 1
    assert entries(lambda: admin.grant(login, "/one/", *OPERATIONS)) == 0
    assert entries(lambda: admin.revoke(login, "/one/", "READ", "UPDATE")) == 1
    assert entries(lambda: admin.revoke(login, "/one/", "READ", "UPDATE")) == 0
    assert entries(lambda: admin.join(role, login)) == 1
    assert entries(lambda: admin.join(role, login)) == 0
    assert entries(lambda: admin.grant_role(role, "/one/", *OPERATIONS)) == 1
    assert entries(lambda: admin.new_user()) == 1
    assert entries(lambda: body(admin.put(f"{USERS}{login}/", {"delta": {"name": "n", "roles": []}}))) == 1
    assert entries(lambda: body(admin.put(f"{USERS}{login}/", {"delta": {"name": "n", "roles": []}}))) == 0
    assert entries(lambda: admin.delete(f"{USERS}{login}/")) == 1
    assert entries(lambda: admin.delete(f"{USERS}{login}/")) == 0


def test_a_large_list_is_whole(admin, native):
    before = len(admin.permissions())
    login = admin.new_user()
    write = [{"resource": f"pulp_uri:/large/{n}/", "relation": "read", "subject": f"user:{login}"} for n in range(3_000)]
    assert native.post("/api/v1/relationships", {"write": write}).status == 200
    begun = time.monotonic()
    assert len(admin.permissions()) == before + 1 + 3_000
    assert time.monotonic() - begun < 5
