"""The gateway on several nodes that share a PostgreSQL."""

import time

import pytest

from gateway import VM, Identity, register
from harness import Temp, free_port, grantd
from machine import LinuxUser, Machine, needs_root, new_key, open_temp
from openssh import OpenSsh
from postgres import Postgres
from words import body, vm_path

pytestmark = [needs_root, pytest.mark.one_node("it starts its own nodes")]


def test_what_one_node_revokes_ends_at_another():
    with (
        open_temp("ssh-nodes") as work,
        LinuxUser(work) as dev,
        Machine(work / "machine") as machine,
        Temp("ssh-nodes-data") as data,
        Postgres() as postgres,
    ):
        host_key = new_key(work / "host_key")
        ports = free_port(), free_port()
        args = [["--listen", f"ssh=127.0.0.1:{port}", "--ssh-host-key", str(work / "host_key")] for port in ports]
        with (
            postgres.node(data, "ssh-node-1", args=args[0]) as first,
            postgres.node(data, "ssh-node-2", first, args=args[1]) as second,
        ):
            machine.trust(dev.name, register(first, machine))
            ssh = OpenSsh(work / "client", ports[1], host_key)
            took = []
            for _ in range(8):
                # Made at one node and used at the other in the next moment.
                me = Identity(first)
                session = ssh.start(me.name(dev.name), "echo ready; exec cat")
                assert session.stdout.readline() == b"ready\n"
                begun = time.monotonic()
                me.revoke()
                assert session.wait(10) == 255
                took.append(time.monotonic() - begun)
                assert b"your access to this machine has ended" in session.stderr.read()
                assert ssh.run(me.name(dev.name), "true").code == 255
                session.communicate()
            print(f"\nended after {[round(1000 * one) for one in took]} ms, at another node")
            assert max(took) < 1.0
            # The machine is removed there, with the grants on it.
            me = Identity(second)
            session = ssh.start(me.name(dev.name), "echo ready; exec cat")
            assert session.stdout.readline() == b"ready\n"
            begun = time.monotonic()
            first.client().delete(f"/api/v1/vms/{VM}").ok()
            assert session.wait(10) == 255
            assert time.monotonic() - begun < 1.0
            session.communicate()
            assert second.client().get(vm_path(me.id, VM)).status == 404
            body(first.client().get("/auth/v1/whoami"))


def test_nodes_must_be_given_one_host_key():
    with Temp("ssh-no-key") as data:
        ran = grantd("serve", "--data", data, "--store", "postgres://127.0.0.1:1/x", "--listen", "ssh=127.0.0.1:0")
        assert ran.returncode != 0
        assert "needs --ssh-host-key FILE: all nodes of a store must show the same key" in ran.stderr
