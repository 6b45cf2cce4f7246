import pytest

from gateway import world


@pytest.fixture(scope="module")
def here(request):
    """A gateway and a machine, for a module."""
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    with world(name) as here:
        yield here
