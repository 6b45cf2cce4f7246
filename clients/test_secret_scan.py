"""The scan itself can find something."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

SCAN = Path(__file__).resolve().parent / "secrets" / "scan.py"
SECRET = "gdt_abc/def+0123456789"


def scan(run) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, SCAN, run], capture_output=True, text=True)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "secrets.tsv").write_text(f"token\t{SECRET}\n")
    (tmp_path / "errors.log").write_text("GET / 401 {}\n")
    return tmp_path


SPOKEN = [
    SECRET,
    "gdt_abc%2Fdef%2B0123456789",
    base64.b64encode(f"x-access-token:{SECRET}".encode()).decode(),
]


@pytest.mark.parametrize("said", SPOKEN)
@pytest.mark.parametrize("place", ["logs/one.log", "errors.log"])
def test_a_secret_that_was_said_is_found(run, place, said):
    (run / place).write_text(f"before {said} after")
    done = scan(run)
    assert done.returncode == 1 and place.rpartition("/")[2] in done.stdout
    assert SECRET not in done.stdout, "the scan does not say it again"


def test_nothing_said(run):
    (run / "logs" / "one.log").write_text("all is quiet")
    assert scan(run).returncode == 0


def test_nothing_to_look_at(tmp_path):
    assert scan(tmp_path).returncode == 2
