"""Every error that can arise: its status, its code, its body; and that a refused call leaves nothing behind."""

import pytest

from harness import NGINX_REFUSES
from words import (
    IDENTITIES,
    REPOS,
    assert_error,
    assert_repo_error,
    body,
    git_path,
    new_identity,
    new_managed_identity,
    new_repo,
    new_token,
    unknown,
    vm_path,
)


def operations(identity, repo):
    """All sixteen, whoami apart: method, path, body."""
    one, token = f"{IDENTITIES}/{identity}", unknown()
    git, vm = f"{one}/permissions/git", f"{one}/permissions/vm"
    return [
        ("POST", IDENTITIES, None),
        ("GET", IDENTITIES, None),
        ("POST", f"{one}/tokens", None),
        ("GET", f"{one}/tokens", None),
        ("DELETE", f"{one}/tokens/{token}", None),
        ("GET", git, None),
        ("GET", f"{git}/{repo}", None),
        ("POST", f"{git}/{repo}", {"permission": "read"}),
        ("PUT", f"{git}/{repo}", {"permission": "read"}),
        ("DELETE", f"{git}/{repo}", None),
        ("GET", vm, None),
        ("GET", f"{vm}/vm", None),
        ("POST", f"{vm}/vm", {}),
        ("PUT", f"{vm}/vm", {"allowedUsers": None}),
        ("DELETE", f"{vm}/vm", None),
        ("DELETE", one, None),
    ]


def test_without_a_credential(api, server):
    nobody = server.nobody(base=api.base, source="127.0.2.1")
    for method, path, request in operations(new_identity(api), unknown()):
        assert_error(nobody.call(method, path, request), 401, "UNAUTHORIZED")
    assert_error(nobody.get("/auth/v1/whoami"), 401, "UNAUTHORIZED")
    assert_error(nobody.get(REPOS), 401, "UNAUTHORIZED")


def test_with_a_wrong_credential(api, server):
    token = new_token(api, new_identity(api))["token"]
    wrong = [
        {"Authorization": "Bearer gdk_" + "0" * 40},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"Basic {server.key}"},
        {"Authorization": "Basic !!!"},
        {"X-Freestyle-Identity-Access-Token": "no-such-token"},
        {"X-Freestyle-Identity-Access-Token": ""},
        {"X-Freestyle-Identity-Access-Token": server.key},
    ]
    for number, headers in enumerate(wrong):
        stranger = server.nobody(base=api.base, source=f"127.0.2.{10 + number}")
        assert_error(stranger.get("/auth/v1/whoami", headers=headers), 401, "UNAUTHORIZED")
        assert_error(stranger.get(IDENTITIES, headers=headers), 401, "UNAUTHORIZED")


def test_too_many_wrong_credentials(api, server):
    source = "127.0.3.1" if api.base else "127.0.3.2"
    stranger = server.nobody(base=api.base, source=source)
    for number in range(200):
        answer = stranger.get(IDENTITIES, headers={"Authorization": f"Bearer gdk_{number:040}"})
        if answer.status == 429:
            break
        assert_error(answer, 401, "UNAUTHORIZED")
    assert answer.status == 429, "200 wrong keys from one address within a moment"
    assert int(answer.headers["Retry-After"]) > 0
    assert set(answer.json()) == {"code", "error", "message"}
    # Somebody else's mistakes, even from the same address, do not lock out who holds a good key.
    same_address = server.client(base=api.base, source=source)
    assert same_address.get(IDENTITIES).status == 200


def test_an_identity_token_administers_nothing(api, server):
    identity, other, repo = new_identity(api), new_identity(api), new_repo(api)
    holder = server.client(token=new_token(api, identity)["token"], base=api.base)
    before = body(api.get(f"{IDENTITIES}?limit=1000"))
    for whose in (identity, other):
        for method, path, request in operations(whose, repo):
            assert_error(holder.call(method, path, request), 403, "FORBIDDEN")
    for method, path, request in (
        ("POST", REPOS, {}),
        ("GET", REPOS, None),
        ("DELETE", f"{REPOS}/{repo}", None),
        ("PUT", f"{REPOS}/{repo}/visibility", {"visibility": "public"}),
    ):
        assert_error(holder.call(method, path, request), 403, "FORBIDDEN")
    assert body(api.get(f"{IDENTITIES}?limit=1000")) == before
    assert body(api.get(f"{IDENTITIES}/{identity}/permissions/vm"))["total"] == 0


