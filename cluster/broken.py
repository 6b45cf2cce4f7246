"""A node that breaks its promises: a real one behind an HTTP proxy that spoils it in a chosen way.

It shows that the checker sees what it is there for. Each way is a class, whose `caught` names what must be found.
"""

import itertools
import json
import threading
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import Server

# What belongs to one connection, not to a message.
OF_THE_HOP = {"connection", "content-length", "transfer-encoding", "host", "date", "keep-alive"}
CHECK, WRITE = "/api/v1/check", "/api/v1/relationships"


@dataclass
class Message:
    """A request or its answer; `first` is the method and path, or the status."""

    first: tuple
    headers: dict[str, str]
    body: bytes

    def without(self, *names: str) -> "Message":
        kept = {name: value for name, value in self.headers.items() if name.lower() not in map(str.lower, names)}
        return Message(self.first, kept, self.body)

    def json(self):
        return json.loads(self.body)

    def saying(self, **said) -> "Message":
        """The same with other words in its body."""
        return Message(self.first, self.headers, json.dumps({**self.json(), **said}).encode())


class Honest:
    """Passes everything on as it is; so it is not the proxy that is caught."""

    caught: set[str] = set()

    def __init__(self):
        self.lock = threading.Lock()

    def answer(self, request: Message, forward) -> Message:
        return forward(request)


class Forgetful(Honest):
    """Answers from a cache, whatever its caller asks for."""

    caught = {"below", "behind", "backwards"}

    def __init__(self):
        super().__init__()
        self.cache: dict[bytes, Message] = {}

    def answer(self, request, forward):
        if request.first[1] != CHECK:
            return forward(request)
        kept = self.cache.get(request.body)
        if kept is None:
            kept = forward(request.without("Grantd-At-Least", "Grantd-Consistency"))
            if kept.first == (200,):
                self.cache[request.body] = kept
        return kept


class Pretending(Forgetful):
    """The same, and gives its old answers a new revision."""

    caught = {"untrue"}

    def answer(self, request, forward):
        kept = super().answer(request, forward)
        if request.first[1] != CHECK or kept.first != (200,):
            return kept
        newest = forward(request)
        return kept.saying(revision=newest.json()["revision"]) if newest.first == (200,) else kept


class Swallowing(Honest):
    """Acknowledges every third write without doing it."""

    caught = {"lost"}

    def __init__(self):
        super().__init__()
        self.turns, self.last = itertools.count(1), 0

    def answer(self, request, forward):
        if request.first[1] != WRITE or not self.last or next(self.turns) % 3:
            answer = forward(request)
            if request.first[1] == WRITE and answer.first == (200,):
                self.last = answer.json()["revision"]
            return answer
        written = len(request.json().get("write", []))
        said = {"revision": self.last + 1, "written": written, "deleted": 1 - written}
        headers = {"Content-Type": "application/json", "Grantd-Revision": f"00000000-0000-0000-0000-000000000000.{self.last + 1}"}
        return Message((200,), headers, json.dumps(said).encode())


class Repeating(Honest):
    """Does a write once more after the next one of the same relationship, as if it were a new one."""

    caught = {"twice"}

    def __init__(self):
        super().__init__()
        self.last: dict[str, Message] = {}
        self.turns = itertools.count(1)

    def answer(self, request, forward):
        answer = forward(request)
        if request.first[1] == WRITE and answer.first == (200,):
            (item,) = next(iter(request.json().values()))
            with self.lock:
                before, self.last[item["resource"]] = self.last.get(item["resource"]), request
            if before is not None and before.body != request.body:
                again = before.without("Idempotency-Key")
                again.headers["Idempotency-Key"] = f"again-{next(self.turns)}"
                forward(again)
        return answer


class Denying(Honest):
    """Does every third write and says that it could not."""

    caught = {"denied"}

    def __init__(self):
        super().__init__()
        self.turns = itertools.count(1)

    def answer(self, request, forward):
        answer = forward(request)
        if request.first[1] != WRITE or answer.first != (200,) or next(self.turns) % 3:
            return answer
        problem = {"code": "store_unavailable", "status": 503, "title": "Service Unavailable", "detail": "try again"}
        return Message((503,), {"Content-Type": "application/problem+json", "Retry-After": "1"}, json.dumps(problem).encode())


WAYS = [Honest, Forgetful, Pretending, Swallowing, Repeating, Denying]


class Broken:
    """Takes the place of a node, whose name and everything else it has."""

    def __init__(self, node: Server, way: Honest):
        self.real, self.way = node, way

    def __getattr__(self, name):
        return getattr(self.real, name)

    def client(self, **more):
        client = self.real.client(**more)
        client.port = self.port
        return client

    def __enter__(self) -> "Broken":
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler(self.real.port, self.way))
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, name="broken node", daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.http.shutdown()
        self.http.server_close()


def handler(port: int, way: Honest):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer goes out in one piece, at once.
        wbufsize, disable_nagle_algorithm = -1, True

        def setup(self):
            super().setup()
            self.upstream = HTTPConnection("127.0.0.1", port, timeout=20)

        def finish(self):
            self.upstream.close()
            super().finish()

        def pass_on(self, request: Message) -> Message:
            method, path = request.first
            self.upstream.request(method, path, request.body or None, request.headers)
            answer = self.upstream.getresponse()
            body = answer.read()
            return Message((answer.status,), kept(answer.headers), body)

        def one(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Message((self.command, self.path), kept(self.headers), body)
            answer = way.answer(request, self.pass_on)
            self.send_response_only(*answer.first)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
            self.wfile.flush()

        do_GET = do_POST = do_PUT = do_DELETE = one

        def log_message(self, *_):
            pass

    return Handler


def kept(headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in OF_THE_HOP}
