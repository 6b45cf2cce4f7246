"""The history checker, a program of the workspace: `cargo build -p grantd-testkit --bin check-history`."""

import os
import subprocess
from pathlib import Path

from harness import ROOT
from history import History, save_ledger


def program() -> Path | None:
    """`GRANTD_CHECK_HISTORY`, else the newest that cargo built."""
    if named := os.environ.get("GRANTD_CHECK_HISTORY"):
        return Path(named)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [path for path in (target / kind / "check-history" for kind in ("release", "debug")) if path.exists()]
    return max(built, key=lambda path: path.stat().st_mtime, default=None)


def verdict(history: History, lines: list[dict], directory: Path, stale_after=5) -> tuple[bool, str]:
    """Whether the history is a good one, and what the checker says."""
    checker = program()
    if checker is None:
        return False, "not checked: there is no check-history; cargo build -p grantd-testkit --bin check-history"
    ledger, ops = directory / "ledger.jsonl", directory / "history.jsonl"
    save_ledger(lines, ledger)
    history.save(ops)
    command = [checker, "--stale-after", str(stale_after), ledger, ops]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    return done.returncode == 0, (done.stdout + done.stderr).strip()
