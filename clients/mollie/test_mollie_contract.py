"""The wire, member by member: both versions, their errors, pages and links."""

import http.client
import json

import pytest

from connect import noted
from harness import EACH_COUNTS

V1_IDS = """
    apikeys.read apikeys.write customers.read customers.write mandates.read mandates.write organizations.read
    organizations.write payments.read payments.write profiles.read profiles.write refunds.read refunds.write
    settlements.read
""".split()
DESCRIPTIONS = {
    "customers.read": "View your customers",
    "customers.write": "Create new customers",
    "invoices.read": "View your invoices",
    "mandates.read": "View your customers' mandates",
    "mandates.write": "Update your customers' mandates",
    "onboarding.read": "View your onboarding status",
    "onboarding.write": "Submit onboarding data",
    "orders.read": "View your orders",
    "orders.write": "Create new orders",
    "organizations.read": "View your organizational information",
    "organizations.write": "Update your organizational information",
    "payment-links.read": "View your payment links",
    "payment-links.write": "Create payment links",
    "payments.read": "View your payments",
    "payments.write": "Create, cancel and update payments",
    "profiles.read": "View your payment profiles",
    "profiles.write": "Manage your payment profiles and its settings",
    "refunds.read": "View your refunds",
    "refunds.write": "Create new refunds",
    "settlements.read": "View your settlements",
    "shipments.read": "View your orders' shipments",
    "shipments.write": "Create new shipments for your orders",
    "subscriptions.read": "View your customers' subscriptions",
    "subscriptions.write": "Create, cancel and update subscriptions",
}
JSON, HAL = "application/json; charset=utf-8", "application/hal+json"
MOUNTS = ["", "/mollie", "/r/default/mollie", "/r/default"]


@pytest.fixture(scope="module")
def granted(connect):
    """An app with two permissions, and its access token."""
    organization = connect.organization("Acme & Söhne")
    tokens = connect.tokens(connect.app(), organization, ["payments.read", "organizations.read"])
    return tokens["access_token"], organization


@pytest.fixture
def bearer(connect, granted):
    client = connect.bearer(granted[0])
    yield client
    client.close()


def ordered(answer):
    return json.loads(answer.raw, object_pairs_hook=list)


@pytest.mark.parametrize("mount", MOUNTS)
class TestV1:
    def test_get(self, bearer, mount):
        answer = bearer.get(f"{mount}/v1/permissions/payments.read").ok()
        assert answer.headers["Content-Type"] == JSON and "no-store" in answer.headers["Cache-Control"]
        assert ordered(answer) == [
            ("resource", "permission"),
            ("id", "payments.read"),
            ("description", "View your payments"),
            ("warning", answer.json()["warning"]),
            ("granted", True),
        ]
        assert bearer.get(f"{mount}/v1/permissions/refunds.read").ok().json()["granted"] is False

    def test_list(self, connect, bearer, mount):
        answer = bearer.get(f"{mount}/v1/permissions").ok()
        assert answer.headers["Content-Type"] == JSON
        body = answer.json()
        assert [name for name, _ in ordered(answer)] == ["totalCount", "offset", "count", "data", "links"]
        assert (body["totalCount"], body["offset"], body["count"], len(body["data"])) == (15, 0, 10, 10)
        page = f"{connect.url}{mount}/v1/permissions?count=10&offset="
        assert body["links"] == {"first": f"{page}0", "previous": None, "next": f"{page}10", "last": f"{page}10"}
        path = body["links"]["next"].removeprefix(connect.url)
        rest = bearer.get(path).ok().json()
        assert (rest["offset"], rest["count"], rest["links"]["next"]) == (10, 5, None)
        assert rest["links"]["previous"] == f"{page}0"
        assert [one["id"] for one in body["data"] + rest["data"]] == V1_IDS
        assert {one["id"] for one in body["data"] + rest["data"] if one["granted"]} == {"payments.read", "organizations.read"}


class TestV1Pages:
    def test_the_oldest_clients_ask_for_all(self, bearer):
        body = bearer.get("/v1/permissions?offset=0&count=0").ok().json()
        assert body["count"] == 10
        whole = bearer.get("/v1/permissions?count=250").ok().json()
        assert whole["count"] == 15 and whole["links"]["next"] is None and whole["links"]["last"].endswith("offset=0")

    def test_behind_the_end(self, bearer):
        body = bearer.get("/v1/permissions?offset=1000").ok().json()
        assert (body["totalCount"], body["count"], body["data"]) == (15, 0, [])
        assert body["links"]["previous"].endswith("offset=10")

    @pytest.mark.parametrize(
        "query, field",
        [("count=251", "count"), ("count=-1", "count"), ("count=ten", "count"), ("offset=-1", "offset"), ("offset=1.5", "offset")],
    )
    def test_what_is_no_page(self, bearer, query, field):
        answer = bearer.get(f"/v1/permissions?{query}")
        assert answer.status == 422 and answer.headers["Content-Type"] == JSON
        error = answer.json()["error"]
        assert (error["type"], error["field"]) == ("request", field) and not error["message"].endswith(".")


