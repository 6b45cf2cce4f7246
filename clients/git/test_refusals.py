"""What is not allowed is refused, and tells nothing."""

import base64
import json
import socket
import subprocess
import uuid

from harness import RUN, Server, Temp
from stock import REPOS, Machine, body, log_of, new_repo, raw, unknown_id

UPLOAD = "/info/refs?service=git-upload-pack"
RECEIVE = "/info/refs?service=git-receive-pack"


def basic(secret: str) -> dict:
    return {"Authorization": "Basic " + base64.b64encode(f"x:{secret}".encode()).decode()}


def told(answer) -> tuple:
    """What a caller sees of an answer, but for the names of the moment."""
    status, headers, text = answer
    passing = {"date", "x-request-id", "grantd-revision"}
    return status, sorted((k.lower(), v) for k, v in headers.items() if k.lower() not in passing), text


def test_push_with_read(server, git, machine, repo, tree):
    reader = Machine(server)
    reader.grant(repo, "read")
    git.run("remote", "set-url", "origin", reader.url(repo), cwd=tree)
    git.commit(tree, {"README": b"mine\n"})
    text = git.refused("push", "origin", "HEAD:main", cwd=tree)
    assert "403" in text and "you may read this repository, not push to it" in text
    # Each request by itself, whatever was asked before.
    assert raw(server, "POST", f"/git/{repo}/git-receive-pack", basic(reader.token), b"0000")[0] == 403
    reader.update(repo, "write")
    git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
    reader.update(repo, "read")
    git.commit(tree, {"README": b"mine again\n"})
    git.refused("push", "origin", "HEAD:main", cwd=tree)


def test_after_a_revocation(server, git, machine, repo, tree):
    ends = {
        "the grant": lambda one: one.revoke(repo),
        "the token": lambda one: body(one.api.delete(f"/identity/v1/identities/{one.id}/tokens/{one.token_id}")),
        "the identity": lambda one: body(one.api.delete(f"/identity/v1/identities/{one.id}")),
    }
    for name, end in ends.items():
        one = Machine(server)
        one.grant(repo, "write")
        git.run("ls-remote", one.url(repo))
        end(one)
        expected = 404 if name == "the grant" else 401
        for path in (UPLOAD, RECEIVE):
            assert raw(server, "GET", f"/git/{repo}{path}", basic(one.token))[0] == expected, name
        git.refused("ls-remote", one.url(repo))


def test_unknown_and_not_mine_are_alike(server, machine, repo, tree):
    mine = new_repo(machine.api)
    machine.grant(mine, "write")
    stranger = Machine(server)
    for headers in (None, basic(stranger.token)):
        for path in (UPLOAD, RECEIVE, "/git-upload-pack", "/git-receive-pack"):
            method, data = ("GET", None) if path.startswith("/info") else ("POST", b"0000")
            real = told(raw(server, method, f"/git/{repo}{path}", headers, data))
            none = told(raw(server, method, f"/git/{unknown_id()}{path}", headers, data))
            assert real == none
            assert real[0] == (404 if headers else 401)


def test_a_deleted_repository(server, git, machine, repo, tree):
    body(machine.api.delete(f"{REPOS}/{repo}"))
    assert not (server.data / "git" / "default" / f"{repo}.git").exists()
    stranger = told(raw(server, "GET", f"/git/{unknown_id()}{UPLOAD}", basic(machine.token)))
    assert told(raw(server, "GET", f"/git/{repo}{UPLOAD}", basic(machine.token))) == stranger
    assert raw(server, "GET", f"/git/{repo}{UPLOAD}", {"Authorization": f"Bearer {server.key}"})[0] == 404


def test_nobody_is_asked_to_sign_in(server, repo):
    status, headers, text = raw(server, "GET", f"/git/{repo}{UPLOAD}")
    assert (status, headers["Content-Type"]) == (401, "text/plain; charset=utf-8")
    assert headers["WWW-Authenticate"].startswith('Basic realm="grantd"')
    assert b"token" in text


def test_a_key_without_authority(server, machine, repo, tree):
    """A key that only asks is no key to repositories."""
    key = machine.api.post("/api/v1/keys", {"name": "asks"}).ok().json()["key"]
    writer = machine.api.post("/api/v1/keys", {"name": "writes", "grants": ["writer"]}).ok().json()["key"]
    bearer = lambda secret: {"Authorization": f"Bearer {secret}"}  # noqa: E731
    assert raw(server, "GET", f"/git/{repo}{UPLOAD}", bearer(key))[0] == 404
    assert raw(server, "GET", f"/git/{repo}{RECEIVE}", bearer(key))[0] == 404
    assert raw(server, "GET", f"/git/{repo}{RECEIVE}", bearer(writer))[0] == 200


def test_relationships_to_what_has_no_record_give_nothing(server, machine):
    """The generic call may name what is not there; it is served to nobody."""
    made_up = unknown_id()
    relationship = {"resource": f"fs_repo:{made_up}", "relation": "write", "subject": f"identity:{machine.id}"}
    machine.api.post("/api/v1/relationships", {"write": [relationship]}).ok()
    assert raw(server, "GET", f"/git/{made_up}{UPLOAD}", basic(machine.token))[0] == 404
    assert not (server.data / "git" / "default" / f"{made_up}.git").exists()


def test_a_relationship_by_the_generic_call_counts(server, machine, repo, tree):
    other = Machine(server)
    relationship = {"resource": f"fs_repo:{repo}", "relation": "read", "subject": f"identity:{other.id}"}
    other.api.post("/api/v1/relationships", {"write": [relationship]}).ok()
    assert raw(server, "GET", f"/git/{repo}{UPLOAD}", basic(other.token))[0] == 200


