"""Who calls: Basic, nothing, and everything that is neither."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import new_api_key
from pulp_words import USERS, Pulp, as_user, body, error, new_password, unique


def failed(answer):
    error(answer, 401, "PLP0025", auth_error_code="authentication_failed")


def wrong(answer, user):
    value = error(answer, 401, "PLP0030", auth_error_code="invalid_username_or_password")
    assert value["error"]["data"] == {"user": user}
    assert value["error_message"] == f"Authentication with username {user} failed: invalid username or password"


def test_unknown_user_and_wrong_password_are_alike(server, admin):
    login = admin.new_user(password=new_password())
    for name, source in ((login, "127.0.21.1"), (unique("nobody"), "127.0.21.2")):
        for password in ("wrong", "", "None", "x:y:z"):
            wrong(server.nobody(basic=(name, password), base="/pulp/api", source=source).get(USERS), name)


def test_a_user_without_a_password_has_no_login(server, admin):
    login = admin.new_user()
    for number, password in enumerate(("None", "", "null", login)):
        wrong(server.nobody(basic=(login, password), base="/pulp/api", source=f"127.0.21.{10 + number}").get(USERS), login)


@pytest.mark.parametrize(
    "value",
    ["Basic", "Basic ", "Basic !!!", "Basic YWRtaW4=", "Basic " + base64.b64encode(b"\xff:\xfe").decode()],
)
def test_malformed_basic_is_401(server, value):
    nobody = server.nobody(base="/pulp/api", source="127.0.21.20")
    failed(nobody.get(USERS, headers={"Authorization": value}))


@pytest.mark.parametrize("value", ["Digest username=admin", "Negotiate abc", "OAuth oauth_consumer_key=x", "x", "Bearer"])
def test_other_schemes_are_no_credential(server, value):
    nobody = server.nobody(base="/pulp/api", source="127.0.21.21")
    failed(nobody.get(USERS, headers={"Authorization": value}))


def test_nobody_says_who_they_are_by_a_header(server):
    nobody = server.nobody(base="/pulp/api", source="127.0.21.22")
    for headers in ({"REMOTE_USER": "admin"}, {"Remote-User": "admin"}, {"Pulp-User": "admin"}, {"SSL_CLIENT_CERT": "x"}):
        failed(nobody.get(USERS, headers=headers))


def test_a_key_is_taken_and_a_wrong_one_is_not(server):
    body(server.client(base="/pulp/api").get(USERS))
    failed(server.client(key=new_api_key(), base="/pulp/api", source="127.0.21.23").get(USERS))


def test_the_password_may_hold_anything(server, admin):
    for password in ("x", ":", "a:b", "ü€" * 20, " ", "x" * 5_000):
        login = admin.new_user(password=password)
        own = Pulp(server.nobody(basic=(login, password), base="/pulp/api"))
        assert own.user(login)["login"] == login


def test_who_is_inactive_is_nobody(server, admin, native):
    user = as_user(server, admin)
    assert user.user(user.login)["login"] == user.login
    assert native.patch(f"/api/v1/users/{user.login}", {"active": False}).status == 200
    wrong(user.get(f"{USERS}{user.login}/"), user.login)
    assert native.patch(f"/api/v1/users/{user.login}", {"active": True}).status == 200
    assert user.user(user.login)["login"] == user.login


def test_another_password_and_deletion_end_it_at_once(server, admin):
    user = as_user(server, admin)
    user.user(user.login)
    body(admin.put(f"{USERS}{user.login}/", {"delta": {"password": new_password()}}))
    wrong(user.get(f"{USERS}{user.login}/"), user.login)
    user = as_user(server, admin)
    user.user(user.login)
    admin.delete(f"{USERS}{user.login}/")
    wrong(user.get(f"{USERS}{user.login}/"), user.login)
    # Made again under the same login, it is somebody else.
    admin.new_user(login=user.login)
    wrong(user.get(f"{USERS}{user.login}/"), user.login)


def test_too_many_wrong_passwords(server, admin):
    user = as_user(server, admin, source="127.0.22.1")
    for _ in range(40):
        guess = server.nobody(basic=(user.login, "guess"), base="/pulp/api", source="127.0.22.2")
        answer = guess.get(USERS)
        guess.close()
        if answer.status == 429:
            break
        wrong(answer, user.login)
    value = error(answer, 429, "PLP0000")
    assert value["args"] == [value["error_message"]]
    assert int(answer.headers["Retry-After"]) > 0
    # The right one is never refused for somebody else's wrong ones.
    user.user(user.login)


def test_many_at_once_with_the_right_password(server, admin):
    """Each takes a slow hash; none is taken for a guess."""
    user = as_user(server, admin)

    def work(_):
        own = server.nobody(basic=(user.login, user.password), base="/pulp/api", source="127.0.22.9")
        statuses = [own.get(f"{USERS}{user.login}/").status for _ in range(3)]
        own.close()
        return statuses

    with ThreadPoolExecutor(32) as pool:
        assert {status for part in pool.map(work, range(32)) for status in part} == {200}


def test_the_realm_of_a_password(server, admin, native):
    name = unique("realm")
    assert native.post("/api/v1/realms", {"name": name}).status == 201
    user = as_user(server, admin)
    there = server.nobody(basic=(user.login, user.password), base=f"/r/{name}/pulp/api", source="127.0.21.30")
    wrong(there.get(USERS), user.login)
