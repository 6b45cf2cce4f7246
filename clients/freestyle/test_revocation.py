"""What is taken away is gone with the very next request, on whatever connection; and deleting is one entry."""

import statistics
import time

from words import (
    IDENTITIES,
    allowed,
    assert_error,
    body,
    git_path,
    in_parallel,
    may_login,
    new_identity,
    new_repo,
    new_token,
    vm_path,
)

ROUNDS = 50
CONNECTIONS = 4


def entries_after(native, revision) -> list:
    """Every entry of the ledger after a revision."""
    return native.get(f"/api/v1/ledger?after={revision}&limit=1000").ok().json()["items"]


def test_a_token(server):
    admin = server.client()
    identity = new_identity(admin)
    for number in range(ROUNDS):
        token = new_token(admin, identity)
        # An address of its own each round: wrong credentials are counted by address.
        holders = [server.client(token=token["token"], source=f"127.0.4.{number + 1}") for _ in range(CONNECTIONS)]
        for holder in holders:
            assert body(holder.get("/auth/v1/whoami"))["identityId"] == identity
        body(admin.delete(f"{IDENTITIES}/{identity}/tokens/{token['id']}"))
        for holder in holders:
            assert_error(holder.get("/auth/v1/whoami"), 401, "UNAUTHORIZED")
            holder.close()


def test_a_vm_grant(server):
    admin = server.client()
    others = [server.client() for _ in range(CONNECTIONS)]
    identity = new_identity(admin)
    for number in range(ROUNDS):
        vm = f"vm-{number}"
        body(admin.post(vm_path(identity, vm), {"allowedUsers": ["dev", "ops"]}))
        assert all(may_login(other, identity, vm, "dev") for other in others)
        body(admin.put(vm_path(identity, vm), {"allowedUsers": ["ops"]}))
        assert not any(may_login(other, identity, vm, "dev") for other in others)
        assert all(may_login(other, identity, vm, "ops") for other in others)
        body(admin.delete(vm_path(identity, vm)))
        assert not any(may_login(other, identity, vm, "ops") for other in others)


def test_a_git_grant(server):
    admin = server.client()
    others = [server.client() for _ in range(CONNECTIONS)]
    identity, repo = new_identity(admin), new_repo(admin)
    path = git_path(identity, repo)
    for _ in range(ROUNDS):
        body(admin.post(path, {"permission": "write"}))
        assert all(allowed(other, identity, "write", "fs_repo", repo) for other in others)
        body(admin.put(path, {"permission": "read"}))
        assert not any(allowed(other, identity, "write", "fs_repo", repo) for other in others)
        body(admin.delete(path))
        assert not any(allowed(other, identity, "read", "fs_repo", repo) for other in others)


def test_deleting_an_identity(server):
    admin = server.client()
    for number in range(ROUNDS):
        identity = new_identity(admin)
        token = new_token(admin, identity)["token"]
        body(admin.post(vm_path(identity, "vm"), {}))
        holder = server.client(token=token, source=f"127.0.5.{number + 1}")
        other = server.client()
        assert body(holder.get("/auth/v1/whoami"))["identityId"] == identity
        assert may_login(other, identity, "vm", "root")
        body(admin.delete(f"{IDENTITIES}/{identity}"))
        assert_error(holder.get("/auth/v1/whoami"), 401, "UNAUTHORIZED")
        assert not may_login(other, identity, "vm", "root")
        holder.close()
        other.close()


def test_each_command_is_one_entry(server):
    admin, native = server.client(), server.client()
    identity, repo = new_identity(admin), new_repo(admin)
    token = f"{IDENTITIES}/{identity}/tokens"
    commands = [
        ("POST", token, None),
        ("POST", vm_path(identity, "vm"), {"allowedUsers": ["a", "b", "c"]}),
        ("PUT", vm_path(identity, "vm"), {"allowedUsers": ["d", "e"]}),
        ("DELETE", vm_path(identity, "vm"), None),
        ("POST", git_path(identity, repo), {"permission": "read"}),
        ("PUT", git_path(identity, repo), {"permission": "write"}),
        ("DELETE", git_path(identity, repo), None),
        ("DELETE", f"{IDENTITIES}/{identity}", None),
    ]
    for method, path, request in commands:
        before = native.get(IDENTITIES).ok().revision
        after = admin.call(method, path, request).ok().revision
        assert after == before + 1, (method, path)
        assert len(entries_after(native, before)) == 1, (method, path)
    # A refused one makes none.
    before = native.get(IDENTITIES).ok().revision
    assert admin.delete(f"{IDENTITIES}/{identity}").status == 404
    assert entries_after(native, before) == []


def test_deleting_an_identity_with_ten_thousand_grants(server, capsys):
    admin, native = server.client(), server.client()
    times = []
    for turn in range(3):
        # The first is the big one; two small ones tell what the same call costs without the grants.
        grants, tokens = (10_000, 100) if turn == 0 else (1, 1)
        identity = new_identity(admin)
        in_parallel(grants, lambda api, n: body(api.post(vm_path(identity, f"vm-{n}"), {})), server.client)
        made = in_parallel(tokens, lambda api, n: new_token(api, identity), server.client)
        listed = body(admin.get(f"{IDENTITIES}/{identity}/permissions/vm?limit=5000"))
        assert listed["total"] == grants and len(listed["permissions"]) == min(grants, 1000)
        before = native.get("/auth/v1/whoami").ok().revision
        start = time.perf_counter()
        body(admin.delete(f"{IDENTITIES}/{identity}"))
        times.append((time.perf_counter() - start) * 1000)
        assert len(entries_after(native, before)) == 1
        assert not may_login(native, identity, "vm-0", "root")
        for number, token in enumerate(made[:10]):
            holder = server.client(token=token["token"], source=f"127.0.6.{10 * turn + number + 1}")
            assert_error(holder.get("/auth/v1/whoami"), 401, "UNAUTHORIZED")
    with capsys.disabled():
        small = statistics.median(times[1:])
        print(f"\n  delete with 10,000 grants and 100 tokens: {times[0]:.1f} ms; with one of each: {small:.1f} ms")
