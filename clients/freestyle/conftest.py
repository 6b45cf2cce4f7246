"""Each test that takes `api` runs twice: on the paths at the root and under the mount."""

import pytest


@pytest.fixture(params=["", "/freestyle"], ids=["root", "mount"])
def api(server, request):
    client = server.client(base=request.param)
    yield client
    client.close()


@pytest.fixture
def native(server):
    client = server.client()
    yield client
    client.close()
