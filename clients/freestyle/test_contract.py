"""The sixteen operations, whoami and the small repository API: bodies field by field."""

from words import (
    IDENTITIES,
    REPOS,
    allowed,
    assert_empty,
    body,
    git_path,
    is_time,
    is_uuid,
    may_login,
    new_identity,
    new_repo,
    new_token,
    vm_path,
)


def test_create_identity(api):
    made = body(api.post(IDENTITIES))
    assert set(made) == {"id", "managed"}
    assert is_uuid(made["id"])
    assert made["managed"] is False


def test_list_identities(api):
    first, second = new_identity(api), new_identity(api)
    listed = body(api.get(f"{IDENTITIES}?limit=1000"))
    assert set(listed) == {"identities", "offset", "total"}
    assert listed["offset"] == 0
    assert listed["total"] == len(listed["identities"])
    for item in listed["identities"]:
        assert set(item) == {"id", "managed"} and is_uuid(item["id"]) and item["managed"] is False
    ids = [item["id"] for item in listed["identities"]]
    assert ids.index(first) < ids.index(second), "order of creation"


def test_delete_identity(api):
    identity = new_identity(api)
    assert_empty(api.delete(f"{IDENTITIES}/{identity}"))
    listed = body(api.get(f"{IDENTITIES}?limit=1000"))
    assert identity not in [item["id"] for item in listed["identities"]]


def test_tokens(api):
    identity = new_identity(api)
    path = f"{IDENTITIES}/{identity}/tokens"
    assert body(api.get(path)) == {"tokens": []}
    first, second = new_token(api, identity), new_token(api, identity)
    for made in (first, second):
        assert set(made) == {"id", "token"}
        assert is_uuid(made["id"])
        # It has to live unescaped in a URL and in an SSH user name.
        assert made["token"] and not set(made["token"]) - set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-"
        )
    assert first["token"] != second["token"]
    # Nothing but the id, ever again.
    assert body(api.get(path)) == {"tokens": [{"id": first["id"]}, {"id": second["id"]}]}
    assert_empty(api.delete(f"{path}/{first['id']}"))
    assert body(api.get(path)) == {"tokens": [{"id": second["id"]}]}


def test_git_permission(api, native):
    identity, repo = new_identity(api), new_repo(api, name="one")
    path = git_path(identity, repo)
    # Without a grant the level is there, and null.
    assert body(api.get(path)) == {"identity": identity, "repo": repo, "accessLevel": None}
    assert_empty(api.post(path, {"permission": "read"}))
    assert body(api.get(path)) == {"identity": identity, "repo": repo, "accessLevel": "read"}
    assert allowed(native, identity, "read", "fs_repo", repo)
    assert not allowed(native, identity, "write", "fs_repo", repo)
    assert_empty(api.put(path, {"permission": "write"}))
    assert body(api.get(path)) == {"identity": identity, "repo": repo, "accessLevel": "write"}
    assert allowed(native, identity, "write", "fs_repo", repo)
    assert allowed(native, identity, "read", "fs_repo", repo), "who may push may also clone"
    assert_empty(api.delete(path))
    assert body(api.get(path))["accessLevel"] is None
    assert not allowed(native, identity, "read", "fs_repo", repo)


def test_list_git_permissions(api):
    identity = new_identity(api)
    account = body(api.get("/auth/v1/whoami"))["accountId"]
    path = f"{IDENTITIES}/{identity}/permissions/git"
    assert body(api.get(path)) == {"repositories": []}
    first, second = new_repo(api, name="first"), new_repo(api, public=True)
    body(api.post(git_path(identity, first), {"permission": "read"}))
    body(api.post(git_path(identity, second), {"permission": "write"}))
    listed = body(api.get(path))
    assert set(listed) == {"repositories"}
    one, two = listed["repositories"]
    assert one == {"id": first, "name": "first", "accountId": account, "permissions": "read", "visibility": "private"}
    assert two.pop("name", None) is None
    assert two == {"id": second, "accountId": account, "permissions": "write", "visibility": "public"}
    assert [r["id"] for r in body(api.get(f"{path}?limit=1"))["repositories"]] == [first]
    assert [r["id"] for r in body(api.get(f"{path}?limit=1&offset=1"))["repositories"]] == [second]
    assert body(api.get(f"{path}?offset=2")) == {"repositories": []}


def check_vm_permission(value, identity, vm, users, account):
    assert set(value) == {"id", "vmId", "identityId", "allowedUsers", "grantedAt", "grantedBy"}
    assert is_uuid(value["id"]) and is_time(value["grantedAt"])
    assert value["vmId"] == vm
    assert value["identityId"] == identity
    assert value["allowedUsers"] == users
    assert value["grantedBy"] == account


def test_grant_vm_permission(api, native):
    account = body(api.get("/auth/v1/whoami"))["accountId"]
    identity = new_identity(api)
    cases = [("vm-none", {}, None), ("vm-null", {"allowedUsers": None}, None)]
    cases += [("vm-list", {"allowedUsers": ["dev", "ops"]}, ["dev", "ops"]), ("vm-empty", {"allowedUsers": []}, [])]
    for vm, request, users in cases:
        made = body(api.post(vm_path(identity, vm), request))
        check_vm_permission(made, identity, vm, users, account)
        assert body(api.get(vm_path(identity, vm))) == made
    for vm in ("vm-none", "vm-null"):
        assert may_login(native, identity, vm, "dev") and may_login(native, identity, vm, "root")
    assert may_login(native, identity, "vm-list", "dev") and may_login(native, identity, "vm-list", "ops")
    assert not may_login(native, identity, "vm-list", "root")
    # An empty list is kept, and matches nobody.
    assert not may_login(native, identity, "vm-empty", "dev")
    assert not may_login(native, identity, "vm-empty", "root")
    assert not may_login(native, identity, "vm-other", "dev")


