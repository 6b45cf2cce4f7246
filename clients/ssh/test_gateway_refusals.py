"""Who is not let in at the gateway, and what they are told."""

import contextlib
import itertools
import re
import subprocess
import threading
import time

import pytest

from gateway import GatewayServer, Identity, register
from harness import Temp, record_secret
from machine import Machine, needs_root, new_key
from openssh import OpenSsh
from words import new_identity, new_token, unknown

pytestmark = needs_root


sources = itertools.count(1)


def refused(here, name, **more):
    """The last line that its client shows. Each time from another address, since failures of one are counted."""
    options = [f"BindAddress=127.0.1.{next(sources)}", "NumberOfPasswordPrompts=1", "PreferredAuthentications=password"]
    ran = here.ssh.run(name, "echo in", options=options, **more)
    assert (ran.code, ran.out) == (255, b""), ran
    return re.sub(r"^.*@", "", ran.err.strip().splitlines()[-1])


def test_all_strangers_are_told_the_same(here):
    dev, other = here.dev.name, here.other.name
    me = Identity(here.server, users=[dev])
    nobody = Identity(here.server, granted=False)
    elsewhere = Identity(here.server, vm="unregistered")
    gone = Identity(here.server)
    gone.delete()
    revoked = Identity(here.server)
    revoked.revoke_token()
    assert here.ssh.run(me.name(dev), "echo in").ok().text == "in\n"
    names = {
        "no such machine": f"nonesuch+{dev}:{me.token}",
        "no such user": f"build-1+nonesuch:{me.token}",
        "no such realm": f"build-1@nonesuch+{dev}:{me.token}",
        "no such token": f"build-1+{dev}:gdi_{'x' * 43}",
        "another user": me.name(other),
        "root, as nobody is named": me.name(),
        "no grant": nobody.name(dev),
        "a grant on what is not registered": elsewhere.name(dev),
        "an identity that is gone": gone.name(dev),
        "a token that was revoked": revoked.name(dev),
        "no name": f"+{dev}:{me.token}",
        "steps": f"../build-1+{dev}:{me.token}",
        "a user with a slash": f"build-1+../root:{me.token}",
        "an empty token": f"build-1+{dev}:",
        "the id of the token": f"build-1+{dev}:{me.token_id}",
    }
    told = {what: refused(here, name) for what, name in names.items()}
    assert set(told.values()) == {"127.0.0.1: Permission denied ()."}, told
    by_password = {
        what: refused(here, name.rpartition(":")[0], password=name.rpartition(":")[2]) for what, name in names.items()
    }
    assert set(by_password.values()) == {"127.0.0.1: Permission denied (password,keyboard-interactive)."}, by_password


def test_a_no_takes_as_long_whatever_it_is_for(here):
    me = Identity(here.server, users=["nobody"])

    def took(name):
        begun = time.monotonic()
        refused(here, name)
        return time.monotonic() - begun

    kinds = {
        "machine": f"nonesuch:{me.token}",
        "token": f"build-1:gdi_{'y' * 43}",
        "grant": me.name(),
        "realm": f"build-1@nonesuch:{me.token}",
    }
    times = {kind: min(took(name) for _ in range(3)) for kind, name in kinds.items()}
    print(f"\n{ {kind: round(1000 * seconds) for kind, seconds in times.items()} } ms")
    assert min(times.values()) > 0.5
    assert max(times.values()) - min(times.values()) < 0.25, times


def test_allowed_users(here):
    dev, other = here.dev.name, here.other.name
    me = Identity(here.server)
    who = lambda user: here.ssh.run(me.name(user), "id -un")  # noqa: E731
    for user in (dev, other, None):
        assert who(user).ok().text == f"{user or 'root'}\n"
    me.allow([dev])
    assert who(dev).ok().text == f"{dev}\n"
    assert who(other).code == who(None).code == 255
    me.allow([])
    assert {who(user).code for user in (dev, other, None)} == {255}
    me.allow(["root", other])
    assert who(dev).code == 255
    assert who(other).code == who(None).code == 0


def test_a_key_that_may_write_needs_no_grant(here):
    assert here.ssh.run(f"build-1+{here.dev.name}:{here.server.key}", "id -un").ok().text == f"{here.dev.name}\n"
    api = here.server.client()
    for grants, code in (["writer"], 0), (["checker"], 255):
        key = record_secret("api key", api.post("/api/v1/keys", {"name": "k", "grants": grants}).ok().json()["key"])
        assert here.ssh.run(f"build-1+{here.dev.name}:{key}", "true").code == code, grants


