"""Roles and their members: every row of section 2 that is about them."""

import pytest

from pulp_words import (
    OPERATIONS,
    ROLES,
    as_user,
    body,
    denied,
    duplicate,
    invalid,
    not_found,
    null,
    rule,
    unique,
)


def test_create(api):
    role = unique("role-test")
    answer = api.post(ROLES, {"role_id": role, "display_name": "Role Test", "description": "Demo Role"})
    made = body(answer, 201)
    href = f"{api.client.base}{ROLES}{role}/"
    assert answer.headers["Location"] == href
    expected = {"_ns": "roles", "id": role, "display_name": "Role Test", "description": "Demo Role", "permissions": {}, "_href": href}
    assert {name: value for name, value in made.items() if name != "_id"} == expected
    shown = api.role(role)
    assert shown == {**made, "users": []}
    assert shown in body(api.get(ROLES))


def test_what_is_left_out(admin):
    role = admin.new_role()
    shown = admin.role(role)
    assert (shown["display_name"], shown["description"]) == (role, None)
    role = admin.new_role(display_name=None, description=None)
    assert (admin.role(role)["display_name"], admin.role(role)["description"]) == (role, None)


def test_create_refuses(admin):
    before = body(admin.get(ROLES))
    for bad in ({}, {"role_id": None}, {"role_id": ""}, {"role_id": "a.b"}, {"role_id": "a@b"}, {"role_id": "a b"}, {"role_id": "ä"}):
        invalid(admin.post(ROLES, bad), "role_id")
    for bad in (5, [], {}, True, ["x"], "x" * 256, "a\n", "..", "a/b"):
        invalid(admin.post(ROLES, {"role_id": bad}), "role_id")
    for field in ("display_name", "description"):
        for bad in (5, [], {}, True):
            invalid(admin.post(ROLES, {"role_id": unique("role"), field: bad}), field)
    duplicate(admin.post(ROLES, {"role_id": "super-users"}), "super-users")
    assert body(admin.get(ROLES)) == before


@pytest.mark.parametrize("role", ["a", "-", "_", "A-b_9", "x" * 255])
def test_ids_at_the_edge(admin, role):
    body(admin.post(ROLES, {"role_id": role}), 201)
    assert admin.role(role)["id"] == role
    null(admin.delete(f"{ROLES}{role}/"))


def test_update(api):
    role = api.new_role()
    path = f"{ROLES}{role}/"
    api.grant_role(role, "/x/", "READ", "UPDATE")
    changed = body(api.put(path, {"delta": {"display_name": "New", "description": "D", "id": "ignored"}}))
    assert "users" not in changed and changed["permissions"] == {"/x/": ["READ", "UPDATE"]}
    assert (changed["id"], changed["display_name"], changed["description"]) == (role, "New", "D")
    # What the official client sends for an option that it was not given.
    assert body(api.put(path, {"delta": {"display_name": None, "description": "E"}}))["display_name"] == "New"
    assert api.role(role)["description"] == "E"
    assert body(api.put(path, {"delta": {}}))["description"] == "E"


def test_update_refuses(admin):
    role = admin.new_role()
    path = f"{ROLES}{role}/"
    for bad in ({}, {"delta": None}, {"delta": []}, {"delta": "x"}):
        invalid(admin.put(path, bad), "delta")
    rule(admin.put(path, {"delta": {"users": []}}), "Update Keyword [users] is not supported")
    rule(admin.put(path, {"delta": {"display_name": "x", "permissions": {}}}), "Update Keyword [permissions] is not supported")
    for field in ("display_name", "description"):
        for bad in (5, [], {}, True):
            invalid(admin.put(path, {"delta": {field: bad}}), field)
    not_found(admin.put(f"{ROLES}nothing/", {"delta": {"display_name": "x"}}), resource_id="nothing")
    assert admin.role(role)["display_name"] == role


def test_delete(api):
    role = api.new_role()
    null(api.delete(f"{ROLES}{role}/"))
    not_found(api.get(f"{ROLES}{role}/"), resource_id=role)
    not_found(api.delete(f"{ROLES}{role}/"), resource_id=role)


def test_members(api):
    role, login = api.new_role(), api.new_user()
    path = f"{ROLES}{role}/users/"
    assert body(api.get(path)) == []
    null(api.post(path, {"login": login}))
    null(api.post(path, {"login": login}))
    # Upstream answers 500 here.
    assert body(api.get(path)) == [api.user(login)]
    assert api.role(role)["users"] == [login] and api.user(login)["roles"] == [role]
    null(api.delete(f"{path}{login}/"))
    null(api.delete(f"{path}{login}/"))
    assert body(api.get(path)) == [] and api.user(login)["roles"] == []


def test_members_refuse(admin):
    role, login = admin.new_role(), admin.new_user()
    path = f"{ROLES}{role}/users/"
    for bad in ({}, {"login": None}, {"login": "nobody"}, {"login": 5}, {"login": [login]}, {"login": ""}, {"login": {}}):
        invalid(admin.post(path, bad), "login")
    not_found(admin.post(f"{ROLES}nothing/users/", {"login": login}), resource_id="nothing")
    not_found(admin.get(f"{ROLES}nothing/users/"), resource_id="nothing")
    not_found(admin.delete(f"{ROLES}nothing/users/{login}/"), resource_id="nothing")
    not_found(admin.delete(f"{path}nobody/"), login="nobody")
    assert admin.role(role)["users"] == []


def test_super_users_are_fixed(api):
    shown = api.role("super-users")
    assert shown["permissions"] == {"/": OPERATIONS} and shown["users"] == ["admin"]
    rule(api.delete(f"{ROLES}super-users/"), "Role super-users cannot be changed")
    for name in ("grant_to_role", "revoke_from_role"):
        rule(api.action(name, "super-users", "/x/", ["READ"]), "super-users role cannot be changed")
        rule(api.action(name, "super-users", "/", ["READ"]), "super-users role cannot be changed")
    changed = body(api.put(f"{ROLES}super-users/", {"delta": {"display_name": "Root", "description": "All"}}))
    assert (changed["display_name"], changed["description"]) == ("Root", "All")
    assert {**api.role("super-users"), "display_name": "x"} == {**shown, "display_name": "x", "description": "All"}
    body(api.put(f"{ROLES}super-users/", {"delta": {"display_name": "super-users", "description": ""}}))


def test_a_super_user_may_everything_and_that_cannot_be_revoked(api, server):
    user = as_user(server, api)
    denied(user.get(ROLES), user.login, "READ")
    api.join("super-users", user.login)
    assert api.permissions("/")["/"][user.login] == OPERATIONS
    assert user.role("super-users")["users"] == sorted(["admin", user.login])
    api.revoke(user.login, "/", *OPERATIONS)
    user.new_role()
    api.leave("super-users", user.login)
    denied(user.get(ROLES), user.login, "READ")


def test_a_role_made_again_starts_empty(api, server):
    role, user = api.new_role(), as_user(server, api)
    api.grant_role(role, "/v2/roles/", "READ")
    api.join(role, user.login)
    body(user.get(ROLES))
    null(api.delete(f"{ROLES}{role}/"))
    denied(user.get(ROLES), user.login, "READ")
    body(api.post(ROLES, {"role_id": role}), 201)
    shown = api.role(role)
    assert (shown["users"], shown["permissions"]) == ([], {})
    denied(user.get(ROLES), user.login, "READ")
    assert api.user(user.login)["roles"] == []
