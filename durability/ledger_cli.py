"""The `grantd ledger` commands, as an operator types them."""

import json
from pathlib import Path

from harness import grantd


def verify(data: Path, checkpoint: Path | None = None):
    """Exit code and text of `ledger verify`: 0 good, 1 broken, 2 cannot be read."""
    more = ["--checkpoint", checkpoint] if checkpoint else []
    done = grantd("ledger", "verify", "--data", data, *more)
    return done.returncode, done.stdout + done.stderr


def state(data: Path, realm="default") -> dict:
    """Revision, state hash and the rest of what a good ledger says of itself."""
    done = grantd("ledger", "verify", "--data", data, "--realm", realm, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def entries(data: Path, realm="default") -> list[dict]:
    """All of them, as `ledger show` prints them."""
    text = run("show", "--data", data, "--realm", realm, "--limit", 1_000_000, "--json")
    return [json.loads(line) for line in text.splitlines()]


def run(*args) -> str:
    done = grantd("ledger", *args)
    assert done.returncode == 0, f"grantd ledger {args}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def checkpoint(data: Path, to: Path) -> None:
    run("checkpoint", "--data", data, "--to", to)


def backup(data: Path, to: Path) -> None:
    """Also while a server runs on it."""
    run("backup", "--data", data, "--to", to)


def restore(source: Path, data: Path, master_key: Path | None = None) -> None:
    run("restore", "--from", source, "--data", data, *(["--master-key-file", master_key] if master_key else []))


def erase(data: Path, thing: str) -> None:
    run("erase", "--data", data, "--object", thing)
