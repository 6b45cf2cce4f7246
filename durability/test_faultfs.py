"""The library is a measuring instrument; this checks it against a probe of a few lines before anything relies on it."""

import errno
import subprocess
import time
from pathlib import Path

import pytest

from faultfs import SECTOR, FaultFs
from harness import ROOT, Temp

PROBE = Path(__file__).resolve().parent / "faultfs_probe" / "probe.c"


@pytest.fixture(scope="module")
def probe():
    program = ROOT / "target" / "faultfs" / "probe"
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, PROBE, "-lpthread"], check=True)
    return program


@pytest.fixture
def fs():
    with Temp("faultfs") as work:
        yield FaultFs(work / "data", work)


def run(probe, fs, *steps) -> list[str]:
    """The steps in the data directory; what each said. Steps end with `kill` in most tests."""
    done = subprocess.run([probe, *steps], cwd=fs.root, env=fs.environment, capture_output=True, text=True)
    assert done.stderr == "", done.stderr
    return [line.split()[1] for line in done.stdout.splitlines()]


def settled(fs, **files) -> None:
    """Files that were on the disk long before."""
    for name, text in files.items():
        (fs.root / name).write_text(text)


def contents(fs) -> dict[str, str]:
    return {path.name: path.read_text() for path in fs.root.iterdir() if path.is_file()}


CASES = {
    "an unsynced write is lost": (
        ["write:f:2:XX", "kill"],
        {"f": "abcdef"},
    ),
    "a synced write stays": (
        ["write:f:2:XX", "sync:f", "kill"],
        {"f": "abXXef"},
    ),
    "what follows a sync is lost, what went before stays": (
        ["write:f:0:XX", "sync:f", "write:f:1:YY", "write:f:5:ZZZZ", "kill"],
        {"f": "XXcdef"},
    ),
    "a longer file is short again": (
        ["write:f:6:more", "kill"],
        {"f": "abcdef"},
    ),
    "a hole and its end vanish": (
        ["write:f:4000:end", "kill"],
        {"f": "abcdef"},
    ),
    "a cut tail comes back": (
        ["size:f:2", "kill"],
        {"f": "abcdef"},
    ),
    "a file emptied at opening comes back": (
        ["trunc:f", "write:f:0:new", "kill"],
        {"f": "abcdef"},
    ),
    "a longer length is taken back": (
        ["size:f:100", "kill"],
        {"f": "abcdef"},
    ),
    "many changes, undone from the last to the first": (
        ["write:f:0:1", "size:f:1", "write:f:3:33", "write:f:0:2", "size:f:50", "write:f:10:x", "kill"],
        {"f": "abcdef"},
    ),
    "a new file without its directory synced is gone, though it was synced itself": (
        ["create:g", "write:g:0:new", "sync:g", "kill"],
        {"f": "abcdef"},
    ),
    "a new file with its directory synced stays, but empty": (
        ["create:g", "syncdir:.", "write:g:0:new", "kill"],
        {"f": "abcdef", "g": ""},
    ),
    "a new file with both synced stays": (
        ["create:g", "write:g:0:new", "sync:g", "syncdir:.", "kill"],
        {"f": "abcdef", "g": "new"},
    ),
    "a removed file comes back": (
        ["unlink:f", "kill"],
        {"f": "abcdef"},
    ),
    "a removed file comes back without its unsynced write": (
        ["write:f:0:XX", "unlink:f", "kill"],
        {"f": "abcdef"},
    ),
    "a removed file stays away after the directory was synced": (
        ["unlink:f", "syncdir:.", "kill"],
        {},
    ),
    "a file removed and made again is the old one": (
        ["unlink:f", "create:f", "write:f:0:new", "sync:f", "kill"],
        {"f": "abcdef"},
    ),
    "a rename is taken back": (
        ["rename:f:g", "kill"],
        {"f": "abcdef"},
    ),
    "a rename that was synced stays": (
        ["rename:f:g", "syncdir:.", "kill"],
        {"g": "abcdef"},
    ),
    "a write to a file that was renamed afterwards is lost too": (
        ["write:f:0:XX", "rename:f:g", "syncdir:.", "kill"],
        {"g": "abcdef"},
    ),
    "a new directory goes with what is in it": (
        ["mkdir:d", "create:d/x", "syncdir:d", "kill"],
        {"f": "abcdef"},
    ),
    "-shm files are nobody's": (
        ["create:db-shm", "write:db-shm:0:junk", "kill"],
        {"f": "abcdef"},
    ),
}


@pytest.mark.parametrize("case", CASES, ids=lambda name: name.replace(" ", "-"))
def test_power_cut(probe, fs, case):
    steps, left = CASES[case]
    settled(fs, f="abcdef")
    said = run(probe, fs, *steps)
    assert said == ["ok"] * (len(steps) - 1)
    fs.power_cut()
    assert contents(fs) == left
    assert [path for path in fs.root.iterdir() if path.is_dir()] == []
    assert list(fs.undo.iterdir()) == []


