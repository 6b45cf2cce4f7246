"""People at the consent page and at the page of their apps, in a real browser."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connect import noted
from harness import record_secret
from people import SHOTS, WIDTHS, fits

TWO = ["payments.read", "payments.write"]


def exchange(connect, app, answer) -> dict:
    """The app's next step, as a form."""
    client = connect.server.nobody(basic=(app.client_id, app.client_secret))
    form = f"grant_type=authorization_code&code={answer['code']}&redirect_uri={app.redirect_uri}"
    made = client.post("/oauth2/tokens", form.encode(), content_type="application/x-www-form-urlencoded").ok().json()
    client.close()
    return noted(made)


def granted(connect, token) -> set[str]:
    client = connect.bearer(token)
    listed = client.get("/v2/permissions").ok().json()["_embedded"]["permissions"]
    client.close()
    return {one["id"] for one in listed if one["granted"]}


def at_consent(connect, tab, app, member, scopes=TWO, **more):
    tab.go(connect.authorize_url(app, scopes, **more))
    if tab.path.startswith("/login"):
        connect.sign_in(tab, member)
    return tab


def test_what_is_asked_and_by_whom(connect, tabs, member):
    app = connect.app("Bean Counter", website="https://beans.example")
    tab = tabs()
    tab.go(connect.authorize_url(app, TWO))
    assert tab.path.startswith("/login?next="), "who is not signed in does that first, and comes back"
    connect.sign_in(tab, member)
    assert tab.path.startswith("/oauth2/authorize?")
    for said in (
        "Bean Counter asks for access",
        "Acme Coffee",
        member.organization,
        "View your payments",
        "Create, cancel and update payments",
        "payments.write",
        "https://beans.example",
        f"Signed in as {member.login}",
        app.redirect_uri.split("/")[2],
    ):
        assert said in tab.text, said
    tab.click("Allow")
    answer = connect.callback.answer()
    assert answer["state"] == "s-1" and answer["iss"] == connect.url
    tokens = exchange(connect, app, answer)
    assert set(tokens["scope"].split()) == set(TWO) == granted(connect, tokens["access_token"])

    # The consent is evidence: who, on which text, in which language, from where.
    entries = connect.native.get("/api/v1/ledger?after=0&limit=1000").ok().json()["items"]
    found = [entry for entry in entries if entry["actor"] == f"user:{member.login}"]
    assert found and "127.0.0.1" in str(found[-1]) and "en" in str(found[-1])


def test_saying_no(connect, tabs, member):
    app = connect.app()
    at_consent(connect, tabs(), app, member).click("Do not allow")
    answer = connect.callback.answer()
    assert answer["error"] == "access_denied" and answer["state"] == "s-1" and "code" not in answer
    assert connect.native.get(f"/api/v1/authorizations?organization={member.organization}").ok().json()["items"] == []


def test_only_what_is_new_is_asked(connect, tabs, member):
    app = connect.app()
    tab = tabs()
    at_consent(connect, tab, app, member, ["payments.read"]).click("Allow")
    first = exchange(connect, app, connect.callback.answer())
    # Nothing new: nobody is asked.
    tab.go(connect.authorize_url(app, ["payments.read"]))
    assert "code" in connect.callback.answer() and "Back at the app." in tab.text
    at_consent(connect, tab, app, member, ["payments.read", "refunds.read"])
    assert "Bean Counter asks for more access" in tab.text
    new = tab.value("document.querySelector('form .permissions').innerText")
    assert "View your refunds" in new and "View your payments" not in new
    assert "It can do this already (1)" in tab.text
    tab.click("Allow")
    second = exchange(connect, app, connect.callback.answer())
    # One authorization holds both: the first token may not use what it was not issued for.
    assert granted(connect, second["access_token"]) == {"payments.read", "refunds.read"}
    assert granted(connect, first["access_token"]) == {"payments.read"}


