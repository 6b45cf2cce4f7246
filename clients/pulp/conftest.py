"""Each test that takes `api` runs twice: on the paths at the root and under the mount.

`api` is the first super user, by login and password.
"""

import pytest

from harness import Temp, TlsServer
from pulp_words import Pulp


@pytest.fixture(params=["", "/pulp/api"], ids=["root", "mount"])
def api(server, request):
    client = server.client(basic=("admin", server.password), base=request.param)
    yield Pulp(client, "admin")
    client.close()


@pytest.fixture
def admin(server):
    """The same, at the mount alone; and by the system key, which costs no password hash."""
    client = server.client(base="/pulp/api")
    yield Pulp(client)
    client.close()


@pytest.fixture
def native(server):
    client = server.client()
    yield client
    client.close()


@pytest.fixture(scope="module")
def tls(request):
    """A server on TLS."""
    name = request.module.__name__.rpartition(".")[2] + "-tls"
    with Temp(name) as data, TlsServer(data, name) as running:
        yield running


@pytest.fixture(scope="module")
def tls_admin(tls):
    client = tls.client(base="/pulp/api")
    yield Pulp(client)
    client.close()


@pytest.fixture(scope="module")
def held(request):
    """A server on which nobody grants what they do not hold."""
    name = request.module.__name__.rpartition(".")[2] + "-held"
    with Temp(name) as data, TlsServer(data, name, {"GRANTD_PULP_DELEGATION": "held"}) as running:
        yield running


@pytest.fixture(scope="module")
def held_admin(held):
    client = held.client(base="/pulp/api")
    yield Pulp(client)
    client.close()
