"""Two servers on one PostgreSQL with their repositories on a file system that they share."""

import os
import time

from harness import Temp
from postgres import Postgres
from stock import MIB, REPOS, Machine, Receiver, SlowLine, body, git_path, helpers, new_repo, raw, trigger, until

SLOW = 200_000


def test_what_one_node_decides_holds_at_the_other(git, tmp_path):
    shared = ["--git-directory", str(tmp_path / "repositories")]
    with Temp("git-nodes") as data, Postgres() as postgres:
        with postgres.node(data, "git-node-1", args=shared) as first, postgres.node(data, "git-node-2", first, args=shared) as second:
            one = Machine(first)
            repo = new_repo(one.api)
            one.grant(repo, "write")
            # At once, without a moment for the news to come.
            git.run("clone", "-q", one.url(repo, port=second.port), tmp_path / "tree")
            git.run("config", "core.compression", "0", cwd=tmp_path / "tree")
            git.commit(tmp_path / "tree", {"large": os.urandom(24 * MIB)})
            git.run("push", "-q", one.url(repo), "HEAD:main", cwd=tmp_path / "tree")
            assert git.head(tmp_path / "tree") in git.run("ls-remote", one.url(repo, port=second.port))
            one.revoke(repo)
            git.refused("ls-remote", one.url(repo, port=second.port))
            for realm in ("default", "system"):
                revoked_keys(first.client(base=f"/r/{realm}"), second, repo)
            for _ in range(3):
                one.grant(repo, "read")
                line = SlowLine(second.port, SLOW)
                clone = git.start("clone", one.url(repo, port=line.port), tmp_path / "cut")
                until(lambda: line.passed > 2 * SLOW, 60)
                asked = time.monotonic()
                body(first.client().delete(git_path(one.id, repo)))
                until(lambda: line.cut_at and not helpers(second), 10)
                print(f"\nrevoked on one node, cut on the other {1000 * (line.cut_at - asked):.0f} ms after the call began")
                assert line.cut_at - asked < 1.0
                assert clone.wait(20) != 0
                line.close()


def test_a_push_is_told_by_the_node_that_took_it(git, tmp_path):
    """Once, by a trigger that was made on another node a moment before, and with a key that every node publishes."""
    args = ["--git-directory", str(tmp_path / "repositories"), "--webhook-allow-private"]
    receiver = Receiver()
    with Temp("git-told") as data, Postgres() as postgres:
        with postgres.node(data, "git-told-1", args=args) as first, postgres.node(data, "git-told-2", first, args=args) as second:
            one = Machine(first)
            repo = new_repo(one.api)
            one.grant(repo, "write")
            tree = tmp_path / "tree"
            git.run("clone", "-q", one.url(repo), tree)
            for n, node in enumerate((second, first, second), 1):
                made = trigger(one.api, repo, f"{receiver.url}/{n}")
                head = git.commit(tree, {"n": str(n).encode()})
                git.run("push", "-q", one.url(repo, port=node.port), "HEAD:main", cwd=tree)
                until(lambda: receiver.told(f"/{n}"))
                body(one.api.delete(f"{REPOS}/{repo}/trigger/{made}"))
                assert [told["commit"] for told in receiver.told(f"/{n}")] == [head]
            time.sleep(1)
            assert len(receiver.got) == 3
            keys = {node.nobody().get("/.well-known/jwks.json").ok().raw for node in (first, second)}
            assert len(keys) == 1
    receiver.close()


def revoked_keys(api, elsewhere, repo):
    """A key that was revoked a moment ago on one node opens nothing on another."""
    for _ in range(20):
        key = api.post("/api/v1/keys", {"name": "short", "grants": ["writer"]}).ok().json()
        asked = elsewhere, "GET", f"/git/{repo}/info/refs?service=git-upload-pack", {"Authorization": f"Bearer {key['key']}"}
        assert raw(*asked)[0] == 200
        api.delete(f"/api/v1/keys/{key['id']}").ok()
        assert raw(*asked)[0] == 401
