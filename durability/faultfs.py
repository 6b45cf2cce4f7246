"""The fault-injecting library from the test's side: building it, steering it, and the power cut itself."""

import bisect
import ctypes
import errno
import mmap
import os
import random
import shutil
import struct
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from harness import ROOT

SOURCES = Path(__file__).resolve().parent / "faultfs"
SECTOR = 512

# The order of `enum fault`.
KINDS = ("sync", "write", "open")


def build() -> Path:
    """Compiles the library when it is older than its sources."""
    library = ROOT / "target" / "faultfs" / "faultfs.so"
    sources = sorted(SOURCES.glob("*.c"))
    newest = max(path.stat().st_mtime for path in [*sources, SOURCES / "faultfs.h"])
    if not library.exists() or library.stat().st_mtime < newest:
        library.parent.mkdir(parents=True, exist_ok=True)
        flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-attribute-alias"]
        fresh = library.with_name(f"{library.name}.{os.getpid()}")
        subprocess.run(["cc", *flags, "-o", fresh, *sources, "-lpthread"], check=True)
        fresh.replace(library)
    return library


class Control(ctypes.Structure):
    """`struct control`, shared with the process under test."""

    _fields_ = [
        ("calls", ctypes.c_uint64 * 3),
        ("fail_at", ctypes.c_uint64 * 3),
        ("fail_times", ctypes.c_uint64 * 3),
        ("fail_errno", ctypes.c_uint64 * 3),
        ("fired", ctypes.c_uint64 * 3),
        ("sync_delay_us", ctypes.c_uint64),
    ]