def send(server, request: str) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request.encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_path_tricks(server, machine, repo, tree):
    """Whatever the spelling, by a caller who may do everything: only the six right paths reach git."""
    key = f"Authorization: Bearer {server.key}"
    for path in [
        f"/git/{repo}",
        f"/git/{repo}/",
        f"/git/{repo}/HEAD",
        f"/git/{repo}/config",
        f"/git/{repo}/objects/info/packs",
        f"/git/{repo}/info/refs",
        f"/git/{repo}/info/refs?service=git-upload-archive",
        f"/git/{repo}/info/refs?service=git-upload-pack&service=git-receive-pack",
        f"/git/{repo}/../{repo}{UPLOAD}",
        f"/git/../git/{repo}{UPLOAD}",
        f"/git/./{repo}{UPLOAD}",
        f"/git//{repo}{UPLOAD}",
        f"/git/%2e%2e/{repo}{UPLOAD}",
        f"/git/..%2f..%2f..%2fetc{UPLOAD}",
        f"/git/{repo}%2f..%2f{repo}{UPLOAD}",
        f"/git/{repo}.git%00{UPLOAD}",
        f"/git/{repo};x{UPLOAD}",
        f"/git/{repo}/info%2frefs?service=git-upload-pack",
        f"/git/{repo}/info/refs/?service=git-upload-pack",
        f"/git/{repo.replace('-', '')}{UPLOAD}",
        f"/git/{{{repo}}}{UPLOAD}",
        f"/git/{uuid.UUID(repo).urn}{UPLOAD}",
        f"/git/{repo}.git.git{UPLOAD}",
        f"/git/default/{repo}{UPLOAD}",
        "/git/.making-x" + UPLOAD,
    ]:
        answer = send(server, f"GET {path} HTTP/1.1\r\nHost: x\r\n{key}\r\nConnection: close\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 ")), (path, answer[:200])
    for method in ("HEAD", "PUT", "DELETE", "OPTIONS", "PROPFIND"):
        answer = send(server, f"{method} /git/{repo}{UPLOAD} HTTP/1.1\r\nHost: x\r\n{key}\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 404 "), (method, answer[:200])
    answer = send(server, f"GET /git/{repo}{UPLOAD} HTTP/1.1\r\nHost: x\r\n{key}\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_push_of_what_git_would_trip_over(server, git, machine, repo, tree):
    """A tree with `..` in it, made by hand."""
    blob = git.run("hash-object", "-w", "--stdin", cwd=tree).strip()
    made = subprocess.run(
        ["git", "mktree"], input=f"100644 blob {blob}\t..\n", cwd=tree, env=git.env, text=True, capture_output=True
    )
    if made.returncode != 0:
        made = subprocess.run(
            ["git", "hash-object", "-t", "tree", "-w", "--stdin", "--literally"],
            input=b"100644 ..\0" + bytes.fromhex(blob), cwd=tree, env=git.env, capture_output=True,
        )
        made.stdout = made.stdout.decode()
    commit = git.run("commit-tree", made.stdout.strip(), "-m", "bad", cwd=tree).strip()
    text = git.refused("push", "origin", f"{commit}:refs/heads/bad", cwd=tree)
    assert "hasDotdot" in text, text


def test_wrong_tokens_are_counted():
    with Temp("git-limits") as data, Server(data, "git-limits") as server:
        machine = Machine(server)
        repo = new_repo(machine.api)
        machine.grant(repo, "read")
        path = f"/git/{repo}{UPLOAD}"
        statuses = [raw(server, "GET", path, basic(f"gdi_{n:040}"))[0] for n in range(70)]
        assert statuses[:60] == [401] * 60
        assert statuses[-1] == 429
        status, headers, text = raw(server, "GET", path, basic("gdi_wrong"))
        assert status == 429 and int(headers["Retry-After"]) > 0
        assert headers["Content-Type"].startswith("text/plain")
        # Right ones are not refused for that.
        assert raw(server, "GET", path, basic(machine.token))[0] == 200
        # Nobody is no mistake: each clone begins so.
        assert raw(server, "GET", path)[0] == 401


def test_every_decision_is_written_down(git, tmp_path):
    log = tmp_path / "decisions"
    with Temp("git-log") as data, Server(data, "git-log", args=["--decision-log", str(log)]) as server:
        machine = Machine(server)
        repo = new_repo(machine.api)
        machine.grant(repo, "read")
        git.run("ls-remote", machine.url(repo))
        raw(server, "GET", f"/git/{repo}{RECEIVE}", basic(machine.token))
        raw(server, "GET", f"/git/{repo}{UPLOAD}", {"Authorization": f"Bearer {server.key}"})
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    asked = [(r["caller"], r["subject"], r["action"], r["resource"], r["allowed"]) for r in lines]
    me, it = f"identity:{machine.id}", f"fs_repo:{repo}"
    assert (me, me, "read", it, True) in asked
    assert (me, me, "write", it, False) in asked
    assert any(r[0] == r[1] and r[0].startswith("system/api_key:") and r[2:] == ("read", it, True) for r in asked)
    # Nobody: what everybody may.
    assert ("system:visitor", "identity:*", "read", it, False) in asked


def test_no_log_holds_a_token(server, git, machine, repo, tree):
    """The log of this server is at `debug`, with every request; its URLs and headers held tokens."""
    text = log_of(server.name) + (RUN / "errors.log").read_text(errors="replace")
    assert "git-upload-pack" in text, "requests are logged"
    for secret in (machine.token, server.key, base64.b64encode(f"x-access-token:{machine.token}".encode()).decode()):
        assert secret not in text
