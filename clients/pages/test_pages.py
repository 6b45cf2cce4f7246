"""People at the pages, in a real browser: signing in, being refused, the password, signing out everywhere."""

import time

import pytest

from harness import Server, Temp, TlsServer, new_password, record_secret
from people import COOKIE, SHOTS, WIDTHS, fits, sign_in


def is_signed_in(tab, server) -> bool:
    tab.go(f"{server.url}/account")
    assert tab.path in ("/account", "/login"), tab.path
    return tab.path == "/account"


def test_signing_in_and_out(server, tabs, person):
    login, password = person
    tab = tabs()
    tab.go(f"{server.url}/")
    assert tab.path == "/login", "whoever is not signed in is led there"
    assert tab.comes_to_focus("id", "login")
    sign_in(tab, server, login, password)
    assert tab.path == "/account"
    assert "Ann Ångström" in tab.text and "This session" in tab.text and "Chrome on Linux" in tab.text
    cookie = tab.cookies()[COOKIE]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and cookie["path"] == "/" and cookie["session"]
    tab.click("Sign out")
    assert tab.path == "/login?signed_out" and "You are signed out." in tab.text
    assert COOKIE not in tab.cookies()
    tab.set_cookie(server.url, COOKIE, cookie["value"])
    assert not is_signed_in(tab, server), "the old cookie is dead"


def test_a_wrong_password(server, tabs, person):
    login, password = person
    tab = tabs()
    sign_in(tab, server, login, "not the password")
    assert tab.path == "/login"
    assert "The login or the password is wrong." in tab.text
    assert tab.comes_to_focus("getAttribute('role')", "alert"), "the problem is read out first"
    assert tab.value("document.title").startswith("Problem:")
    assert tab.value("document.getElementById('login').value") == login
    assert tab.value("document.getElementById('password').value") == ""
    assert COOKIE not in tab.cookies()
    tab.type("password", password)
    tab.enter()
    assert tab.path == "/account"


def test_the_password_and_signing_out_everywhere(server, tabs, person):
    login, password = person
    new = new_password()
    here, there = tabs(), tabs(width=360, height=780)
    sign_in(here, server, login, password)
    sign_in(there, server, login, password)
    first = here.cookies()[COOKIE]["value"]

    here.go(f"{server.url}/account")
    for field, text in [("current", "not it at all"), ("new", new), ("repeated", new)]:
        here.type(field, text)
    here.click("Change password")
    assert "The current password is wrong." in here.text
    for field, text in [("current", password), ("new", new), ("repeated", new)]:
        here.type(field, text)
    here.click("Change password")
    assert here.path == "/account?done=password" and "Your password is changed." in here.text
    assert here.cookies()[COOKIE]["value"] != first
    assert not is_signed_in(there, server), "every other session ended"

    sign_in(there, server, login, password)
    assert "The login or the password is wrong." in there.text
    sign_in(there, server, login, new)
    assert there.path == "/account"
    cookies = [tab.cookies()[COOKIE]["value"] for tab in (here, there)]
    here.go(f"{server.url}/account")
    here.click("Sign out everywhere")
    assert here.path == "/login?signed_out=everywhere" and "signed out everywhere" in here.text
    assert not is_signed_in(there, server)
    for cookie in [first, *cookies]:
        here.set_cookie(server.url, COOKIE, cookie)
        assert not is_signed_in(here, server), "an old cookie is dead"


def test_one_other_session(server, tabs, person):
    login, password = person
    here, there = tabs(), tabs()
    sign_in(here, server, login, password)
    sign_in(there, server, login, password)
    here.go(f"{server.url}/account")
    # The first button of that name is the one at the top.
    here.click("Sign out", nth=1)
    assert here.path == "/account?done=session" and "The session is signed out." in here.text
    assert not is_signed_in(there, server)
    assert is_signed_in(here, server)


