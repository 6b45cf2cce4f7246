"""The setting `tdp.as_documented`: what the old page says, where that differs; and without it."""

import pytest

from harness import Server, Temp
from portal import DENIED, Cast, said

PATH = "/v1/permissions/"


@pytest.fixture(scope="module")
def documented():
    with Temp("tdp-documented") as data, Server(data, "tdp-documented", args=["--tdp-as-documented"]) as server:
        yield Cast(server, "")


def test_what_is_written_is_a_list_without_its_id(documented):
    kind = documented.admin.get("/v1/content_types/").json()[0]["id"]
    body = {"codename": "submit_stt_data", "name": "Can Submit STT Data", "content_type": kind}
    said(documented.admin.post(PATH, json=body), 200, [body])
    number = next(one["id"] for one in documented.admin.get(PATH).json() if one["codename"] == "submit_stt_data")
    path = f"{PATH}{number}/"
    said(documented.admin.get(path), 200, {"id": number, **body})
    said(documented.admin.put(path, json={**body, "name": "Other"}), 200, [{**body, "name": "Other"}])
    said(documented.admin.patch(path, json={"name": "More"}), 200, [{**body, "name": "More"}])
    said(documented.admin.delete(path), 200, [{**body, "name": "More"}])
    assert documented.admin.get(path).status_code == 404


def test_who_is_no_admin_makes_the_server_fail(documented):
    for method in ("GET", "POST"):
        answer = documented.plain.request(method, PATH, json={})
        assert answer.status_code == 500
        assert "Group matching query does not exist." in answer.text
        assert answer.headers["Content-Type"] == "application/json" and answer.json()
    said(documented.plain.get("/v1/roles/"), 403, DENIED)
    assert documented.nobody.get(PATH).status_code == 403


def test_without_the_setting(cast, fresh):
    made = cast.admin.post(PATH, json={"codename": fresh, "name": "x", "content_type": None})
    assert made.status_code == 201 and isinstance(made.json(), dict) and made.json()["id"]
    said(cast.plain.get(PATH), 403, DENIED)
