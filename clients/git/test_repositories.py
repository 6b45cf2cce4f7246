"""The repository API and the files agree."""

import shutil
import uuid

from harness import Server, Temp
from stock import REPOS, Machine, body, new_repo, until


def one(api, repo):
    return body(api.get(f"{REPOS}/{repo}"))


def test_branches_and_tags_are_those_of_the_repository(server, git, machine, repo, tree):
    api = machine.api
    first = git.head(tree)
    git.run("tag", "v1", cwd=tree)
    second = git.commit(tree, {"b": b"b"})
    git.run("push", "-q", "origin", "HEAD:refs/heads/feature/x", "v1", cwd=tree)
    expected = {
        "main": {"default": True, "name": "main", "target": first},
        "feature/x": {"default": False, "name": "feature/x", "target": second},
    }
    shown = one(api, repo)
    assert shown["branches"] == expected
    assert shown["tags"] == {"v1": {"name": "v1", "target": first}}
    listed = body(api.get(f"{REPOS}?search={repo}"))["repositories"][0]
    assert (listed["branches"], listed["tags"]) == (expected, shown["tags"])


def test_before_the_first_commit(server):
    api = server.client()
    repo = new_repo(api, defaultBranch="trunk")
    assert one(api, repo)["branches"] == {"trunk": {"default": True, "name": "trunk", "target": None}}
    assert not (server.data / "git" / "default" / f"{repo}.git").exists(), "it is made when it is needed"


def test_the_default_branch_is_what_a_clone_checks_out(server, git, machine, repo, tree, tmp_path):
    git.run("push", "-q", "origin", "HEAD:refs/heads/trunk", cwd=tree)
    body(machine.api.put(f"{REPOS}/{repo}/default-branch", {"defaultBranch": "trunk"}))
    git.run("clone", "-q", machine.url(repo), tmp_path / "clone")
    assert git.run("branch", "--show-current", cwd=tmp_path / "clone").strip() == "trunk"
    body(machine.api.put(f"{REPOS}/{repo}/default-branch", {"defaultBranch": "later"}))
    git.run("clone", "-q", machine.url(repo), tmp_path / "unborn")
    assert [b for b, what in one(machine.api, repo)["branches"].items() if what["default"]] == ["later"]


def test_files_outlast_the_process(git, tmp_path):
    with Temp("git-restart") as data:
        server = Server(data, "git-restart").start()
        machine = Machine(server)
        repo = new_repo(machine.api)
        machine.grant(repo, "write")
        tree = tmp_path / "tree"
        git.run("clone", "-q", machine.url(repo), tree)
        head = git.commit(tree, {"a": b"a"})
        git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
        server.kill()
        server.start()
        assert head in git.run("ls-remote", machine.url(repo))
        server.terminate()


def test_what_a_crash_left(git, tmp_path):
    """A removal that was interrupted is finished at the start, one of a record that is gone is made up for, and what the ledger
    never knew is left alone."""
    with Temp("git-crash") as data:
        server = Server(data, "git-crash").start()
        machine = Machine(server)
        keep, gone = new_repo(machine.api), new_repo(machine.api)
        for repo in (keep, gone):
            machine.grant(repo, "write")
            git.run("clone", "-q", machine.url(repo), tmp_path / repo)
        files = data / "git" / "default"
        aside = tmp_path / "aside"
        shutil.copytree(files / f"{gone}.git", aside)
        body(machine.api.delete(f"{REPOS}/{gone}"))
        server.kill()
        shutil.copytree(aside, files / f"{gone}.git")
        shutil.copytree(aside, files / ".removing-x")
        foreign = uuid.uuid4()
        shutil.copytree(aside, files / f"{foreign}.git")
        (files / f"{foreign}.git" / "grantd-ledger").write_text(f"{uuid.uuid4()}\n")
        server.start()
        until(lambda: sorted(p.name for p in files.iterdir()) == sorted([f"{keep}.git", f"{foreign}.git"]))
        git.run("ls-remote", machine.url(keep))
        for repo in (gone, foreign):
            git.refused("ls-remote", machine.url(repo))
        until(lambda: "they are left alone" in server.log_tail(100_000))
        server.terminate()
