"""Pushes are told to whom it concerns: signed, to the right ones, also after a failure or a crash."""

import base64
import hashlib
import json
import os
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from harness import Server, Temp
from stock import REPOS, Machine, Receiver, body, new_repo, trigger, unknown_id, until


@pytest.fixture
def receiver():
    one = Receiver()
    yield one
    one.close()


@pytest.fixture(scope="module")
def server():
    args = ["--webhook-allow-private", "--webhook-retries", "1,1,1,1"]
    with Temp("git-triggers") as data, Server(data, "git-triggers", args=args) as running:
        yield running


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def push(git, tree, files: dict, to="main") -> str:
    head = git.commit(tree, files)
    git.run("push", "-q", "origin", f"HEAD:refs/heads/{to}", cwd=tree)
    return head


def test_a_push_is_told_and_signed(server, git, machine, repo, tree, receiver):
    trigger(machine.api, repo, receiver.url + "/")
    head = push(git, tree, {"a.txt": b"a"})
    took = until(lambda: receiver.got)
    print(f"\ntold {took * 1000:.0f} ms after the push")
    path, headers, raw = receiver.got[0]
    assert json.loads(raw) == {"event": "branchUpdate", "repoId": repo, "branch": "main", "commit": head}
    signed, _, signature = headers["x-freestyle-signature"].rpartition(".")
    header, claims = (json.loads(decoded(part)) for part in signed.split("."))
    keys = {key["kid"]: key for key in json.loads(server.nobody().get("/.well-known/jwks.json").ok().raw)["keys"]}
    key = keys[header["kid"]]
    assert (header["alg"], key["kty"], key["crv"]) == ("EdDSA", "OKP", "Ed25519")
    Ed25519PublicKey.from_public_bytes(decoded(key["x"])).verify(decoded(signature), signed.encode())
    assert claims["body_sha256"] == hashlib.sha256(raw).hexdigest()
    assert claims["iss"] == server.url and claims["iat"] <= time.time() < claims["exp"]


def test_while_one_master_key_takes_the_place_of_another_both_sign(git):
    with Temp("git-keys") as data, Server(data, "git-keys") as server:

        def published():
            return [key["kid"] for key in json.loads(server.nobody().get("/.well-known/jwks.json").ok().raw)["keys"]]

        (old,) = published()
        server.terminate()
        file = data / "master.key"
        file.write_bytes(os.urandom(32) + file.read_bytes())
        server.start()
        new, also = published()
        assert also == old != new


def test_by_branch_and_by_file(server, git, machine, repo, tree, receiver):
    at = receiver.url
    trigger(machine.api, repo, f"{at}/all")
    trigger(machine.api, repo, f"{at}/main", branches=["main"])
    trigger(machine.api, repo, f"{at}/js", globs=["*.js"])
    trigger(machine.api, repo, f"{at}/docs", branches=["main", "side"], globs=["docs/**", "/README"])
    (tree / "docs").mkdir()
    one = push(git, tree, {"x.js": b"1"})
    two = push(git, tree, {"docs/x": b"2"})
    three = push(git, tree, {"docs/x": b"3"}, to="side")
    four = push(git, tree, {"docs/README": b"4", "x.jsx": b"4"}, to="other")
    until(lambda: len(receiver.told("/all")) == 4)
    time.sleep(0.5)
    commits = {path: [one["commit"] for one in receiver.told(path)] for path in ("/all", "/main", "/js", "/docs")}
    assert sorted(commits["/all"]) == sorted([one, two, three, four])
    assert sorted(commits["/main"]) == sorted([one, two])
    # A new branch has changed all of its files.
    assert sorted(commits["/js"]) == sorted([one, three, four])
    assert sorted(commits["/docs"]) == sorted([two, three])


def test_several_branches_at_once_and_what_is_not_told(server, git, machine, repo, tree, receiver):
    trigger(machine.api, repo, receiver.url + "/")
    head = git.commit(tree, {"b": b"b"})
    git.run("push", "-q", "origin", "HEAD:refs/heads/one", "HEAD:refs/heads/two", "HEAD:refs/tags/v1", cwd=tree)
    until(lambda: len(receiver.got) == 2)
    git.run("push", "-q", "origin", ":one", ":refs/tags/v1", cwd=tree)
    git.run("push", "-q", "--force", "origin", f"{head}~1:refs/heads/two", cwd=tree)
    until(lambda: len(receiver.got) == 3)
    time.sleep(0.5)
    told = receiver.told()
    assert sorted(one["branch"] for one in told) == ["one", "two", "two"]
    assert told[-1]["commit"] == git.head(tree, f"{head}~1")
    # What was refused is not told.
    stranger = Machine(server)
    stranger.grant(repo, "read")
    git.refused("push", stranger.url(repo), "HEAD:main", cwd=tree)
    time.sleep(0.3)
    assert len(receiver.got) == 3


def test_what_fails_is_tried_again(server, git, machine, repo, tree, receiver):
    receiver.answers = [500, 503]
    trigger(machine.api, repo, receiver.url + "/")
    head = push(git, tree, {"a": b"a"})
    until(lambda: len(receiver.got) == 3, 15)
    assert {one["commit"] for one in receiver.told()} == {head}
    ids = {json.loads(decoded(headers["x-freestyle-signature"].split(".")[1]))["jti"] for _, headers, _ in receiver.got}
    assert len(ids) == 1