def test_a_sign_in_on_the_way_to_what_was_allowed_before(connect, tabs, member):
    app = connect.app()
    at_consent(connect, tabs(), app, member).click("Allow")
    connect.callback.answer()
    tab = tabs()
    tab.go(connect.authorize_url(app, TWO))
    tab._forget_events()
    connect.sign_in(tab, member)
    # The sign-in's own page may lead nowhere else, so another page of ours leads on.
    assert "code" in connect.callback.answer()
    tab.until("document.title === 'The app'")


def test_asked_again_by_force(connect, tabs, member):
    app = connect.app()
    tab = tabs()
    at_consent(connect, tab, app, member).click("Allow")
    first = exchange(connect, app, connect.callback.answer())
    at_consent(connect, tab, app, member, ["payments.read"], approval_prompt="force")
    assert "What it was allowed before ends." in tab.text
    tab.click("Allow")
    second = exchange(connect, app, connect.callback.answer())
    assert granted(connect, second["access_token"]) == {"payments.read"}
    dead = connect.bearer(first["access_token"])
    assert dead.get("/v2/permissions").status == 401
    dead.close()


def test_optional_permissions(connect, tabs, member):
    app = connect.app(optional_scopes=["refunds.read", "refunds.write"])
    tab = at_consent(connect, tabs(), app, member, ["payments.read", "refunds.read", "refunds.write"])
    assert "Only if you want" in tab.text
    boxes = tab.value("[...document.querySelectorAll('input[type=checkbox]')].map(one => [one.value, one.checked])")
    assert boxes == [["refunds.read", False], ["refunds.write", False]], "nothing is given without being ticked"
    tab.value("document.querySelector('input[value=\"refunds.read\"]').click()")
    tab.click("Allow")
    tokens = exchange(connect, app, connect.callback.answer())
    assert set(tokens["scope"].split()) == {"payments.read", "refunds.read"}
    # It is offered what it has not, and may do without.
    at_consent(connect, tab, app, member, ["payments.read", "refunds.read", "refunds.write"])
    assert tab.value("document.querySelectorAll('input[type=checkbox]').length") == 1
    tab.click("Allow")
    assert set(exchange(connect, app, connect.callback.answer())["scope"].split()) == {"payments.read", "refunds.read"}


def test_only_optional_ones(connect, tabs, member):
    app = connect.app(optional_scopes=["refunds.read"])
    tab = at_consent(connect, tabs(), app, member, ["refunds.read"])
    tab.click("Allow")
    assert "Tick at least one permission" in tab.text
    tab.value("document.querySelector('input[value=\"refunds.read\"]').click()")
    tab.click("Allow")
    assert "code" in connect.callback.answer()


def test_one_of_several_organizations(connect, tabs):
    member = connect.member()
    other = connect.organization("Second Home")
    connect.native.put(f"/api/v1/organizations/{other}/members/user:{member.login}", {"seat": "admin"}).ok()
    app = connect.app()
    tab = at_consent(connect, tabs(), app, member)
    assert "Choose an organization" in tab.text and "Acme Coffee" in tab.text
    tab._forget_events()
    place = tab.value("[...document.querySelectorAll('.choices a')].findIndex(one => one.innerText.includes('Second Home'))")
    tab.value(f"document.querySelectorAll('.choices a')[{place}].click()")
    tab.loaded()
    assert "Second Home" in tab.text and "Another organization" in tab.text
    tab.click("Allow")
    connect.callback.answer()
    listed = connect.native.get(f"/api/v1/authorizations?organization={other}").ok().json()["items"]
    assert [one["app"] for one in listed] == [app.client_id]
    assert connect.native.get(f"/api/v1/authorizations?organization={member.organization}").ok().json()["items"] == []
    # An app may name one.
    tab.go(connect.authorize_url(app, TWO, organization=member.organization))
    assert "Acme Coffee" in tab.text and "asks for access" in tab.text


def test_nobody_gives_what_is_not_theirs(connect, tabs, member):
    login = f"{member.login}-stranger"
    connect.native.post("/api/v1/users", {"login": login, "password": member.password}).ok()
    member.login = login
    tab = at_consent(connect, tabs(), connect.app(), member)
    assert "You belong to no organization" in tab.text
    tab.click("Back to Bean Counter")
    assert connect.callback.answer()["error"] == "access_denied"


