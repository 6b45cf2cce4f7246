"""What is allowed, works, with stock git."""

import os
import re
import subprocess
import time

import pytest

from harness import Server, Temp
from stock import MIB, Machine, Memory, SlowLine, body, forget_peak, helpers, new_repo, plain_url, raw, rss, tree_with, until


def test_clone_fetch_and_push(server, git, machine, repo, tree, tmp_path):
    reader = Machine(server)
    reader.grant(repo, "read")
    other = tmp_path / "other"
    git.run("clone", "-q", reader.url(repo), other)
    assert git.head(other) == git.head(tree)
    head = git.commit(tree, {"README": b"two\n"})
    git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
    git.run("fetch", "-q", cwd=other)
    assert git.head(other, "origin/main") == head


@pytest.mark.parametrize("version", [0, 1, 2])
def test_each_version_of_the_protocol(git, machine, repo, tree, tmp_path, version):
    other = tmp_path / "other"
    text = git.start("-c", f"protocol.version={version}", "ls-remote", machine.url(repo))
    assert f"{git.head(tree)}\trefs/heads/main" in text.communicate(timeout=60)[0]
    git.run("-c", f"protocol.version={version}", "clone", "-q", machine.url(repo), other)
    assert git.head(other) == git.head(tree)


def test_the_second_version_is_spoken(git, machine, repo, tree):
    git.env["GIT_TRACE_PACKET"] = "1"
    assert "version 2" in git.run("ls-remote", machine.url(repo))


def test_paths_with_and_without_git_at_the_end(git, machine, repo, tree, tmp_path):
    for end in ("", ".git"):
        git.run("clone", "-q", machine.url(repo + end), tmp_path / f"clone{end}")


def test_any_user_name(git, machine, repo, tree):
    for user in ("x-access-token", "git", "a%40b", "x" * 200):
        git.run("ls-remote", machine.url(repo, user))


def test_shallow_then_deeper(git, machine, repo, tree, tmp_path):
    for n in range(20):
        git.commit(tree, {"n": str(n).encode()}, f"commit {n}")
    git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
    shallow = tmp_path / "shallow"
    git.run("clone", "-q", "--depth", "3", machine.url(repo), shallow)
    assert git.run("rev-list", "--count", "HEAD", cwd=shallow).strip() == "3"
    git.run("fetch", "-q", "--deepen", "5", cwd=shallow)
    assert git.run("rev-list", "--count", "HEAD", cwd=shallow).strip() == "8"
    git.run("fetch", "-q", "--unshallow", cwd=shallow)
    assert git.run("rev-list", "--count", "HEAD", cwd=shallow).strip() == "21"


def test_a_long_request_of_a_fetch_comes_compressed(git, machine, repo, tree, tmp_path):
    """More than 1 KiB of `have` lines, which git compresses."""
    other = tmp_path / "other"
    git.run("clone", "-q", machine.url(repo), other)
    # Newer than what both have: git offers the newest first, and at the first that the server knows it is done.
    git.env["GIT_COMMITTER_DATE"] = f"{int(time.time()) + 60} +0000"
    for n in range(100):
        git.run("commit", "-q", "--allow-empty", "-m", f"here {n}", cwd=other)
    git.commit(tree, {"n": b"there"})
    git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
    git.env["GIT_CURL_VERBOSE"] = git.env["GIT_TRACE_CURL"] = "1"
    text = git.run("-c", "protocol.version=0", "fetch", cwd=other)
    assert re.search("content-encoding: gzip", text, re.I)
    assert git.head(other, "origin/main") == git.head(tree)


def test_one_byte_more_than_is_sent_at_once(git, machine, repo, tree):
    """Above 1 MiB a push is a probe and then chunks."""
    git.run("config", "core.compression", "0", cwd=tree)
    git.commit(tree, {"big": os.urandom(MIB + 1)})
    git.env["GIT_TRACE_CURL"] = "1"
    text = git.run("push", "origin", "HEAD:main", cwd=tree)
    assert re.search("transfer-encoding: chunked", text, re.I)
    assert git.head(tree) in git.run("ls-remote", machine.url(repo))