def test_who_is_gone_is_told_no_more(server, git, machine, repo, tree, receiver):
    receiver.answers = [410]
    trigger(machine.api, repo, receiver.url + "/")
    push(git, tree, {"a": b"a"})
    until(lambda: body(machine.api.get(f"{REPOS}/{repo}/trigger"))["triggers"] == [])


def test_triggers_as_records(server, machine, repo):
    api, path = machine.api, f"{REPOS}/{repo}/trigger"
    assert body(api.get(path)) == {"triggers": []}
    one = trigger(api, repo, "https://one.example/hook")
    two = trigger(api, repo, "https://two.example/", branches=["main"], globs=["*.js", "src/**"])
    listed = body(api.get(path))["triggers"]
    made = [item.pop("createdAt") for item in listed]
    assert all(made)
    common = {"repositoryId": repo, "managed": False}
    assert listed == [
        {"id": one, "trigger": {"event": "push"}, "action": {"action": "webhook", "endpoint": "https://one.example/hook"}, **common},
        {
            "id": two,
            "trigger": {"event": "push", "branches": ["main"], "globs": ["*.js", "src/**"]},
            "action": {"action": "webhook", "endpoint": "https://two.example/"},
            **common,
        },
    ]
    assert body(api.delete(f"{path}/{one}")) == {}
    assert (again := api.delete(f"{path}/{one}")).status == 404 and again.json()["code"] == "TRIGGER_NOT_FOUND"
    assert [item["id"] for item in body(api.get(path))["triggers"]] == [two]
    unknown = api.get(f"{REPOS}/{unknown_id()}/trigger")
    assert (unknown.status, unknown.json()["code"]) == (404, "REPOSITORY_NOT_FOUND")
    for bad in (
        {},
        {"trigger": {"event": "pull"}, "action": {"action": "webhook", "endpoint": "https://a.example"}},
        {"trigger": {"event": "push"}, "action": {"action": "mail", "endpoint": "https://a.example"}},
        {"trigger": {"event": "push"}, "action": {"action": "webhook"}},
        {"trigger": {"event": "push"}, "action": {"action": "webhook", "endpoint": "ftp://a.example"}},
        {"trigger": {"event": "push", "branches": []}, "action": {"action": "webhook", "endpoint": "https://a.example"}},
        {"trigger": {"event": "push", "globs": [":(top)x"]}, "action": {"action": "webhook", "endpoint": "https://a.example"}},
    ):
        answer = api.post(path, bad)
        assert (answer.status, answer.json()["code"]) == (400, "GIT_INVALID_REQUEST"), (bad, answer.raw)
    identity = server.client(token=machine.token)
    assert identity.get(path).status == 403
    for n in range(19):
        trigger(api, repo, f"https://{n}.example/")
    full = api.post(path, {"trigger": {"event": "push"}, "action": {"action": "webhook", "endpoint": "https://a.example"}})
    assert full.status == 409


def test_private_addresses_need_a_word(git):
    with Temp("git-public") as data, Server(data, "git-public") as server:
        api = server.client()
        repo = new_repo(api)
        for endpoint in ("http://127.0.0.1:1/", "https://10.0.0.1/", "http://a.example/"):
            answer = api.post(f"{REPOS}/{repo}/trigger", {"trigger": {"event": "push"}, "action": {"action": "webhook", "endpoint": endpoint}})
            assert answer.status == 400, endpoint


def test_what_a_crash_left_untold(git, tmp_path, receiver):
    """One that waits in the queue, and one whose push git had accepted and nobody had read yet."""
    args = ["--webhook-allow-private", "--webhook-retries", "1,1,1,1,1,1,1,1"]
    with Temp("git-untold") as data:
        server = Server(data, "git-untold", args=args).start()
        machine = Machine(server)
        repo = new_repo(machine.api)
        machine.grant(repo, "write")
        tree = tmp_path / "tree"
        git.run("clone", "-q", machine.url(repo), tree)
        trigger(machine.api, repo, receiver.url + "/")
        receiver.answers = [500]
        head = push(git, tree, {"a": b"a"})
        until(lambda: receiver.got)
        server.kill()
        left = data / "git" / ".pushed" / "default" / f"{repo}.{unknown_id()}"
        left.write_text(f"{head} {head} refs/heads/left\n")
        old = time.time() - 120
        os.utime(left, (old, old))
        server.start()
        until(lambda: {one["branch"] for one in receiver.told()[1:]} == {"main", "left"}, 30)
        assert not left.exists()
        server.terminate()


def test_deleting_the_repository_takes_its_triggers(server, git, machine, repo, tree, receiver):
    trigger(machine.api, repo, receiver.url + "/")
    body(machine.api.delete(f"{REPOS}/{repo}"))
    view = machine.api.get("/api/v1/ledger?after=0&limit=1000").ok().json()["items"]
    kinds = [change["kind"] for entry in view for change in entry["changes"]]
    assert "trigger_created" in kinds
    assert machine.api.get(f"{REPOS}/{repo}/trigger").status == 404
