"""Sessions through the gateway end when the right to them does, at once."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from gateway import Identity, VM, register
from machine import Machine, needs_root
from words import unknown

pytestmark = needs_root

MIB = 1 << 20


def start(here, me, command="echo ready; exec cat", **more):
    """A session that ends there with its input, as whatever reads does; what does not, sshd leaves alone."""
    process = here.ssh.start(me.name(here.dev.name), command, **more)
    assert process.stdout.readline() == b"ready\n"
    return process


def until(what, seconds=10.0):
    begun = time.monotonic()
    while not what():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.01)
    return time.monotonic() - begun


def ends_within(process, seconds, begun):
    process.wait(10)
    took = time.monotonic() - begun
    assert process.returncode == 255
    assert took < seconds, took
    return took


def close(process):
    process.kill()
    process.communicate()


def end_grant(here, me):
    me.revoke()


def end_user(here, me):
    me.allow(["root", here.other.name])


def end_all_users(here, me):
    me.allow([])


def end_token(here, me):
    me.revoke_token()


def end_identity(here, me):
    me.delete()


def remove_machine(here, me):
    me.api.delete(f"/api/v1/vms/{VM}").ok()


def move_machine(here, me):
    record = {"address": "127.0.0.1:1", "host_key": here.machine.host_key}
    me.api.put(f"/api/v1/vms/{VM}", record).ok()


@pytest.mark.parametrize(
    "end", [end_grant, end_user, end_all_users, end_token, end_identity, move_machine, remove_machine]
)
def test_the_end_of_the_right(here, end):
    me, stays = Identity(here.server), Identity(here.server)
    session = start(here, me)
    keeps = start(here, stays)
    begun = time.monotonic()
    end(here, me)
    took = ends_within(session, 1.0, begun)
    print(f"\n{end.__name__}: ended {1000 * took:.0f} ms after the call began")
    said = session.stderr.read().decode()
    assert "your access to this machine has ended" in said, said
    if end in (remove_machine, move_machine):
        ends_within(keeps, 1.0, begun)
        here.machine.trust(here.dev.name, register(here.server, here.machine))
    else:
        assert keeps.poll() is None
    until(lambda: len(processes(here, "cat")) <= (keeps.poll() is None), 10)
    close(session)
    close(keeps)
    until(lambda: not processes(here, "cat"), 10)


def processes(here, command):
    """What runs there as `dev` under this command line."""
    found = []
    for pid in here.dev.processes():
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:
            continue
        if line == command:
            found.append(pid)
    return found


def test_the_end_of_a_realm(here):
    api = here.server.client()
    api.post("/api/v1/realms", {"name": "brief"}).ok()
    trusted = register(here.server, here.machine), register(here.server, here.machine, vm="b", realm="brief")
    here.machine.trust(here.dev.name, *trusted)
    there = here.server.client(base="/r/brief/freestyle")
    identity = there.post("/identity/v1/identities").ok().json()["id"]
    token = there.post(f"/identity/v1/identities/{identity}/tokens").ok().json()["token"]
    there.post(f"/identity/v1/identities/{identity}/permissions/vm/b", {}).ok()
    session = here.ssh.start(f"b@brief+{here.dev.name}:{token}", "echo ready; exec cat")
    assert session.stdout.readline() == b"ready\n"
    begun = time.monotonic()
    api.delete("/api/v1/realms/brief?confirm=brief").ok()
    ends_within(session, 1.0, begun)
    close(session)


def test_a_transfer_under_way(here):
    """Also one whose client takes nothing: no message reaches it, and it is cut all the same."""
    me = Identity(here.server)
    reads = start(here, me, "echo ready; cat /dev/zero")
    stopped = start(here, me, "echo ready; cat /dev/zero")
    time.sleep(0.5)
    until(lambda: len(processes(here, "cat /dev/zero")) == 2)
    begun = time.monotonic()
    me.revoke()
    took = until(lambda: not processes(here, "cat /dev/zero"), 5)
    print(f"\nboth commands were gone {1000 * took:.0f} ms after the call")
    assert time.monotonic() - begun < 1.5
    for session in (reads, stopped):
        session.stdout.close()
        session.wait(10)
        session.kill()


def test_memory_stays_flat_when_a_client_takes_nothing(here):
    me = Identity(here.server)
    session = start(here, me, "echo ready; head -c 300M /dev/zero")
    session.send_signal(signal.SIGSTOP)
    sends = start(here, me, "echo ready; sleep 600")
    before = rss(here.server)
    os.set_blocking(sends.stdin.fileno(), False)
    pushed, peak = 0, before
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        try:
            pushed += os.write(sends.stdin.fileno(), b"x" * 65536)
        except BlockingIOError:
            time.sleep(0.01)
        peak = max(peak, rss(here.server))
    print(f"\n{before:.1f} MiB before, {peak:.1f} MiB at most; {pushed >> 20} MiB of input were taken")
    assert peak - before < 24
    assert pushed < 32 * MIB
    session.send_signal(signal.SIGCONT)
    rest = 0
    while piece := session.stdout.read(MIB):
        rest += len(piece)
    assert rest == 300 * MIB
    assert session.wait(20) == 0
    close(session)
    close(sends)


def rss(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def test_a_client_that_goes_away(here):
    me = Identity(here.server)
    session = start(here, me)
    session.kill()
    session.communicate()
    until(lambda: not processes(here, "cat"), 5)


def test_a_machine_that_goes_away(here):
    with Machine(here.work / "brief") as machine:
        me = Identity(here.server, vm="brief")
        machine.trust(here.dev.name, register(here.server, machine, vm="brief"))
        session = start(here, me)
        # The process that carries the session, not its parent alone.
        for pid in session_pids(machine):
            os.kill(pid, signal.SIGKILL)
        session.wait(10)
        assert session.returncode == 255
        assert "the connection to `brief` was lost" in session.stderr.read().decode()
        close(session)


def session_pids(machine):
    """sshd forks for each connection, and once more for the session."""
    below, look = [], list(machine.sessions())
    while look:
        pid = look.pop()
        below.append(pid)
        found = subprocess.run(["pgrep", "-P", str(pid), "sshd"], capture_output=True, text=True)
        look += [int(child) for child in found.stdout.split()]
    return below


def test_idle(tmp_path):
    from gateway import world

    with world("ssh-idle", args=["--ssh-idle", "1"]) as here:
        me = Identity(here.server)
        busy = here.ssh.start(me.name(here.dev.name), "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.4; done")
        idle = here.ssh.start(me.name(here.dev.name), "sleep 600")
        begun = time.monotonic()
        assert idle.wait(10) == 255
        assert 0.9 < time.monotonic() - begun < 4
        assert "nothing has moved" in idle.stderr.read().decode()
        assert busy.wait(20) == 0
        for process in (busy, idle):
            close(process)


def test_the_server_stops(tmp_path):
    from gateway import world

    with world("ssh-stops") as here:
        me = Identity(here.server)
        long, short = start(here, me), start(here, me, "echo ready; sleep 1; exit 4")
        quiet = socket.create_connection(("127.0.0.1", here.server.ssh_port))
        begun = time.monotonic()
        assert here.server.terminate() == 0
        took = time.monotonic() - begun
        assert 8 < took < 15, took
        assert short.wait(5) == 4
        assert long.wait(5) == 255
        assert "the gateway is stopping" in long.stderr.read().decode()
        for process in (long, short):
            close(process)
        quiet.close()


def test_no_token_is_written_down(here):
    """Once more by hand, for this server: the search over the whole run comes with the stage `secrets`."""
    me = Identity(here.server)
    here.ssh.run(me.name(here.dev.name), "true").ok()
    here.ssh.run(f"build-1+{here.dev.name}", "true", password=me.token).ok()
    wrong = "gdi_" + unknown().replace("-", "")
    here.ssh.run(f"build-1:{wrong}", "true")
    here.ssh.run("build-1", "true", password=wrong)
    metrics = here.server.nobody().get("/metrics").raw.decode()
    for text in (here.server.log_path.read_text(errors="replace"), metrics, here.machine.log()):
        assert me.token not in text and wrong not in text
    assert "ssh: signed in" in here.server.log_path.read_text(errors="replace")
