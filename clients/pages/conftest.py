"""One browser for all tests of a module, and a tab of its own for each test."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from chromium import Chromium  # noqa: E402
from harness import RUN, Temp, new_password  # noqa: E402


@pytest.fixture(scope="module")
def browser():
    with Temp("chromium") as profile:
        (RUN / "logs").mkdir(parents=True, exist_ok=True)
        running = Chromium(profile, RUN / "logs" / "chromium.log")
        yield running
        running.close()


@pytest.fixture
def person(server, request):
    """A user with a password, whom no other test knows."""
    login = request.node.name.replace("[", "-").replace("]", "")[:60]
    password = new_password()
    native = server.client()
    native.post("/api/v1/users", {"login": login, "name": "Ann Ångström", "password": password}).ok()
    native.close()
    return login, password
