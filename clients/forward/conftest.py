import pytest

from harness import Server, Temp
from proxies import Caddy, Nginx, Stub


@pytest.fixture(scope="module")
def guarded():
    """A server with Ann, who reads the orders, and a path that is open to everybody."""
    with Temp("forward") as work, Server(work, "forward") as server:
        api = server.client()
        api.post("/api/v1/users", {"login": "ann", "password": server.password}).ok()
        for path, relation, subject in [
            ("orders", "read", "user:ann"),
            ("drafts", "write", "user:ann"),
            ("public", "read", "visitor:*"),
        ]:
            write = {"resource": f"url:/shop.example/{path}/", "relation": relation, "subject": subject}
            api.post("/api/v1/relationships", {"write": [write]}).ok()
        yield server


@pytest.fixture(scope="module")
def stub():
    with Stub() as stub:
        yield stub


@pytest.fixture(scope="module", params=[Nginx, Caddy], ids=["nginx", "caddy"])
def proxy(request, guarded, stub):
    with Temp("proxy") as work, request.param(work / "proxy", guarded.port, stub.port) as proxy:
        yield proxy