def test_an_organization_that_approves_first(connect, tabs):
    member = connect.member()
    organization = member.organization
    connect.native.patch(f"/api/v1/organizations/{organization}", {"policy": {"approval": True}}).ok()
    app = connect.app()
    tab = at_consent(connect, tabs(), app, member)
    assert "Not approved yet" in tab.text
    tab.click("Back to Bean Counter")
    assert connect.callback.answer()["error"] == "access_denied"
    connect.native.put(f"/api/v1/organizations/{organization}/approvals/{app.client_id}", {"scopes": TWO}).ok()
    at_consent(connect, tab, app, member).click("Allow")
    assert "code" in connect.callback.answer()
    # What was approved is these scopes, and no others.
    at_consent(connect, tab, app, member, [*TWO, "refunds.read"])
    assert "Not approved yet" in tab.text


def test_in_dutch(connect, tabs, member):
    app = connect.app()
    tab = at_consent(connect, tabs(), app, member, locale="nl_NL")
    assert tab.value("document.documentElement.lang") == "nl"
    assert "Bean Counter vraagt om toegang" in tab.text and "View your payments" not in tab.text
    tab.click("Toestaan")
    assert "code" in connect.callback.answer()


def test_what_was_not_seen_is_not_given(connect, tabs, member):
    """An operator withdraws something between the page and the answer: it is asked for again."""
    app = connect.app()
    tab = tabs()
    at_consent(connect, tab, app, member).click("Allow")
    connect.callback.answer()
    at_consent(connect, tab, app, member, [*TWO, "refunds.read"])
    items = connect.native.get(f"/api/v1/authorizations?organization={member.organization}").ok().json()["items"]
    connect.native.delete(f"/api/v1/authorizations/{items[0]['id']}/scopes/payments.write").ok()
    tab.click("Allow")
    assert "What would be allowed has changed" in tab.text
    tab.click("Allow")
    assert "code" in connect.callback.answer()


def test_links_that_do_not_work(connect, tabs, member):
    app = connect.app()
    tab = tabs()
    for bad in ({"client_id": "app_nobody"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": app.redirect_uri + "/x"}):
        tab.go(connect.authorize_url(app, TWO, **bad))
        assert "This link does not work" in tab.text and tab.path.startswith("/oauth2/authorize")
    assert connect.callback.nobody_came()
    tab.go(connect.authorize_url(app, ["nothing.read"]))
    assert connect.callback.answer()["error"] == "invalid_scope"


def test_by_keyboard_alone(connect, tabs, member):
    app = connect.app(optional_scopes=["refunds.read"])
    tab = at_consent(connect, tabs(), app, member, ["payments.read", "refunds.read"])
    order = []
    for _ in range(8):
        tab.press("Tab")
        order.append(tab.focused or tab.value("document.activeElement.value"))
        if order[-1] == "Allow":
            break
    assert order == ["Skip to the content", "grantd", "refunds.read", "Do not allow", "Allow"], order
    outline = "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth"
    assert tab.value(outline) == "solid3px"
    tab.press("Tab", shift=True)
    tab.press("Tab", shift=True)
    tab.press(" ")
    tab.press("Tab")
    tab.press("Tab")
    tab.enter()
    assert set(exchange(connect, app, connect.callback.answer())["scope"].split()) == {"payments.read", "refunds.read"}


class Evil:
    """A page of somebody else, on another site than 127.0.0.1."""

    def __init__(self, page):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.http.server_port}/"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def test_it_is_neither_framed_nor_posted_from_elsewhere(connect, browser, member):
    app = connect.app()
    url = connect.authorize_url(app, TWO)
    tab = browser.tab(scripts=True)
    try:
        at_consent(connect, tab, app, member)
        assert "asks for access" in tab.text
        fields = tab.value("[...document.querySelectorAll('form input[type=hidden]')].map(one => [one.name, one.value])")
        inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields)
        for name, value in fields:
            if name == "csrf":
                record_secret("csrf token", value)
        quoted = url.replace("&", "&amp;")
        with Evil(f'<iframe id="f" src="{quoted}"></iframe>') as evil:
            tab.go(evil.url)
            shown = "(() => { try { return document.getElementById('f').contentDocument === null } catch { return true } })()"
            assert tab.value(shown)
        # Even with the token of the page, which nobody else can read.
        form = f'<form id="f" method="post" action="{quoted}">{inputs}<input name="decision" value="allow"></form>'
        with Evil(form) as evil:
            tab.go(evil.url)
            tab._forget_events()
            tab.value("document.getElementById('f').submit()")
            tab.loaded()
            assert "asks for access" not in tab.text and "The app" != tab.value("document.title")
        assert connect.callback.nobody_came()
        assert connect.native.get(f"/api/v1/authorizations?organization={member.organization}").ok().json()["items"] == []
    finally:
        tab.close()


