"""What an app is told of, and nobody else's: what organizations let it do."""

from harness import record_secret
from hooks import ask, deliveries, eventually, make


def new_app(client, name: str) -> str:
    made = client.post("/api/v1/apps", {"name": name, "redirect_uris": ["https://shop.example/back"]}).ok().json()
    record_secret("app secret", made["client_secret"])
    return made["client_id"]


def agree(client, app: str, organization: str, *scopes: str) -> str:
    body = {"app": app, "organization": organization, "scopes": list(scopes), "tokens": False}
    return client.post("/api/v1/authorizations", body).ok().json()["id"]


def test_an_app_is_told_of_what_it_may_do(hooked):
    server, receiver = hooked
    client = server.client()
    shop, other = new_app(client, "Shop"), new_app(client, "Other")
    organization = client.post("/api/v1/organizations", {"name": "Acme"}).ok().json()["id"]
    id, secret = make(client, receiver.url, app=shop)
    ask(client)
    agree(client, other, organization, "payments.read")
    authorization = agree(client, shop, organization, "payments.read", "orders.read")
    client.delete(f"/api/v1/authorizations/{authorization}/scopes/orders.read").ok()
    client.delete(f"/api/v1/authorizations/{authorization}").ok()
    eventually(lambda: len(deliveries(client, id, "delivered")) == 3)
    told = [message.verified(secret) for message in receiver.messages()]
    assert {one["type"] for one in told} == {"authorization.granted", "authorization.changed", "authorization.revoked"}
    said = {one["type"]: one["data"]["authorization"] for one in told}
    assert {one["id"] for one in said.values()} == {authorization}
    assert {(one["app"], one["organization"]) for one in said.values()} == {(shop, organization)}
    assert sorted(said["authorization.granted"]["added"]) == ["orders.read", "payments.read"]
    assert (said["authorization.changed"]["scopes"], said["authorization.changed"]["removed"]) == (
        ["payments.read"],
        ["orders.read"],
    )
    assert (said["authorization.revoked"]["scopes"], said["authorization.revoked"]["removed"]) == ([], ["payments.read"])


def test_a_webhook_of_no_app_is_refused(hooked):
    server, receiver = hooked
    answer = server.client().post("/api/v1/webhooks", {"url": receiver.url, "app": "app_that_is_not_there"})
    assert answer.status == 400 and "app of this realm" in answer.json()["detail"], answer.raw
