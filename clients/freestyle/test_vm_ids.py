"""A VM's id is one opaque segment: no spelling of it opens another VM, or another user of the same one."""

from urllib.parse import quote

import pytest

from harness import NGINX_REFUSES
from words import IDENTITIES, allowed, assert_error, body, may_login, new_identity, node, vm_path

ODD = [
    "a/b",
    "/",
    "//",
    "%",
    "%2F",
    "a%2Fb",
    "%25",
    ".",
    "..",
    "...",
    "../other",
    "other/dev",
    "/other/",
    "vm one",
    "a:b",
    "a#b@c",
    "*",
    "ü",
    "u\u0308",
    "虚拟机",
    "🦀",
    "VM",
    "vm",
    "a+b",
    "a?b=c&d",
    "~_.-",
    "x" * 255,
]


def test_each_is_itself_and_nothing_else(api, native):
    identity = new_identity(api)
    for number, vm in enumerate(ODD):
        made = body(api.post(vm_path(identity, vm), {"allowedUsers": [f"u{number}"]}))
        assert made["vmId"] == vm
    listed = body(api.get(f"{IDENTITIES}/{identity}/permissions/vm?limit=1000"))
    assert [item["vmId"] for item in listed["permissions"]] == ODD
    for number, vm in enumerate(ODD):
        assert body(api.get(vm_path(identity, vm)))["allowedUsers"] == [f"u{number}"]
        assert may_login(native, identity, vm, f"u{number}"), vm
        assert not may_login(native, identity, vm, "root"), vm
        assert not may_login(native, identity, vm, f"u{(number + 1) % len(ODD)}"), vm


@pytest.mark.parametrize("vm", ["..", ".", "../victim", "x/../victim", "victim/..", "..%2Fvictim", "/victim", "victim/"])
def test_no_step_leads_to_another_vm(api, native, vm):
    identity = new_identity(api)
    body(api.post(vm_path(identity, vm), {}))
    assert may_login(native, identity, vm, "root")
    for other in ("victim", "x"):
        assert not may_login(native, identity, other, "root")
        assert_error(api.get(vm_path(identity, other)), 404, "VM_PERMISSION_NOT_FOUND")
    # Nor is the root of all VMs, or a spelling that a careless path function would clean up.
    for resource in ("/", "/victim/", "/victim/root/", "/x/../victim/root/", "/../victim/root/", "//victim/root/"):
        if resource.startswith(f"/{vm}/"):
            # A segment of a question that reads `..` is the VM called `..`, and no step either.
            continue
        question = {
            "subject": {"type": "identity", "id": identity},
            "action": {"name": "login"},
            "resource": {"type": "fs_vm", "id": resource},
        }
        answer = native.post("/api/v1/check", question)
        assert answer.status < 500
        assert answer.status >= 400 or answer.json()["allowed"] is False, resource


def test_a_vm_called_dot_does_not_open_the_tree(api, native):
    identity = new_identity(api)
    for vm in (".", ".."):
        body(api.post(vm_path(identity, vm), {}))
    assert not allowed(native, identity, "login", "fs_vm", node("any", "root"))


def test_encoded_and_plain_spellings_of_one_id_are_one(api):
    identity = new_identity(api)
    made = body(api.post(vm_path(identity, "web-1"), {}))
    every_byte_encoded = "".join(f"%{byte:02X}" for byte in b"web-1")
    lower_case = "".join(f"%{byte:02x}" for byte in b"web-1")
    for spelling in (every_byte_encoded, lower_case):
        assert body(api.get(f"{IDENTITIES}/{identity}/permissions/vm/{spelling}")) == made


@pytest.mark.parametrize("raw", [pytest.param("%00", marks=pytest.mark.one_node(NGINX_REFUSES)), "a%0Ab", "%7F", "%FF", "%C3%28", "x" * 256, quote("ü" * 128)])
def test_ids_that_cannot_be(api, raw):
    identity = new_identity(api)
    path = f"{IDENTITIES}/{identity}/permissions/vm/{raw}"
    assert_error(api.post(path, {}), 400, "INVALID_REQUEST")
    assert body(api.get(f"{IDENTITIES}/{identity}/permissions/vm"))["total"] == 0


def test_bare_dot_segments_reach_nothing(api):
    """A client that cleans paths never sends these; whoever does must not get out of the identity."""
    identity = new_identity(api)
    for raw in ("..", ".", "../git", "../../tokens", "..%2f..%2ftokens"):
        path = f"{IDENTITIES}/{identity}/permissions/vm/{raw}"
        answer = api.delete(path)
        assert answer.status in (400, 404, 405), (raw, answer)
    assert identity in [i["id"] for i in body(api.get(f"{IDENTITIES}?limit=1000"))["identities"]]
