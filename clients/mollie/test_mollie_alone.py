"""The dialect at an address of its own, without paths at the root, with documentation elsewhere; and a restart."""

import pytest

from connect import Connect, noted
from harness import Client, Server, Temp, free_port


@pytest.fixture(scope="module")
def alone(callback):
    port = free_port()
    args = ["--listen", f"mollie=127.0.0.1:{port}", "--no-root-paths", "--mollie-docs-url", "https://docs.example/mollie/"]
    with Temp("mollie-alone") as data, Server(data, "mollie-alone", args=args) as server:
        yield Connect(server, callback), port


def test_links_name_the_address_that_the_world_knows(alone):
    connect, port = alone
    tokens = connect.tokens(connect.app(), connect.organization(), ["payments.read"])
    client = Client(port, key=tokens["access_token"])
    for path in ("/v2/permissions/payments.read", "/v2/permissions/payments.read/", "/mollie/v2/permissions/payments.read"):
        body = client.get(path).ok().json()
        assert body["_links"]["self"]["href"] == f"{connect.url}/mollie/v2/permissions/payments.read"
        assert body["_links"]["documentation"]["href"].startswith("https://docs.example/mollie/reference/")
    page = client.get("/v1/permissions").ok().json()["links"]["next"]
    assert page == f"{connect.url}/mollie/v1/permissions?count=10&offset=10"
    main = connect.bearer(tokens["access_token"])
    main.get(page.removeprefix(connect.url)).ok()
    assert main.get("/v2/permissions").status == 404, "not without its mount"
    main.close()
    client.close()


def test_tokens_are_issued_there_too(alone, tabs):
    connect, port = alone
    app, member = connect.app(), connect.member()
    tab = tabs()
    url = connect.authorize_url(app, ["payments.read"]).replace(connect.url, f"http://127.0.0.1:{port}")
    connect.consent(tab, url, member)
    tab.go(f"{connect.url}/apps")
    assert "Bean Counter" in tab.text


def test_a_restart_keeps_everything(alone):
    connect, _ = alone
    organization = connect.organization()
    app = connect.app()
    tokens = connect.tokens(app, organization, ["payments.read"])
    own = connect.native.post(f"/api/v1/organizations/{organization}/tokens", {"scopes": ["refunds.read"]}).ok().json()
    noted(own)
    connect.native.close()
    connect.server.restart()
    for token, scope in ((tokens["access_token"], "payments.read"), (own["access_token"], "refunds.read")):
        client = connect.bearer(token, base="/mollie")
        assert client.get(f"/v2/permissions/{scope}").ok().json()["granted"] is True
        client.close()
    client = connect.server.nobody(basic=(app.client_id, app.client_secret))
    form = f"grant_type=refresh_token&refresh_token={tokens['refresh_token']}".encode()
    again = client.post("/oauth2/tokens", form, content_type="application/x-www-form-urlencoded").ok().json()
    assert noted(again)["refresh_token"] == tokens["refresh_token"]
    client.close()