class FaultFs:
    """One data directory below the library. `work` is a directory beside it, on the same file system."""

    def __init__(self, root: Path, work: Path, undo=True):
        self.root, self.undo = Path(root).resolve(), Path(work).resolve() / "undo"
        self.root.mkdir(parents=True, exist_ok=True)
        self.undo.mkdir(parents=True, exist_ok=True)
        shared = Path(work).resolve() / "control"
        shared.write_bytes(bytes(ctypes.sizeof(Control)))
        with open(shared, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self.control = Control.from_buffer(self._map)
        self.environment = {
            "LD_PRELOAD": str(build()),
            "FAULTFS_ROOT": str(self.root),
            "FAULTFS_CONTROL": str(shared),
        }
        if undo:
            self.environment["FAULTFS_UNDO"] = str(self.undo)

    def fail(self, kind: str, after: int, error: int = errno.EIO, times: int = 1) -> None:
        """The `after`-th call from now on fails, and so do the next ones up to `times` (0: all)."""
        number = KINDS.index(kind)
        self.control.fired[number] = 0
        self.control.fail_errno[number] = error
        self.control.fail_times[number] = times
        self.control.fail_at[number] = self.control.calls[number] + after

    def heal(self) -> None:
        """Nothing fails any more."""
        for number in range(len(KINDS)):
            self.control.fail_at[number] = 0

    def fired(self, kind: str) -> int:
        return self.control.fired[KINDS.index(kind)]

    def calls(self, kind: str) -> int:
        return self.control.calls[KINDS.index(kind)]

    def settle(self) -> None:
        """All reached the disk in the end, as after a clean stop and a long wait."""
        shutil.rmtree(self.undo)
        self.undo.mkdir()

    def power_cut(self, seed=None) -> "Loss":
        """After the process was killed: takes away what was not synced.

        Without a seed, everything of it. With one, each sector of it is lost or kept by lot, as a disk may do it.
        """
        loss = Undo(self.root, self.undo).apply(None if seed is None else random.Random(seed))
        self.settle()
        return loss


@dataclass
class Loss:
    """What a power cut took away."""

    writes: int = 0
    names: int = 0


WRITE, CREATE, UNLINK, RENAME, SYNC, LOST, UNSUPPORTED, MAKE_DIRECTORY = range(1, 9)
HEAD = struct.Struct("=8Q")


@dataclass
class Record:
    """One record of the log, see undo.c."""

    kind: int
    inode: int
    other: int
    offset: int
    length: int
    size: int
    payload: bytes
    end: int

    def paths(self) -> list[Path | None]:
        parts = self.payload.split(b"\0")[:-1]
        return [Path(os.fsdecode(part)) if part else None for part in parts]


def read_log(path: Path) -> list[Record]:
    """All whole records; a torn one at the end stands for a change that was never begun."""
    data = path.read_bytes() if path.exists() else b""
    records, at = [], 0
    while at + HEAD.size <= len(data):
        *numbers, payload, end = HEAD.unpack_from(data, at)
        start, at = at + HEAD.size, at + HEAD.size + payload
        if at > len(data):
            break
        records.append(Record(*numbers, data[start:at], end))
    return records


class Undo:
    """Applies an undo log to a directory."""

    def __init__(self, root: Path, undo: Path):
        self.root, self.records = root, read_log(undo / "log")
        for record in self.records:
            if record.kind == UNSUPPORTED:
                raise NotImplementedError(f"the library saw what it cannot undo: {record.payload!r}")
        self.syncs = defaultdict(list)
        for number, record in enumerate(self.records):
            if record.kind in (SYNC, LOST):
                self.syncs[record.inode].append((number, record.offset, record.kind))
        self.files = {path.stat().st_ino: path for path in undo.iterdir() if path.name != "log"}
        for folder, _, names in os.walk(root):
            for name in names:
                self.files[(Path(folder) / name).stat().st_ino] = Path(folder) / name

    def fate(self, number: int, inode: int) -> int | None:
        """What the first sync that covers a record did to it: SYNC, LOST, or None when there was none."""
        syncs, end = self.syncs[inode], self.records[number].end
        for at in range(bisect.bisect(syncs, (number,)), len(syncs)):
            if syncs[at][1] >= end:
                return syncs[at][2]
        return None

    def apply(self, lot: random.Random | None) -> Loss:
        loss, before = Loss(), {}
        fates = [self._fate(number) for number in range(len(self.records))]
        unsynced = [r for r, fate in zip(self.records, fates) if fate is None and r.kind == WRITE]
        if lot:
            for inode in {r.inode for r in unsynced}:
                if inode in self.files:
                    before[inode] = self.files[inode].read_bytes()
        keep_names = bool(lot and lot.random() < 0.5)
        for number in reversed(range(len(self.records))):
            record, fate = self.records[number], fates[number]
            if record.kind in (SYNC, LOST) or fate == SYNC:
                continue
            if record.kind == WRITE:
                loss.writes += 1
                self._undo_write(record, self._rewritten(number, fates) if fate == LOST else [])
            elif not keep_names:
                loss.names += 1
                self._undo_name(record)
        for inode, now in before.items():
            self._keep_by_lot(inode, now, [r for r in unsynced if r.inode == inode], lot)
        for path in self.root.rglob("*-shm"):
            path.unlink()
        return loss

    def _fate(self, number: int) -> int | None:
        record = self.records[number]
        fates = {self.fate(number, inode) for inode in (record.inode, record.other) if inode}
        # A rename between two directories needs both of them.
        return SYNC if fates == {SYNC} else LOST if LOST in fates else None

    def _rewritten(self, number: int, fates) -> list[Record]:
        """Later writes to the same file that did reach the disk: a write lost earlier must not undo those."""
        lost = self.records[number]
        later = zip(self.records[number + 1 :], fates[number + 1 :])
        return [r for r, fate in later if r.kind == WRITE and r.inode == lost.inode and fate == SYNC]

    def _undo_write(self, record: Record, rewritten: list[Record]) -> None:
        path = self.files.get(record.inode)
        if path is None:
            return
        # A write may also have been lost beyond the old end of the file: nothing stands there then.
        old = bytearray(record.payload.ljust(record.length, b"\0") if rewritten else record.payload)
        with open(path, "r+b") as file:
            for later in rewritten:
                start = max(later.offset, record.offset)
                stop = min(later.offset + later.length, record.offset + len(old))
                if start < stop:
                    file.seek(start)
                    now = file.read(stop - start)
                    old[start - record.offset : start - record.offset + len(now)] = now
            file.seek(record.offset)
            file.write(old)
            if not rewritten:
                file.truncate(record.size)

    def _undo_name(self, record: Record) -> None:
        if record.kind == CREATE:
            record.paths()[0].unlink(missing_ok=True)
        elif record.kind == MAKE_DIRECTORY:
            shutil.rmtree(record.paths()[0], ignore_errors=True)
        elif record.kind == UNLINK:
            path, kept = record.paths()
            if path.exists():
                return
            if kept:
                os.link(kept, path)
            else:
                path.mkdir()
        elif record.kind == RENAME:
            old, new, kept = record.paths()
            if new.exists() and not old.exists():
                new.rename(old)
            if kept and not new.exists():
                os.link(kept, new)

    def _keep_by_lot(self, inode: int, now: bytes, writes: list[Record], lot: random.Random) -> None:
        """Each sector of the unsynced writes is the new one or the old one, by lot; so is the length."""
        path = self.files[inode]
        if not path.exists():
            return
        synced = path.read_bytes()
        size = len(lot.choice((synced, now)))
        mixed = bytearray(synced[:size].ljust(size, b"\0"))
        for write in writes:
            first = write.offset // SECTOR * SECTOR
            for at in range(first, write.offset + write.length, SECTOR):
                if at < size and lot.random() < 0.5:
                    piece = now[at : min(at + SECTOR, size)]
                    mixed[at : at + len(piece)] = piece
        path.write_bytes(mixed)
