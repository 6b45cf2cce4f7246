"""A fresh server for each test module."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import Server, Temp  # noqa: E402
from postgres import Postgres  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "one_node(why): cannot be looked at through several nodes behind nginx")


def pytest_collection_modifyitems(items):
    for item in items if os.environ.get("GRANTD_TEST_NODES") else []:
        for mark in item.iter_markers("one_node"):
            item.add_marker(pytest.mark.skip(reason=mark.args[0]))


@pytest.fixture(scope="session", autouse=True)
def store():
    """With `GRANTD_TEST_NODES`, the PostgreSQL in which each server of several nodes has a database."""
    if not os.environ.get("GRANTD_TEST_NODES") or os.environ.get("GRANTD_TEST_POSTGRES"):
        yield
        return
    with Postgres(settings={"max_connections": "500", "shared_buffers": "64MB"}) as postgres:
        os.environ["GRANTD_TEST_POSTGRES"] = postgres.url
        yield
        del os.environ["GRANTD_TEST_POSTGRES"]


@pytest.fixture(scope="module")
def server(request):
    name = request.module.__name__.rpartition(".")[2]
    with Temp(name) as data, Server(data, name) as running:
        yield running


@pytest.fixture
def tabs(browser):
    """Opens tabs; in the end none of them has complained of what the page's own policy forbids."""
    opened = []

    def open_tab(**more):
        opened.append(browser.tab(**more))
        return opened[-1]

    yield open_tab
    complaints = [complaint for tab in opened for complaint in tab.complaints]
    for tab in opened:
        tab.close()
    assert complaints == []
