"""What is wrong upstream, section 4 of the contract by its numbers, and mended here. What another file tests is named there."""

from pulp_words import (
    OPERATIONS,
    PERMISSIONS,
    ROLES,
    USERS,
    as_user,
    body,
    denied,
    invalid,
    not_found,
    null,
    unique,
)


def held_on(api, resource, login):
    return api.permissions(resource).get(resource, {}).get(login, [])


def test_1_nobody_promotes_themselves(api, server):
    user, role = as_user(server, api), api.new_role()
    api.grant_role(role, "/v2/users/", "READ")
    path = f"{USERS}{user.login}/"
    for roles in (["super-users"], [role], [role, "super-users"]):
        denied(user.put(path, {"delta": {"roles": roles, "name": "x"}}), user.login, "UPDATE")
    assert (user.user(user.login)["roles"], user.user(user.login)["name"]) == ([], user.login)
    # What changes nothing needs nothing.
    assert body(user.put(path, {"delta": {"roles": [], "name": "me"}}))["name"] == "me"
    # Who may change the role may; into super-users only super users put anybody.
    api.grant(user.login, f"{ROLES}{role}/", "UPDATE")
    assert body(user.put(path, {"delta": {"roles": [role]}}))["roles"] == [role]
    api.grant(user.login, "/v2/roles/", "UPDATE", "DELETE")
    denied(user.put(path, {"delta": {"roles": [role, "super-users"]}}), user.login, "UPDATE")
    denied(user.post(f"{ROLES}super-users/users/", {"login": user.login}), user.login, "UPDATE")
    denied(user.delete(f"{ROLES}super-users/users/admin/"), user.login, "UPDATE")
    assert user.user(user.login)["roles"] == [role] and api.user("admin")["roles"] == ["super-users"]


def test_2_a_direct_grant_outlives_the_role(admin):
    for take_away in ("revoke", "leave", "delete", "put"):
        login, role, resource = admin.new_user(), admin.new_role(), f"/{unique('r')}/"
        admin.grant(login, resource, "READ")
        admin.grant_role(role, resource, "READ", "UPDATE")
        admin.join(role, login)
        assert held_on(admin, resource, login) == ["READ", "UPDATE"]
        match take_away:
            case "revoke":
                admin.revoke_role(role, resource, "READ", "UPDATE")
            case "leave":
                admin.leave(role, login)
            case "delete":
                null(admin.delete(f"{ROLES}{role}/"))
            case "put":
                body(admin.put(f"{USERS}{login}/", {"delta": {"roles": []}}))
        assert held_on(admin, resource, login) == ["READ"], take_away


def test_3_revoking_from_a_role_what_it_does_not_hold(admin):
    login, role, resource = admin.new_user(), admin.new_role(), f"/{unique('r')}/"
    admin.grant_role(role, resource, "READ")
    admin.join(role, login)
    admin.grant(login, resource, "DELETE")
    admin.revoke_role(role, resource, "DELETE")
    assert held_on(admin, resource, login) == ["READ", "DELETE"]
    assert admin.role(role)["permissions"] == {resource: ["READ"]}


def test_4_revoking_from_a_user_what_a_role_gives(admin):
    login, role, resource = admin.new_user(), admin.new_role(), f"/{unique('r')}/"
    admin.grant_role(role, resource, "READ")
    admin.join(role, login)
    admin.revoke(login, resource, "READ")
    assert held_on(admin, resource, login) == ["READ"], "the role still gives it, and the role still says so"
    assert admin.role(role)["permissions"] == {resource: ["READ"]}


def test_5_a_second_role_on_a_parent(admin, server):
    user, one, two = as_user(server, admin), admin.new_role(), admin.new_role()
    admin.grant_role(one, "/v2/roles/super-users/", "READ")
    admin.grant_role(two, "/v2/roles/", "READ")
    admin.join(one, user.login)
    admin.join(two, user.login)
    admin.revoke_role(one, "/v2/roles/super-users/", "READ")
    assert user.role("super-users")["id"] == "super-users"
    null(admin.delete(f"{ROLES}{two}/"))
    denied(user.get(f"{ROLES}super-users/"), user.login, "READ")


def test_6_whoever_makes_a_user_may_administer_them(server, admin):
    maker = as_user(server, admin)
    admin.grant(maker.login, USERS, "CREATE")
    login = maker.new_user()
    assert held_on(admin, f"{USERS}{login}/", maker.login) == OPERATIONS
    assert maker.user(login)["login"] == login
    assert body(maker.put(f"{USERS}{login}/", {"delta": {"name": "made"}}))["name"] == "made"
    null(maker.delete(f"{USERS}{login}/"))
    assert b"null" not in admin.get(PERMISSIONS).raw


def test_10_one_path_for_routing_and_authorization(server, admin):
    login = unique("a@b")
    user = as_user(server, admin)
    body(admin.post(USERS, {"login": login}), 201)
    own = as_user(server, admin, login)
    # What the official client sends for such a login.
    assert own.user(login.replace("@", "%40"))["login"] == login
    for path in (f"{USERS}{user.login}/../", f"{USERS}{user.login}/../../roles/", f"{USERS}{user.login}/%2e%2e/"):
        assert user.get(path).status == 400, path
    denied(user.get(ROLES), user.login, "READ")


def test_13_nothing_is_done_of_a_call_that_is_refused(admin):
    login, role = admin.new_user(), admin.new_role()
    admin.join(role, login)
    invalid(admin.put(f"{USERS}{login}/", {"delta": {"roles": [], "name": "x", "colour": 1}}), "colour")
    not_found(admin.put(f"{USERS}{login}/", {"delta": {"roles": ["nothing"], "name": "x"}}), resource_id="nothing")
    assert (admin.user(login)["roles"], admin.user(login)["name"]) == ([role], login)
    assert body(admin.put(f"{USERS}{login}/", {"delta": {"roles": []}}))["roles"] == []


def test_14_grants_on_what_is_deleted_are_gone(admin, server):
    other = as_user(server, admin)
    login, role = admin.new_user(), admin.new_role()
    for resource in (f"{USERS}{login}/", f"{ROLES}{role}/"):
        admin.grant(other.login, resource, "READ")
    assert other.user(login) and other.role(role)
    null(admin.delete(f"{USERS}{login}/"))
    null(admin.delete(f"{ROLES}{role}/"))
    admin.new_user(login=login)
    body(admin.post(ROLES, {"role_id": role}), 201)
    denied(other.get(f"{USERS}{login}/"), other.login, "READ")
    denied(other.get(f"{ROLES}{role}/"), other.login, "READ")
    assert f"{USERS}{login}/" not in admin.held(other.login)


def test_16_and_17_names_and_nulls(admin):
    role = admin.new_role(display_name="kept")
    invalid(admin.post(f"{ROLES}{role}/users/", {}), "login")
    assert body(admin.put(f"{ROLES}{role}/", {"delta": {"display_name": None}}))["display_name"] == "kept"


def test_18_errors_tell_nothing_of_the_inside(admin):
    for answer in (admin.get(f"{USERS}nobody/"), admin.post(USERS, {"login": []}), admin.post(USERS, b"{")):
        value = answer.json()
        assert value["traceback"] is None and value["exception"] is None
        assert "Traceback" not in answer.raw.decode() and ".rs" not in answer.raw.decode()
