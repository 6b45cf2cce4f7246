"""A fresh server for each test module."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import Server, Temp  # noqa: E402


@pytest.fixture(scope="module")
def server(request):
    name = request.module.__name__.rpartition(".")[2]
    with Temp(name) as data, Server(data, name) as running:
        yield running
