"""Organizations, their people, apps, and an app's own address to which the browser comes back."""

import itertools
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from urllib.parse import parse_qs, urlencode, urlsplit

from harness import new_password, record_secret
from people import COOKIE

_numbers = itertools.count(1)


class Callback:
    """A web server that keeps the addresses it was asked for."""

    def __enter__(self):
        arrived = self.arrived = Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path.startswith("/callback"):
                    arrived.put(self.path)
                page = b"<!doctype html><title>The app</title><p>Back at the app.</p>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.http.server_port}"
        self.uri = f"{self.origin}/callback"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()

    def address(self) -> str:
        """Where the browser came, whole."""
        return self.origin + self.arrived.get(timeout=20)

    def answer(self) -> dict[str, str]:
        """What it brought along."""
        found = {name: values[0] for name, values in parse_qs(urlsplit(self.address()).query).items()}
        if "code" in found:
            record_secret("authorization code", found["code"])
        return found

    def nobody_came(self) -> bool:
        try:
            self.arrived.get(timeout=0.3)
        except Empty:
            return True
        return False


@dataclass
class App:
    client_id: str
    client_secret: str | None
    redirect_uri: str
    name: str

    @property
    def credentials(self) -> dict[str, str]:
        return {"client_id": self.client_id, "client_secret": self.client_secret}


@dataclass
class Member:
    login: str
    password: str
    organization: str


class Connect:
    """A server, and what is on it."""

    def __init__(self, server, callback):
        self.server, self.callback = server, callback
        self.native = server.client()

    @property
    def url(self) -> str:
        return self.server.url

    def organization(self, name="Acme Coffee") -> str:
        return self.native.post("/api/v1/organizations", {"name": name}).ok().json()["id"]

    def member(self, seat="member", organization=None) -> Member:
        organization = organization or self.organization()
        login, password = f"member-{next(_numbers)}", new_password()
        self.native.post("/api/v1/users", {"login": login, "name": "Ann Ångström", "password": password}).ok()
        path = f"/api/v1/organizations/{organization}/members/user:{login}"
        self.native.put(path, {"seat": seat}).ok()
        return Member(login, password, organization)

    def app(self, name="Bean Counter", **more) -> App:
        form = {"name": name, "redirect_uris": [self.callback.uri], **more}
        made = self.native.post("/api/v1/apps", form).ok().json()
        secret = made.get("client_secret")
        if secret:
            record_secret("client secret", secret)
        return App(made["client_id"], secret, self.callback.uri, name)

    def tokens(self, app, organization, scopes) -> dict:
        """An operator's consent for everybody, and its tokens."""
        form = {"app": app.client_id, "organization": organization, "scopes": scopes}
        return noted(self.native.post("/api/v1/authorizations", form).ok().json())

    def authorize_url(self, app, scopes, **more) -> str:
        query = {
            "client_id": app.client_id,
            "redirect_uri": app.redirect_uri,
            "response_type": "code",
            "scope": " ".join(scopes),
            "state": "s-1",
            **more,
        }
        return f"{self.url}/oauth2/authorize?{urlencode(query)}"

    def sign_in(self, tab, member):
        """At the sign-in page that the tab shows."""
        assert tab.path.startswith("/login"), tab.path
        tab.type("login", member.login)
        tab.type("password", member.password)
        tab.enter()
        cookies = tab.cookies()
        for name in (COOKIE, f"__Host-{COOKIE}"):
            if name in cookies:
                record_secret("session", cookies[name]["value"])

    def consent(self, tab, url, member, button="Allow") -> str:
        """A person at the consent page; the address at which the app gets the answer."""
        tab.go(url)
        if tab.path.startswith("/login"):
            self.sign_in(tab, member)
        tab.click(button)
        return self.callback.address()

    def bearer(self, token, base=""):
        return self.server.nobody(key=token, base=base)


def noted(tokens: dict) -> dict:
    """Tokens, noted as the secrets that they are."""
    for kind in ("access_token", "refresh_token"):
        if tokens.get(kind):
            record_secret(kind.replace("_", " "), tokens[kind])
    return tokens
