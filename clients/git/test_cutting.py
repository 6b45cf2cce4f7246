"""What is under way ends with the right to it, within a second."""

import os
import time

import pytest

from harness import Server, Temp, TlsServer
from stock import MIB, REPOS, Git, Machine, SlowLine, body, helpers, new_repo, tree_with, until

SLOW = 200_000


@pytest.fixture(scope="module")
def large(server, tmp_path_factory):
    """A repository that takes minutes on a slow line, and a home for git."""
    home = tmp_path_factory.mktemp("home")
    git, machine = Git(home), Machine(server)
    repo = new_repo(machine.api)
    machine.grant(repo, "write")
    git.run("clone", "-q", machine.url(repo), home / "tree")
    git.run("config", "core.compression", "0", cwd=home / "tree")
    git.commit(home / "tree", {"large": os.urandom(24 * MIB)})
    git.run("push", "-q", "origin", "HEAD:main", cwd=home / "tree")
    return repo


ENDS = {
    "grant": lambda one, repo: one.revoke(repo),
    "token": lambda one, repo: body(one.api.delete(f"/identity/v1/identities/{one.id}/tokens/{one.token_id}")),
    "identity": lambda one, repo: body(one.api.delete(f"/identity/v1/identities/{one.id}")),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_slow_clone(server, git, large, tmp_path, end):
    one = Machine(server)
    one.grant(large, "read")
    line = SlowLine(server.port, SLOW)
    clone = git.start("clone", one.url(large, port=line.port), tmp_path / "tree")
    until(lambda: line.passed > 3 * SLOW, 60)
    assert clone.poll() is None and helpers(server)
    asked = time.monotonic()
    ENDS[end](one, large)
    until(lambda: line.cut_at and not helpers(server), 10)
    text, _ = clone.communicate(timeout=20)
    ended = line.cut_at - asked
    print(f"\n{end}: the line was cut {ended * 1000:.0f} ms after the call began, {line.passed / SLOW:.1f} s into the clone")
    assert ended < 1.0
    assert clone.returncode != 0 and not (tmp_path / "tree" / "large").exists(), text
    line.close()


def test_a_slow_clone_over_tls(git, tmp_path):
    """Over HTTP/2, where a stream that is only ended would still be read to its last buffered byte."""
    with Temp("git-cut-tls") as data, TlsServer(data, "git-cut-tls") as server:
        one = Machine(server)
        repo = new_repo(one.api)
        one.grant(repo, "write")
        url = lambda **more: one.url(repo, **more).replace("http:", "https:")  # noqa: E731
        git.run("config", "--global", "http.sslCAInfo", server.data / "tls-self-signed.crt")
        git.run("clone", "-q", url(), tmp_path / "first")
        git.run("config", "core.compression", "0", cwd=tmp_path / "first")
        git.commit(tmp_path / "first", {"large": os.urandom(24 * MIB)})
        git.run("push", "-q", "origin", "HEAD:main", cwd=tmp_path / "first")
        line = SlowLine(server.port, SLOW)
        git.env["GIT_CURL_VERBOSE"] = "1"
        clone = git.start("clone", url(port=line.port), tmp_path / "tree")
        until(lambda: line.passed > 3 * SLOW, 60)
        asked = time.monotonic()
        one.revoke(repo)
        until(lambda: line.cut_at and not helpers(server), 10)
        assert line.cut_at - asked < 1.0
        text, _ = clone.communicate(timeout=20)
        assert clone.returncode != 0 and "using HTTP/2" in text, text
        line.close()


def test_the_end_of_the_repository(server, git, tmp_path):
    one = Machine(server)
    repo = new_repo(one.api)
    one.grant(repo, "write")
    git.run("clone", "-q", one.url(repo), tmp_path / "first")
    git.run("config", "core.compression", "0", cwd=tmp_path / "first")
    git.commit(tmp_path / "first", {"large": os.urandom(12 * MIB)})
    git.run("push", "-q", "origin", "HEAD:main", cwd=tmp_path / "first")
    line = SlowLine(server.port, SLOW)
    clone = git.start("clone", one.url(repo, port=line.port), tmp_path / "tree")
    until(lambda: line.passed > 2 * SLOW, 60)
    asked = time.monotonic()
    body(one.api.delete(f"{REPOS}/{repo}"))
    until(lambda: line.cut_at and not helpers(server), 10)
    assert line.cut_at - asked < 1.0
    assert clone.wait(20) != 0
    assert not list((server.data / "git" / "default").glob(f"*{repo}*"))
    line.close()


def test_a_grant_that_ends_by_the_clock(server, git, large, tmp_path):
    from datetime import datetime, timedelta, timezone

    one = Machine(server)
    until_when = datetime.now(timezone.utc) + timedelta(seconds=5)
    relationship = {"resource": f"fs_repo:{large}", "relation": "read", "subject": f"identity:{one.id}"}
    relationship["until"] = until_when.isoformat().replace("+00:00", "Z")
    one.api.post("/api/v1/relationships", {"write": [relationship]}).ok()
    line = SlowLine(server.port, SLOW)
    clone = git.start("clone", one.url(large, port=line.port), tmp_path / "tree")
    until(lambda: line.cut_at, 20)
    late = time.time() - until_when.timestamp()
    assert -0.1 < late < 1.0
    assert clone.wait(20) != 0
    line.close()


def revoked(api, realm, key):
    api.delete(f"/api/v1/keys/{key}").ok()


def lessened(api, realm, key):
    writer = {"resource": f"grantd:{realm}", "relation": "writer", "subject": f"api_key:{key}"}
    api.post("/api/v1/relationships", {"delete": [writer]}).ok()


@pytest.mark.parametrize("end", [revoked, lessened])
@pytest.mark.parametrize("realm", ["default", "system"])
def test_an_api_key_that_may_no_more(server, git, large, tmp_path, realm, end):
    api = server.client(base=f"/r/{realm}")
    made = api.post("/api/v1/keys", {"name": "short", "grants": ["writer"]}).ok().json()
    line = SlowLine(server.port, SLOW)
    bearer = f"http.extraHeader=Authorization: Bearer {made['key']}"
    clone = git.start("-c", bearer, "clone", f"http://127.0.0.1:{line.port}/git/{large}", tmp_path / "tree")
    until(lambda: line.passed > 2 * SLOW, 60)
    asked = time.monotonic()
    end(api, realm, made["id"])
    until(lambda: line.cut_at, 10)
    assert line.cut_at - asked < 1.0
    assert clone.wait(20) != 0
    line.close()


def test_a_push(server, git, tmp_path):
    """One whose request is still coming; nothing of it arrives, and nothing stands in the way of the next."""
    one = Machine(server)
    repo = new_repo(one.api)
    one.grant(repo, "write")
    tree = tmp_path / "tree"
    head = tree_with(git, one, repo, tree, 8 * MIB)
    line = SlowPush(server.port, SLOW)
    push = git.start("push", one.url(repo, port=line.port), "HEAD:main", cwd=tree)
    until(lambda: line.passed > 6 * SLOW, 60)
    assert helpers(server)
    asked = time.monotonic()
    one.revoke(repo)
    until(lambda: not helpers(server), 10)
    print(f"\nthe push's processes were gone {1000 * (time.monotonic() - asked):.0f} ms after the call began")
    assert time.monotonic() - asked < 1.5
    text, _ = push.communicate(timeout=60)
    assert push.returncode != 0, text
    line.close()
    one.grant(repo, "write")
    assert git.run("ls-remote", one.url(repo)) == ""
    left = [str(path) for path in (server.data / "git" / "default" / f"{repo}.git").rglob("*") if path.is_file()]
    assert not [path for path in left if path.endswith(".lock") or "incoming" in path or "tmp_" in path], left
    git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
    assert head in git.run("ls-remote", one.url(repo))


class SlowPush(SlowLine):
    """The same the other way round: slow towards the server."""

    def _pass(self, source, target, rate):
        super()._pass(source, target, None if rate else self.rate)


def test_a_client_that_goes_away(server, git, large, tmp_path):
    one = Machine(server)
    one.grant(large, "read")
    line = SlowLine(server.port, SLOW)
    clone = git.start("clone", one.url(large, port=line.port), tmp_path / "tree", start_new_session=True)
    until(lambda: line.passed > SLOW, 60)
    assert helpers(server)
    os.killpg(clone.pid, 9)
    until(lambda: not helpers(server), 5)
    line.close()


def test_nobody_waits_for_ever(git, tmp_path):
    """A client that reads no more, and one that sends no more."""
    import base64
    import socket

    with Temp("git-idle") as data, Server(data, "git-idle", args=["--git-idle", "1"]) as server:
        one = Machine(server)
        repo = new_repo(one.api)
        one.grant(repo, "write")
        tree = tmp_path / "tree"
        head = tree_with(git, one, repo, tree, 24 * MIB)
        git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
        until(lambda: not helpers(server))
        basic = base64.b64encode(f"x:{one.token}".encode()).decode()
        start = f"Host: x\r\nAuthorization: Basic {basic}\r\nContent-Type: application/x-git-{{}}-request\r\n"
        wanted = f"0032want {head}\n00000009done\n"
        reads = socket.create_connection(("127.0.0.1", server.port))
        reads.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = f"POST /git/{repo}/git-upload-pack HTTP/1.1\r\n" + start.format("upload-pack")
        reads.sendall(f"{request}Content-Length: {len(wanted)}\r\n\r\n{wanted}".encode())
        sends = socket.create_connection(("127.0.0.1", server.port))
        request = f"POST /git/{repo}/git-receive-pack HTTP/1.1\r\n" + start.format("receive-pack")
        sends.sendall(f"{request}Content-Length: 100000\r\n\r\n0000".encode())
        until(lambda: len(helpers(server)) > 1)
        until(lambda: not helpers(server), 10)
        sends.settimeout(10)
        assert sends.recv(100).startswith(b"HTTP/1.1 408 ")
        reads.close()
