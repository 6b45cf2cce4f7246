"""A server whose default realm is the world of the cases."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cases import CASES  # noqa: E402


def furnish(client) -> None:
    """Gives the realm the model, the relationships and the entities of the cases."""
    client.put("/api/v1/schema", {"schema": (CASES / "record.fga").read_text()}).ok()
    fixture = json.loads((CASES / "fixture.json").read_text())
    client.post("/api/v1/relationships", {"write": fixture["relationships"]}).ok()
    for name, properties in fixture["entities"].items():
        client.put(f"/api/v1/entities/{name}", properties).ok()


@pytest.fixture(scope="module")
def client(server):
    client = server.client()
    furnish(client)
    yield client
    client.close()