def test_unknown_identity(api):
    repo = new_repo(api)
    for method, path, request in operations(unknown(), repo)[2:]:
        assert_error(api.call(method, path, request), 404, "IDENTITY_NOT_FOUND")


def test_deleted_identity(api):
    identity = new_identity(api)
    body(api.delete(f"{IDENTITIES}/{identity}"))
    for method, path, request in operations(identity, new_repo(api))[2:]:
        assert_error(api.call(method, path, request), 404, "IDENTITY_NOT_FOUND")


def test_unknown_token(api):
    identity, other = new_identity(api), new_identity(api)
    path = f"{IDENTITIES}/{identity}/tokens"
    assert_error(api.delete(f"{path}/{unknown()}"), 404, "TOKEN_NOT_FOUND")
    token = new_token(api, identity)["id"]
    # The token of one identity is not found at another.
    assert_error(api.delete(f"{IDENTITIES}/{other}/tokens/{token}"), 404, "TOKEN_NOT_FOUND")
    body(api.delete(f"{path}/{token}"))
    assert_error(api.delete(f"{path}/{token}"), 404, "TOKEN_NOT_FOUND")


def test_git_grants_that_are_not_there(api):
    identity, repo = new_identity(api), new_repo(api)
    path = git_path(identity, repo)
    assert_error(api.put(path, {"permission": "read"}), 404, "PERMISSION_NOT_FOUND")
    assert_error(api.delete(path), 404, "PERMISSION_NOT_FOUND")
    body(api.post(path, {"permission": "read"}))
    assert_error(api.post(path, {"permission": "write"}), 409, "PERMISSION_ALREADY_EXISTS")
    assert body(api.get(path))["accessLevel"] == "read", "the refused grant changed nothing"


def test_git_grant_on_an_unknown_repository(api):
    identity = new_identity(api)
    path = git_path(identity, unknown())
    assert_error(api.post(path, {"permission": "read"}), 404, "GIT_REPOSITORY_NOT_FOUND")
    gone = new_repo(api)
    body(api.delete(f"{REPOS}/{gone}"))
    assert_error(api.post(git_path(identity, gone), {"permission": "read"}), 404, "GIT_REPOSITORY_NOT_FOUND")


def test_vm_grants_that_are_not_there(api):
    path = vm_path(new_identity(api), "vm")
    assert_error(api.get(path), 404, "VM_PERMISSION_NOT_FOUND")
    assert_error(api.put(path, {"allowedUsers": None}), 404, "VM_PERMISSION_NOT_FOUND")
    assert_error(api.delete(path), 404, "VM_PERMISSION_NOT_FOUND")
    made = body(api.post(path, {"allowedUsers": ["dev"]}))
    assert_error(api.post(path, {}), 409, "PERMISSION_ALREADY_EXISTS")
    assert body(api.get(path)) == made, "the refused grant opened nothing"


def test_managed_identities(api):
    identity = new_managed_identity(api)
    hidden = [item["id"] for item in body(api.get(f"{IDENTITIES}?limit=1000"))["identities"]]
    assert identity not in hidden
    shown = body(api.get(f"{IDENTITIES}?limit=1000&includeManaged=true"))["identities"]
    assert {"id": identity, "managed": True} in shown
    assert_error(api.delete(f"{IDENTITIES}/{identity}"), 403, "CANNOT_DELETE_MANAGED_IDENTITY")
    assert_error(api.post(vm_path(identity, "vm"), {}), 403, "CANNOT_MODIFY_MANAGED_IDENTITY")
    path = git_path(identity, new_repo(api))
    assert_error(api.post(path, {"permission": "read"}), 403, "CANNOT_MODIFY_MANAGED_IDENTITY")
    assert_error(api.post(f"{IDENTITIES}/{identity}/tokens"), 403, "CANNOT_MODIFY_MANAGED_IDENTITY")
    assert body(api.get(f"{IDENTITIES}/{identity}/permissions/vm"))["total"] == 0


