#!/usr/bin/env python3
"""A receiver of webhooks, as a process of its own: writes down what comes, and answers as it is told.

    receiver.py PORT FILE [PEM]

Each message becomes a line of FILE: headers and body as they came. `PUT /answers` with a JSON list of
`{"status", "headers", "delay"}` says how the next ones are answered; after those every one is answered 204. With a certificate and its
key it speaks TLS.
"""

import base64
import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lock = threading.Lock()
answers: list[dict] = []


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_PUT(self):
        with lock:
            answers[:] = json.loads(self.body())
        self.say(200)

    def do_POST(self):
        body = self.body()
        with lock:
            answer = answers.pop(0) if answers else {}
            with open(sys.argv[2], "a", encoding="utf-8") as file:
                came = {"path": self.path, "at": time.time(), "headers": dict(self.headers.items())}
                file.write(json.dumps({**came, "body": base64.b64encode(body).decode()}) + "\n")
        time.sleep(answer.get("delay", 0))
        try:
            self.say(answer.get("status", 204), answer.get("headers", {}))
        except OSError:
            pass

    def say(self, status: int, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()
