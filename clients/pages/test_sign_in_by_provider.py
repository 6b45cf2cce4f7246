"""Signing in by an OpenID provider, in a real browser, from the button and back."""

import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import Server, Temp, free_port, record_secret
from people import COOKIE, SHOTS, WIDTHS, fits


class Provider:
    """The provider's process."""

    def __init__(self):
        self.port, self.secret = free_port(), record_secret("client secret", secrets.token_hex(20))
        script = Path(__file__).with_name("provider.py")
        self.process = subprocess.Popen([sys.executable, str(script), str(self.port), self.secret])
        deadline = time.monotonic() + 20
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                assert time.monotonic() < deadline, "the provider does not start"
                time.sleep(0.05)

    @property
    def issuer(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def provider():
    running = Provider()
    yield running
    running.stop()


@pytest.fixture
def signing(provider, request):
    """A server whose people sign in by the provider."""
    with Temp("oidc") as data:
        file = data / "client-secret"
        file.write_text(provider.secret + "\n")
        args = ["--oidc-issuer", provider.issuer, "--oidc-client-id", "grantd", "--oidc-name", "Example ID"]
        args += ["--oidc-client-secret-file", str(file), "--oidc-create-users"]
        with Server(data / "data", f"oidc-{request.node.name[:40]}", args=args) as server:
            yield server


def continues_as(tab, address):
    assert tab.value("document.title") == "Example ID"
    tab.type("address", address)
    tab.click("Continue")


def test_by_the_button_and_on_to_where_one_wanted(signing, tabs):
    tab = tabs()
    tab.go(f"{signing.url}/inbox")
    assert tab.path == "/login?next=%2Finbox"
    tab.click("Sign in with Example ID")
    continues_as(tab, "ann@example.com")
    assert tab.path == "/inbox"
    assert "ann@example.com" in tab.text
    cookie = tab.cookies()[COOKIE]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    tab.go(f"{signing.url}/account")
    assert "Ann Ångström" in tab.text
    tab.click("Sign out")
    tab.click("Sign in with Example ID")
    continues_as(tab, "ann@example.com")
    assert tab.path == "/account"


def test_who_does_not_get_in(signing, tabs):
    native = signing.client()
    native.post("/api/v1/users", {"login": "root@example.com"}).ok()
    native.put("/api/v1/roles/super-users/members/user:root@example.com").ok()
    native.close()
    tab = tabs()
    for address, text in [
        ("unverified@example.com", "is verified"),
        ("admin", "is verified"),
        ("root@example.com", "somebody who runs this server"),
    ]:
        tab.go(f"{signing.url}/login")
        tab.click("Sign in with Example ID")
        continues_as(tab, address)
        assert "There is a problem" in tab.text and text in tab.text
        assert tab.comes_to_focus("getAttribute('role')", "alert")
        assert COOKIE not in tab.cookies()
    tab.go(f"{signing.url}/login")
    tab.click("Sign in with Example ID")
    tab.click("Cancel")
    assert "did not sign you in" in tab.text
    tab.click("Sign in with Example ID")
    continues_as(tab, "ann@example.com")
    assert tab.path == "/account", "and then they do"


def test_the_provider_is_down(signing, provider, tabs):
    provider.stop()
    tab = tabs()
    tab.go(f"{signing.url}/login")
    tab.click("Sign in with Example ID")
    assert "cannot be reached now" in tab.text
    tab.type("login", "admin")
    tab.type("password", signing.password)
    tab.enter()
    assert tab.path == "/account", "a password still does"


def test_a_server_starts_without_its_provider_and_refuses_a_wrong_one(provider):
    with Temp("oidc") as data:
        provider.stop()
        args = ["--oidc-issuer", provider.issuer, "--oidc-client-id", "grantd"]
        with Server(data / "data", "oidc-alone", args=args) as server:
            assert server.nobody().get("/login").status == 200
            assert server.nobody().get("/login/oidc").status == 503
        args = ["--oidc-issuer", "http://id.example", "--oidc-client-id", "grantd"]
        with pytest.raises(RuntimeError, match="must be an https URL"):
            Server(data / "data", "oidc-wrong", args=args).start()


@pytest.mark.parametrize("name", WIDTHS)
@pytest.mark.parametrize("dark", [False, True])
def test_how_it_looks(signing, tabs, name, dark):
    width, height = WIDTHS[name]
    tab = tabs(width=width, height=height, dark=dark)
    tab.go(f"{signing.url}/login")
    assert fits(tab)
    tab.screenshot(SHOTS / f"sign-in-by-provider-{name}-{'dark' if dark else 'light'}.png")
