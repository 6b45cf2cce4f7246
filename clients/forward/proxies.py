"""Real proxies in front of a stub, each set up as `docs/enforcement.md` says: the settings are read from there."""

import getpass
import http.server
import os
import re
import subprocess
import threading
import time
from pathlib import Path

from harness import ROOT, RUN, Client, free_port

PAGE = ROOT / "docs" / "enforcement.md"


class Stub:
    """A web service that lets everybody in and notes what reached it."""

    def __enter__(self) -> "Stub":
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, len(body)))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()


def settings(proxy: str) -> str:
    """The block of the page that follows the heading of that proxy."""
    text = PAGE.read_text()
    section = text[text.index(f"### {proxy}\n") :]
    return re.search(r"```\w*\n(.*?)```", section, re.S)[1]


class Proxy:
    """A proxy process on a port of its own. With `guarded=False` it asks nobody."""

    def __init__(self, work: Path, grantd: int, stub: int, guarded=True):
        self.work, self.grantd, self.stub, self.guarded = work, grantd, stub, guarded
        self.port = free_port()

    def filled(self, text: str) -> str:
        text = text.replace("127.0.0.1:7070", f"127.0.0.1:{self.grantd}")
        return text.replace("127.0.0.1:9000", f"127.0.0.1:{self.stub}")

    def __enter__(self) -> "Proxy":
        self.work.mkdir(parents=True, exist_ok=True)
        log = RUN / "logs" / f"{self.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = open(log, "ab")
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=self.environment()
        )
        deadline = time.monotonic() + 15
        while True:
            assert self.process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
            try:
                self.client().get("/probe")
                return self
            except OSError:
                time.sleep(0.05)

    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(self.work)}

    def client(self, **more) -> Client:
        return Client(self.port, **more)

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


class Nginx(Proxy):
    name = heading = "nginx"

    def command(self):
        block = self.filled(settings(self.heading)).replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        if not self.guarded:
            block = block.replace("auth_request /authz;", "")
        paths = "".join(
            f"{kind}_temp_path {self.work}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        # Its workers write long bodies below a directory that is ours.
        user = f"user {getpass.getuser()};\n" if os.geteuid() == 0 else ""
        conf = self.work / "nginx.conf"
        conf.write_text(
            f"{user}daemon off;\nworker_processes 1;\npid {self.work}/pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\naccess_log off;\nkeepalive_requests 100000;\nclient_max_body_size 20m;\n{paths}{block}}}\n"
        )
        return ["nginx", "-c", str(conf), "-p", str(self.work)]


class Caddy(Proxy):
    name = "caddy"

    def command(self):
        block = self.filled(settings("Caddy")).replace("http://shop.example {", f"http://:{self.port} {{")
        if not self.guarded:
            block = re.sub(r"\tforward_auth .*?\n\t}\n", "", block, flags=re.S)
        (self.work / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{block}")
        return ["caddy", "run", "--config", str(self.work / "Caddyfile"), "--adapter", "caddyfile"]
