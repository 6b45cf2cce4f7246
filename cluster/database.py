"""A primary and its synchronous replica, and what happens to them."""

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from harness import free_port
from postgres import Postgres

# Enough for an empty database and some minutes of writes.
SMALL_MB = 128

# As docs/operations.md advises, with short times so that a row of the table does not take minutes.
SETTINGS = {
    "synchronous_commit": "on",
    "fsync": "on",
    "max_wal_senders": "8",
    "wal_receiver_timeout": "5s",
    "wal_retrieve_retry_interval": "500ms",
    "wal_sender_timeout": "5s",
    "hot_standby": "on",
    "max_connections": "100",
    # Small, so that nothing of it is waited for when the machine is shared.
    "shared_buffers": "32MB",
    "max_wal_size": "64MB",
    "min_wal_size": "2MB",
}


class Member(Postgres):
    """One of the two, by a letter; its role changes. What a restart must keep stands in its configuration file.

    `small` puts its tables ("data") or its log ("wal") on a disk of few megabytes, which can be filled.
    """

    def __init__(self, name: str, settings=None, small: str | None = None):
        super().__init__(free_port(), {**SETTINGS, **(settings or {})})
        self.name, self.small = name, small
        # Whether a service manager would start it again.
        self.wanted = False

    # ---- what it is made of ----

    def make(self) -> None:
        super().make()
        self.disk = self.dir / "disk"
        self.disk.mkdir()
        if self.small:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_MB}m", "tmpfs", self.disk], check=True)
        if self.user:
            shutil.chown(self.disk, "postgres")
        if self.small == "data":
            self.data = self.disk / "data"

    def init(self) -> None:
        # Small pieces of the log, so that a small disk of them fills.
        more = ["--wal-segsize=1"]
        if self.small:
            more.append(f"--waldir={self.disk / 'wal' if self.small == 'wal' else self.dir / 'wal'}")
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", *more)

    def remove(self) -> None:
        if self.small:
            subprocess.run(["umount", "-l", self.disk], check=False)
        super().remove()

    @property
    def ballast(self) -> Path:
        return self.disk / "ballast"

    def fill_disk(self) -> None:
        """Not a byte is left."""
        with open(self.ballast, "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError:
                    pass

    def free_disk(self) -> None:
        self.ballast.unlink(missing_ok=True)

    # ---- its role ----

    def configure(self, follows: "Member | None", waits_for: "Member | None") -> None:
        """Whom it follows, or for whose copy each of its commits waits."""
        lines = [f"cluster_name = '{self.name}'", f"synchronous_standby_names = '{waits_for.name if waits_for else ''}'"]
        if follows:
            where = f"host=127.0.0.1 port={follows.port} user=postgres application_name={self.name}"
            lines += [f"primary_conninfo = '{where}'", f"primary_slot_name = '{self.name}'"]
        (self.data / "member.conf").write_text("\n".join(lines) + "\n")
        main = self.data / "postgresql.conf"
        if "member.conf" not in (text := main.read_text()):
            main.write_text(text + "\ninclude_if_exists 'member.conf'\n")

    def copy_of(self, primary: "Member") -> None:
        """Begins anew as a replica of that one."""
        shutil.rmtree(self.data, ignore_errors=True)
        # What it has not got yet is kept for it, however long it is away.
        there = f"SELECT FROM pg_replication_slots WHERE slot_name = '{self.name}'"
        primary.sql(f"SELECT pg_create_physical_replication_slot('{self.name}', true) WHERE NOT EXISTS ({there})")
        source = ["-h", "127.0.0.1", "-p", primary.port, "-U", "postgres", "-S", self.name]
        self.run("pg_basebackup", "-D", self.data, "-c", "fast", *source)
        (self.data / "standby.signal").touch()
        if self.user:
            shutil.chown(self.data / "standby.signal", "postgres")
        self.configure(follows=primary, waits_for=None)

    def processes(self) -> list[int]:
        """The server's, with those of its sessions."""
        main = self.process.pid
        children = Path(f"/proc/{main}/task/{main}/children")
        return [main, *map(int, children.read_text().split())] if children.exists() else [main]

    def kill(self) -> None:
        """As if its machine was gone: none of its processes runs on."""
        self.wanted = False
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(20)

    def promote(self) -> None:
        self.configure(follows=None, waits_for=None)
        self.run("pg_ctl", "promote", "-D", self.data, "-w", "-t", "30")
        self.reload()

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def is_primary(self) -> bool:
        return self.sql("SELECT pg_is_in_recovery()") == "f"


class Pair:
    """The two of them. `primary` and `replica` say who is what right now."""

    def __init__(self, settings=None, small: str | None = None):
        """`small` is what of the first primary is on a disk that can be filled."""
        self.members = [Member("a", settings, small), Member("b", settings)]
        self.primary, self.replica = self.members
        self._stopping = threading.Event()

    def __enter__(self) -> "Pair":
        for member in self.members:
            member.make()
        try:
            self.primary.init()
            self.primary.configure(follows=None, waits_for=None)
            self.primary.start()
            self.replica.copy_of(self.primary)
            self.replica.start()
            self.wait_for_copies()
        except BaseException:
            self.__exit__()
            raise
        for member in self.members:
            member.wanted = True
        self._keeper = threading.Thread(target=self._keep, name="database keeper", daemon=True)
        self._keeper.start()
        return self

    def _keep(self) -> None:
        """What a service manager does: who ended by itself is started again."""
        while not self._stopping.wait(0.3):
            for member in self.members:
                if member.wanted and member.process.poll() is not None:
                    member.spawn()

    def wait_for_copies(self) -> None:
        """From here on each commit of the primary waits for the replica, which has caught up: nobody waits for that."""
        self.until_copied("async")
        self.primary.configure(follows=None, waits_for=self.replica)
        self.primary.reload()
        self.until_copied()

    def until_copied(self, how="sync", timeout=30) -> None:
        """Until the replica follows and, if it is a synchronous one, its copy counts."""
        deadline = time.monotonic() + timeout
        query = f"SELECT count(*) FROM pg_stat_replication WHERE sync_state = '{how}' AND state = 'streaming'"
        while self.primary.sql(query) != "1":
            assert time.monotonic() < deadline, f"{self.primary.log_tail()}\n{self.replica.log_tail()}"
            time.sleep(0.1)

    def fail_over(self) -> None:
        """The primary is gone and the replica takes its place, alone, as a failover manager would do it."""
        self.primary.kill()
        self.promote()

    def promote(self) -> None:
        self.replica.promote()
        self.primary, self.replica = self.replica, self.primary

    def rejoin(self) -> None:
        """The one that was lost comes back as the replica, and its copy counts again."""
        self.replica.copy_of(self.primary)
        self.replica.start()
        self.replica.wanted = True
        self.wait_for_copies()

    def url(self, ports=None) -> str:
        """Both, in whichever order: a client looks for the one that writes. `ports` of proxies in place of theirs."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in (ports or [member.port for member in self.members]))
        return f"postgres://postgres@{hosts}/postgres?target_session_attrs=read-write"

    def __exit__(self, *_) -> None:
        self._stopping.set()
        for member in self.members:
            member.wanted = False
            if member.process and member.process.poll() is None:
                try:
                    member.stop()
                except subprocess.TimeoutExpired:
                    member.kill()
            member.remove()
