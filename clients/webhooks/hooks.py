"""The receiver process and what it was told, verified by the official library."""

import base64
import json
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook

from harness import Client, free_port, record_secret

# The third attempt of the default would come after five minutes.
PRIVATE = ["--webhook-allow-private", "--webhook-retries", "1,1,1,600"]


@dataclass
class Message:
    """A message as it came."""

    path: str
    at: float
    headers: dict
    raw: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def body(self) -> dict:
        return json.loads(self.raw)

    def verified(self, secret: str) -> dict:
        """The body, if the signature is right; else the library raises."""
        return Webhook(secret).verify(self.raw, {name.lower(): value for name, value in self.headers.items()})


class Receiver:
    """A receiver that can be ended and started again on the same port and file."""

    def __init__(self, directory: Path, name: str | None = None):
        """With a name it speaks TLS, by a certificate for that name which it signs itself: `certificate`."""
        self.file, self.port, self.process = directory / "received.jsonl", free_port(), None
        self.name, self.certificate = name, directory / "receiver.pem"
        if name:
            self.certificate.write_bytes(certified(name))

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/hooks" if self.name else f"http://127.0.0.1:{self.port}/hooks"

    def start(self) -> "Receiver":
        script = Path(__file__).resolve().parent / "receiver.py"
        more = [str(self.certificate)] if self.name else []
        self.process = subprocess.Popen([sys.executable, str(script), str(self.port), str(self.file), *more])
        self.answers()
        return self

    def answers(self, *answers) -> None:
        """How the next messages are answered: statuses, or dicts with `status`, `headers` and `delay`."""
        wanted = [answer if isinstance(answer, dict) else {"status": answer} for answer in answers]
        deadline = time.monotonic() + 10
        while True:
            try:
                tls = ssl._create_unverified_context() if self.name else None
                client = Client(self.port, tls=tls)
                client.put("/answers", wanted).ok()
                client.close()
                return
            except OSError:
                assert time.monotonic() < deadline, "the receiver did not start"
                time.sleep(0.05)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def messages(self) -> list[Message]:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        came = [json.loads(line) for line in lines]
        return [Message(m["path"], m["at"], m["headers"], base64.b64decode(m["body"])) for m in came]

    def until(self, count: int, timeout: float = 20) -> list[Message]:
        return eventually(lambda: (m := self.messages()) and len(m) >= count and m, timeout)

    def __enter__(self) -> "Receiver":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()


def certified(name: str) -> bytes:
    """A key and a certificate for it, for this name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + secret


def eventually(found, timeout: float = 20):
    """What `found` gives, once that is something."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError(f"nothing within {timeout} s")


def make(client: Client, url: str, **more) -> tuple[str, str]:
    """A webhook: its id and its secret."""
    made = client.post("/api/v1/webhooks", {"url": url, **more}).ok().json()
    return made["id"], record_secret("webhook secret", made["secret"])


def rotate(client: Client, id: str) -> str:
    return record_secret("webhook secret", client.post(f"/api/v1/webhooks/{id}/secret").ok().json()["secret"])


def ping(client: Client, id: str) -> str:
    answer = client.post(f"/api/v1/webhooks/{id}/test")
    assert answer.status == 202, answer.raw
    return answer.json()["id"]


def deliveries(client: Client, id: str, status: str | None = None) -> list[dict]:
    items = client.get(f"/api/v1/webhooks/{id}/deliveries").ok().json()["items"]
    return [item for item in items if status in (None, item["status"])]


def ask(client: Client, **more) -> dict:
    body = {"tool": "Bash", "action": "Run it", "params": {"command": "make"}, "timeout_seconds": 600, **more}
    return client.post("/api/v1/requests", body).ok().json()
