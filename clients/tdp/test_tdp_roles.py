"""Roles and content types."""

import pytest

from portal import ANONYMOUS, DENIED, PASSWORD, said

PATH = "/v1/roles/"


def of_name(cast, name):
    return next(role for role in cast.admin.get(PATH).json() if role["name"] == name)


def test_the_life_of_a_role(cast, fresh):
    first = [one["id"] for one in cast.admin.get("/v1/permissions/").json()[:3]]
    made = cast.admin.post(PATH, json={"name": f" OFA {fresh} ", "permissions": first[::-1]})
    number = made.json()["id"]
    said(made, 201, {"id": number, "name": f"OFA {fresh}", "permissions": first})
    path = f"{PATH}{number}/"
    said(cast.admin.get(path), 200, made.json())
    assert made.json() in cast.admin.get(PATH).json()
    said(cast.admin.put(path, json={"name": fresh, "permissions": [str(first[0])]}), 200, {
        "id": number, "name": fresh, "permissions": first[:1],
    })
    said(cast.admin.patch(path, json={"permissions": []}), 200, {"id": number, "name": fresh, "permissions": []})
    said(cast.admin.patch(path, json={}), 200, {"id": number, "name": fresh, "permissions": []})
    gone = cast.admin.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    said(cast.admin.get(path), 404, {"detail": "No Group matches the given query."})
    again = cast.admin.post(PATH, json={"name": fresh}).json()
    assert again["id"] > number and again["permissions"] == []


def test_field_errors(cast, fresh):
    cast.admin.post(PATH, json={"name": fresh})
    taken = {"name": ["group with this name already exists."]}
    for body, fields in [
        ({"name": fresh}, taken),
        ({"name": "admin"}, taken),
        ({}, {"name": ["This field is required."]}),
        ({"name": "x" * 151}, {"name": ["Ensure this field has no more than 150 characters."]}),
        ({"name": "😀" * 151}, {"name": ["Ensure this field has no more than 150 characters."]}),
        ({"name": "n", "permissions": [99999]}, {"permissions": ['Invalid pk "99999" - object does not exist.']}),
        ({"name": "n", "permissions": 5}, {"permissions": ['Expected a list of items but got type "int".']}),
        ({"name": "n", "permissions": "1"}, {"permissions": ['Expected a list of items but got type "str".']}),
        ({"name": "n", "permissions": ["x"]}, {
            "permissions": ["Incorrect type. Expected pk value, received str."],
        }),
        ({"name": "n", "permissions": None}, {"permissions": ["This field may not be null."]}),
    ]:
        said(cast.admin.post(PATH, json=body), 400, fields)
    other = cast.admin.post(PATH, json={"name": fresh + "_other"}).json()
    said(cast.admin.patch(f"{PATH}{other['id']}/", json={"name": fresh}), 400, taken)
    said(cast.admin.patch(f"{PATH}{other['id']}/", json={"name": fresh + "_other"}), 200, other)
    emoji = cast.admin.post(PATH, json={"name": "😀" * 100 + fresh})
    assert emoji.status_code == 201 and emoji.json()["permissions"] == []


def test_a_form_without_permissions_has_none(cast, fresh):
    made = cast.admin.post(PATH, data={"name": fresh, "permissions": ["1", "2"]})
    assert made.status_code == 201 and sorted(made.json()["permissions"]) == [1, 2], made.text
    path = f"{PATH}{made.json()['id']}/"
    assert cast.admin.patch(path, data={"name": fresh}).json()["permissions"] == made.json()["permissions"]
    assert cast.admin.put(path, data={"name": fresh}).json()["permissions"] == []


def test_two_of_one_name(cast, fresh):
    """Only the users-and-roles dialect makes them."""
    api = cast.server.client()
    for key in (f"{fresh}-1", f"{fresh}-2"):
        api.post("/api/v1/roles", {"key": key, "display_name": f"Same {fresh}"}).ok()
    api.close()
    names = [role["name"] for role in cast.admin.get(PATH).json()]
    assert f"Same {fresh}" in names and f"Same {fresh} ({fresh}-2)" in names


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_who_may_not(cast, method):
    for path in (PATH, f"{PATH}1/", "/v1/content_types/"):
        said(cast.nobody.request(method, path, json={}), 403, ANONYMOUS)
        said(cast.stale.request(method, path, json={}), 403, ANONYMOUS)
        said(cast.plain.request(method, path, json={}), 403, DENIED)


def test_super_users_are_not_an_admins_to_change(cast):
    path = f"{PATH}{of_name(cast, 'super-users')['id']}/"
    said(cast.admin.patch(path, json={"name": "mine"}), 403, DENIED)
    assert cast.admin.patch(path, json={"permissions": [1]}).status_code == 403
    assert cast.admin.delete(path).status_code == 403
    with cast.admin_of_the_first_start() as root:
        assert root.patch(path, json={"permissions": [1]}).status_code == 403
        assert root.delete(path).status_code == 403


def test_an_admin_takes_no_role_away_that_is_worth_more(cast, fresh):
    api = cast.server.client()
    api.post("/api/v1/roles", {"key": fresh}).ok()
    api.post("/api/v1/relationships", {
        "write": [{"resource": "grantd:default", "relation": "operator", "subject": f"role:{fresh}#member"}],
    }).ok()
    api.close()
    said(cast.admin.delete(f"{PATH}{of_name(cast, fresh)['id']}/"), 403, DENIED)


