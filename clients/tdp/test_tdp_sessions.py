"""Signing in and out, and who made a call: cookies, tokens, origins."""

import time

import pytest

from harness import EACH_COUNTS, Server, Temp
from portal import ANONYMOUS, PASSWORD, Cast, said

PATH = "/v1/permissions/"


def test_auth_check(cast):
    said(cast.nobody.get("/v1/auth_check"), 403, ANONYMOUS)
    said(cast.stale.get("/v1/auth_check"), 403, ANONYMOUS)
    token = cast.admin.cookies["csrftoken"]
    user = {"email": "adele", "first_name": "Adele Mary", "last_name": "Admin"}
    said(cast.admin.get("/v1/auth_check"), 200, {"authenticated": True, "user": user, "csrf": token})
    assert cast.plain.get("/v1/auth_check").json()["user"] == {"email": "paul", "first_name": "Paul", "last_name": ""}
    assert cast.plain.get("/v1/auth_check/").status_code == 200
    assert cast.admin.get("/v1/auth_check").headers["Allow"] == "GET, HEAD, OPTIONS"
    said(cast.admin.put("/v1/auth_check"), 405, {"detail": 'Method "PUT" not allowed.'})


def test_cookies(cast):
    with cast.portal() as portal:
        answer = portal.post("/v1/login", json={"username": "paul", "password": PASSWORD})
        cookies = {line.split("=")[0]: line for line in answer.raw.headers.getlist("Set-Cookie")}
        assert set(cookies) == {"sessionid", "csrftoken"}
        for attribute in ("HttpOnly", "Max-Age=1209600", "Path=/", "SameSite=Lax"):
            assert attribute in cookies["sessionid"].split("; "), cookies["sessionid"]
        for attribute in ("Max-Age=31449600", "Path=/", "SameSite=Lax"):
            assert attribute in cookies["csrftoken"].split("; ")
        assert "HttpOnly" not in cookies["csrftoken"] and "Secure" not in cookies["sessionid"]
        token = portal.cookies["csrftoken"]
        assert len(token) == 32 and token.isalnum()
        first = portal.cookies["sessionid"]
        portal.sign_in("paul")
        assert portal.cookies["sessionid"] != first and portal.cookies["csrftoken"] != token
        with cast.portal() as old:
            old.cookies.update({"sessionid": first})
            said(old.get("/v1/auth_check"), 403, ANONYMOUS)


def test_wrong_credentials(cast):
    wrong = {"detail": "Incorrect username or password."}
    for body in [
        {"username": "adele", "password": "no"},
        {"username": "no-such", "password": PASSWORD},
        {"username": "ADELE", "password": PASSWORD},
    ]:
        answer = cast.nobody.post("/v1/login", json=body)
        said(answer, 403, wrong)
        assert "Set-Cookie" not in answer.headers
    said(cast.nobody.post("/v1/login", json={}), 400, {
        "username": ["This field is required."], "password": ["This field is required."],
    })
    said(cast.nobody.post("/v1/login", json={"username": "adele", "password": None}), 400, {
        "password": ["This field may not be null."],
    })
    form = cast.nobody.post("/v1/login", data={"username": "adele", "password": PASSWORD})
    assert form.status_code == 415
    said(cast.nobody.delete("/v1/login"), 405, {"detail": 'Method "DELETE" not allowed.'})


def test_a_browser_signs_in_at_the_page(cast):
    answer = cast.nobody.get("/v1/login")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")


def test_sign_out(cast):
    for method, path in [("GET", "/v1/logout"), ("POST", "/v1/logout"), ("GET", "/v1/logout/oidc")]:
        with cast.portal() as portal:
            portal.sign_in("paul")
            kept = portal.cookies.copy()
            answer = portal.request(method, path)
            assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
            assert "sessionid" not in portal.cookies
            assert 'sessionid=""' in answer.headers["Set-Cookie"] and "Max-Age=0" in answer.headers["Set-Cookie"]
            portal.cookies = kept
            said(portal.get("/v1/auth_check"), 403, ANONYMOUS)
    said(cast.nobody.get("/v1/logout"), 403, ANONYMOUS)
    assert cast.nobody.get("/v1/logout/oidc").status_code == 302