def test_by_keyboard_alone(server, tabs, person):
    login, password = person
    tab = tabs()
    tab.go(f"{server.url}/login")
    assert tab.comes_to_focus("id", "login")
    tab.call("Input.insertText", text=login)
    tab.press("Tab")
    assert tab.focused == "password"
    tab.call("Input.insertText", text=password)
    tab.press("Tab")
    assert tab.focused == "Sign in"
    outline = "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth"
    assert tab.value(outline) == "solid3px", "where the keyboard is can be seen"
    tab.enter()
    assert tab.path == "/account"
    order = []
    for _ in range(11):
        tab.press("Tab")
        order.append(tab.focused)
    assert order == [
        "Skip to the content",
        "grantd",
        "Inbox",
        "Apps",
        "Account",
        "Sign out",
        "Sign out everywhere",
        "current",
        "new",
        "repeated",
        "Change password",
    ]


def test_a_restart_keeps_the_session(server, tabs, person):
    login, password = person
    tab = tabs()
    sign_in(tab, server, login, password)
    server.restart()
    assert is_signed_in(tab, server)


def test_an_idle_session_ends(tabs):
    with Temp("idle") as data, Server(data, "idle", args=["--session-idle", "3", "--session-absolute", "8"]) as server:
        tab = tabs()
        sign_in(tab, server, "admin", server.password)
        begun = time.monotonic()
        while time.monotonic() - begun < 7:
            assert is_signed_in(tab, server), "in use it lives longer than it may be idle"
            time.sleep(0.3)
        time.sleep(8.2 - (time.monotonic() - begun))
        assert not is_signed_in(tab, server), "but no longer than it may at all"
        sign_in(tab, server, "admin", server.password)
        assert tab.path == "/account"
        time.sleep(3.2)
        assert not is_signed_in(tab, server)


def test_on_tls(tabs):
    with Temp("tls") as data, TlsServer(data, "pages-tls") as server:
        tab = tabs()
        sign_in(tab, server, "admin", server.password)
        assert tab.path == "/account"
        cookies = tab.cookies()
        assert set(cookies) == {"__Host-grantd_session", "__Host-grantd_form"}
        assert all(cookie["secure"] and cookie["httpOnly"] and cookie["path"] == "/" for cookie in cookies.values())
        session = record_secret("session", cookies["__Host-grantd_session"]["value"])
        tab.click("Sign out everywhere")
        assert tab.path == "/login?signed_out=everywhere"
        other = server.nobody()
        assert other.get("/account", headers={"Cookie": f"__Host-grantd_session={session}"}).status == 303
        other.close()


def test_a_realm_of_its_own(server, tabs, person):
    login, password = person
    native = server.client()
    native.post("/api/v1/realms", {"name": "acme"}).ok()
    native.post("/r/acme/api/v1/users", {"login": login, "password": password}).ok()
    native.close()
    tab = tabs()
    tab.go(f"{server.url}/r/acme/account")
    assert tab.path == "/r/acme/login" and "acme" in tab.text
    tab.type("login", login)
    tab.type("password", password)
    tab.enter()
    assert tab.path == "/r/acme/account"
    assert not is_signed_in(tab, server), "a session of one realm is nothing in another"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_how_it_looks(server, tabs, person, width, dark):
    """Screenshots for people; what a program can see of them is looked at here."""
    login, password = person
    size = WIDTHS[width]
    tab = tabs(width=size[0], height=size[1], dark=dark)
    other = tabs()
    sign_in(other, server, login, password)

    def shot(name):
        assert fits(tab), f"{name} is wider than {width} px"
        assert tab.value("getComputedStyle(document.querySelector('.card')).borderRadius") == "12px", "the style is there"
        small = "[...document.querySelectorAll('button, input:not([type=hidden]):not(.hidden)')].filter(one => one.offsetHeight < 36).length"
        assert tab.value(small) == 0, "too small for a finger"
        tab.screenshot(SHOTS / f"{name}-{width}-{'dark' if dark else 'light'}.png")

    tab.go(f"{server.url}/login")
    shot("sign-in")
    sign_in(tab, server, login, "wrong")
    shot("sign-in-wrong")
    sign_in(tab, server, login, password)
    shot("account")
    tab.type("current", password)
    tab.type("new", "long enough 1")
    tab.type("repeated", "long enough 2")
    tab.click("Change password")
    shot("account-wrong")
    tab.go(f"{server.url}/account/nothing")
    shot("nothing")