def test_update_allowed_users(api, native):
    identity = new_identity(api)
    path = vm_path(identity, "vm")
    made = body(api.post(path, {"allowedUsers": ["dev"]}))
    for users, dev, root in ((None, True, True), (["root"], False, True), ([], False, False), (["dev"], True, False)):
        changed = body(api.put(path, {"allowedUsers": users}))
        # The grant stays the same grant; only the users change.
        assert changed == {**made, "allowedUsers": users}
        assert body(api.get(path)) == changed
        assert may_login(native, identity, "vm", "dev") is dev
        assert may_login(native, identity, "vm", "root") is root


def test_list_and_revoke_vm_permissions(api, native):
    identity = new_identity(api)
    path = f"{IDENTITIES}/{identity}/permissions/vm"
    assert body(api.get(path)) == {"permissions": [], "offset": 0, "total": 0}
    made = [body(api.post(vm_path(identity, f"vm-{n}"), {})) for n in range(3)]
    assert body(api.get(path)) == {"permissions": made, "offset": 0, "total": 3}
    assert body(api.get(f"{path}?limit=1&offset=1")) == {"permissions": [made[1]], "offset": 1, "total": 3}
    assert_empty(api.delete(vm_path(identity, "vm-1")))
    assert body(api.get(path)) == {"permissions": [made[0], made[2]], "offset": 0, "total": 2}
    assert not may_login(native, identity, "vm-1", "root")
    assert may_login(native, identity, "vm-2", "root")


def test_a_grant_made_again_is_a_new_grant(api):
    identity = new_identity(api)
    path = vm_path(identity, "vm")
    first = body(api.post(path, {"allowedUsers": ["dev"]}))
    body(api.delete(path))
    second = body(api.post(path, {}))
    assert second["id"] != first["id"]
    assert second["allowedUsers"] is None


def test_whoami(api, server):
    me = body(api.get("/auth/v1/whoami"))
    assert set(me) == {"accountId", "identityId"}
    assert is_uuid(me["accountId"]) and me["identityId"] is None
    identity = new_identity(api)
    token = new_token(api, identity)
    holder = server.client(token=token["token"], base=api.base)
    assert body(holder.get("/auth/v1/whoami")) == {"accountId": me["accountId"], "identityId": identity}


def test_repositories(api):
    account = body(api.get("/auth/v1/whoami"))["accountId"]
    made = body(api.post(REPOS, {"name": "site"}))
    assert set(made) == {"repoId"} and is_uuid(made["repoId"])
    repo = made["repoId"]
    path = f"{REPOS}/{repo}"
    seen = body(api.get(path))
    assert is_time(seen.pop("createdAt"))
    assert seen == {
        "id": repo,
        "name": "site",
        "accountId": account,
        "visibility": "private",
        "defaultBranch": "main",
        "branches": {"main": {"default": True, "name": "main", "target": None}},
        "tags": {},
    }
    assert body(api.get(f"{path}/visibility")) == {"visibility": "private"}
    assert_empty(api.put(f"{path}/visibility", {"visibility": "public"}))
    assert body(api.get(f"{path}/visibility")) == {"visibility": "public"}
    assert body(api.get(f"{path}/default-branch")) == {"defaultBranch": "main"}
    assert_empty(api.put(f"{path}/default-branch", {"defaultBranch": "trunk"}))
    assert body(api.get(f"{path}/default-branch")) == {"defaultBranch": "trunk"}
    assert body(api.get(path))["defaultBranch"] == "trunk"
    assert_empty(api.delete(path))
    assert api.get(path).status == 404


def test_list_repositories(api):
    before = body(api.get(f"{REPOS}?limit=1000"))["total"]
    repo = new_repo(api, name="listed", defaultBranch="dev")
    listed = body(api.get(f"{REPOS}?limit=1000"))
    assert set(listed) == {"repositories", "total", "offset"}
    assert (listed["total"], listed["offset"]) == (before + 1, 0)
    last = listed["repositories"][-1]
    # The schema knows no id here, the client reads one of these two.
    assert last["id"] == last["repoId"] == repo
    assert last["defaultBranch"] == "dev"
    assert isinstance(last["branches"], dict) and last["tags"] == {}
    page = body(api.get(f"{REPOS}?limit=1&offset={before}"))
    assert [item["id"] for item in page["repositories"]] == [repo]
    assert (page["total"], page["offset"]) == (before + 1, before)


def test_deleting_a_repository_ends_its_grants(api, native):
    identity, repo = new_identity(api), new_repo(api)
    body(api.post(git_path(identity, repo), {"permission": "write"}))
    body(api.delete(f"{REPOS}/{repo}"))
    assert body(api.get(f"{IDENTITIES}/{identity}/permissions/git")) == {"repositories": []}
    assert not allowed(native, identity, "read", "fs_repo", repo)


def test_parameterless_posts_need_no_body_and_no_content_type(api):
    for path in (IDENTITIES, f"{IDENTITIES}/{new_identity(api)}/tokens"):
        body(api.call("POST", path))


def test_both_ways_in_show_one_state(server):
    root, mount = server.client(), server.client(base="/freestyle")
    identity = new_identity(root)
    body(mount.post(vm_path(identity, "vm"), {}))
    assert body(root.get(vm_path(identity, "vm"))) == body(mount.get(vm_path(identity, "vm")))
