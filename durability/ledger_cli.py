"""The `grantd ledger` commands, as an operator types them."""

import json
from pathlib import Path

from harness import grantd


def verify(data: Path, checkpoint: Path | None = None):
    """Exit code and text of `ledger verify`: 0 good, 1 broken, 2 cannot be read."""
    more = ["--checkpoint", checkpoint] if checkpoint else []
    done = grantd("ledger", "verify", "--data", data, *more)
    return done.returncode, done.stdout + done.stderr


def state(data: Path) -> dict:
    """Revision, state hash and the rest of what a good ledger says of itself."""
    done = grantd("ledger", "verify", "--data", data, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def run(*args, env=None) -> str:
    done = grantd("ledger", *args, env=env)
    assert done.returncode == 0, f"grantd ledger {args}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def checkpoint(data: Path, to: Path) -> None:
    run("checkpoint", "--data", data, "--to", to)


def backup(data: Path, to: Path) -> None:
    run("backup", "--data", data, "--to", to)


def backup_running(url: str, key: str, to: Path) -> None:
    run("backup", "--url", url, "--to", to, env={"GRANTD_KEY": key})


def restore(source: Path, data: Path) -> None:
    run("restore", "--from", source, "--data", data)


def erase(data: Path, thing: str) -> str:
    return run("erase", "--data", data, thing)
