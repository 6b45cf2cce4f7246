"""OpenSSH's own clients: `ssh`, `scp` and `sftp` as they are installed, with nobody's settings."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Ended:
    """A client that has ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode(errors="replace")

    def ok(self) -> "Ended":
        """Itself, when it is a success."""
        assert self.code == 0, f"{self.code}: {self.err}{self.out[:2000]!r}"
        return self


class OpenSsh:
    """Clients towards one port of this machine, that know the host keys they were told and no others."""

    def __init__(self, home: Path, port: int, *host_keys: str, key: Path | None = None, options=()):
        """`key` is a private key to show; `options` are more of `ssh_config`, as `Name=value`."""
        self.home, self.port = Path(home), port
        self.home.mkdir(parents=True, exist_ok=True)
        self.known_hosts = self.home / "known_hosts"
        self.key, self.options = key, list(options)
        self.knows(*host_keys)

    def knows(self, *host_keys: str) -> None:
        """From now on these are the keys that it expects."""
        self.known_hosts.write_text("".join(f"[127.0.0.1]:{self.port} {key}\n" for key in host_keys))

    def settings(self) -> list[str]:
        options = [
            f"UserKnownHostsFile={self.known_hosts}",
            "GlobalKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=yes",
            "UpdateHostKeys=no",
            "LogLevel=INFO",
            "ConnectTimeout=20",
            "IdentitiesOnly=yes",
            f"IdentityFile={self.key or 'none'}",
            *self.options,
        ]
        return ["-F", "none", *(part for option in options for part in ("-o", option))]

    def ssh_command(self, user: str, *command, options=(), flags=()) -> list[str]:
        # The user by an option of its own: it may hold what an address must not.
        more = [part for option in options for part in ("-o", option)]
        return ["ssh", *more, *self.settings(), *flags, "-p", str(self.port), "-l", user, "127.0.0.1", *command]

    def environment(self, password=None) -> dict[str, str]:
        """Without a terminal, ssh asks a program for a password; this one always has the same answer."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8"}
        if password is not None:
            helper = self.home / "askpass"
            helper.write_text('#!/bin/sh\nprintf "%s\\n" "$1" >>"$HOME/asked"\nprintf "%s\\n" "$PASSWORD_OF_TEST"\n')
            helper.chmod(0o700)
            env |= {"SSH_ASKPASS": str(helper), "SSH_ASKPASS_REQUIRE": "force", "PASSWORD_OF_TEST": password}
        return env

    def run(self, user: str, *command, stdin=b"", password=None, timeout=60, options=(), flags=()) -> Ended:
        """Runs a command there, or a shell, to its end."""
        batch = () if password is not None else ("BatchMode=yes",)
        argv = self.ssh_command(user, *command, options=[*options, *batch], flags=flags)
        return self._end(argv, stdin, password, timeout)

    def start(self, user: str, *command, password=None, options=(), flags=(), **more) -> subprocess.Popen:
        """The same under way; by default with pipes."""
        batch = () if password is not None else ("BatchMode=yes",)
        argv = self.ssh_command(user, *command, options=[*options, *batch], flags=flags)
        pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
        return subprocess.Popen(argv, env=self.environment(password), **{**pipes, **more})

    def scp(self, *words, password=None, timeout=120, flags=()) -> Ended:
        """`scp`, with sources and target as the last words."""
        argv = ["scp", *self.settings(), "-P", str(self.port), *flags, *map(str, words)]
        return self._end(argv, b"", password, timeout)

    def sftp(self, user: str, *lines: str, password=None, timeout=120) -> Ended:
        """`sftp` that is told what to do by these lines, and stops at the first that fails."""
        argv = ["sftp", *self.settings(), "-P", str(self.port), "-b", "-", "-o", f"User={user}", "127.0.0.1"]
        return self._end(argv, "".join(f"{line}\n" for line in lines).encode(), password, timeout)

    def _end(self, argv, stdin, password, timeout) -> Ended:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            env=self.environment(password),
            start_new_session=True,
        )
        return Ended(done.returncode, done.stdout, done.stderr.decode(errors="replace").replace("\r", ""))
