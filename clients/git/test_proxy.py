"""Git behind nginx, set up as `docs/enforcement.md` says."""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "forward"))

from proxies import Nginx  # noqa: E402
from stock import MIB, Machine, SlowLine, helpers, until  # noqa: E402

SLOW = 200_000


class GitNginx(Nginx):
    name, heading = "git-nginx", "Git behind nginx"


def test_large_pushes_pass_and_revoked_clones_end(server, git, machine, repo, tmp_path):
    reader = Machine(server)
    machine.grant(repo, "write")
    reader.grant(repo, "read")
    with GitNginx(tmp_path / "nginx", server.port, 0) as nginx:
        tree = tmp_path / "tree"
        git.run("clone", "-q", machine.url(repo, port=nginx.port), tree)
        git.run("config", "core.compression", "0", cwd=tree)
        git.commit(tree, {"large": os.urandom(24 * MIB)})
        git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
        until(lambda: helpers(server) == [])
        line = SlowLine(nginx.port, SLOW)
        clone = git.start("clone", reader.url(repo, port=line.port), tmp_path / "slow")
        until(lambda: line.passed > 3 * SLOW, 60)
        assert helpers(server), "nginx does not run ahead of its client"
        asked = time.monotonic()
        reader.revoke(repo)
        until(lambda: helpers(server) == [], 10)
        assert time.monotonic() - asked < 1.0
        text, _ = clone.communicate(timeout=60)
        took = time.monotonic() - asked
        print(f"\nbehind nginx the clone ended {took:.1f} s after the call began, on a line of {SLOW} bytes a second")
        assert clone.returncode != 0, text
        line.close()
