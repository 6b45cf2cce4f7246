"""What goes through the gateway, by stock OpenSSH on both sides."""

import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway import Identity
from harness import ROOT, grantd
from machine import Machine, needs_root, new_key
from openssh import OpenSsh

pytestmark = needs_root

MIB = 1 << 20


@pytest.fixture(scope="module")
def me(here):
    return Identity(here.server)


def test_each_form_of_a_user_name(here, me):
    dev = here.dev.name
    for name, user in [
        (f"build-1:{me.token}", "root"),
        (f"build-1,{me.token}", "root"),
        (f"build-1+{dev}:{me.token}", dev),
        (f"build-1+{dev},{me.token}", dev),
        (f"build-1@default+{dev}:{me.token}", dev),
        (f"build%2D1+{dev}:{me.token}", dev),
    ]:
        assert here.ssh.run(name, "id -un").ok().text == f"{user}\n", name


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_the_token_as_an_answer(here, me, method):
    asked = here.ssh.home / "asked"
    asked.unlink(missing_ok=True)
    options = [f"PreferredAuthentications={method}"]
    ran = here.ssh.run(f"build-1+{here.dev.name}", "id -un", password=me.token, options=options).ok()
    assert ran.text == f"{here.dev.name}\n"
    assert len(asked.read_text().splitlines()) == 1
    if method == "keyboard-interactive":
        assert "Token: " in asked.read_text()


def test_what_is_offered_is_just_that(here):
    """More would make clients try what is of no use."""
    refused = here.ssh.run("build-1", "true", options=["PreferredAuthentications=none"])
    assert refused.code == 255
    assert "(password,keyboard-interactive)" in refused.err


def test_output_errors_and_exit_codes(here, me):
    name = me.name(here.dev.name)
    ran = here.ssh.run(name, "echo out; echo err >&2; exit 3")
    assert (ran.code, ran.text, ran.err) == (3, "out\n", "err\n")
    for code in (0, 1, 127, 254):
        assert here.ssh.run(name, f"exit {code}").code == code
    # Killed by a signal: its client ends with 255, and says with -v what it heard.
    killed = here.ssh.run(name, "kill -9 $$", flags=["-v"])
    assert killed.code == 255 and "rtype exit-signal" in killed.err
    assert here.ssh.run(name, "nonesuch-command").code == 127


def test_a_shell_without_a_terminal(here, me):
    ran = here.ssh.run(me.name(here.dev.name), stdin=b"cd /\npwd\nexit 5\n", flags=["-T"])
    assert (ran.code, ran.text) == (5, "/\n")


def test_half_close(here, me):
    """`cat` ends when its input does, and all of it comes back."""
    content = os.urandom(5 * MIB + 12345)
    assert here.ssh.run(me.name(here.dev.name), "cat", stdin=content).ok().out == content
    counted = here.ssh.run(me.name(here.dev.name), "sleep 0.3; wc -c; echo more", stdin=content).ok()
    assert counted.text.split() == [str(len(content)), "more"]


def test_little_in_and_much_out(here, me):
    """A machine that takes no more input before its output is read, as `zcat` does: the output must not wait for the input."""
    command = "while read -r -n 100000 x; do head -c 3000000 /dev/zero; done"
    content = (b"x" * 99999 + b"\n") * 20
    ran = here.ssh.run(me.name(here.dev.name), command, stdin=content, timeout=120).ok()
    assert len(ran.out) == 20 * 3_000_000


def test_new_keys_in_the_middle(here, me):
    """A client that wants new keys after every two megabytes, while both sides send."""
    content = os.urandom(12 * MIB)
    ran = here.ssh.run(me.name(here.dev.name), "cat", stdin=content, options=["RekeyLimit=2M"])
    assert ran.ok().out == content


def test_environment(here, me):
    options = ["SetEnv=LC_SET=set LANG=C OTHER=kept LD_PRELOAD=/none.so"]
    command = 'echo "$LC_SET,$LANG,$OTHER,$LD_PRELOAD"'
    assert here.ssh.run(me.name(here.dev.name), command, options=options).ok().text == "set,C,,\n"
    # The machine itself would take them all.
    trusted = (here.machine.keys / here.dev.name).read_text()
    here.machine.trust(here.dev.name, trusted.strip(), new_key(here.work / "own"))
    direct = OpenSsh(here.work / "direct", here.machine.port, here.machine.host_key, key=here.work / "own")
    assert direct.run(here.dev.name, command, options=options).ok().text == "set,C,kept,/none.so\n"


