"""Permissions: what an admin does with them, and every way in which it can be wrong."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from portal import ANONYMOUS, DENIED, said

PATH = "/v1/permissions/"
ONE = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
LIST = "GET, POST, HEAD, OPTIONS"


def make(cast, codename, **more):
    answer = cast.admin.post(PATH, json={"codename": codename, "name": "Can", "content_type": None, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_the_life_of_a_permission(cast, fresh, content_type):
    body = {"codename": fresh, "name": "Can Submit STT Data", "content_type": content_type}
    made = cast.admin.post(PATH, json=body)
    number = made.json()["id"]
    assert isinstance(number, int) and number < 1_000_000
    said(made, 201, {"id": number, **body})
    assert "Location" not in made.headers
    path = f"{PATH}{number}/"
    said(cast.admin.get(path), 200, {"id": number, **body})
    assert body | {"id": number} in cast.admin.get(PATH).json()
    renamed = {**body, "codename": fresh + "_x", "name": "Ünï"}
    said(cast.admin.put(path, json=renamed), 200, {"id": number, **renamed})
    said(cast.admin.patch(path, json={"name": "Other"}), 200, {"id": number, **renamed, "name": "Other"})
    said(cast.admin.patch(path, json={}), 200, {"id": number, **renamed, "name": "Other"})
    gone = cast.admin.delete(path, json={"any": "body"})
    assert (gone.status_code, gone.content) == (204, b"")
    assert "Content-Type" not in gone.headers
    said(cast.admin.get(path), 404, {"detail": "No Permission matches the given query."})
    assert make(cast, fresh)["id"] > number, "a number is never used again"


def test_the_list_is_an_array_in_order(cast):
    listed = cast.admin.get(PATH, params={"page": 2}).json()
    kinds = {kind["id"]: (kind["app_label"], kind["model"]) for kind in cast.admin.get("/v1/content_types/").json()}
    keys = [(*kinds[one["content_type"]], one["codename"]) for one in listed]
    assert keys == sorted(keys)
    assert keys[0] == ("auth", "group", "add_group")
    assert list(listed[0]) == ["id", "codename", "name", "content_type"]


def test_both_forms_of_a_path(cast):
    number = cast.admin.get(PATH).json()[0]["id"]
    for path in [f"{PATH}{number}", f"{PATH}{number}/", f"{PATH}00{number}/"]:
        assert cast.admin.get(path).json()["id"] == number
    # At the root the path without a slash is another dialect's.
    if cast.base:
        for path in ["/v1/permissions", "/v1/permissions.json", f"/v1/permissions/{number}.json"]:
            assert cast.admin.get(path).status_code == 200, path
    assert cast.admin.get(PATH, params={"format": "json"}).status_code == 200
    said(cast.admin.get(PATH, params={"format": "xml"}), 404, {"detail": "Not found."})


def test_headers(cast, fresh):
    number = make(cast, fresh)["id"]
    for answer, allow in [
        (cast.admin.get(PATH), LIST),
        (cast.admin.get(f"{PATH}{number}/"), ONE),
        (cast.admin.post(PATH, json={}), LIST),
        (cast.admin.get(f"{PATH}999999/"), ONE),
        (cast.plain.get(PATH), LIST),
        (cast.nobody.get(PATH), LIST),
        (cast.admin.delete(f"{PATH}{number}/"), ONE),
    ]:
        assert answer.headers["Allow"] == allow
        assert answer.headers["Vary"] == "Accept, Cookie"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"


def test_head_and_options(cast):
    head = cast.admin.head(PATH)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(cast.admin.get(PATH).content)
    options = cast.admin.options(PATH)
    assert options.status_code == 200
    fields = options.json()["actions"]["POST"]
    assert fields["codename"]["max_length"] == 100 and fields["id"]["read_only"]
    said(cast.plain.options(PATH), 403, DENIED)
    said(cast.nobody.options(PATH), 403, ANONYMOUS)


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", [PATH, f"{PATH}1/", f"{PATH}999999/"])
def test_who_may_not(cast, method, path):
    for body in ({"json": {}}, {"data": b"not json", "headers": {"Content-Type": "application/json"}}):
        body = body if method != "GET" else {}
        for who in (cast.nobody, cast.stale):
            answer = who.request(method, path, **body)
            said(answer, 403, ANONYMOUS)
            assert len(answer.content) == 58 and "WWW-Authenticate" not in answer.headers
        said(cast.plain.request(method, path, **body), 403, DENIED)


def test_what_is_not_there(cast):
    none = {"detail": "No Permission matches the given query."}
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        for number in ("999999", "9" * 30):
            said(cast.admin.request(method, f"{PATH}{number}/", json={}), 404, none)
    mount = cast.admin if cast.base else None
    if mount:
        said(mount.get(f"{PATH}abc/"), 404, {"detail": "Not found."})
        said(mount.get("/v1/nothing/"), 404, {"detail": "Not found."})
    said(cast.admin.put(PATH, json={}), 405, {"detail": 'Method "PUT" not allowed.'})
    said(cast.admin.post(f"{PATH}1/", json={}), 405, {"detail": 'Method "POST" not allowed.'})
    # A wrong method comes before an unknown record.
    said(cast.admin.post(f"{PATH}999999/", json={}), 405, {"detail": 'Method "POST" not allowed.'})


REQUIRED = ["This field is required."]


@pytest.mark.parametrize(
    "body, fields",
    [
        ({}, {"codename": REQUIRED, "name": REQUIRED, "content_type": REQUIRED}),
        ({"codename": None, "name": None}, {
            "codename": ["This field may not be null."],
            "name": ["This field may not be null."],
            "content_type": REQUIRED,
        }),
        ({"codename": "", "name": " \t "}, {
            "codename": ["This field may not be blank."],
            "name": ["This field may not be blank."],
            "content_type": REQUIRED,
        }),
        ({"codename": [1], "name": {}, "content_type": [1]}, {
            "codename": ["Not a valid string."],
            "name": ["Not a valid string."],
            "content_type": ["Incorrect type. Expected pk value, received list."],
        }),
        ({"codename": True, "name": "x", "content_type": True}, {
            "codename": ["Not a valid string."],
            "content_type": ["Incorrect type. Expected pk value, received bool."],
        }),
        ({"codename": "x" * 101, "name": "x" * 256, "content_type": "abc"}, {
            "codename": ["Ensure this field has no more than 100 characters."],
            "name": ["Ensure this field has no more than 255 characters."],
            "content_type": ["Incorrect type. Expected pk value, received str."],
        }),
        ({"codename": "a", "name": "a\0b", "content_type": 99999}, {
            "name": ["Null characters are not allowed."],
            "content_type": ['Invalid pk "99999" - object does not exist.'],
        }),
        ({"codename": "add_user", "name": "x", "content_type": "USER"}, {
            "non_field_errors": ["The fields content_type, codename must make a unique set."],
        }),
        # The pair is looked at only when each field is fine by itself.
        ({"codename": "add_user", "name": "", "content_type": "USER"}, {"name": ["This field may not be blank."]}),
        ([1], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
        ("x", {"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]}),
        (None, {"non_field_errors": ["No data provided"]}),
    ],
)
def test_field_errors(cast, content_type, body, fields):
    if isinstance(body, dict) and body.get("content_type") == "USER":
        body = {**body, "content_type": content_type}
    headers = {"Content-Type": "application/json"}
    import json

    said(cast.admin.post(PATH, data=json.dumps(body), headers=headers), 400, fields)


def test_an_empty_body_lacks_every_field(cast):
    required = {"codename": REQUIRED, "name": REQUIRED, "content_type": REQUIRED}
    said(cast.admin.post(PATH), 400, required)
    said(cast.admin.post(PATH, headers={"Content-Type": "application/json"}), 400, required)
    said(cast.admin.put(f"{PATH}1/", json={"name": "x"}), 400, {"codename": REQUIRED, "content_type": REQUIRED})


def test_what_is_accepted(cast, fresh, content_type):
    made = cast.admin.post(PATH, json={
        "id": 1, "permission": "x", "codename": 12.5, "name": "  trimmed\t", "content_type": str(content_type),
    })
    assert made.status_code == 201
    assert made.json() | {"id": 0} == {"id": 0, "codename": "12.5", "name": "trimmed", "content_type": content_type}
    assert made.json()["id"] != 1
    cast.admin.delete(f"{PATH}{made.json()['id']}/")
    hundred = "😀" * 97 + fresh[-3:].replace("_", "x")
    assert make(cast, hundred, content_type=float(content_type))["codename"] == hundred
    for odd in ["viw stt/data ", "ünïcode", "a.b"]:
        assert make(cast, fresh + odd)["codename"] == (fresh + odd).strip()
    default = make(cast, fresh + "1")["content_type"]
    kinds = {kind["id"]: (kind["app_label"], kind["model"]) for kind in cast.admin.get("/v1/content_types/").json()}
    assert kinds[default] == ("core", "globalpermission")
    assert make(cast, fresh + "2", content_type="")["content_type"] == default
    # Case counts, and the same codename may stand under another content type.
    make(cast, fresh.upper())
    make(cast, fresh + "1", content_type=content_type)
    last_wins = cast.admin.post(
        PATH,
        data=f'{{"codename": "x", "codename": "{fresh}3", "name": "n", "content_type": null}}',
        headers={"Content-Type": "application/json"},
    )
    assert last_wins.json()["codename"] == fresh + "3"


def test_a_change_of_half_the_pair_is_checked_against_the_other(cast, fresh, content_type):
    unique = {"non_field_errors": ["The fields content_type, codename must make a unique set."]}
    one, two = make(cast, fresh, content_type=content_type), make(cast, fresh)
    said(cast.admin.patch(f"{PATH}{two['id']}/", json={"content_type": content_type}), 400, unique)
    said(cast.admin.patch(f"{PATH}{one['id']}/", json={"content_type": None}), 400, unique)
    said(cast.admin.put(f"{PATH}{one['id']}/", json={**one, "content_type": None}), 400, unique)
    same = {"codename": one["codename"], "name": one["name"], "content_type": one["content_type"]}
    said(cast.admin.put(f"{PATH}{one['id']}/", json=same), 200, one)


def test_forms(cast, fresh, content_type):
    fields = {"codename": fresh, "name": "By form", "content_type": str(content_type)}
    made = cast.admin.post(PATH, data=fields)
    assert made.status_code == 201, made.text
    in_form = cast.admin.post(
        PATH,
        data={**fields, "codename": fresh + "2", "csrfmiddlewaretoken": cast.admin.cookies["csrftoken"]},
        csrf=None,
    )
    assert in_form.status_code == 201, in_form.text
    multipart = {name: (None, value) for name, value in {**fields, "codename": fresh + "3"}.items()}
    made = cast.admin.post(PATH, files=multipart)
    assert (made.status_code, made.json()["codename"]) == (201, fresh + "3")
    empty = cast.admin.post(PATH, data={**fields, "codename": fresh + "4", "content_type": ""})
    assert empty.status_code == 201, empty.text
    said(cast.admin.post(PATH, data={"name": ""}), 400, {
        "codename": REQUIRED, "name": ["This field may not be blank."], "content_type": REQUIRED,
    })
    broken = cast.admin.post(PATH, data=b"x", headers={"Content-Type": "multipart/form-data"})
    assert broken.status_code == 400 and broken.json()["detail"].startswith("Multipart form parse error - ")


def test_media_types(cast):
    for content_type, shown in [("text/plain", "text/plain"), ("text/plain; charset=x", "text/plain; charset=x")]:
        answer = cast.admin.post(PATH, data=b"x", headers={"Content-Type": content_type})
        said(answer, 415, {"detail": f'Unsupported media type "{shown}" in request.'})
    said(cast.admin.get(PATH, headers={"Accept": "text/csv"}), 406, {
        "detail": "Could not satisfy the request Accept header.",
    })
    for accept in ["text/html,*/*;q=0.8", "application/json; indent=4", "APPLICATION/*", ""]:
        assert cast.admin.get(PATH, headers={"Accept": accept}).status_code == 200, accept


@pytest.mark.parametrize(
    "body, why",
    [
        (b'{"codename": }', "Expecting value: line 1 column 14 (char 13)"),
        (b"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b'{"a": NaN}', "Out of range float values are not JSON compliant: 'NaN'"),
        (b"\xef\xbb\xbf{}", "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b'{"a": 1,}', None),
        (b"[" * 200, None),
        (b'{"a": 1e999}', None),
        (b'"\\ud800"', None),
    ],
)
def test_bad_json(cast, body, why):
    answer = cast.admin.post(PATH, data=body, headers={"Content-Type": "application/json"})
    if why is None:
        assert answer.status_code == 400 and answer.json()["detail"].startswith("JSON parse error - "), answer.text
    else:
        said(answer, 400, {"detail": f"JSON parse error - {why}"})


def test_a_race_has_one_winner(cast, fresh, content_type):
    portals = [cast.portal() for _ in range(16)]
    for portal in portals:
        portal.cookies.update(cast.admin.cookies)
    body = {"codename": fresh, "name": "Race", "content_type": content_type}
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda portal: portal.post(PATH, json=body), portals))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 15
    for answer in answers:
        if answer.status_code == 400:
            said(answer, 400, {
                "non_field_errors": ["The fields content_type, codename must make a unique set."],
            })


def test_what_is_renamed_keeps_its_holders_and_what_is_deleted_has_none(cast, fresh):
    made = make(cast, fresh)
    role = cast.admin.post("/v1/roles/", json={"name": fresh, "permissions": [made["id"]]}).json()
    assert role["permissions"] == [made["id"]]
    cast.admin.patch(f"{PATH}{made['id']}/", json={"codename": fresh + "_renamed"})
    path = f"/v1/roles/{role['id']}/"
    assert cast.admin.get(path).json()["permissions"] == [made["id"]]
    cast.admin.delete(f"{PATH}{made['id']}/")
    assert cast.admin.get(path).json()["permissions"] == []
