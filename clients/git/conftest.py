"""A home for git, and a repository with some history in it."""

import pytest

from stock import Git, Machine, new_repo


@pytest.fixture
def git(tmp_path):
    (tmp_path / "home").mkdir()
    return Git(tmp_path / "home")


@pytest.fixture
def machine(server):
    return Machine(server)


@pytest.fixture
def repo(server):
    return new_repo(server.client())


@pytest.fixture
def tree(git, machine, repo, tmp_path):
    """A clone of `machine`, who may write, with one commit pushed."""
    machine.grant(repo, "write")
    tree = tmp_path / "tree"
    git.run("clone", "-q", machine.url(repo), tree)
    git.commit(tree, {"README": b"one\n"}, "first")
    git.run("push", "-q", "origin", "HEAD:main", cwd=tree)
    return tree