def test_a_rename_over_a_file_brings_back_both(probe, fs):
    settled(fs, new="new", old="old")
    run(probe, fs, "rename:new:old", "kill")
    assert contents(fs) == {"old": "new"}
    fs.power_cut()
    assert contents(fs) == {"new": "new", "old": "old"}


def test_without_a_power_cut_all_is_there(probe, fs):
    settled(fs, f="abcdef")
    run(probe, fs, "write:f:0:XX", "kill")
    assert contents(fs) == {"f": "XXcdef"}


def test_the_log_is_empty_when_all_is_synced(probe, fs):
    settled(fs, f="abcdef")
    run(probe, fs, "write:f:0:XX", "create:g", "sync:f", "syncdir:.", "kill")
    assert (fs.undo / "log").stat().st_size == 0


def test_a_second_process_must_not_go_on_with_an_old_log(probe, fs):
    settled(fs, f="abcdef")
    run(probe, fs, "write:f:0:XX", "kill")
    again = subprocess.run([probe, "open:f"], cwd=fs.root, env=fs.environment, capture_output=True, text=True)
    assert again.returncode != 0 and "not applied" in again.stderr


def test_a_failed_sync_loses_what_it_did_not_write(probe, fs):
    """As Linux does it: the pages count as clean afterwards, and a later sync says nothing of them."""
    settled(fs, f="abcdef")
    fs.fail("sync", 1)
    assert run(probe, fs, "write:f:0:XX", "sync:f", "write:f:4:YY", "sync:f", "kill") == ["ok", "EIO", "ok", "ok"]
    assert fs.fired("sync") == 1
    fs.power_cut()
    assert contents(fs) == {"f": "abcdYY"}


def test_what_is_written_again_after_a_failed_sync_stays(probe, fs):
    settled(fs, f="abcdef")
    fs.fail("sync", 1)
    run(probe, fs, "write:f:0:XXXX", "sync:f", "write:f:2:YY", "sync:f", "kill")
    fs.power_cut()
    assert contents(fs) == {"f": "abYYef"}


def test_failing_by_number(probe, fs):
    settled(fs, f="abcdef")
    fs.fail("write", 2, errno.ENOSPC, times=2)
    steps = ["write:f:0:1", "write:f:0:2", "write:f:0:3", "write:f:0:4"]
    assert run(probe, fs, *steps) == ["ok", "ENOSPC", "ENOSPC", "ok"]
    assert contents(fs) == {"f": "4bcdef"}
    assert fs.calls("write") == 4 and fs.fired("write") == 2


def test_failing_from_then_on(probe, fs):
    settled(fs, f="abcdef")
    fs.fail("open", 2, times=0)
    assert run(probe, fs, "open:f", "open:f", "open:f") == ["ok", "EIO", "EIO"]


def test_failing_by_setting(probe, fs):
    settled(fs, f="abcdef")
    fs.environment["FAULTFS_FAIL"] = "write:1:ENOSPC"
    assert run(probe, fs, "write:f:0:X", "write:f:0:Y") == ["ENOSPC", "ok"]
    assert contents(fs) == {"f": "Ybcdef"}


def test_files_elsewhere_are_left_alone(probe, fs):
    outside = fs.root.parent / "outside"
    outside.write_text("abc")
    fs.fail("write", 1, times=0)
    assert run(probe, fs, f"write:{outside}:0:X", "kill") == ["ok"]
    fs.power_cut()
    assert outside.read_text() == "Xbc"


def test_delay(probe, fs):
    settled(fs, f="abcdef")
    fs.environment["FAULTFS_SYNC_DELAY_US"] = "100000"
    start = time.monotonic()
    run(probe, fs, "sync:f", "sync:f")
    assert time.monotonic() - start >= 0.2


def test_threads(probe, fs):
    settled(fs, f="-" * 16 * 32)
    assert run(probe, fs, "threads:f:32", "kill") == ["ok"]
    fs.power_cut()
    assert (fs.root / "f").read_text() == "".join(f"{n:07} 0000199\n" for n in range(32))


def test_by_lot_sectors_are_kept_or_lost(probe, fs):
    size = 64 * SECTOR
    settled(fs, f="-" * size)
    run(probe, fs, f"write:f:0:{'x' * size}", "sync:f", f"write:f:0:{'y' * size}", "kill")
    fs.power_cut(seed=7)
    text = (fs.root / "f").read_text()
    kinds = {text[at : at + SECTOR] for at in range(0, size, SECTOR)}
    assert kinds == {"x" * SECTOR, "y" * SECTOR}, "some of each, nothing torn inside a sector, nothing older"

