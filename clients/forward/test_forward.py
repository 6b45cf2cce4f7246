"""A web service that knows nothing of permissions, behind proxies that ask grantd first."""

import pytest

HOST = {"Host": "shop.example"}


@pytest.fixture
def ask(proxy, guarded, stub):
    """One request through the proxy: its status, and what the service saw of it, if anything."""

    def ask(path, method="GET", who=None, headers=None, body=None):
        del stub.seen[:]
        basic = (who, guarded.password) if who else None
        client = proxy.client(basic=basic)
        answer = client.call(method, path, body, headers={**HOST, **(headers or {})})
        client.close()
        assert len(stub.seen) == (answer.status == 200)
        return answer, stub.seen[0] if stub.seen else None

    return ask


def test_who_may_is_let_through_and_named(ask):
    answer, (method, path, headers, _) = ask("/orders/7?x=1", who="ann")
    assert (answer.status, method, path) == (200, "GET", "/orders/7?x=1")
    assert (headers["remote-user"], headers["remote-subject"]) == ("ann", "user:ann")
    assert "authorization" not in headers, "the service has no use for the password"


def test_who_may_not_is_turned_away(ask):
    assert ask("/orders/7", "POST", "ann", body=b"x")[0].status == 403
    assert ask("/drafts/1", "POST", "ann", body=b"x")[0].status == 200
    assert ask("/secrets", who="ann")[0].status == 403
    assert ask("/orders/7", who="ann", headers={"Host": "other.example"})[0].status == 403


def test_a_visitor_is_asked_who_they_are(ask):
    answer, _ = ask("/orders/7")
    assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert ask("/orders/7", headers={"Authorization": "Bearer gdk_wrong"})[0].status == 401
    answer, seen = ask("/public/a")
    assert answer.status == 200 and not seen[2].get("remote-user")


@pytest.mark.parametrize("name", ["Remote-User", "remote-user", "Remote_User", "Remote-Subject"])
def test_nobody_names_themselves(ask, name):
    """A client's own header never reaches the service as if grantd had said it."""
    for path, who in [("/public/a", None), ("/orders/7", "ann")]:
        _, seen = ask(path, who=who, headers={name: "root"})
        named = {name: value for name, value in seen[2].items() if name.replace("_", "-").startswith("remote-")}
        assert "root" not in named.values(), named


@pytest.mark.parametrize(
    "path",
    [
        "/public/../orders/7",
        "/public/%2e%2e/orders/7",
        "/public/%2E./orders/7",
        "/public/..%2forders/7",
        "/public//orders",
        "//orders/7",
        "/public;/../orders/7",
        "/public/a;x=1",
        "/public/%252e%252e/orders/7",
        "/public\\..\\orders",
        "/public/%5c..%5corders",
        "/public/%00",
    ],
)
def test_a_path_with_two_readings_is_refused(ask, path):
    """Not even where one of the readings is open to everybody."""
    for who in (None, "ann"):
        assert ask(path, who=who)[0].status in (400, 401, 403)


@pytest.mark.parametrize(
    "header",
    ["X-Original-URI", "X-Forwarded-Uri", "X-Original-URL", "X-Forwarded-Host", "X-Original-Host", "X-Forwarded-Method"],
)
def test_a_client_cannot_say_what_is_asked(ask, header):
    values = {"X-Original-URL": "http://shop.example/public/a", "X-Forwarded-Method": "GET"}
    for path, method in [("/orders/7", "GET"), ("/public/a", "POST")]:
        value = values.get(header) or ("shop.example" if header.endswith("Host") else "/public/a")
        status = ask(path, method, headers={header: value}, body=b"x" if method == "POST" else None)[0].status
        assert status in (401, 403), f"{method} {path} with {header}: {status}"


def test_a_long_body_goes_past_the_check(ask, guarded):
    """10 MB, which grantd neither gets nor waits for."""
    answer, seen = ask("/drafts/1", "PUT", "ann", body=bytes(10_000_000), headers={"Content-Type": "application/octet-stream"})
    assert answer.status == 200 and seen[3] == 10_000_000
    answer, _ = ask("/orders/1", "PUT", "ann", body=bytes(10_000_000), headers={"Content-Type": "application/octet-stream"})
    assert answer.status == 403


def test_a_revoked_permission_ends_at_once(ask, guarded):
    api = guarded.client()
    key = {"resource": "url:/shop.example/lent/", "relation": "read", "subject": "user:ann"}
    for _ in range(5):
        api.post("/api/v1/relationships", {"write": [key]}).ok()
        assert ask("/lent/x", who="ann")[0].status == 200
        api.post("/api/v1/relationships", {"delete": [key]}).ok()
        assert ask("/lent/x", who="ann")[0].status == 403


def test_without_grantd_nobody_passes(proxy, stub):
    """It fails closed."""
    from harness import Temp

    with Temp("closed") as work, type(proxy)(work / "proxy", 1, stub.port) as closed:
        del stub.seen[:]
        assert closed.client().get("/public/a", headers=HOST).status >= 500
        assert stub.seen == []