def test_the_apps_page(connect, tabs):
    admin = connect.member("admin")
    plain = connect.member("member", admin.organization)
    first, second = connect.app("First App"), connect.app("Second App")
    tab = tabs()
    at_consent(connect, tab, first, admin).click("Allow")
    tokens = exchange(connect, first, connect.callback.answer())
    connect.tokens(second, admin.organization, ["refunds.read"])
    granted(connect, tokens["access_token"])

    tab.go(f"{connect.url}/apps")
    for said in ("First App", "Second App", f"by {admin.login}", "by an operator", "View your refunds", "You are an admin."):
        assert said in tab.text, said
    tab.click("Withdraw", nth=2)
    assert "The permission is withdrawn." in tab.text

    # Who is only a member sees it all; where an admin approves first, what others allowed is an admin's to take back.
    connect.native.patch(f"/api/v1/organizations/{admin.organization}", {"policy": {"approval": True}}).ok()
    other = tabs()
    other.go(f"{connect.url}/apps")
    connect.sign_in(other, plain)
    assert "First App" in other.text and "You are a member." in other.text
    assert other.value("[...document.querySelectorAll('main button')].length") == 0
    stranger = connect.member()
    third = tabs()
    third.go(f"{connect.url}/apps?organization={admin.organization}")
    connect.sign_in(third, stranger)
    assert "First App" not in third.text and "No app may do anything here." in third.text


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_how_it_looks(connect, tabs, width, dark):
    """Screenshots for people; what a program can see of them is looked at here."""
    member = connect.member("admin", connect.organization("Koffiebranderij De Goede Boon van Amsterdam en Omstreken B.V."))
    size = WIDTHS[width]
    tab = tabs(width=size[0], height=size[1], dark=dark)

    def shot(name):
        assert fits(tab), f"{name} is wider than {width} px"
        small = "[...document.querySelectorAll('button, input:not([type=hidden], [type=checkbox])')].filter(one => one.offsetHeight < 36).length"
        assert tab.value(small) == 0, "too small for a finger"
        tab.screenshot(SHOTS / f"{name}-{width}-{'dark' if dark else 'light'}.png")

    app = connect.app("Bean Counter", website="https://beans.example", optional_scopes=["refunds.read", "profiles.write"])
    scopes = ["payments.read", "payments.write", "customers.read", "organizations.read", "refunds.read", "profiles.write"]
    at_consent(connect, tab, app, member, scopes)
    shot("consent")
    tab.click("Allow")
    connect.callback.answer()
    at_consent(connect, tab, app, member, [*scopes, "settlements.read"])
    tab.tap("It can do this already (4)")
    shot("consent-more")
    at_consent(connect, tab, app, member, scopes, locale="nl_NL", approval_prompt="force")
    shot("consent-dutch")
    tab.go(f"{connect.url}/apps")
    shot("apps")
    tab.go(connect.authorize_url(app, scopes, client_id="app_nobody"))
    shot("consent-wrong")
    other = connect.organization("Second Home")
    connect.native.put(f"/api/v1/organizations/{other}/members/user:{member.login}", {"seat": "member"}).ok()
    at_consent(connect, tab, app, member, [*scopes, "orders.read"])
    shot("consent-choose")
