#!/usr/bin/env python3
"""Looks for every secret that the tests made or were given in everything that the servers said.

    scan.py [RUN_DIRECTORY]        by default target/run

Reads `secrets.tsv`, and searches `logs/*.log` and `errors.log` for each value: as it is, percent-encoded, and in the
base64 forms in which a client sends it. Exits 1 when one is found, and 2 when there was nothing to look at, because
that is no proof.
"""

import base64
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent.parent


def forms(secret: str) -> set[bytes]:
    """The secret as it could show up."""
    plain = secret.encode()
    found = {plain, quote(secret, safe="").encode()}
    for text in (plain, b"x-access-token:" + plain, b"admin:" + plain, plain + b":"):
        found.add(base64.b64encode(text).rstrip(b"="))
    return found


def scan(run: Path) -> tuple[int, int, list[str]]:
    """How many secrets, how many bytes of what was said, and what was found where."""
    lines = (run / "secrets.tsv").read_text().splitlines() if (run / "secrets.tsv").exists() else []
    secrets = {tuple(line.split("\t", 1)) for line in lines}
    wanted = {form: f"{kind} {secret[:8]}..." for kind, secret in secrets for form in forms(secret)}
    places = [place for place in [*sorted((run / "logs").glob("*.log")), run / "errors.log"] if place.exists()]
    found = [f"{place}: {name}" for place in places for name in sorted({wanted[form] for form in said(place, wanted)})]
    return len(secrets), sum(place.stat().st_size for place in places), found


def said(place: Path, wanted) -> set[bytes]:
    """Which of the texts a file contains. `grep` looks for all of them at once."""
    if not wanted:
        return set()
    command = ["grep", "--text", "--fixed-strings", "--only-matching", "--file=-", str(place)]
    done = subprocess.run(command, input=b"\n".join(wanted), capture_output=True, env={"LC_ALL": "C"})
    if done.returncode > 1:
        raise RuntimeError(f"grep: {done.stderr.decode(errors='replace')}")
    return set(done.stdout.splitlines())


def main() -> int:
    run = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target" / "run"
    secrets, size, found = scan(run)
    print(f"{secrets} secrets looked for in {size} bytes of logs and error bodies: {len(found)} found")
    for line in found:
        print(f"  {line}")
    if secrets == 0 or size == 0:
        print("nothing to look at: the tests did not run, or did not record")
        return 2
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
