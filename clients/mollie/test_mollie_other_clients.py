"""mollie-api-py 1.10.20, and @mollie/api-client 4.6.0 for Node over TLS: unmodified, a person consents in a real browser."""

import pytest

from connect import noted
from drivers import Driver

SCOPES = ["payments.read", "organizations.read"]


@pytest.fixture(scope="module", params=["mollie-api-py", "mollie-api-py at /mollie", "@mollie/api-client"])
def client(request, connect, secure):
    """The client, and the server that it talks to."""
    name, _, mount = request.param.partition(" at ")
    where = secure if name.startswith("@") else connect
    with Driver(name, where.url + mount) as driver:
        yield driver, where


def refused(answer, status):
    assert answer.get("status") == status, answer
    return answer


def test_from_consent_to_the_end(client, tabs):
    driver, where = client
    app, member = where.app(), where.member()
    where.consent(tabs(), where.authorize_url(app, SCOPES), member, "Do not allow")
    address = where.consent(tabs(), where.authorize_url(app, SCOPES), member)
    code = address.split("code=")[1].split("&")[0]
    assert code.startswith("auth_")

    exchange = {**app.credentials, "code": code, "redirect_uri": app.redirect_uri}
    tokens = noted(driver("exchange", **exchange))
    assert tokens["token_type"] == "bearer" and tokens["expires_in"] == 3600
    assert set(tokens["scope"].split()) == set(SCOPES)
    token = tokens["access_token"]

    listed = driver("list_permissions", token=token)
    permissions = listed if isinstance(listed, list) else listed["_embedded"]["permissions"]
    granted = {one["id"]: one["granted"] for one in permissions}
    assert len(granted) >= 24 and {id for id, yes in granted.items() if yes} == set(SCOPES)
    one = driver("get_permission", token=token, id="payments.read")
    assert one["description"] == "View your payments" and one["granted"] is True
    assert driver("get_permission", token=token, id="payment-links.read")["granted"] is False
    organization = driver("get_organization", token=token)
    assert organization["id"] == member.organization and organization["name"] == "Acme Coffee"
    missing = refused(driver.ask("get_permission", token=token, id="nothing.read"), 404)
    assert "nothing.read" in missing["detail"]

    # A confidential client keeps its refresh token.
    again = noted(driver("refresh", **app.credentials, refresh_token=tokens["refresh_token"]))
    assert again["access_token"] != token and again["refresh_token"] == tokens["refresh_token"]
    assert driver("get_permission", token=again["access_token"], id="payments.read")["granted"] is True

    driver("revoke", **app.credentials, token=again["access_token"], hint="access_token")
    refused(driver.ask("get_permission", token=again["access_token"], id="payments.read"), 401)
    assert driver("get_permission", token=token, id="payments.read")["granted"] is True
    driver("revoke", **app.credentials, token=tokens["refresh_token"], hint="refresh_token")
    refused(driver.ask("get_permission", token=token, id="payments.read"), 401)
    dead = driver.ask("refresh", **app.credentials, refresh_token=tokens["refresh_token"])
    assert dead.get("status") == 400 or dead.get("detail"), dead


def test_withdrawing_and_disconnecting(client, tabs):
    driver, where = client
    app, member = where.app("Ledger Lift"), where.member("admin")
    tab = tabs()
    address = where.consent(tab, where.authorize_url(app, SCOPES), member)
    code = address.split("code=")[1].split("&")[0]
    tokens = noted(driver("exchange", **app.credentials, code=code, redirect_uri=app.redirect_uri))
    token = tokens["access_token"]

    tab.go(f"{where.url}/apps")
    assert "Ledger Lift" in tab.text and "View your payments" in tab.text
    tab.click("Withdraw", nth=1)
    assert "The permission is withdrawn." in tab.text and "View your payments" not in tab.text
    assert driver("get_permission", token=token, id="payments.read")["granted"] is False, "the same token, the next call"
    assert driver("get_permission", token=token, id="organizations.read")["granted"] is True
    shorter = noted(driver("refresh", **app.credentials, refresh_token=tokens["refresh_token"]))
    assert shorter["scope"] == "organizations.read"

    tab.tap("Disconnect")
    tab.click("Disconnect Ledger Lift")
    assert "The app is disconnected." in tab.text and "No app may do anything here." in tab.text
    for dead in (token, shorter["access_token"]):
        refused(driver.ask("get_permission", token=dead, id="organizations.read"), 401)
    assert "answer" not in driver.ask("refresh", **app.credentials, refresh_token=tokens["refresh_token"])


def test_a_code_is_good_once(client, tabs):
    driver, where = client
    app, member = where.app(), where.member()
    address = where.consent(tabs(), where.authorize_url(app, SCOPES), member)
    exchange = {**app.credentials, "code": address.split("code=")[1].split("&")[0], "redirect_uri": app.redirect_uri}
    token = noted(driver("exchange", **exchange))["access_token"]
    assert "answer" not in driver.ask("exchange", **exchange)
    refused(driver.ask("get_permission", token=token, id="payments.read"), 401)


def test_bad_tokens(client):
    driver, _ = client
    for token in ("access_" + "x" * 30, "access_none", "test_" + "x" * 30):
        refused(driver.ask("list_permissions", token=token), 401)