def test_a_compressed_chunked_request(server, git, machine, repo, tree, tmp_path):
    """As a proxy or another client may send it: gzip and chunks at once, by hand."""
    import base64
    import gzip
    import http.client

    head = git.head(tree)
    lines = [f"want {head}\n", None, "done\n"]
    wanted = b"".join(b"0000" if line is None else f"{len(line) + 4:04x}{line}".encode() for line in lines)
    packed = gzip.compress(wanted)
    basic = base64.b64encode(f"x:{machine.token}".encode()).decode()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {
        "Authorization": f"Basic {basic}",
        "Content-Type": "application/x-git-upload-pack-request",
        "Content-Encoding": "gzip",
        "Transfer-Encoding": "chunked",
    }
    pieces = iter([packed[:10], packed[10:]])
    connection.request("POST", f"/git/{repo}/git-upload-pack", pieces, headers, encode_chunked=True)
    answer = connection.getresponse()
    text = answer.read()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-git-upload-pack-result")
    assert text.startswith(b"0008NAK\nPACK")


def test_force_push_and_deleting_a_branch(git, machine, repo, tree):
    git.run("push", "-q", "origin", "HEAD:refs/heads/side", cwd=tree)
    git.run("commit", "-q", "--amend", "-m", "another first", cwd=tree)
    assert "rejected" in git.refused("push", "origin", "HEAD:main", cwd=tree)
    git.run("push", "-q", "--force", "origin", "HEAD:main", cwd=tree)
    git.run("push", "-q", "origin", ":side", cwd=tree)
    assert git.run("ls-remote", "--heads", machine.url(repo)).split() == [git.head(tree), "refs/heads/main"]


def test_two_pushes_at_once(git, machine, repo, tree, tmp_path):
    """To two branches both arrive; to one branch the later is told, and nothing is torn."""
    trees = []
    for name in ("a", "b"):
        other = tmp_path / name
        git.run("clone", "-q", machine.url(repo), other)
        git.commit(other, {name: os.urandom(3 * MIB)}, name)
        trees.append(other)
    for target, expected in (("{}", [0, 0]), ("main", [0, 1])):
        pushes = [git.start("push", "-q", "origin", f"HEAD:refs/heads/{target.format(tree.name)}", cwd=tree) for tree in trees]
        codes = [push.wait(120) for push in pushes]
        assert sorted(codes) == expected, [push.stdout.read() for push in pushes]
    refs = git.run("ls-remote", "--heads", machine.url(repo))
    assert {git.head(tree) for tree in trees} <= set(refs.split())
    git.run("clone", "-q", machine.url(repo), tmp_path / "whole")
    git.run("fsck", "--full", cwd=tmp_path / "whole")


def test_the_api_key_opens_every_repository(server, git, repo, tree, tmp_path):
    bearer = f"http.extraHeader=Authorization: Bearer {server.key}"
    git.run("-c", bearer, "clone", "-q", plain_url(server, repo), tmp_path / "all")
    git.commit(tmp_path / "all", {"key": b"by key"})
    git.run("-c", bearer, "push", "-q", "origin", "HEAD:main", cwd=tmp_path / "all")


def test_a_public_repository_is_read_by_anybody(server, git, machine, repo, tree, tmp_path):
    api = server.client()
    git.refused("clone", "-q", plain_url(server, repo), tmp_path / "private")
    body(api.put(f"/git/v1/repo/{repo}/visibility", {"visibility": "public"}))
    git.run("clone", "-q", plain_url(server, repo), tmp_path / "public")
    other = Machine(server)
    git.run("ls-remote", other.url(repo))
    git.commit(tmp_path / "public", {"x": b"x"})
    assert "terminal prompts disabled" in git.refused("push", "origin", "HEAD:main", cwd=tmp_path / "public")
    git.run("remote", "set-url", "origin", other.url(repo), cwd=tmp_path / "public")
    assert "403" in git.refused("push", "origin", "HEAD:main", cwd=tmp_path / "public")
    body(api.put(f"/git/v1/repo/{repo}/visibility", {"visibility": "private"}))
    git.refused("ls-remote", plain_url(server, repo))
    git.refused("ls-remote", other.url(repo))