def test_the_decision_log_has_it_once(tmp_path):
    log = tmp_path / "decisions"
    with (
        Temp("ssh-decisions") as data,
        GatewayServer(data, "ssh-decisions", args=["--decision-log", str(log)]) as server,
        Machine(tmp_path / "sshd") as machine,
    ):
        machine.trust("root", register(server, machine))
        me = Identity(server)
        ssh = OpenSsh(tmp_path / "home", server.ssh_port, server.host_key)
        # Long enough to be asked about again several times.
        ssh.run(me.name(), "sleep 1.5").ok()
        assert ssh.run(me.name("dev").replace("build-1", "other"), "true").code == 255
        deadline = time.monotonic() + 5
        while len(lines := [line for line in log.read_text().splitlines() if "login" in line]) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.3)
        lines = [line for line in log.read_text().splitlines() if "login" in line]
        assert len(lines) == 2, lines
        assert '"fs_vm:/build-1/root/"' in lines[0] and me.id in lines[0], lines[0]
        assert '"fs_vm:/other/dev/"' in lines[1], lines[1]
        assert me.token not in log.read_text()


def test_realms(here):
    api = here.server.client()
    api.post("/api/v1/realms", {"name": "acme"}).ok()
    gateway_key = register(here.server, here.machine, vm="build-2", realm="acme")
    here.machine.trust(here.dev.name, gateway_key)
    there = here.server.client(base="/r/acme/freestyle")
    identity = new_identity(there)
    token = new_token(there, identity)["token"]
    there.post(f"/identity/v1/identities/{identity}/permissions/vm/build-2", {}).ok()
    dev = here.dev.name
    assert here.ssh.run(f"build-2@acme+{dev}:{token}", "echo in").ok().text == "in\n"
    # What scp makes of it.
    here.ssh.scp(f"build-2@acme+{dev},{token}@127.0.0.1:/etc/hostname", here.work / "hostname").ok()
    assert here.ssh.run(f"build-2+{dev}:{token}", "echo in").code == 255
    assert here.ssh.run(f"build-1@acme+{dev}:{token}", "echo in").code == 255


@contextlib.contextmanager
def guessing(server):
    """Somebody at the same address tries tokens by HTTP, without pause: as many as are counted, and more."""
    stop = threading.Event()

    def guess():
        http = server.client(token="gdi_" + unknown())
        while not stop.is_set():
            seen.add(http.get("/auth/v1/whoami").status)

    seen, thread = set(), threading.Thread(target=guess)
    thread.start()
    while 429 not in seen:
        time.sleep(0.01)
    yield
    stop.set()
    thread.join()
    assert seen == {401, 429}


def test_failed_sign_ins_are_limited(tmp_path):
    with Temp("ssh-limited") as data, GatewayServer(data, "ssh-limited") as server, Machine(tmp_path / "sshd") as machine:
        machine.trust("root", register(server, machine))
        me = Identity(server)
        ssh = OpenSsh(tmp_path / "home", server.ssh_port, server.host_key)

        def told(name):
            ran = ssh.run(name, "echo in")
            return next(text for text in ("in", "Permission denied", "Connection closed") if text in ran.text + ran.err)

        wrong, elsewhere = f"build-1:gdi_{unknown()}", me.name().replace("build-1", "nonesuch")
        assert told(wrong) == told(elsewhere) == "Permission denied"
        with guessing(server):
            assert told(wrong) == "Connection closed"
            # Who has a token does not try out machines either.
            assert told(elsewhere) == "Connection closed"
            # Who is right comes in all the same.
            assert told(me.name()) == "in"
        metrics = server.nobody().get("/metrics").raw.decode()
        assert 'grantd_ssh_sign_ins_total{result="Limited"} ' in metrics


def test_attempts_on_one_connection_are_few(here):
    (here.ssh.home / "asked").unlink(missing_ok=True)
    ran = here.ssh.run("build-1", "true", password="gdi_wrong", options=["NumberOfPasswordPrompts=100"])
    asked = (here.ssh.home / "asked").read_text().splitlines()
    assert ran.code == 255 and len(asked) in range(3, 10), (ran, asked)


def test_who_does_not_sign_in_is_not_waited_for():
    import socket

    with Temp("ssh-late") as data, GatewayServer(data, "ssh-late", args=["--ssh-sign-in", "1"]) as server:
        for sends in (b"", b"SSH-2.0-x\r\n", b"x" * 100_000):
            quiet = socket.create_connection(("127.0.0.1", server.ssh_port))
            quiet.settimeout(5)
            begun = time.monotonic()
            try:
                quiet.sendall(sends)
                while quiet.recv(4096):
                    pass
            except ConnectionError:
                pass
            assert time.monotonic() - begun < 3
        deadline = time.monotonic() + 5
        while "grantd_ssh_connections 0" not in server.nobody().get("/metrics").raw.decode():
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_connections_are_bounded():
    import socket

    with (
        Temp("ssh-bounded") as data,
        GatewayServer(data, "ssh-bounded", args=["--ssh-connections-per-source", "3"]) as server,
    ):
        held = [socket.create_connection(("127.0.0.1", server.ssh_port)) for _ in range(3)]
        assert all(one.recv(20).startswith(b"SSH-2.0-grantd\r\n") for one in held)
        over = socket.create_connection(("127.0.0.1", server.ssh_port))
        assert over.recv(20) == b""
        held.pop().close()
        deadline = time.monotonic() + 5
        while not socket.create_connection(("127.0.0.1", server.ssh_port)).recv(20):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert "grantd_ssh_over_limit_total " in server.nobody().get("/metrics").raw.decode()


