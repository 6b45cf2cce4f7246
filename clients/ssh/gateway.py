"""A server with its SSH gateway, a machine behind it, and identities that are let in: what the tests of the gateway have in common."""

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "freestyle"))

from harness import Server, Temp, free_port  # noqa: E402
from machine import LinuxUser, Machine, open_temp, public_line  # noqa: E402
from openssh import OpenSsh  # noqa: E402
from words import IDENTITIES, body, new_identity, new_token, vm_path  # noqa: E402

VM = "build-1"


class GatewayServer(Server):
    """A grantd with a gateway on a port of its own."""

    def __init__(self, data: Path, name: str, env=None, args=()):
        self.ssh_port = free_port()
        super().__init__(data, name, env, ["--listen", f"ssh=127.0.0.1:{self.ssh_port}", *args])

    @property
    def host_key(self) -> str:
        """What it shows, by OpenSSH's own reading of its file."""
        command = ["ssh-keygen", "-y", "-f", str(self.data / "ssh_host_ed25519_key")]
        return public_line(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


class Identity:
    """An identity with a token, and what it may do on a machine."""

    def __init__(self, server: Server, vm=VM, users: list[str] | None = None, granted=True):
        self.api, self.vm = server.client(), vm
        self.id = new_identity(self.api)
        self.token_id, self.token = (made := new_token(self.api, self.id))["id"], made["token"]
        if granted:
            self.grant(users)

    def grant(self, users: list[str] | None = None) -> None:
        body(self.api.post(vm_path(self.id, self.vm), {"allowedUsers": users}))

    def allow(self, users: list[str] | None) -> None:
        body(self.api.put(vm_path(self.id, self.vm), {"allowedUsers": users}))

    def revoke(self) -> None:
        body(self.api.delete(vm_path(self.id, self.vm)))

    def revoke_token(self) -> None:
        body(self.api.delete(f"{IDENTITIES}/{self.id}/tokens/{self.token_id}"))

    def delete(self) -> None:
        body(self.api.delete(f"{IDENTITIES}/{self.id}"))

    def name(self, user: str | None = None, mark=":") -> str:
        """The user name that signs in without being asked."""
        return f"{self.vm}{'+' + user if user else ''}{mark}{self.token}"


def register(server: Server, machine: Machine, vm=VM, realm=None, host_key=None) -> str:
    """Puts the machine on record; the key that it is to trust."""
    api = server.client(base=f"/r/{realm}" if realm else "")
    record = {"address": machine.address, "host_key": host_key or machine.host_key}
    return api.put(f"/api/v1/vms/{vm}", record).ok().json()["gateway_key"]


@dataclass
class World:
    """A gateway, a machine with the Linux users `dev` and `other` that trusts it, and clients that know the gateway."""

    server: GatewayServer
    machine: Machine
    dev: LinuxUser
    other: LinuxUser
    ssh: OpenSsh
    work: Path


@contextlib.contextmanager
def world(name: str, args=(), env=None):
    with contextlib.ExitStack() as stack:
        work = stack.enter_context(open_temp(name))
        dev = stack.enter_context(LinuxUser(work))
        other = stack.enter_context(LinuxUser(work, "other"))
        machine = stack.enter_context(Machine(work / "machine"))
        data = stack.enter_context(Temp(f"{name}-data"))
        server = stack.enter_context(GatewayServer(data, name, env, args))
        gateway_key = register(server, machine)
        for user in ("root", dev.name, other.name):
            machine.trust(user, gateway_key)
        ssh = OpenSsh(work / "client", server.ssh_port, server.host_key)
        yield World(server, machine, dev, other, ssh, work)
