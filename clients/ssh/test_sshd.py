"""A VM's own sshd asks grantd, without the gateway: by the key that somebody shows, or by a certificate.

Stock OpenSSH on both sides; `grantd ssh-authorized-keys` and `grantd ssh-principals` are called by sshd itself.
"""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness import Server, binary, free_port, record_secret
from machine import LinuxUser, Machine, needs_root, new_key, open_temp
from openssh import OpenSsh

pytestmark = needs_root

IDENTITIES = "/identity/v1/identities"


class Door:
    """A VM `build` whose sshd asks a server, somebody with a key, and the two Linux users `dev` and `other`."""

    def __init__(self, work: Path, server: Server, dev: LinuxUser, other: LinuxUser):
        self.work, self.server, self.dev, self.other = work, server, dev, other
        self.admin = server.client()
        self.identity, self.token = self.new_identity()
        self.public = new_key(work / "mine")
        self.asker = self.new_asker()
        self.program = trusted_program(work)
        self.url = server.url

    def new_identity(self):
        identity = self.admin.post(IDENTITIES).ok().json()["id"]
        token = self.admin.post(f"{IDENTITIES}/{identity}/tokens").ok().json()["token"]
        return identity, record_secret("identity token", token)

    def new_asker(self) -> Path:
        """An API key that may ask and nothing else, in a file that the command's user can read."""
        made = self.admin.post("/api/v1/keys", {"name": "sshd of build", "grants": ["checker"]}).ok().json()
        path = self.work / "asker.key"
        path.write_text(record_secret("api key", made["key"]) + "\n")
        path.chmod(0o644)
        return path

    def command(self, name: str, *more: str, vm="build") -> str:
        return f"{self.program} {name} --vm {vm} --user %u {' '.join(more)} --key-file {self.asker} --url {self.url}"

    def lines(self, vm="build") -> list[str]:
        ca = self.work / "ca.pub"
        if not ca.exists():
            ca.write_text(self.run("ssh-ca").stdout)
        keys = self.command("ssh-authorized-keys", "--key-type %t --key %k", vm=vm)
        principals = self.command("ssh-principals", "--key-id %i --ca-key %K", vm=vm)
        return [
            # In this order: an sshd before 9.4 overlooks the second one otherwise (its bug 3574).
            f"AuthorizedPrincipalsCommand {principals}",
            "AuthorizedPrincipalsCommandUser nobody",
            f"TrustedUserCAKeys {ca}",
            f"AuthorizedKeysCommand {keys}",
            "AuthorizedKeysCommandUser nobody",
        ]

    def run(self, *words, token=None, check=True) -> subprocess.CompletedProcess:
        """A command of grantd's own, with the system key or a token."""
        env = {"PATH": os.environ["PATH"], "GRANTD_URL": self.server.url, "GRANTD_API_KEY": token or self.server.key}
        done = subprocess.run([binary(), *map(str, words)], env=env, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, done.stderr
        return done

    def grant(self, users=None, vm="build", identity=None) -> None:
        path = f"{IDENTITIES}/{identity or self.identity}/permissions/vm/{vm}"
        self.admin.post(path, {"allowedUsers": users}).ok()

    def revoke(self, vm="build") -> None:
        self.admin.delete(f"{IDENTITIES}/{self.identity}/permissions/vm/{vm}").ok()

    def add_key(self) -> str:
        added = self.run("ssh-key", "add", self.identity, self.work / "mine.pub", "--name", "laptop", "--json")
        return json.loads(added.stdout)["id"]

    def ssh(self, machine: Machine, key="mine", certificate=None) -> OpenSsh:
        options = [f"CertificateFile={certificate}"] if certificate else []
        home = self.work / f"home-{machine.port}"
        return OpenSsh(home, machine.port, machine.host_key, key=self.work / key, options=options)

    def certify(self, *more, vm="build", token=None, name="mine") -> Path:
        """A certificate for a key; only where it is named does ssh show it."""
        words = ["ssh-certificate", vm, self.work / f"{name}.pub", "--print", *more]
        line = self.run(*words, token=token or self.token).stdout
        path = self.work / f"certificate-{time.monotonic_ns()}.pub"
        path.write_text(line)
        return path


def trusted_program(work: Path) -> Path:
    """sshd calls only what root alone can change, in directories of which the same is true."""
    path, built = Path("/usr/local/sbin") / f"grantd-{work.name}", Path(binary())
    is_roots = built.stat().st_uid == 0 and not built.stat().st_mode & 0o022
    try:
        if not is_roots:
            raise PermissionError
        # The program is large.
        path.hardlink_to(built)
    except OSError:
        shutil.copyfile(built, path)
        path.chmod(0o755)
    return path


@pytest.fixture
def door(request):
    name = request.node.name
    with open_temp("sshd") as work, LinuxUser(work) as dev, LinuxUser(work, "other") as other:
        log = work / "decisions.jsonl"
        args = ["--decision-log", str(log)]
        with Server(work / "data", f"ssh-{name}", args=args) as server:
            found = Door(work, server, dev, other)
            found.log = log
            try:
                yield found
            finally:
                found.program.unlink()


def fingerprint_of(line: str) -> str:
    """What `ssh-keygen` says of a public key."""
    shown = subprocess.run(["ssh-keygen", "-lf", "-"], input=line, capture_output=True, text=True, check=True)
    return shown.stdout.split()[1]


def questions(door: Door, seconds=5) -> list[dict]:
    """The questions of the decision log about VMs, once there are no more for a while."""
    before, deadline = None, time.monotonic() + seconds
    while time.monotonic() < deadline:
        text = door.log.read_text() if door.log.exists() else ""
        if text == before:
            break
        before = text
        time.sleep(0.3)
    records = [json.loads(line) for line in (before or "").splitlines()]
    return [record for record in records if record["resource"].startswith("fs_vm:")]


def test_a_key_opens_the_door_as_long_as_the_grant_lasts(door):
    with Machine(door.work / "vm", door.lines()) as machine:
        ssh = door.ssh(machine)
        # No grant, and the key is nobody's.
        assert ssh.run(door.dev.name, "true").code == 255
        door.grant([door.dev.name])
        assert ssh.run(door.dev.name, "true").code == 255
        key = door.add_key()
        assert ssh.run(door.dev.name, "id -un").ok().text == f"{door.dev.name}\n"
        assert ssh.run(door.other.name, "true").code == 255
        # What stands in front of the key: a terminal, and nothing forwarded.
        forward = ["-R", f"{free_port()}:127.0.0.1:1"]
        forwarded = ssh.run(door.dev.name, "true", flags=forward, options=["ExitOnForwardFailure=yes"])
        assert forwarded.code == 255 and "forwarding failed" in forwarded.err
        # A stranger with a key of their own.
        new_key(door.work / "stranger")
        assert door.ssh(machine, key="stranger").run(door.dev.name, "true").code == 255
        # Anybody of the machine, then nobody.
        path = f"{IDENTITIES}/{door.identity}/permissions/vm/build"
        door.admin.put(path, {"allowedUsers": None}).ok()
        ssh.run(door.other.name, "true").ok()
        door.admin.put(path, {"allowedUsers": []}).ok()
        assert ssh.run(door.dev.name, "true").code == 255
        door.admin.put(path, {"allowedUsers": [door.dev.name]}).ok()
        ssh.run(door.dev.name, "true").ok()
        door.revoke()
        assert ssh.run(door.dev.name, "true").code == 255
        door.grant()
        ssh.run(door.dev.name, "true").ok()
        door.run("ssh-key", "remove", key)
        assert ssh.run(door.dev.name, "true").code == 255
        door.add_key()
        ssh.run(door.dev.name, "true").ok()
        door.admin.delete(f"{IDENTITIES}/{door.identity}").ok()
        assert ssh.run(door.dev.name, "true").code == 255


def test_a_grant_on_one_machine_opens_no_other(door):
    door.add_key()
    door.grant(vm="deploy")
    with Machine(door.work / "vm", door.lines()) as machine, Machine(door.work / "vm2", door.lines("deploy")) as other:
        assert door.ssh(machine).run(door.dev.name, "true").code == 255
        door.ssh(other).run(door.dev.name, "true").ok()


def test_a_login_is_one_question_in_the_log(door):
    door.add_key()
    door.grant([door.dev.name])
    with Machine(door.work / "vm", door.lines()) as machine:
        ssh = door.ssh(machine)
        ssh.run(door.dev.name, "true").ok()
        # sshd asked twice, for the key that was shown and for the signature by it.
        assert door.server.log_tail(1 << 20).count("/api/v1/ssh/authorize") == 2
        [asked] = questions(door)
        assert asked["subject"] == f"identity:{door.identity}" and asked["allowed"] and asked["action"] == "login"
        assert asked["resource"] == f"fs_vm:/build/{door.dev.name}/" and asked["caller"].startswith("api_key:")
        for count in (2, 3):
            ssh.run(door.dev.name, "true").ok()
            assert len(questions(door)) == count
        # A refusal is on record too, and so is the key of a stranger.
        ssh.run(door.other.name, "true")
        refused = questions(door)[3:]
        assert refused and not any(one["allowed"] for one in refused)
        new_key(door.work / "stranger")
        fingerprint = fingerprint_of((door.work / "stranger.pub").read_text())
        door.ssh(machine, key="stranger").run(door.dev.name, "true")
        assert questions(door)[-1]["subject"].startswith("ssh_key:SHA256") and not questions(door)[-1]["allowed"]
        assert fingerprint[7:17] in questions(door)[-1]["subject"]


def test_nobody_comes_in_while_the_server_is_away_or_slow(door):
    door.add_key()
    door.grant()
    with Machine(door.work / "vm", door.lines()) as machine:
        ssh = door.ssh(machine)
        ssh.run(door.dev.name, "true").ok()
        door.server.terminate()
        assert ssh.run(door.dev.name, "true").code == 255
        assert "failed, status 2" in machine.log()
        # sshd throws away what its commands say of why. By hand one sees it.
        shown = [word.replace("%u", door.dev.name) for word in door.command("ssh-principals", "--key-id x --ca-key x").split()]
        by_hand = subprocess.run(shown, capture_output=True, text=True)
        assert (by_hand.returncode, by_hand.stdout) == (2, "") and "nobody listens at" in by_hand.stderr
        machine.forget_log()
        # Somebody who takes connections and never answers.
        with socket.create_server(("127.0.0.1", door.server.port)) as silent:
            began = time.monotonic()
            assert ssh.run(door.dev.name, "true").code == 255
            # One question, since the key was not taken at the first: two seconds, and the time that ssh takes.
            assert 1.9 < time.monotonic() - began < 6
        assert "failed, status 2" in machine.log()
        door.server.start()
        ssh.run(door.dev.name, "true").ok()


def test_a_certificate_opens_the_door_to_what_it_names(door):
    door.grant([door.dev.name])
    with Machine(door.work / "vm", door.lines()) as machine, Machine(door.work / "vm2", door.lines("deploy")) as other:
        plain = door.ssh(machine)
        assert plain.run(door.dev.name, "true").code == 255
        certificate = door.certify()
        ssh = door.ssh(machine, certificate=certificate)
        assert ssh.run(door.dev.name, "id -un").ok().text == f"{door.dev.name}\n"
        asked = [one["caller"] for one in questions(door) if one["subject"] == f"identity:{door.identity}"]
        # When it was issued, and once at the door.
        assert [caller.split(":")[0] for caller in asked] == ["identity", "api_key"]
        assert ssh.run(door.other.name, "true").code == 255
        # The machine's log says who it was.
        assert re.search(rf"ID identity={door.identity},token=[-0-9a-f]+,vm=build \(serial \d+\)", machine.log())
        # For another machine it is nothing, even with a grant there.
        door.grant(vm="deploy")
        there = door.ssh(other, certificate=certificate)
        assert there.run(door.dev.name, "true").code == 255
        mine = door.certify("--user", door.dev.name, vm="deploy")
        door.ssh(other, certificate=mine).run(door.dev.name, "true").ok()
        # The door closes before the certificate ends.
        door.revoke()
        assert ssh.run(door.dev.name, "true").code == 255
        door.grant()
        ssh.run(door.dev.name, "true").ok()
        tokens = door.admin.get(f"{IDENTITIES}/{door.identity}/tokens").ok().json()["tokens"]
        door.admin.delete(f"{IDENTITIES}/{door.identity}/tokens/{tokens[0]['id']}").ok()
        assert ssh.run(door.dev.name, "true").code == 255


def test_a_certificate_that_has_ended_or_that_somebody_else_signed(door):
    door.grant([door.dev.name])
    with Machine(door.work / "vm", door.lines()) as machine:
        short = door.certify("--ttl", "30")
        ssh = door.ssh(machine, certificate=short)
        ssh.run(door.dev.name, "true").ok()
        # Another authority with the same words.
        new_key(door.work / "forger")
        shown = subprocess.run(["ssh-keygen", "-Lf", short], capture_output=True, text=True, check=True).stdout
        key_id = re.search(r'Key ID: "(.*)"', shown)[1]
        # The machine trusts that one too, which makes it no authority of the realm's.
        with open(door.work / "ca.pub", "a") as trusted:
            trusted.write((door.work / "forger.pub").read_text())
        forged = ["-s", door.work / "forger", "-I", key_id, "-n", f"{door.dev.name}@build", "-V", "+5m"]
        subprocess.run(["ssh-keygen", "-q", *forged, door.work / "mine.pub"], check=True)
        machine.forget_log()
        assert door.ssh(machine, certificate=door.work / "mine-cert.pub").run(door.dev.name, "true").code == 255
        assert "Certificate does not contain an authorized principal" in machine.log()
        (door.work / "mine-cert.pub").unlink()
        time.sleep(31)
        assert ssh.run(door.dev.name, "true").code == 255
        assert "Certificate invalid: expired" in machine.log()
        # Another authority: what the one before signed is worth nothing, though the machine still trusts it.
        ssh = door.ssh(machine, certificate=door.certify())
        ssh.run(door.dev.name, "true").ok()
        replaced = door.run("ssh-ca", "--replace").stdout
        assert ssh.run(door.dev.name, "true").code == 255
        with open(door.work / "ca.pub", "a") as trusted:
            trusted.write(replaced)
        door.ssh(machine, certificate=door.certify()).run(door.dev.name, "true").ok()


def test_an_sshd_that_trusts_the_authority_and_asks_nobody_lets_nobody_in(door):
    door.grant([door.dev.name])
    certificate = door.certify()
    trusting = [line for line in door.lines() if line.startswith("TrustedUserCAKeys")]
    with Machine(door.work / "vm", trusting) as machine:
        assert door.ssh(machine, certificate=certificate).run(door.dev.name, "true").code == 255
        assert "Certificate invalid: name is not a listed principal" in machine.log()


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_ssh_keygen_reads_a_certificate_as_it_was_meant(door, kind):
    door.grant([door.dev.name, "deploy"])
    new_key(door.work / "other-kind", kind)
    certificate = door.certify(name="other-kind")
    shown = subprocess.run(["ssh-keygen", "-Lf", certificate], capture_output=True, text=True, check=True).stdout
    lines = [line.strip() for line in shown.splitlines()]
    ca = fingerprint_of(door.run("ssh-ca").stdout)
    assert f"Signing CA: ED25519 {ca} (using ssh-ed25519)" in lines
    principals = lines[lines.index("Principals:") + 1 : lines.index("Critical Options: (none)")]
    assert principals == sorted(["deploy@build", f"{door.dev.name}@build"])
    assert lines[lines.index("Extensions:") + 1 :] == ["permit-pty"]
    assert lines[1].endswith("user certificate")
    begin, end = re.search(r"Valid: from (\S+) to (\S+)", shown).groups()
    # Five minutes, and one for clocks that are slow.
    assert datetime.fromisoformat(end) - datetime.fromisoformat(begin) == timedelta(minutes=6)
    with Machine(door.work / "vm", door.lines()) as machine:
        door.ssh(machine, key="other-kind", certificate=certificate).run(door.dev.name, "true").ok()


def test_who_gets_a_certificate(door):
    line = (door.work / "mine.pub").read_text()
    mine = door.server.client(key=door.token)

    def ask(client, **body):
        return client.post("/api/v1/vms/build/certificates", {"public_key": line, **body})

    assert ask(mine).status == 404
    door.grant(["dev"])
    assert ask(mine).ok().json()["principals"] == ["dev@build"]
    assert ask(mine, users=["dev", "root"]).status == 400
    assert ask(mine, ttl_seconds=29).status == 400 and ask(mine, ttl_seconds=3601).status == 400
    assert ask(mine, public_key="ssh-dss AAAA").status == 400
    # For somebody else only who could give themselves a token of theirs.
    other, token = door.new_identity()
    assert ask(mine, identity=other).status == 403
    door.grant(identity=other)
    assert ask(door.admin, identity=other).ok().json()["principals"] == ["root@build"]
    assert ask(door.admin).status == 400
    asker = door.server.client(key=door.asker.read_text().strip())
    assert ask(asker, identity=other).status == 403
    # The key that asks on behalf of sshd may do no more than that.
    assert asker.post("/api/v1/ssh-keys", {"identity": other, "public_key": line}).status == 403
    assert asker.get("/api/v1/ssh-keys").status == 403 and asker.get("/api/v1/vms").status == 403
    # An identity learns nothing at the door that sshd asks at.
    question = {"vm": "build", "user": "dev", "public_key": line}
    assert mine.post("/api/v1/ssh/authorize", question).status == 403


def test_a_private_file_for_the_key_is_enough(door):
    """The command runs as a user of its own, who alone reads the key."""
    door.add_key()
    door.grant()
    with LinuxUser(door.work, "asker") as asker:
        os.chown(door.asker, asker.uid, -1)
        door.asker.chmod(0o400)
        lines = [line.replace("CommandUser nobody", f"CommandUser {asker.name}") for line in door.lines()]
        with Machine(door.work / "vm", lines) as machine:
            door.ssh(machine).run(door.dev.name, "true").ok()
        assert stat.S_IMODE(door.asker.stat().st_mode) == 0o400
