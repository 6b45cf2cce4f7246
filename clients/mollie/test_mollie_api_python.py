"""mollie-api-python 4.0.0, unmodified: its own OAuth session, with the automatic refresh."""

import os

import pytest

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

from mollie.api.client import Client  # noqa: E402
from mollie.api.error import NotFoundError, ResponseError, UnauthorizedError  # noqa: E402

from connect import noted  # noqa: E402

SCOPES = ["payments.read", "organizations.read"]


@pytest.fixture(scope="module", params=["", "/mollie"], ids=["root", "mount"])
def mollie(request, connect):
    """The client's class, pointed at this server: its OAuth addresses are attributes of the class."""
    base = connect.url + request.param

    class Pointed(Client):
        API_ENDPOINT = base
        OAUTH_AUTHORIZATION_URL = f"{base}/oauth2/authorize"
        OAUTH_AUTO_REFRESH_URL = OAUTH_TOKEN_URL = f"{base}/oauth2/tokens"

    return Pointed


def connected(mollie, connect, tab, app, member, scopes=SCOPES):
    """A client whose app the member has allowed, and the tokens that it was told to keep."""
    client, kept = mollie(), []
    done, url = client.setup_oauth(app.client_id, app.client_secret, app.redirect_uri, scopes, None, kept.append)
    assert not done
    client.setup_oauth_authorization_response(connect.consent(tab, url, member))
    for tokens in kept:
        noted(tokens)
    return client, kept


def test_from_consent_to_the_end(mollie, connect, tabs):
    app, member = connect.app(), connect.member()
    client, kept = connected(mollie, connect, tabs(), app, member)
    assert kept[0]["token_type"].lower() == "bearer" and set(kept[0]["scope"]) == set(SCOPES)
    permissions = {one.id: one for one in client.permissions.list()}
    assert {id for id, one in permissions.items() if one.granted} == set(SCOPES)
    assert permissions["payments.read"].resource == "permission"
    one = client.permissions.get("payments.read")
    assert (one.id, one.description, one.granted) == ("payments.read", "View your payments", True)
    assert client.permissions.get("payment-links.read").granted is False
    assert client.organizations.get("me").id == member.organization
    with pytest.raises(NotFoundError, match="No permission exists with token nothing.read"):
        client.permissions.get("nothing.read")

    # It refreshes by itself, with its credentials in the body.
    client._oauth_client.token = {**kept[-1], "expires_at": 1, "expires_in": -1}
    assert client.permissions.get("payments.read").granted is True
    assert len(kept) == 2 and kept[1]["access_token"] != kept[0]["access_token"]
    assert kept[1]["refresh_token"] == kept[0]["refresh_token"]
    noted(kept[1])

    client.set_testmode(True)
    assert client.permissions.get("payments.read").granted is True
    client.set_testmode(False)

    # Its revocation shows the access token besides the credentials.
    assert client.revoke_oauth_token(app.client_id, kept[1]["refresh_token"], "refresh_token").status_code == 204
    with pytest.raises(UnauthorizedError, match="Missing authentication, or failed to authenticate"):
        client.permissions.list()


def test_withdrawing_shows_in_the_next_call(mollie, connect, tabs):
    app, member = connect.app("Withdrawn"), connect.member("admin")
    tab = tabs()
    client, _ = connected(mollie, connect, tab, app, member)
    other = mollie()
    other.set_access_token(client._oauth_client.token["access_token"])
    assert other.permissions.get("payments.read").granted is True
    tab.go(f"{connect.url}/apps")
    tab.click("Withdraw", nth=1)
    for one in (client, other):
        assert one.permissions.get("payments.read").granted is False
        assert one.permissions.get("organizations.read").granted is True
    tab.tap("Disconnect")
    tab.click("Disconnect Withdrawn")
    for one in (client, other):
        with pytest.raises(UnauthorizedError):
            one.permissions.get("organizations.read")


def test_no_organization_without_its_permission(mollie, connect, tabs):
    app, member = connect.app(), connect.member()
    client, _ = connected(mollie, connect, tabs(), app, member, ["payments.read"])
    with pytest.raises(ResponseError, match="organizations.read") as refused:
        client.organizations.get("me")
    assert refused.value.status == 403


def test_an_organizations_own_token(mollie, connect):
    organization = connect.organization()
    made = connect.native.post(
        f"/api/v1/organizations/{organization}/tokens", {"name": "books", "scopes": ["payments.read", "organizations.read"]}
    ).ok().json()
    noted({"access_token": made["token"]})
    client = mollie()
    client.set_access_token(made["token"])
    granted = {one.id for one in client.permissions.list() if one.granted}
    assert granted == {"payments.read", "organizations.read"}
    assert client.organizations.get("me").id == organization
    # It is no token of an app: what came before these tokens does not know them.
    old = connect.bearer(made["token"])
    assert old.get("/v1/permissions").status == 401
    old.close()


def test_keys_are_no_tokens(mollie, connect):
    client = mollie()
    client.set_api_key("test_" + "x" * 30)
    with pytest.raises(UnauthorizedError):
        client.permissions.list()