@pytest.mark.parametrize("mount", MOUNTS)
class TestV2:
    def test_get(self, connect, bearer, mount):
        answer = bearer.get(f"{mount}/v2/permissions/payments.read").ok()
        assert answer.headers["Content-Type"] == HAL and "no-store" in answer.headers["Cache-Control"]
        documentation = f"{connect.url}/docs/reference/v2/permissions-api/get-permission"
        assert answer.json() == {
            "resource": "permission",
            "id": "payments.read",
            "description": "View your payments",
            "granted": True,
            "_links": {
                "self": {"href": f"{connect.url}{mount}/v2/permissions/payments.read", "type": HAL},
                "documentation": {"href": documentation, "type": "text/html"},
            },
        }

    def test_list(self, connect, bearer, mount):
        answer = bearer.get(f"{mount}/v2/permissions").ok()
        assert answer.headers["Content-Type"] == HAL
        body = answer.json()
        permissions = body["_embedded"]["permissions"]
        ids = [one["id"] for one in permissions]
        assert body["count"] == len(ids) and ids == sorted(ids) and not any(id.startswith("apikeys") for id in ids)
        assert {one["id"]: one["description"] for one in permissions}.items() >= DESCRIPTIONS.items()
        assert {one["id"] for one in permissions if one["granted"]} == {"payments.read", "organizations.read"}
        assert set(body["_links"]) == {"self", "documentation"}
        assert body["_links"]["self"]["href"] == f"{connect.url}{mount}/v2/permissions"
        for one in permissions:
            assert set(one) == {"resource", "id", "description", "granted", "_links"}
            assert set(one["_links"]) == {"self"}
            assert one["_links"]["self"]["href"] == f"{connect.url}{mount}/v2/permissions/{one['id']}"

    def test_the_organization(self, connect, bearer, granted, mount):
        answer = bearer.get(f"{mount}/v2/organizations/me").ok()
        assert answer.headers["Content-Type"] == HAL
        body = answer.json()
        assert (body["resource"], body["id"], body["name"]) == ("organization", granted[1], "Acme & Söhne")
        assert body["_links"]["self"]["href"] == f"{connect.url}{mount}/v2/organizations/me"


def test_nobody_is_refused_for_what_they_accept(bearer):
    for headers in (
        {"Accept": "application/json", "Content-Type": "application/json"},
        {"Accept": "application/hal+json", "Idempotency-Key": "x"},
        {"Accept": "text/html"},
        {"Authorization": bearer.headers["Authorization"].replace("Bearer", "bEARER")},
    ):
        bearer.get("/v2/permissions/payments.read?testmode=true", headers=headers).ok()
        bearer.get("/v1/permissions/payments.read", headers=headers).ok()
    head = bearer.call("HEAD", "/v2/permissions").ok()
    assert head.raw == b"" and head.headers["Content-Type"] == HAL