def test_a_machine_prepared_as_documented(here):
    """By the commands and the settings of docs/ssh.md, on this machine's paths."""
    me = Identity(here.server, vm="build", users=[here.dev.name])
    blocks = (ROOT / "docs" / "ssh.md").read_text().split("### Preparing a VM")[1].split("###")[0]
    lines = [line.strip() for line in blocks.splitlines() if line.startswith("    ")]
    directory = here.work / "documented"
    settings = [line.replace("/etc/ssh/", f"{directory}/") for line in lines if line.split()[0].isalpha() and "vm set" not in line]
    assert [line.split()[0] for line in settings] == ["AuthorizedKeysFile", "PermitRootLogin", "AcceptEnv"]
    with Machine(directory, lines=settings) as machine:
        command = next(line for line in lines if "vm set" in line).split()
        command[command.index("--address") + 1] = machine.address
        command[command.index("--host-key-file") + 1] = str(directory / "host_key.pub")
        environment = {"GRANTD_URL": here.server.url, "GRANTD_API_KEY": here.server.key}
        printed = grantd(*command[1:], env=environment)
        assert printed.returncode == 0, printed.stderr
        trusted = next(line for line in lines if line.startswith("from=")).replace("10.0.0.1", "127.0.0.1")
        assert trusted.endswith(" grantd-gateway") and printed.stdout.endswith(" grantd-gateway\n")
        (directory / "grantd_gateway").write_text(f"{trusted.split()[0]} {printed.stdout}")
        assert here.ssh.run(me.name(here.dev.name), "id -un").ok().text == f"{here.dev.name}\n"
        assert here.ssh.run(me.name(here.other.name), "true").code == 255


def test_scp_both_ways(here, me):
    content = os.urandom(10 * MIB)
    (here.work / "up").write_bytes(content)
    name = me.name(here.dev.name, mark=",")
    here.ssh.scp(here.work / "up", f"{name}@127.0.0.1:copied").ok()
    assert (here.dev.home / "copied").read_bytes() == content
    here.ssh.scp(f"{name}@127.0.0.1:copied", here.work / "down").ok()
    assert (here.work / "down").read_bytes() == content
    # The protocol from before it spoke sftp: a command on the other side.
    here.ssh.scp(here.work / "up", f"{name}@127.0.0.1:old", flags=["-O"]).ok()
    here.ssh.scp(f"{name}@127.0.0.1:old", here.work / "old", flags=["-O"]).ok()
    assert (here.work / "old").read_bytes() == content


def test_a_client_of_another_make(here, me):
    """curl, by libssh2."""
    content = os.urandom(3 * MIB)
    (here.work / "to-curl").write_bytes(content)
    address = f"sftp://127.0.0.1:{here.server.ssh_port}/~/curled"
    # Its own file, as arguments can be seen.
    (here.work / "curlrc").write_text(f'user = "build-1+{here.dev.name}:{me.token}"\n')
    for words in (["-T", here.work / "to-curl", address], [address, "-o", here.work / "from-curl"]):
        command = ["curl", "-sS", "-k", "-K", here.work / "curlrc", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
    assert (here.work / "from-curl").read_bytes() == content


def test_sftp_both_ways(here, me):
    content = os.urandom(10 * MIB)
    (here.work / "sent").write_bytes(content)
    name = me.name(here.dev.name)
    here.ssh.sftp(name, f"put {here.work / 'sent'} there", f"get there {here.work / 'got'}", "rename there moved").ok()
    assert (here.work / "got").read_bytes() == content
    assert (here.dev.home / "moved").read_bytes() == content
    assert here.ssh.sftp(name, "get nothing").code == 1


def test_a_signal(here, me):
    """`ssh` has no way to send one; the protocol has, and a terminal's ctrl-C is a byte."""
    with Terminal(here, me.name(here.dev.name)) as terminal:
        terminal.type("trap 'echo caught INT' INT\n")
        terminal.type("sleep 100\n")
        time.sleep(0.5)
        terminal.type("\x03")
        terminal.sees("caught INT")


def test_a_terminal_that_resizes(here, me):
    with Terminal(here, me.name(here.dev.name), rows=31, columns=97) as terminal:
        terminal.type("stty size\n")
        terminal.sees("31 97")
        terminal.resize(50, 132)
        terminal.type("stty size\n")
        terminal.sees("50 132")
        terminal.type("echo $TERM; tty\n")
        terminal.sees("xterm-256color")
        terminal.sees("/dev/pts/")
        terminal.type("exit 9\n")
        assert terminal.ends() == 9


def test_many_sessions_on_one_connection(here, me):
    name, control = me.name(here.dev.name), here.work / "control"
    master = here.ssh.start(name, flags=["-N", "-M", "-S", control])
    try:
        deadline = time.monotonic() + 20
        while not control.exists():
            assert master.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)

        def one(number):
            content = os.urandom(MIB)
            ran = here.ssh.run(name, f"cat; exit {number}", stdin=content, flags=["-S", control])
            assert (ran.code, ran.err) == (number, ""), ran.err
            assert ran.out == content, f"{len(ran.out)} of {len(content)}"

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, range(16)))
        # One that takes nothing does not stop the others.
        stuck = here.ssh.start(name, "sleep 600", flags=["-S", control])
        filling = threading.Thread(target=_fill, args=(stuck.stdin,), daemon=True)
        filling.start()
        time.sleep(1)
        begun = time.monotonic()
        assert here.ssh.run(name, "echo heard", flags=["-S", control]).ok().text == "heard\n"
        assert time.monotonic() - begun < 10
        stuck.kill()
        stuck.communicate()
    finally:
        master.terminate()
        master.communicate()