def test_200_megabytes_in_one_commit(git, tmp_path):
    with Temp("git-200") as data, Server(data, "git-200") as server:
        machine = Machine(server)
        repo = new_repo(machine.api)
        machine.grant(repo, "write")
        tree = tmp_path / "tree"
        git.run("clone", "-q", machine.url(repo), tree)
        git.run("config", "core.compression", "0", cwd=tree)
        with open(tree / "large", "wb") as file:
            for _ in range(200):
                file.write(os.urandom(MIB))
        git.run("add", "large", cwd=tree, timeout=300)
        git.run("commit", "-q", "-m", "large", cwd=tree)
        forget_peak(server)
        before = rss(server)
        with Memory(server) as push:
            git.run("push", "-q", "origin", "HEAD:main", cwd=tree, timeout=600)
        with Memory(server) as clone:
            git.run("clone", "-q", machine.url(repo), tmp_path / "again", timeout=600)
        assert git.head(tmp_path / "again") == git.head(tree)
        assert os.path.getsize(tmp_path / "again" / "large") == 200 * MIB
        print(
            f"\nmost memory of the server: {push.most:.0f} MiB in the push, {clone.most:.0f} in the clone; "
            f"with the pages of its file {before:.0f} before and {rss(server):.0f} after"
        )
        assert push.most < 100 and clone.most < 100
        assert rss(server) - before < 30
        until(lambda: helpers(server) == [])


def test_an_address_of_its_own(git, tmp_path):
    from harness import free_port

    port = free_port()
    with Temp("git-own") as data, Server(data, "git-own", args=["--listen", f"git=127.0.0.1:{port}"]) as server:
        machine = Machine(server)
        repo = new_repo(machine.api)
        machine.grant(repo, "write")
        tree = tmp_path / "tree"
        git.run("clone", "-q", machine.url(repo, port=port, mount=""), tree)
        git.commit(tree, {"a": b"a"})
        git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
        assert git.head(tree) in git.run("ls-remote", machine.url(repo))


def test_over_tls(git, tmp_path):
    from harness import TlsServer

    with Temp("git-tls") as data, TlsServer(data, "git-tls") as server:
        machine = Machine(server)
        repo = new_repo(machine.api)
        machine.grant(repo, "write")
        tree, url = tmp_path / "tree", machine.url(repo).replace("http:", "https:")
        git.run("config", "--global", "http.sslCAInfo", server.data / "tls-self-signed.crt")
        git.run("clone", "-q", url, tree)
        git.run("config", "core.compression", "0", cwd=tree)
        git.commit(tree, {"a": os.urandom(3 * MIB)})
        # Over TLS git speaks HTTP/2.
        git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
        assert git.head(tree) in git.run("ls-remote", url)


def test_another_realm(server, git, tmp_path):
    api = server.client()
    api.post("/api/v1/realms", {"name": "acme"}).ok()
    base = "/r/acme/freestyle"
    at = server.client(base=base)
    identity = body(at.post("/identity/v1/identities"))["id"]
    token = body(at.post(f"/identity/v1/identities/{identity}/tokens"))["token"]
    repo = body(at.post("/git/v1/repo", {}))["repoId"]
    body(at.post(f"/identity/v1/identities/{identity}/permissions/git/{repo}", {"permission": "write"}))
    url = f"http://x:{token}@127.0.0.1:{server.port}"
    tree = tmp_path / "tree"
    git.run("clone", "-q", f"{url}/r/acme/git/{repo}", tree)
    git.commit(tree, {"a": b"a"})
    git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
    git.refused("ls-remote", f"{url}/git/{repo}")
    assert raw(server, "GET", f"/r/nowhere/git/{repo}/info/refs?service=git-upload-pack")[0] == 401


def test_git_is_not_installed(git, tmp_path):
    with Temp("git-none") as data, Server(data, "git-none", args=["--git-program", "/nonexistent/git"]) as server:
        machine = Machine(server)
        repo = new_repo(machine.api)
        machine.grant(repo, "read")
        text = git.refused("clone", machine.url(repo), tmp_path / "tree")
        assert "503" in text and "git is not installed" in text
        assert "install git" in server.log_tail(100_000)