class TestErrors:
    def test_bad_credentials(self, connect, granted):
        bad = [None, "access_" + "x" * 30, "test_" + "x" * 30, "live_" + "x" * 30, "nonsense", granted[0][:-1] + "!"]
        for key in bad:
            client = connect.server.nobody(**({"key": key} if key else {}))
            # Whether there is such a permission is not told.
            for id in ("payments.read", "nothing.read"):
                v1 = client.get(f"/v1/permissions/{id}")
                assert v1.status == 401 and v1.headers["Content-Type"] == JSON
                links = {"documentation": f"{connect.url}/docs/"}
                assert v1.json() == {"error": {"type": "request", "message": "Unauthorized request", "links": links}}
                v2 = client.get(f"/v2/permissions/{id}")
                assert v2.status == 401 and v2.headers["Content-Type"] == HAL
                documentation = {"href": f"{connect.url}/docs/overview/authentication", "type": "text/html"}
                assert v2.json() == {
                    "status": 401,
                    "title": "Unauthorized Request",
                    "detail": "Missing authentication, or failed to authenticate",
                    "_links": {"documentation": documentation},
                }
                assert v2.headers["WWW-Authenticate"].startswith('Bearer realm="grantd"')
                assert ("invalid_token" in v2.headers["WWW-Authenticate"]) == bool(key)
            client.close()

    def test_a_token_in_the_query_is_none(self, connect, granted):
        # By hand: the record of a run keeps the addresses of what was refused.
        raw = http.client.HTTPConnection("127.0.0.1", connect.server.port, timeout=20)
        raw.request("GET", f"/v2/permissions?access_token={granted[0]}")
        assert raw.getresponse().status == 401
        raw.close()

    def test_a_key_of_grantds_own(self, connect):
        client = connect.server.client()
        v1 = client.get("/v1/permissions/payments.read")
        assert v1.status == 401 and v1.json()["error"]["message"] == "Unauthorized request"
        v2 = client.get("/v2/permissions/payments.read")
        assert (v2.status, v2.json()["title"]) == (403, "Forbidden")
        assert v2.json()["detail"] == (
            "This API endpoint is only available with an OAuth access token and cannot be accessed with an API key."
        )
        client.close()

    def test_what_is_not_there(self, connect, bearer):
        # v1 is older than most of them, v2 has lost two.
        for id in ("nothing.read", "payment-links.read", "PAYMENTS.READ", "payments"):
            answer = bearer.get(f"/mollie/v1/permissions/{id}")
            assert answer.status == 404 and answer.json()["error"]["message"] == f"No permission exists with token {id}"
        for id in ("nothing.read", "apikeys.read", "payments"):
            answer = bearer.get(f"/mollie/v2/permissions/{id}")
            assert (answer.status, answer.json()["title"]) == (404, "Not Found")
            assert answer.json()["detail"] == f"No permission exists with token {id}."
        # What could be a secret in the wrong place is not repeated.
        answer = bearer.get("/mollie/v2/permissions/access_0123456789")
        assert answer.status == 404 and b"0123456789" not in answer.raw
        assert bearer.get("/mollie/v1/payments").status == 404
        assert bearer.get("/mollie/v3/permissions").json()["status"] == 404

    def test_other_methods(self, bearer):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            v1 = bearer.call(method, "/mollie/v1/permissions/payments.read", b"{}" if method != "DELETE" else None)
            assert v1.status == 405 and v1.json()["error"]["type"] == "request"
            assert {one.strip() for one in v1.headers["Allow"].split(",")} == {"GET", "HEAD"}
            v2 = bearer.call(method, "/mollie/v2/permissions", b"{}" if method != "DELETE" else None)
            assert v2.status == 405 and v2.json()["title"] == "Method Not Allowed"

    @pytest.mark.one_node(EACH_COUNTS)
    def test_too_many_wrong_tokens(self, connect, granted):
        source = "127.0.0.66"
        client = connect.server.nobody(key="access_" + "y" * 30, source=source)
        for _ in range(61):
            answer = client.get("/v2/permissions")
        assert (answer.status, answer.json()["title"]) == (429, "Too Many Requests")
        assert answer.json()["detail"] == "You have exceeded the rate limit. Please slow down your requests."
        assert int(answer.headers["Retry-After"]) >= 1
        assert client.get("/v1/permissions").json()["error"]["type"] == "request"
        client.close()
        good = connect.server.nobody(key=granted[0], source=source)
        good.get("/v2/permissions").ok()
        good.close()


def test_beside_the_other_dialects(connect):
    """Three dialects share paths at the root: each gets its own, in one run."""
    nobody = connect.server.nobody()
    # The catalogue dialect has a slash at the end, or a number.
    for path in ("/v1/permissions/", "/v1/permissions/46", "/v1/permissions/46/"):
        assert set(nobody.get(path).json()) == {"detail"}, path
    for path in ("/v1/permissions", "/v1/permissions/payments.read", "/mollie/v1/permissions/", "/mollie/v1/permissions/46"):
        assert nobody.get(path).json()["error"]["message"] == "Unauthorized request", path
    # The users-and-roles dialect has one, too.
    assert nobody.get("/v2/permissions/").json()["error"]["code"].startswith("PLP")
    for path in ("/v2/permissions", "/v2/permissions/payments.read", "/mollie/v2/permissions/"):
        assert nobody.get(path).json()["title"] == "Unauthorized Request", path
    nobody.close()


def test_a_permission_of_ones_own(connect):
    texts = {"en": {"description": "Open the garage", "warning": "Anybody can drive in."}}
    connect.native.put("/api/v1/scopes/garage.open", {"texts": texts, "in_v1": True, "in_v2": True}).ok()
    tokens = noted(connect.tokens(connect.app(), connect.organization(), ["garage.open"]))
    client = connect.bearer(tokens["access_token"])
    v1 = client.get("/v1/permissions/garage.open").ok().json()
    assert (v1["description"], v1["warning"], v1["granted"]) == ("Open the garage", "Anybody can drive in.", True)
    assert client.get("/v2/permissions/garage.open").ok().json()["granted"] is True
    connect.native.delete("/api/v1/scopes/garage.open").ok()
    assert client.get("/v2/permissions/garage.open").status == 404
    client.close()