def _fill(pipe):
    try:
        while pipe.write(b"x" * MIB):
            pass
    except (OSError, ValueError):
        pass


def test_fifty_at_once(here, me):
    def one(number):
        ran = here.ssh.run(me.name(here.dev.name), f"sleep 2; echo {number}", timeout=120)
        return ran.code == 0 and ran.text == f"{number}\n"

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(one, range(50)))


def test_nothing_else_is_forwarded(here, me):
    name = me.name(here.dev.name)
    port = here.machine.port
    into = here.ssh.run(name, flags=["-W", f"127.0.0.1:{port}"])
    assert into.code == 255 and "administratively prohibited" in into.err
    back = here.ssh.run(name, "true", flags=["-R", "127.0.0.1:0:127.0.0.1:1"], options=["ExitOnForwardFailure=yes"])
    assert back.code == 255 and "remote port forwarding failed" in back.err
    socket = here.ssh.run(name, "true", flags=["-R", "/tmp/no:127.0.0.1:1"], options=["ExitOnForwardFailure=yes"])
    assert socket.code == 255
    agent = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    variables = dict(part.split("=", 1) for part in agent.replace("\n", "").split(";") if "=" in part)
    try:
        process = subprocess.run(
            here.ssh.ssh_command(name, "echo agent=$SSH_AUTH_SOCK", flags=["-A"], options=["BatchMode=yes"]),
            env=here.ssh.environment() | variables,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert process.stdout == "agent=\n", process
    finally:
        os.kill(int(variables["SSH_AGENT_PID"]), 15)


class Terminal:
    """`ssh` at a pseudo-terminal, as somebody sits at one."""

    def __init__(self, here, name, rows=24, columns=80):
        import pty

        self.master, slave = pty.openpty()
        self.resize(rows, columns, tell=False)
        argv = here.ssh.ssh_command(name, flags=["-tt"], options=["BatchMode=yes"])
        env = here.ssh.environment() | {"TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True, preexec_fn=_control
        )
        os.close(slave)
        self.seen = ""
        self.sees("$ ")

    def resize(self, rows, columns, tell=True):
        import fcntl
        import signal
        import struct
        import termios

        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.process.send_signal(signal.SIGWINCH)
            time.sleep(0.3)

    def type(self, text):
        os.write(self.master, text.encode())

    def sees(self, text, seconds=20):
        import select

        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, f"{text!r} is not in {self.seen!r}"
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.master, 65536).decode(errors="replace")
                except OSError as error:
                    raise AssertionError(f"ended before {text!r}: {self.seen!r}") from error
        self.seen = self.seen[self.seen.index(text) + len(text) :]

    def ends(self, seconds=10):
        return self.process.wait(seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def _control():
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
