"""The portal's client: `requests.Session`, with its cookies, and the token that a page copies from one of them."""

import json
from contextlib import contextmanager

import requests

from harness import Server, record_secret

PASSWORD = record_secret("password", "correct horse battery staple")
ANONYMOUS = {"detail": "Authentication credentials were not provided."}
DENIED = {"detail": "You do not have permission to perform this action."}


class Portal(requests.Session):
    """A browser of the portal: paths are below the place where the dialect is served."""

    def __init__(self, server: Server, base: str):
        super().__init__()
        self.url = server.url + base
        self.server, self.base = server, base
        self.trust_env = False

    def request(self, method, url, csrf=True, **more):
        """`csrf` sends the token of the cookie, as the portal's page does; or another one, or none."""
        headers = dict(more.pop("headers", None) or {})
        token = self.cookies.get("csrftoken") if csrf is True else csrf
        if token and method.upper() not in ("GET", "HEAD", "OPTIONS"):
            headers.setdefault("X-CSRFToken", token)
        more["allow_redirects"] = False
        more.setdefault("timeout", 30)
        return super().request(method, url if url.startswith("http") else self.url + url, headers=headers, **more)

    def sign_in(self, login: str, password: str = PASSWORD) -> "Portal":
        answer = self.post("/v1/login", json={"username": login, "password": password})
        assert answer.status_code == 200, answer.text
        record_secret("session", self.cookies["sessionid"])
        return self


class Cast:
    """An admin, a plain user, nobody, and somebody whose session is over."""

    def __init__(self, server: Server, base: str):
        self.server, self.base = server, base
        api = server.client()
        for login, name, roles in [
            ("adele", "Adele Mary Admin", ["admin"]),
            ("paul", "Paul", []),
            ("stella", None, ["admin"]),
        ]:
            body = {"login": login, "name": name, "password": PASSWORD, "roles": roles}
            assert api.post("/api/v1/users", body).status in (201, 409)
        api.close()
        self.admin = self.portal().sign_in("adele")
        self.plain = self.portal().sign_in("paul")
        self.nobody = self.portal()
        self.stale = self.portal().sign_in("stella")
        kept = self.stale.cookies.copy()
        assert self.stale.get("/v1/logout").status_code == 302
        self.stale.cookies = kept

    def portal(self) -> Portal:
        return Portal(self.server, self.base)

    @contextmanager
    def admin_of_the_first_start(self):
        with self.portal() as portal:
            yield portal.sign_in("admin", self.server.password)


def compact(value) -> bytes:
    """As the dialect writes JSON: without blanks, and letters as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def said(answer: requests.Response, status: int, body) -> None:
    """It is exactly this answer."""
    assert (answer.status_code, answer.content) == (status, compact(body)), answer.text
    assert answer.headers["Content-Type"] == "application/json"