def test_unknown_repository(api):
    path = f"{REPOS}/{unknown()}"
    assert_error(api.get(path), 404, "REPOSITORY_NOT_FOUND")
    assert_error(api.delete(path), 404, "REPOSITORY_NOT_FOUND")
    assert_error(api.get(f"{path}/visibility"), 404, "REPOSITORY_NOT_FOUND")
    assert_error(api.put(f"{path}/visibility", {"visibility": "public"}), 404, "REPOSITORY_NOT_FOUND")
    assert_error(api.get(f"{path}/default-branch"), 404, "REPOSITORY_NOT_FOUND")
    assert_error(api.put(f"{path}/default-branch", {"defaultBranch": "x"}), 404, "REPOSITORY_NOT_FOUND")


@pytest.mark.parametrize("bad", ["x", "1", "..", "%2e%2e", "0" * 36, "not-a-uuid", pytest.param("%00", marks=pytest.mark.one_node(NGINX_REFUSES)), "%FF", "a" * 5000])
def test_ids_that_are_no_uuid(api, bad):
    identity = new_identity(api)
    for method, path, request in operations(bad, unknown())[2:]:
        if bad == ".." and path.endswith(".."):
            continue
        answer = api.call(method, path, request)
        if bad in ("..", "%2e%2e"):
            # A step up is either refused as an id or as a route; it must not reach anything.
            assert answer.status in (400, 404, 405), answer
        else:
            assert_error(answer, 400, "INVALID_REQUEST")
    if bad not in ("..", "%2e%2e"):
        assert_error(api.delete(f"{IDENTITIES}/{identity}/tokens/{bad}"), 400, "INVALID_REQUEST")
        assert_error(api.get(git_path(identity, bad)), 400, "INVALID_REQUEST")
        assert_repo_error(api.get(f"{REPOS}/{bad}"))


@pytest.mark.parametrize(
    "query",
    ["limit=-1", "offset=-1", "limit=x", "offset=x", "limit=1.5", "offset=9223372036854775808", "limit=1e3"],
)
def test_bad_paging(api, query):
    identity = new_identity(api)
    for path in (IDENTITIES, f"{IDENTITIES}/{identity}/permissions/vm", f"{IDENTITIES}/{identity}/permissions/git"):
        assert_error(api.get(f"{path}?{query}"), 400, "INVALID_REQUEST")


def test_bad_include_managed(api):
    assert_error(api.get(f"{IDENTITIES}?includeManaged=maybe"), 400, "INVALID_REQUEST")


DEEP = b'{"allowedUsers":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
BAD_BODIES = {
    "empty": b"",
    "not JSON": b"{",
    "text": b"hello",
    "an array": b"[]",
    "a string": b'"x"',
    "null": b"null",
    "a number": b"1",
    "trailing text": b"{} {}",
    "deep": DEEP,
    "not UTF-8": b'{"permission":"\xff\xfe"}',
}