def test_a_machine_that_is_away_or_another_one(here):
    """The user, who may come in, is told why not; nobody else is."""
    me = Identity(here.server, vm="fragile")
    name = f"fragile+{here.dev.name}:{me.token}"
    with Machine(here.work / "fragile") as machine:
        register(here.server, machine, vm="fragile")
        ran = here.ssh.run(name, "true")
        assert ran.code == 255 and "does not let the gateway in" in ran.err, ran
        machine.trust(here.dev.name, register(here.server, machine, vm="fragile"))
        assert here.ssh.run(name, "echo in").ok().text == "in\n"
        machine.stop()
        right = machine.host_key
        machine.new_host_key()
        machine.start()
        ran = here.ssh.run(name, "true")
        assert ran.code == 255 and "shows another host key" in ran.err, ran
        assert "Accepted" not in machine.log()
        register(here.server, machine, vm="fragile")
        assert here.ssh.run(name, "echo in").ok().text == "in\n"
        assert right != machine.host_key
    begun = time.monotonic()
    for command in ("true", None):
        ran = here.ssh.run(name, *([command] if command else []), flags=[] if command else ["-T"])
        assert ran.code == 255 and "grantd: `fragile` cannot be reached: it does not answer" in ran.err, ran
    ran = here.ssh.scp(f"fragile+{here.dev.name},{me.token}@127.0.0.1:x", here.work / "x")
    assert ran.code != 0 and "cannot be reached" in ran.err
    assert time.monotonic() - begun < 10
    stranger = Identity(here.server, granted=False)
    assert refused(here, f"fragile+{here.dev.name}:{stranger.token}").endswith("Permission denied ().")


def test_a_host_key_of_another_kind(here):
    """The machine has the registered kind as well: that one is asked for."""
    me = Identity(here.server, vm="two-keys")
    directory = here.work / "two-keys"
    directory.mkdir()
    ecdsa = new_key(directory / "ecdsa", kind="ecdsa")
    with Machine(directory, lines=[f"HostKey {directory / 'ecdsa'}"]) as machine:
        for host_key in (ecdsa, machine.host_key):
            machine.trust(here.dev.name, register(here.server, machine, vm="two-keys", host_key=host_key))
            name = f"two-keys+{here.dev.name}:{me.token}"
            assert here.ssh.run(name, "echo in").ok().text == "in\n", host_key


def test_the_host_key_stays(tmp_path):
    with Temp("ssh-key") as data:
        server = GatewayServer(data, "ssh-key").start()
        first = server.host_key
        assert (data / "ssh_host_ed25519_key").stat().st_mode & 0o777 == 0o600
        scanned = subprocess.run(
            ["ssh-keyscan", "-p", str(server.ssh_port), "127.0.0.1"], capture_output=True, text=True, check=True
        ).stdout
        assert first in scanned
        server.restart()
        assert server.host_key == first
        fingerprint = subprocess.run(
            ["ssh-keygen", "-lf", str(data / "ssh_host_ed25519_key")], capture_output=True, text=True, check=True
        ).stdout.split()[1]
        assert fingerprint in server.log_tail(20_000)
        server.terminate()


@pytest.mark.parametrize("option", ["KexAlgorithms=diffie-hellman-group14-sha256", "Ciphers=aes128-cbc", "MACs=hmac-sha1"])
def test_weak_algorithms_are_not_spoken(here, option):
    me = Identity(here.server)
    options = [option, "Ciphers=aes256-ctr"] if option.startswith("MACs") else [option]
    ran = here.ssh.run(me.name(), "true", options=options)
    assert ran.code == 255 and "no matching" in ran.err, ran


@pytest.mark.parametrize(
    "option",
    [
        "KexAlgorithms=curve25519-sha256",
        "Ciphers=chacha20-poly1305@openssh.com",
        "Ciphers=aes256-gcm@openssh.com",
        "Ciphers=aes256-ctr",
        "Ciphers=aes128-ctr",
        "MACs=hmac-sha2-256",
    ],
)
def test_each_algorithm_works(here, option):
    me = Identity(here.server)
    content = b"x" * 300_000
    options = [option, "Ciphers=aes256-ctr"] if option.startswith("MACs") else [option]
    assert here.ssh.run(me.name(), "cat", stdin=content, options=options).ok().out == content
