"""A role of a hundred thousand: what is done to it is one entry, as with a role of one. How long it took is printed (`-s`)."""

import time

import pytest

from pulp_words import OPERATIONS, ROLES, body, by_certificate, denied, null

MEMBERS = 100_000


@pytest.fixture(scope="module")
def crowd(tls, tls_admin):
    """The role, and one of those in it."""
    native, role = tls.client(), tls_admin.new_role("crowd")
    for start in range(0, MEMBERS, 10_000):
        members = (f"crowd-{number}" for number in range(start, start + 10_000))
        write = [{"resource": f"role:{role}", "relation": "member", "subject": f"user:{login}"} for login in members]
        assert native.post("/api/v1/relationships", {"write": write}).ok().json()["written"] == 10_000
    user = by_certificate(tls, tls_admin)
    tls_admin.join(role, user.login)
    return role, user


def timed(work) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def test_granting_revoking_and_deleting(tls, tls_admin, crowd):
    role, user = crowd
    native = tls.client()
    revision = lambda: native.get("/api/v1/schema").revision  # noqa: E731
    denied(user.get(ROLES), user.login, "READ")
    took = []
    for _ in range(5):
        before = revision()
        took.append(timed(lambda: tls_admin.grant_role(role, "/v2/roles/", *OPERATIONS)))
        assert revision() == before + 1
        body(user.get(ROLES))
        took.append(timed(lambda: tls_admin.revoke_role(role, "/v2/roles/", *OPERATIONS)))
        assert revision() == before + 2
        denied(user.get(ROLES), user.login, "READ")
    print(f"granting to or revoking from a role of {MEMBERS}: {min(took) * 1000:.1f} ms, the best of ten")
    tls_admin.grant_role(role, "/v2/roles/", "READ")
    body(user.get(ROLES))
    before = revision()
    took = timed(lambda: null(tls_admin.delete(f"{ROLES}{role}/")))
    assert revision() == before + 1
    print(f"deleting it: {took * 1000:.1f} ms")
    denied(user.get(ROLES), user.login, "READ")
    body(tls_admin.post(ROLES, {"role_id": role}), 201)
    assert tls_admin.role(role)["users"] == [] and tls_admin.role(role)["permissions"] == {}
    denied(user.get(ROLES), user.login, "READ")