def test_only_admins_and_super_users_change_the_role_admin(cast, fresh):
    """Each write of each dialect, by somebody who may do much, but is neither."""
    api = cast.server.client()
    body = {"login": fresh, "password": PASSWORD}
    api.post("/api/v1/users", body).ok()
    write = [
        {"resource": "grantd:default", "relation": relation, "subject": f"user:{fresh}"}
        for relation in ("operator", "writer", "approver")
    ]
    write += [
        {"resource": "pulp_uri:/", "relation": relation, "subject": f"user:{fresh}"}
        for relation in ("create", "read", "update", "delete", "execute")
    ]
    # What is worth as much as that is written by who holds as much.
    api.post("/api/v1/relationships", {"write": write}).ok()
    before = api.get("/api/v1/roles/admin/members").ok().raw
    for role in ("admin", "super-users"):
        attempts = [
            ("PATCH", f"/api/v1/roles/{role}", {"display_name": "Mine"}),
            ("DELETE", f"/api/v1/roles/{role}", None),
            ("PUT", f"/api/v1/roles/{role}/members/user:{fresh}", None),
            ("DELETE", f"/api/v1/roles/{role}/members/user:{'adele' if role == 'admin' else 'admin'}", None),
            ("PATCH", f"/api/v1/users/{fresh}", {"roles": [role]}),
            ("POST", "/api/v1/users", {"login": f"{fresh}_2", "roles": [role]}),
            ("PATCH", f"/api/v1/users/{'adele' if role == 'admin' else 'admin'}", {"password": "another password"}),
            ("DELETE", f"/api/v1/users/{'adele' if role == 'admin' else 'admin'}", None),
            ("POST", "/api/v1/relationships", {
                "write": [{"resource": f"role:{role}", "relation": "member", "subject": f"user:{fresh}"}],
            }),
            ("POST", "/api/v1/relationships", {
                "write": [{"resource": "tdp_permission:1", "relation": "holder", "subject": f"role:{role}#member"}],
            }),
            ("PUT", f"/pulp/api/v2/roles/{role}/", {"delta": {"display_name": "Mine"}}),
            ("DELETE", f"/pulp/api/v2/roles/{role}/", None),
            ("POST", f"/pulp/api/v2/roles/{role}/users/", {"login": fresh}),
            ("DELETE", f"/pulp/api/v2/roles/{role}/users/{'adele' if role == 'admin' else 'admin'}/", None),
            ("PUT", f"/pulp/api/v2/users/{fresh}/", {"delta": {"roles": [role]}}),
            ("DELETE", f"/pulp/api/v2/users/{'adele' if role == 'admin' else 'admin'}/", None),
            ("POST", "/pulp/api/v2/permissions/actions/grant_to_role/", {
                "role_id": role, "resource": "/x/", "operations": ["READ"],
            }),
        ]
        pulp, native = cast.server.nobody(basic=(fresh, PASSWORD)), cast.server.nobody(key=key_of(api, fresh))
        for method, path, body in attempts:
            who = pulp if path.startswith("/pulp") else native
            answer = who.call(method, path, body)
            assert 400 <= answer.status < 500 and answer.status != 404, f"{method} {path}: {answer.status} {answer.raw}"
        line = f'{{"resource":"role:{role}","relation":"member","subject":"user:{fresh}"}}\n'.encode()
        imported = native.call("POST", "/api/v1/relationships/import", line, content_type="application/x-ndjson")
        assert imported.ok().json()["refused"] == 1, imported.raw
        pulp.close()
        native.close()
    assert api.get("/api/v1/roles/admin/members").ok().raw == before
    assert fresh not in api.get("/api/v1/roles/super-users/members").ok().raw.decode()
    api.close()


def key_of(api, login):
    """A key that holds what the user holds."""
    from harness import record_secret

    made = api.post("/api/v1/keys", {"name": login, "grants": ["operator", "writer", "approver"]})
    return record_secret("api key", made.ok().json()["key"])


def test_content_types(cast, fresh):
    made = cast.admin.post("/v1/content_types/", json={"app_label": fresh, "model": "report", "name": "yearly report"})
    number = made.json()["id"]
    said(made, 201, {"id": number, "app_label": fresh, "model": "report"})
    assert made.json() in cast.admin.get("/v1/content_types/").json()
    mine = [one for one in cast.admin.get("/v1/permissions/").json() if one["content_type"] == number]
    assert [(one["codename"], one["name"]) for one in mine] == [
        (f"{action}_report", f"Can {action} yearly report") for action in ("add", "change", "delete", "view")
    ]
    said(cast.admin.post("/v1/content_types/", json={"app_label": fresh, "model": "report"}), 400, {
        "non_field_errors": ["The fields app_label, model must make a unique set."],
    })
    said(cast.admin.post("/v1/content_types/", json={"model": "x" * 101}), 400, {
        "app_label": ["This field is required."],
        "model": ["Ensure this field has no more than 100 characters."],
    })
    bad = cast.admin.post("/v1/content_types/", json={"app_label": "Not.One", "model": "å"})
    assert bad.status_code == 400 and set(bad.json()) == {"app_label", "model"}
