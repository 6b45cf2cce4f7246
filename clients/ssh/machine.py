"""A machine that one logs in to: a real sshd on loopback, with Linux users of its own.

It is Debian's OpenSSH under a configuration that stands in one directory; the system's own sshd is neither used nor started. sshd must
be root to become somebody else, so these tests need root.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import Temp, free_port

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="an sshd that lets other users in needs root")


def new_key(path: Path, kind="ed25519", comment="") -> str:
    """Makes a key pair at `path`; its public line, without the comment."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return public_line(path.with_name(path.name + ".pub").read_text())


def public_line(text: str) -> str:
    """`<kind> <base64>` of a line that may have a comment."""
    return " ".join(text.split()[:2])


def change_users(*command: str) -> None:
    """Changes who there is; another run that does so at the moment is waited for."""
    deadline = time.monotonic() + 20
    while True:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            return
        assert "lock" in done.stderr and time.monotonic() < deadline, done.stderr
        time.sleep(0.2)


class LinuxUser:
    """A Linux user for a test, with a home below `homes` and a shell; removed with its processes afterwards.

    Its name is made for it, so that runs beside each other on one machine do not meet.
    """

    def __init__(self, homes: Path, word="dev"):
        self.name = f"gt-{word}-{secrets.token_hex(3)}"
        self.home = homes / self.name

    def __enter__(self) -> "LinuxUser":
        # A password of `*` matches nothing, and unlike `!` it does not lock the account.
        add = ["useradd", "-K", "UMASK=077", "-m", "-d", str(self.home), "-s", "/bin/bash", "-p", "*", self.name]
        change_users(*add)
        self.uid = pwd.getpwnam(self.name).pw_uid
        return self

    def processes(self) -> list[int]:
        """What runs as this user."""
        found = subprocess.run(["ps", "-o", "pid=", "-u", self.name], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def __exit__(self, *_) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        change_users("userdel", "-f", self.name)


class Machine:
    """One sshd, with a host key, users and a log of its own.

    Who may log in as whom stands in `trust`; `lines` are added to its configuration, before everything else, so that they count.
    """

    def __init__(self, directory: Path, lines=(), port=None):
        self.directory, self.lines = Path(directory), list(lines)
        self.directory.mkdir(parents=True, exist_ok=True)
        # sshd reads keys as root but wants nobody else to be able to write what it reads.
        self.directory.chmod(0o755)
        self.keys = self.directory / "keys"
        self.keys.mkdir(exist_ok=True)
        self.port = port or free_port()
        self.log_path = self.directory / "sshd.log"
        self.host_key_path = self.directory / "host_key"
        if not self.host_key_path.exists():
            new_key(self.host_key_path)
        self.process = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def host_key(self) -> str:
        """The public line of what it shows."""
        return public_line((self.directory / "host_key.pub").read_text())

    def new_host_key(self) -> str:
        """Another one, from its next start on."""
        self.host_key_path.unlink()
        return new_key(self.host_key_path)

    def trust(self, user: str, *lines: str) -> None:
        """Who logs in as this user by a key of their own: lines as in `authorized_keys`, in place of those before."""
        (self.keys / user).write_text("".join(f"{line}\n" for line in lines))

    def configuration(self) -> str:
        return "\n".join(
            [
                *self.lines,
                f"ListenAddress {self.address}",
                f"HostKey {self.host_key_path}",
                f"PidFile {self.directory / 'sshd.pid'}",
                f"AuthorizedKeysFile {self.keys}/%u",
                "AuthenticationMethods publickey",
                "PasswordAuthentication no",
                "KbdInteractiveAuthentication no",
                "PermitRootLogin prohibit-password",
                # The directory of a test may stand below one that others can write.
                "StrictModes no",
                "UsePAM no",
                "LogLevel VERBOSE",
                "MaxStartups 200",
                "MaxSessions 100",
                "PrintMotd no",
                "PrintLastLog no",
                # Whatever is to be kept from a session must be kept by who connects.
                "AcceptEnv *",
                "Subsystem sftp internal-sftp",
                "",
            ]
        )

    def start(self) -> "Machine":
        # Debian's sshd changes into it before anybody is known; its service would make it.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        (self.directory / "sshd_config").write_text(self.configuration())
        self.process = subprocess.Popen(
            [SSHD, "-D", "-f", str(self.directory / "sshd_config"), "-E", str(self.log_path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # A locale of whoever runs the tests would be every session's.
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        deadline = time.monotonic() + 10
        while f"Server listening on 127.0.0.1 port {self.port}." not in self.log():
            code = self.process.poll()
            assert code is None, f"sshd ended with {code}: {self.process.stderr.read().decode()}{self.log()}"
            assert time.monotonic() < deadline, f"sshd does not listen:\n{self.log()}"
            time.sleep(0.02)
        return self

    def log(self) -> str:
        """What it wrote since it was first started."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def forget_log(self) -> None:
        """What it wrote so far is of no interest."""
        self.log_path.write_text("")

    def sessions(self) -> list[int]:
        """The processes of those who are connected, known or not."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def stop(self) -> None:
        """Ends it, and whoever is connected."""
        if self.process is None:
            return
        for pid in [self.process.pid, *self.sessions()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        self.process.wait(10)
        self.process.stderr.close()
        self.process = None
        # So that a second start is not taken for the first.
        self.log_path.rename(self.directory / "sshd.log.before")

    def __enter__(self) -> "Machine":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()


@contextlib.contextmanager
def open_temp(name: str):
    """A directory for a test that other Linux users may pass through."""
    with Temp(name) as path:
        path.chmod(0o755)
        yield path
