"""/v5/identities: the same store under the newest client's names."""

import pytest

from words import V5, assert_error, body, is_time, is_uuid, may_login, new_identity, unknown, vm_path
from harness import record_secret


def done(answer):
    """Empty answers are allowed here."""
    assert answer.status in (200, 204), f"{answer.status}: {answer.raw[:300]!r}"


def v5_vm(identity, vm=None):
    return f"{V5}/{identity}/permissions/vm" + (f"/{vm}" if vm else "")


def test_identities(api):
    account = body(api.get("/auth/v1/whoami"))["accountId"]
    made = body(api.post(V5, {}))
    assert set(made) == {"id", "managed"} and is_uuid(made["id"]) and made["managed"] is False
    identity = made["id"]
    assert body(api.get(f"{V5}/{identity}")) == {"id": identity, "accountId": account, "managed": False}
    listed = body(api.get(f"{V5}?limit=1000"))
    assert set(listed) >= {"identities", "total"}
    assert {"id": identity, "managed": False} in listed["identities"]
    done(api.delete(f"{V5}/{identity}"))
    assert_error(api.get(f"{V5}/{identity}"), 404, "IDENTITY_NOT_FOUND")


def test_managed(api):
    made = body(api.post(V5, {"managed": True}))
    assert made["managed"] is True
    assert made not in body(api.get(f"{V5}?limit=1000"))["identities"]
    assert made in body(api.get(f"{V5}?limit=1000&includeManaged=true"))["identities"]
    assert_error(api.delete(f"{V5}/{made['id']}"), 403, "CANNOT_DELETE_MANAGED_IDENTITY")


def test_tokens(api, server):
    identity = new_identity(api)
    path = f"{V5}/{identity}/tokens"
    assert body(api.get(path)) == []
    made = body(api.post(path, {}))
    record_secret("identity token", made["token"])
    assert set(made) == {"id", "token"}
    assert body(api.get(path)) == [{"id": made["id"]}]
    holder = server.client(token=made["token"], base=api.base)
    assert body(holder.get("/auth/v1/whoami"))["identityId"] == identity
    assert_error(holder.get(V5), 403, "FORBIDDEN")
    done(api.delete(f"{path}/{made['id']}"))
    assert_error(api.delete(f"{path}/{made['id']}"), 404, "TOKEN_NOT_FOUND")


def test_vm_permissions(api, native):
    account = body(api.get("/auth/v1/whoami"))["accountId"]
    identity = new_identity(api)
    assert body(api.get(v5_vm(identity))) == []
    made = body(api.post(v5_vm(identity), {"vmId": "vm", "allowedLinuxUsers": ["dev"]}))
    assert set(made) == {"id", "vmId", "identityId", "allowedLinuxUsers", "grantedAt", "grantedBy"}
    assert is_uuid(made["id"]) and is_time(made["grantedAt"]) and made["grantedBy"] == account
    assert (made["vmId"], made["identityId"], made["allowedLinuxUsers"]) == ("vm", identity, ["dev"])
    assert body(api.get(v5_vm(identity, "vm"))) == made
    assert body(api.get(v5_vm(identity))) == [made]
    assert may_login(native, identity, "vm", "dev") and not may_login(native, identity, "vm", "root")
    changed = body(api.patch(v5_vm(identity, "vm"), {"allowedLinuxUsers": None}))
    assert changed == {**made, "allowedLinuxUsers": None}
    assert may_login(native, identity, "vm", "root")
    # The seed's face shows the same grant under its own name.
    seed = body(api.get(vm_path(identity, "vm")))
    assert seed["id"] == made["id"] and seed["allowedUsers"] is None
    done(api.delete(v5_vm(identity, "vm")))
    assert_error(api.get(v5_vm(identity, "vm")), 404, "VM_PERMISSION_NOT_FOUND")
    assert not may_login(native, identity, "vm", "dev")


def test_update_must_name_the_users(api):
    identity = new_identity(api)
    made = body(api.post(v5_vm(identity), {"vmId": "vm", "allowedLinuxUsers": []}))
    for request in ({}, {"allowedUsers": None}):
        assert_error(api.patch(v5_vm(identity, "vm"), request), 400, "INVALID_REQUEST")
    assert body(api.get(v5_vm(identity, "vm"))) == made


@pytest.mark.parametrize("request_body", [{}, {"vmId": 5}, {"vmId": ""}, {"vmId": "vm", "allowedLinuxUsers": ["../x"]}])
def test_bad_grants(api, request_body):
    identity = new_identity(api)
    assert_error(api.post(v5_vm(identity), request_body), 400, "INVALID_REQUEST")
    assert body(api.get(v5_vm(identity))) == []


def test_errors(api, server):
    assert_error(api.get(f"{V5}/x"), 400, "INVALID_REQUEST")
    assert_error(api.get(f"{V5}/{unknown()}"), 404, "IDENTITY_NOT_FOUND")
    identity = new_identity(api)
    done(api.post(v5_vm(identity), {"vmId": "vm"}))
    assert_error(api.post(v5_vm(identity), {"vmId": "vm"}), 409, "PERMISSION_ALREADY_EXISTS")
    assert_error(server.nobody(base=api.base, source="127.0.7.1").get(V5), 401, "UNAUTHORIZED")


def test_never_in_the_background(api):
    """The newest client asks for it on every call; there is nothing to come back for."""
    answer = api.get(V5, headers={"x-freestyle-background-after-secs": "5"})
    assert answer.status == 200
