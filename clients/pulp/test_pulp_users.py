"""Users: every row of section 2 that is about them."""

import pytest

from pulp_words import (
    ROLES,
    USERS,
    as_user,
    body,
    denied,
    duplicate,
    error,
    invalid,
    is_oid,
    missing,
    new_password,
    not_found,
    null,
    rule,
    unique,
)

FIELDS = {"_id", "_ns", "_href", "id", "login", "name", "roles"}


def test_create(api):
    login = unique("test-login")
    answer = api.post(USERS, {"login": login, "password": new_password(), "name": "test name"})
    made = body(answer, 201)
    href = f"{api.client.base}{USERS}{login}/"
    assert answer.headers["Location"] == href
    assert set(made) == FIELDS and is_oid(made["id"]) and made["_id"] == {"$oid": made["id"]}
    assert (made["login"], made["name"], made["roles"], made["_ns"], made["_href"]) == (login, "test name", [], "users", href)
    assert api.user(login) == made
    assert made in body(api.get(USERS))
    assert body(api.get(f"{USERS}search/")) == body(api.get(USERS))


def test_the_name_is_the_login_unless_one_is_given(admin):
    login = admin.new_user()
    assert admin.user(login)["name"] == login
    assert admin.user(admin.new_user(name="Ann Ångström"))["name"] == "Ann Ångström"
    login = admin.new_user(name=None)
    assert admin.user(login)["name"] == login


def test_create_refuses(admin):
    before = body(admin.get(USERS))
    missing(admin.post(USERS, {}), "login")
    missing(admin.post(USERS, {"login": None, "name": "x"}), "login")
    for bad in ("", " ", "a b", "a/b", "a+b", "ä", "a\n", "x" * 151, ".", "..", "a%b", "a:b"):
        invalid(admin.post(USERS, {"login": bad}), "login")
    for bad in (5, True, [], {}, ["x"], 1.5):
        invalid(admin.post(USERS, {"login": bad}), "login")
        invalid(admin.post(USERS, {"login": unique("user"), "password": bad}), "password")
        invalid(admin.post(USERS, {"login": unique("user"), "name": bad}), "name")
    invalid(admin.post(USERS, {"login": unique("user"), "password": ""}), "password")
    invalid(admin.post(USERS, {"login": unique("user"), "name": "x" * 300}), "name")
    value = duplicate(admin.post(USERS, {"login": "admin"}), "admin")
    assert value["error_message"] == "Duplicate resource: admin"
    assert body(admin.get(USERS)) == before


@pytest.mark.parametrize("login", ["a", "a.b@c-d_e", "A", "-", "@", "...", "x" * 150])
def test_logins_at_the_edge(admin, login):
    made = body(admin.post(USERS, {"login": login}), 201)
    assert admin.user(login) == made
    null(admin.delete(f"{USERS}{login}/"))


def test_logins_are_case_sensitive(admin):
    login = unique("user")
    admin.new_user(login=login)
    not_found(admin.get(f"{USERS}{login.upper()}/"), login=login.upper())
    admin.new_user(login=login.upper())


def test_a_percent_encoded_login_is_the_same(admin):
    login = admin.new_user(prefix="a.b@c")
    encoded = login.replace("@", "%40").replace(".", "%2E")
    assert admin.get(f"{USERS}{encoded}/").json() == admin.user(login)
    null(admin.delete(f"{USERS}{encoded}/"))


def test_update(api, server):
    user = as_user(server, api)
    role, other = api.new_role(), api.new_role()
    changed = body(api.put(f"{USERS}{user.login}/", {"delta": {"name": "N", "roles": [role]}}))
    assert set(changed) == FIELDS and (changed["name"], changed["roles"]) == ("N", [role])
    # The set is replaced, also by an empty one; null changes nothing.
    path = f"{USERS}{user.login}/"
    assert body(api.put(path, {"delta": {"roles": [other, other]}}))["roles"] == [other]
    assert body(api.put(path, {"delta": {"roles": None, "name": None, "password": None}}))["roles"] == [other]
    assert body(api.put(path, {"delta": {}}))["name"] == "N"
    assert user.user(user.login)["roles"] == [other]
    assert body(api.put(path, {"delta": {"roles": []}}))["roles"] == []
    password = new_password()
    assert body(api.put(path, {"delta": {"password": password}}))["login"] == user.login
    error(user.get(path), 401, "PLP0030")
    assert server.nobody(basic=(user.login, password), base=api.client.base).get(path).status == 200


