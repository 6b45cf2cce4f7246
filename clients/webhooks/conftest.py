import pytest

from harness import Server, Temp
from hooks import PRIVATE, Receiver


@pytest.fixture
def hooked(request):
    """A server that may send to this machine, and a receiver."""
    with Temp("webhooks") as data:
        with Receiver(data) as receiver, Server(data / "grantd", f"webhooks-{request.node.name}", args=PRIVATE) as server:
            yield server, receiver
