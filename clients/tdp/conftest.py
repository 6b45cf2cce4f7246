"""Each test that takes `cast` runs twice: on the paths at the root and under the mount."""

import itertools

import pytest

from portal import Cast

_names = itertools.count()


@pytest.fixture(scope="module", params=["", "/tdp"], ids=["root", "mount"])
def cast(request, server):
    return Cast(server, request.param)


@pytest.fixture
def fresh():
    """A name that no other test has."""
    return f"of_test_{next(_names)}"


@pytest.fixture
def content_type(cast):
    """The number of `auth.user`."""
    kinds = cast.admin.get("/v1/content_types/").json()
    return next(kind["id"] for kind in kinds if (kind["app_label"], kind["model"]) == ("auth", "user"))
