"""Each test that takes `base` runs twice: on the paths at the root and under the mount."""

import pytest

from approvals import Cast


@pytest.fixture(params=["", "/mix"], ids=["root", "mount"])
def base(request):
    return request.param


@pytest.fixture
def cast(server, base):
    """Who asks and who decides, at one of the two places."""
    with Cast(server, base) as cast:
        yield cast


@pytest.fixture
def at_root(server):
    """The same at the root only, for tests that take long."""
    with Cast(server, "") as cast:
        yield cast