def test_hooks_and_settings_of_a_repository_do_not_count(server, git, machine, repo, tree):
    """Nobody can push them; and if they are there all the same, git does not heed them."""
    place = server.data / "git" / "default" / f"{repo}.git"
    (place / "hooks").mkdir()
    mark = place / "was-run"
    for hook in ("pre-receive", "update", "post-receive", "post-update"):
        (place / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (place / "hooks" / hook).chmod(0o755)
    with open(place / "config", "a") as file:
        file.write('[core]\n\thooksPath = hooks\n[http]\n\tgetanyfile = true\n\treceivepack = true\n')
    git.commit(tree, {"README": b"three\n"})
    git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
    assert not mark.exists()
    status, _, _ = raw(server, "GET", f"/git/{repo}/HEAD", {"Authorization": f"Bearer {server.key}"})
    assert status == 404


def test_git_sees_nothing_of_the_servers_environment(git, tmp_path):
    """A stand-in for git that tells its environment."""
    spy, seen = tmp_path / "spy", tmp_path / "seen"
    spy.write_text(f'#!/bin/sh\nenv >{seen}\nexec git "$@"\n')
    spy.chmod(0o755)
    env = {"GIT_TRACE": "1", "LD_PRELOAD_NOT": "x", "SOME_SECRET": "hush"}
    with Temp("git-env") as data, Server(data, "git-env", env=env, args=["--git-program", str(spy)]) as server:
        machine = Machine(server)
        repo = new_repo(machine.api)
        machine.grant(repo, "read")
        git.run("ls-remote", machine.url(repo))
        text = seen.read_text()
        assert "SOME_SECRET" not in text and "GIT_TRACE" not in text and "GRANTD" not in text
        assert machine.token not in text and "HTTP_AUTHORIZATION" not in text


def test_more_than_may_be_at_work_wait(git, tmp_path):
    """With one place, ten at once all come to their turn."""
    with Temp("git-turns") as data, Server(data, "git-turns", args=["--git-processes", "1"]) as server:
        machine = Machine(server)
        repo = new_repo(machine.api)
        machine.grant(repo, "read")
        asked = [git.start("ls-remote", machine.url(repo)) for _ in range(10)]
        assert [process.wait(60) for process in asked] == [0] * 10


def test_there_are_never_more_at_work_than_may_be(git, tmp_path):
    """While a slow clone has the one place, who comes waits a while and is told so; and is served once the place is free."""
    with Temp("git-bound") as data, Server(data, "git-bound", args=["--git-processes", "1"]) as server:
        machine = Machine(server)
        repo = new_repo(machine.api)
        machine.grant(repo, "write")
        tree = tmp_path / "tree"
        tree_with(git, machine, repo, tree, 24 * MIB)
        git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
        line = SlowLine(server.port, 200_000)
        clone = git.start("clone", machine.url(repo, port=line.port), tmp_path / "slow", start_new_session=True)
        until(lambda: line.passed > 200_000, 60)
        text = git.refused("ls-remote", machine.url(repo))
        assert "503" in text and "too many transfers are under way" in text, text
        assert len([name for name in helpers(server) if name.startswith("git-http-back")]) == 1
        os.killpg(clone.pid, 9)
        until(lambda: helpers(server) == [], 20)
        git.run("ls-remote", machine.url(repo))
        line.close()


def test_a_push_that_is_too_large(git, tmp_path):
    with Temp("git-max") as data, Server(data, "git-max", args=["--git-max-push", "1"]) as server:
        machine = Machine(server)
        repo = new_repo(machine.api)
        machine.grant(repo, "write")
        tree = tmp_path / "tree"
        tree_with(git, machine, repo, tree, 30 * MIB)
        text = git.refused("push", "origin", "HEAD:main", cwd=tree)
        assert "exceeds maximum allowed size" in text, text
        assert git.run("ls-remote", machine.url(repo)) == ""


def test_stock_git_agrees(git, server, machine, repo, tree):
    """What lies on the disk is a repository as git makes them."""
    place = server.data / "git" / "default" / f"{repo}.git"
    checked = subprocess.run(["git", "-C", place, "fsck", "--full", "--strict"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert place.stat().st_mode & 0o777 == 0o700
