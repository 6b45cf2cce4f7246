"""A server with organizations and apps, the apps' own address, and a browser for whoever consents."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pages"))

from chromium import Chromium  # noqa: E402
from connect import Callback, Connect  # noqa: E402
from harness import RUN, Server, Temp, TlsServer  # noqa: E402


@pytest.fixture(scope="module")
def browser():
    with Temp("chromium") as profile:
        (RUN / "logs").mkdir(parents=True, exist_ok=True)
        running = Chromium(profile, RUN / "logs" / "chromium-mollie.log")
        yield running
        running.close()


@pytest.fixture(scope="module")
def callback():
    """Where the apps are sent their codes."""
    with Callback() as listening:
        yield listening


@pytest.fixture(scope="module")
def connect(server, callback):
    yield Connect(server, callback)


@pytest.fixture(scope="module")
def secure(callback):
    """The same on TLS."""
    with Temp("mollie-tls") as data, TlsServer(data, "mollie-tls") as running:
        yield Connect(running, callback)


@pytest.fixture
def member(connect):
    """A member of an organization of its own, whom no other test knows."""
    return connect.member()