def test_a_post_that_no_page_made(cast):
    failed = lambda why: {"detail": f"CSRF Failed: {why}"}  # noqa: E731
    with cast.portal() as portal:
        portal.sign_in("adele")
        token = portal.cookies["csrftoken"]
        for method, path in [("POST", PATH), ("PUT", f"{PATH}1/"), ("PATCH", f"{PATH}1/"), ("DELETE", f"{PATH}1/"),
                             ("POST", "/v1/roles/"), ("POST", "/v1/content_types/"), ("POST", "/v1/logout")]:
            ask = lambda **more: portal.request(method, path, json={}, **more)  # noqa: B023, E731
            said(ask(csrf=None), 403, failed("CSRF token missing."))
            said(ask(csrf="x" * 31), 403, failed("CSRF token from the 'X-Csrftoken' HTTP header has incorrect length."))
            said(ask(csrf="x" * 32), 403, failed("CSRF token from the 'X-Csrftoken' HTTP header incorrect."))
            evil = ask(headers={"Origin": "http://evil.example"})
            said(evil, 403, failed("Origin checking failed - http://evil.example does not match any trusted origins."))
            assert ask(headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        same = portal.post(PATH, json={}, headers={"Origin": cast.server.url, "Sec-Fetch-Site": "same-origin"})
        assert same.status_code == 400
        # The token of somebody else's session, planted in the cookie as well.
        other = cast.plain.cookies["csrftoken"]
        portal.cookies.set("csrftoken", None)
        said(portal.post(PATH, json={}, csrf=token), 403, failed("CSRF cookie not set."))
        said(
            portal.post(PATH, json={}, csrf=other, headers={
                "Cookie": f"sessionid={portal.cookies['sessionid']}; csrftoken={other}",
            }),
            403,
            failed("CSRF token from the 'X-Csrftoken' HTTP header incorrect."),
        )
    said(cast.nobody.post(PATH, json={}), 403, ANONYMOUS)


def test_signing_in_from_another_site(cast):
    body = {"username": "paul", "password": PASSWORD}
    answer = cast.nobody.post("/v1/login", json=body, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403 and "Origin checking failed" in answer.json()["detail"]
    assert "Set-Cookie" not in answer.headers


def test_its_session_is_its_own(cast):
    """The pages and the native API take no session of the dialect, nor the dialect one of the pages'."""
    session = cast.admin.cookies["sessionid"]
    with cast.portal() as portal:
        portal.cookies.update({"grantd_session": session})
        url = cast.server.url
        assert portal.get(f"{url}/api/v1/session").status_code == 401
        assert portal.get(f"{url}/account").status_code in (302, 303)
        assert portal.get("/v1/auth_check").status_code == 403
    # But it is in the list of who is signed in, and ends with the others.
    with cast.portal() as portal:
        portal.sign_in("paul")
        api = cast.server.client()
        api.patch("/api/v1/users/paul", {"active": False}).ok()
        said(portal.get("/v1/auth_check"), 403, ANONYMOUS)
        api.patch("/api/v1/users/paul", {"active": True}).ok()
        said(portal.get("/v1/auth_check"), 403, ANONYMOUS)
        api.close()
    cast.plain.sign_in("paul")


def test_keys(cast):
    """Machines show a key: as `Bearer`, or as the portal's `Token`."""
    for scheme in ("Bearer", "Token"):
        headers = {"Authorization": f"{scheme} {cast.server.key}"}
        assert cast.nobody.get(PATH, headers=headers).status_code == 200
        assert cast.nobody.post(PATH, json={}, headers=headers).status_code == 400, "no token is needed"
        wrong = cast.nobody.get(PATH, headers={"Authorization": f"{scheme} gdk_wrong"})
        said(wrong, 401, {"detail": "Invalid token."})
        assert wrong.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.one_node(EACH_COUNTS)
def test_too_many_wrong_passwords():
    with Temp("tdp-throttled") as data, Server(data, "tdp-throttled") as server:
        cast = Cast(server, "/tdp")
        for _ in range(10):
            cast.nobody.post("/v1/login", json={"username": "paul", "password": "no"})
        answer = cast.nobody.post("/v1/login", json={"username": "paul", "password": PASSWORD})
        assert answer.status_code == 429
        seconds = int(answer.headers["Retry-After"])
        plural = "" if seconds == 1 else "s"
        said(answer, 429, {
            "detail": f"Request was throttled. Expected available in {seconds} second{plural}.",
        })
        assert cast.portal().sign_in("stella").get(PATH).status_code == 200, "somebody else's"


def test_limits_of_a_session():
    args = ["--tdp-session-idle", "2", "--tdp-session-absolute", "5"]
    with Temp("tdp-limits") as data, Server(data, "tdp-limits", args=args) as server:
        cast = Cast(server, "")
        assert "Max-Age=5" in cast.portal().post(
            "/v1/login", json={"username": "paul", "password": PASSWORD}
        ).headers["Set-Cookie"]
        begun = time.monotonic()
        while time.monotonic() - begun < 3:
            assert cast.plain.get("/v1/auth_check").status_code == 200
            time.sleep(0.3)
        said(cast.admin.get("/v1/auth_check"), 403, ANONYMOUS)
        time.sleep(2.5)
        said(cast.plain.get("/v1/auth_check"), 403, ANONYMOUS)


def test_a_realm_has_cookies_of_its_own(cast):
    api = cast.server.client()
    api.post("/api/v1/realms", {"name": "acme"})
    body = {"login": "rita", "password": PASSWORD, "roles": ["admin"]}
    assert api.post("/r/acme/api/v1/users", body).status in (201, 409)
    api.close()
    with cast.portal() as portal:
        portal.url = f"{cast.server.url}/r/acme{cast.base}"
        answer = portal.post("/v1/login", json={"username": "rita", "password": PASSWORD})
        assert answer.status_code == 200 and set(portal.cookies.keys()) == {"sessionid.acme", "csrftoken.acme"}
        made = portal.post("/v1/content_types/", json={"app_label": "a", "model": "b"},
                           csrf=portal.cookies["csrftoken.acme"])
        assert made.status_code in (201, 400), made.text
        assert portal.get(PATH).status_code == 200
        portal.url = f"{cast.server.url}{cast.base}"
        said(portal.get(PATH), 403, ANONYMOUS)