@pytest.mark.parametrize("bad", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_bad_bodies(api, bad):
    identity, repo = new_identity(api), new_repo(api)
    git, vm = git_path(identity, repo), vm_path(identity, "vm")
    assert_error(api.post(git, bad), 400, "INVALID_REQUEST")
    assert_error(api.put(git, bad), 400, "INVALID_REQUEST")
    assert_error(api.put(vm, bad), 400, "INVALID_REQUEST")
    assert_error(api.post(vm, bad), 400, "INVALID_REQUEST")
    assert body(api.get(git))["accessLevel"] is None
    assert_error(api.get(vm), 404, "VM_PERMISSION_NOT_FOUND")


@pytest.mark.parametrize("value", [None, "", "admin", "READ", 1, True, ["read"], {}, "read "])
def test_bad_access_levels(api, value):
    identity, repo = new_identity(api), new_repo(api)
    path = git_path(identity, repo)
    assert_error(api.post(path, {"permission": value}), 400, "INVALID_REQUEST")
    assert_error(api.post(path, {"accessLevel": "read"}), 400, "INVALID_REQUEST")
    assert body(api.get(path))["accessLevel"] is None


BAD_USERS = ["", ".", "..", "../x", "Root", "a b", "a/b", "-a", "0a", "a" * 33, "dev\n", "dév", "$", 5, None, [], {}, True]


@pytest.mark.parametrize("bad", BAD_USERS, ids=repr)
def test_bad_allowed_users(api, bad):
    identity = new_identity(api)
    path = vm_path(identity, "vm")
    assert_error(api.post(path, {"allowedUsers": [bad]}), 400, "INVALID_REQUEST")
    assert_error(api.post(path, {"allowedUsers": ["dev", bad]}), 400, "INVALID_REQUEST")
    assert_error(api.get(path), 404, "VM_PERMISSION_NOT_FOUND")
    made = body(api.post(path, {"allowedUsers": []}))
    assert_error(api.put(path, {"allowedUsers": [bad]}), 400, "INVALID_REQUEST")
    assert body(api.get(path)) == made


@pytest.mark.parametrize("good", ["a", "_x", "svc$", "a" * 32, "a" * 32 + "$", "a-b_c.d9"])
def test_allowed_users_at_the_edge(api, good):
    made = body(api.post(vm_path(new_identity(api), "vm"), {"allowedUsers": [good]}))
    assert made["allowedUsers"] == [good]


@pytest.mark.parametrize("bad", ["dev", 1, True, {}, {"0": "dev"}], ids=repr)
def test_allowed_users_that_are_no_list(api, bad):
    path = vm_path(new_identity(api), "vm")
    assert_error(api.post(path, {"allowedUsers": bad}), 400, "INVALID_REQUEST")
    assert_error(api.get(path), 404, "VM_PERMISSION_NOT_FOUND")


def test_update_must_name_the_users(api):
    """A client that forgot the field would open the VM to everybody; only an explicit null may."""
    path = vm_path(new_identity(api), "vm")
    made = body(api.post(path, {"allowedUsers": ["dev"]}))
    for request in ({}, {"allowedusers": None}, {"allowed_users": None}):
        assert_error(api.put(path, request), 400, "INVALID_REQUEST")
    assert body(api.get(path)) == made


def test_two_mebibytes(api):
    identity, repo = new_identity(api), new_repo(api)
    huge = b'{"permission":"' + b"x" * (2 << 20) + b'"}'
    for method, path in (("POST", git_path(identity, repo)), ("PUT", vm_path(identity, "vm"))):
        assert_error(api.call(method, path, huge), 413, "INVALID_REQUEST")
    assert api.get("/auth/v1/whoami").status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json"])
def test_wrong_content_type(api, kind):
    identity, repo = new_identity(api), new_repo(api)
    request = b'{"permission":"read"}'
    assert_error(api.post(git_path(identity, repo), request, content_type=kind), 415, "INVALID_REQUEST")
    assert body(api.get(git_path(identity, repo)))["accessLevel"] is None


def test_content_type_with_a_charset_is_fine(api):
    path = git_path(new_identity(api), new_repo(api))
    body(api.post(path, b'{"permission":"read"}', content_type="application/json; charset=utf-8"))


@pytest.mark.parametrize("path", ["/identity/v1/nothing", "/git/v1/nothing", "/v5/identities/x/nothing", "/auth/v1/nothing"])
def test_unknown_route(api, path):
    if path.startswith("/auth") and not api.base:
        # At the root only whoami is this dialect's; the rest there belongs to nobody.
        assert api.get(path).status == 404
        return
    for method in ("GET", "POST", "DELETE"):
        assert_error(api.call(method, path), 404, "INVALID_REQUEST")


def test_wrong_method(api):
    identity = new_identity(api)
    wrong = [
        ("PATCH", IDENTITIES),
        ("PUT", IDENTITIES),
        ("DELETE", IDENTITIES),
        ("POST", f"{IDENTITIES}/{identity}"),
        ("PATCH", vm_path(identity, "vm")),
        ("PUT", f"{IDENTITIES}/{identity}/tokens"),
        ("POST", "/auth/v1/whoami"),
        ("PATCH", REPOS),
    ]
    for method, path in wrong:
        answer = api.call(method, path)
        assert_error(answer, 405, "INVALID_REQUEST")
        assert answer.headers["Allow"], "a 405 names what is allowed"


def test_bad_repositories(api):
    before = body(api.get(f"{REPOS}?limit=1"))["total"]
    for bad in (b"{", b"[]", b'{"public":"yes"}', b'{"name":5}', b'{"defaultBranch":7}'):
        assert_repo_error(api.post(REPOS, bad))
    repo = new_repo(api)
    for bad in ({}, {"visibility": "secret"}, {"visibility": None}):
        assert_repo_error(api.put(f"{REPOS}/{repo}/visibility", bad))
    assert body(api.get(f"{REPOS}?limit=1"))["total"] == before + 1
