"""That the machines of these tests are what they are taken for: without grantd, stock OpenSSH on both sides."""

import os

from machine import LinuxUser, Machine, needs_root, new_key, open_temp
from openssh import OpenSsh

pytestmark = needs_root


def test_stock_openssh_on_both_sides():
    with open_temp("machine") as work, LinuxUser(work) as user, LinuxUser(work, "other") as other:
        mine = new_key(work / "mine")
        new_key(work / "stranger")
        with Machine(work / "sshd") as machine:
            machine.trust(user.name, mine)
            ssh = OpenSsh(work / "home", machine.port, machine.host_key, key=work / "mine")
            there = ssh.run(user.name, "id -un; pwd; cat; echo aside >&2; exit 7", stdin=b"in and out\n")
            assert (there.code, there.err) == (7, "aside\n")
            assert there.text == f"{user.name}\n{user.home}\nin and out\n"
            content = os.urandom(1 << 20)
            (work / "here").write_bytes(content)
            ssh.scp(work / "here", f"{user.name}@127.0.0.1:there").ok()
            assert (user.home / "there").read_bytes() == content
            ssh.sftp(user.name, f"get there {work / 'back'}").ok()
            assert (work / "back").read_bytes() == content
            assert ssh.run(other.name, "true").code == 255
            assert not other.processes()
            stranger = OpenSsh(work / "home", machine.port, machine.host_key, key=work / "stranger")
            assert stranger.run(user.name, "true").code == 255
            assert f"Accepted publickey for {user.name}" in machine.log()
        # Another machine at the same place is not taken for it.
        machine.new_host_key()
        with machine:
            assert "Host key verification failed" in ssh.run(user.name, "true").err