def test_update_refuses(admin):
    role, login = admin.new_role(), admin.new_user(name="before")
    path = f"{USERS}{login}/"
    before = admin.user(login)
    for bad in ({}, {"delta": None}, {"delta": []}, {"delta": "x"}, {"delta": 5}, {"name": "x"}):
        invalid(admin.put(path, bad), "delta")
    for bad in ("x", {}, 5, True, [5], [role, None], {role: 1}):
        invalid(admin.put(path, {"delta": {"roles": bad}}), "roles")
    for field in ("name", "password"):
        for bad in (5, [], {}, False):
            invalid(admin.put(path, {"delta": {field: bad}}), field)
    invalid(admin.put(path, {"delta": {"password": ""}}), "password")
    not_found(admin.put(path, {"delta": {"roles": ["no-such-role"]}}), resource_id="no-such-role")
    not_found(admin.put(f"{USERS}nobody/", {"delta": {"name": "x"}}), login="nobody")
    # Nothing of a refused call is done.
    invalid(admin.put(path, {"delta": {"name": "after", "roles": [role], "colour": 1}}), "colour")
    not_found(admin.put(path, {"delta": {"name": "after", "roles": [role, "no-such-role"]}}), resource_id="no-such-role")
    assert admin.user(login) == before and admin.role(role)["users"] == []


def test_delete(api):
    login = api.new_user()
    null(api.delete(f"{USERS}{login}/"))
    not_found(api.get(f"{USERS}{login}/"), login=login)
    not_found(api.delete(f"{USERS}{login}/"), login=login)
    assert login not in [user["login"] for user in body(api.get(USERS))]


def test_deleting_takes_grants_and_memberships_along(admin):
    login, role = admin.new_user(), admin.new_role()
    admin.grant(login, "/x/of/" + login, "READ")
    admin.join(role, login)
    null(admin.delete(f"{USERS}{login}/"))
    assert admin.held(login) == {} and admin.role(role)["users"] == []
    assert f"/x/of/{login}/" not in admin.permissions(), "a record without users vanishes"
    admin.new_user(login=login)
    own = {"/v2/actions/login/", "/v2/actions/logout/", f"{USERS}{login}/"}
    assert set(admin.held(login)) == own and admin.user(login)["roles"] == []


def test_the_last_super_user_stays(api):
    rule(api.delete(f"{USERS}admin/"), "The last superuser [admin] cannot be deleted")
    kept = "super-users cannot be empty, and admin is the last member"
    rule(api.put(f"{USERS}admin/", {"delta": {"roles": []}}), kept)
    rule(api.delete(f"{ROLES}super-users/users/admin/"), kept)
    assert api.user("admin")["roles"] == ["super-users"]
    second = api.new_user()
    api.join("super-users", second)
    body(api.put(f"{USERS}{second}/", {"delta": {"roles": []}}))
    api.join("super-users", second)
    null(api.delete(f"{USERS}{second}/"))


def test_a_login_called_search_is_nobodys(admin):
    invalid(admin.post(USERS, {"login": "search"}), "login")


def test_what_a_user_may_do_with_themselves(api, server):
    user = as_user(server, api)
    assert user.user(user.login)["login"] == user.login
    assert body(user.put(f"{USERS}{user.login}/", {"delta": {"name": "me"}}))["name"] == "me"
    denied(user.delete(f"{USERS}{user.login}/"), user.login, "DELETE")
    denied(user.get(USERS), user.login, "READ")


def test_passwords_are_never_shown(admin):
    password = new_password()
    login = admin.new_user(password=password)
    for path in (USERS, f"{USERS}{login}/", f"{USERS}search/"):
        assert password.encode() not in admin.get(path).raw
