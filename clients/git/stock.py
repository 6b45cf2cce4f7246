"""Stock git against a server: what the tests of the git front have in common."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "freestyle"))

from harness import RUN, Client, Server  # noqa: E402
from words import IDENTITIES, REPOS, body, git_path, new_identity, new_repo, new_token  # noqa: E402, F401
from words import unknown as unknown_id  # noqa: E402, F401

MIB = 1 << 20


class Git:
    """Runs git in a home of its own, without anybody's settings and without asking anybody."""

    def __init__(self, home: Path):
        self.home = home
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }
        for key, value in (
            ("user.name", "A Test"),
            ("user.email", "test@example.com"),
            ("init.defaultBranch", "main"),
            ("gc.auto", "0"),
            ("advice.detachedHead", "false"),
        ):
            self.run("config", "--global", key, value)

    def start(self, *args, cwd=None, **more) -> subprocess.Popen:
        command = ["git", *map(str, args)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
        return subprocess.Popen(command, cwd=cwd or self.home, env=self.env, stdin=subprocess.DEVNULL, **pipes, **more)

    def run(self, *args, cwd=None, timeout=120) -> str:
        """What it wrote; it must succeed."""
        code, text = self.attempt(*args, cwd=cwd, timeout=timeout)
        assert code == 0, f"git {args[0]}: {code}\n{text}"
        return text

    def refused(self, *args, cwd=None, timeout=120) -> str:
        """What it wrote; it must fail."""
        code, text = self.attempt(*args, cwd=cwd, timeout=timeout)
        assert code != 0, f"git {args[0]} should have been refused:\n{text}"
        return text

    def attempt(self, *args, cwd=None, timeout=120) -> tuple[int, str]:
        process = self.start(*args, cwd=cwd)
        try:
            text, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return process.returncode, text

    def commit(self, tree: Path, files: dict[str, bytes], message="more") -> str:
        """Writes files and commits them; the commit's id."""
        for name, content in files.items():
            (tree / name).write_bytes(content)
        self.run("add", "-A", cwd=tree)
        self.run("commit", "-q", "-m", message, cwd=tree)
        return self.head(tree)

    def head(self, tree: Path, name="HEAD") -> str:
        return self.run("rev-parse", name, cwd=tree).strip()


class Machine:
    """An identity with a token, and what it may do."""

    def __init__(self, server: Server):
        self.server, self.api = server, server.client()
        self.id = new_identity(self.api)
        self.token_id, self.token = (made := new_token(self.api, self.id))["id"], made["token"]

    def grant(self, repo: str, level: str) -> None:
        body(self.api.post(git_path(self.id, repo), {"permission": level}))

    def update(self, repo: str, level: str) -> None:
        body(self.api.put(git_path(self.id, repo), {"permission": level}))

    def revoke(self, repo: str) -> None:
        body(self.api.delete(git_path(self.id, repo)))

    def url(self, repo: str, user="x-access-token", port=None, mount="/git") -> str:
        return f"http://{user}:{self.token}@127.0.0.1:{port or self.server.port}{mount}/{repo}"


def plain_url(server: Server, repo: str) -> str:
    return f"{server.url}/git/{repo}"


def raw(server: Server, method: str, path: str, headers=None, data=None) -> tuple:
    """One request as it stands here, without git: status, headers, body."""
    client = Client(server.port)
    try:
        answer = client.call(method, path, data, headers=headers, content_type=None)
        return answer.status, answer.headers, answer.raw
    finally:
        client.close()


def rss(server: Server, field="VmHWM") -> float:
    """Memory of the server process in MiB; by default the most it ever had."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) / 1024


class Memory:
    """The most memory of a server process in MiB while the block runs: its own, without the pages of the program's file."""

    def __init__(self, server: Server):
        self.server, self.most, self._over = server, 0.0, threading.Event()

    def _watch(self):
        while not self._over.is_set():
            self.most = max(self.most, rss(self.server, "RssAnon"))
            time.sleep(0.02)

    def __enter__(self) -> "Memory":
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._thread.join()


def forget_peak(server: Server) -> None:
    """The most memory counts from now on: hashing a password at the first start took much for a moment."""
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")


def helpers(server: Server) -> list[str]:
    """The programs that the server has at work, with theirs."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        name, rest = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
        if rest[0] != "Z":
            children.setdefault(int(rest[1]), []).append((int(stat.parent.name), name))
    found, look = [], [server.process.pid]
    while look:
        below = children.get(look.pop(), [])
        found += [name for _, name in below]
        look += [pid for pid, _ in below]
    return found


def until(what, seconds=10.0, every=0.01) -> float:
    """Waits until it is true; how long that took."""
    start = time.monotonic()
    while not what():
        assert time.monotonic() - start < seconds, f"not within {seconds} s"
        time.sleep(every)
    return time.monotonic() - start


class SlowLine:
    """A TCP proxy whose way back from the server is slow, as a bad line is: it reads no faster than it may pass on."""

    def __init__(self, port: int, bytes_a_second: int):
        self.target, self.rate = port, bytes_a_second
        self.passed, self.cut_at = 0, None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.socket()
            far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
            far.connect(("127.0.0.1", self.target))
            threading.Thread(target=self._pass, args=(near, far, None), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, self.rate), daemon=True).start()

    def _pass(self, source, target, rate):
        try:
            while piece := source.recv(8 << 10):
                target.sendall(piece)
                if rate:
                    self.passed += len(piece)
                    time.sleep(len(piece) / rate)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            if rate:
                self.cut_at = self.cut_at or time.monotonic()
            for end in (source, target):
                # Whoever reads from it in another thread would keep it open.
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def close(self):
        self.listener.close()


class Receiver:
    """Takes what triggers send, and answers as it is told to."""

    def __init__(self):
        self.got, self.answers = [], []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, dict(self.headers.items()), raw))
                self.send_response(outer.answers.pop(0) if outer.answers else 204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self, path="/") -> list[dict]:
        return [json.loads(raw) for at, _, raw in self.got if at == path]

    def close(self):
        self.server.shutdown()


def trigger(api, repo, endpoint, **of) -> str:
    made = body(api.post(f"{REPOS}/{repo}/trigger", {"trigger": {"event": "push", **of}, "action": {"action": "webhook", "endpoint": endpoint}}))
    assert set(made) == {"triggerId"}
    return made["triggerId"]


def log_of(name: str) -> str:
    return (RUN / "logs" / f"{name}.log").read_text(errors="replace")


def tree_with(git: Git, machine: Machine, repo: str, tree: Path, size: int) -> str:
    """A clone with a file of so many bytes that do not compress, committed and not pushed; the commit."""
    git.run("clone", "-q", machine.url(repo), tree)
    git.run("config", "core.compression", "0", cwd=tree)
    return git.commit(tree, {"large": os.urandom(size)})
