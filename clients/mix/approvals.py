"""Who asks and who decides: a raw HTTP client for the one, the unmodified SDK for the other."""

import json
import threading
import time
import uuid
from collections import deque

import httpx
from mix_python_sdk import Mix
from mix_python_sdk.utils import BackoffStrategy, RetryConfig

from harness import Client, Server, record_secret

PERMISSIONS = "/api/permissions"
# The SDK's own retries, a little more eager so that tests need not wait long.
RETRIES = RetryConfig("backoff", BackoffStrategy(50, 500, 1.5, 30_000), True)
NO_RETRIES = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)


def new_key(server: Server, *grants: str) -> str:
    """An API key with these grants; with none named it is one that may ask."""
    body = {"name": "of a test", **({"grants": list(grants)} if grants else {})}
    return record_secret("api key", server.client().post("/api/v1/keys", body).ok().json()["key"])


def new_session() -> str:
    return f"session-{uuid.uuid4().hex[:12]}"


def bearer(key: str | None) -> dict:
    return {"Authorization": f"Bearer {key}"} if key else {}


class Cast:
    """An asker and a decider, each with a key of its own."""

    def __init__(self, server: Server, base: str):
        self.server, self.base = server, base
        self.asker_key, self.decider_key = new_key(server), new_key(server, "approver")
        self.asker = self.client(self.asker_key)
        self.decider = self.client(self.decider_key)

    def client(self, key: str | None, **more) -> Client:
        return Client(self.server.port, key=key, base=self.base, **more)

    def mix(self, key: str | None = "", retries: RetryConfig = RETRIES) -> Mix:
        """The SDK with a credential: the decider's, unless another or none is given."""
        headers = bearer(self.decider_key if key == "" else key)
        return Mix(
            server_url=self.server.url + self.base,
            client=httpx.Client(headers=headers, timeout=30),
            async_client=httpx.AsyncClient(headers=headers, timeout=30),
            retry_config=retries,
        )

    def ask(self, session=None, client=None, **more) -> dict:
        """Makes a request as the asker; the answer's body."""
        body = {
            "sessionId": session or new_session(),
            "toolName": "Bash",
            "action": "Execute command: ls -l",
            "description": "Execute command: ls -l",
            "params": {"command": "ls -l"},
            "path": "/srv/app",
            "timeoutSeconds": 600,
            **more,
        }
        answer = (client or self.asker).post(PERMISSIONS, {k: v for k, v in body.items() if v is not None})
        assert answer.status == 201, answer.raw
        return answer.json()

    def read(self, id: str, wait: int = 0) -> dict:
        """The request as the asker reads it."""
        return self.asker.get(f"{PERMISSIONS}/{id}" + (f"?wait={wait}" if wait else "")).ok().json()

    def decide(self, id: str, verb: str, client=None, body=None):
        return (client or self.decider).post(f"{PERMISSIONS}/{id}/{verb}", body)

    def __enter__(self) -> "Cast":
        return self

    def __exit__(self, *_) -> None:
        self.asker.close()
        self.decider.close()


class Stream:
    """A stream read by hand, event by event: what goes over the wire, not what an SDK makes of it."""

    def __init__(self, cast: Cast, session: str, key: str | None = "", last: str | None = None):
        headers = bearer(cast.decider_key if key == "" else key)
        if last is not None:
            headers["Last-Event-ID"] = last
        self.client = httpx.Client(timeout=30)
        url = f"{cast.server.url}{cast.base}/stream"
        request = self.client.build_request("GET", url, params={"sessionId": session}, headers=headers)
        self.response = self.client.send(request, stream=True)
        assert self.response.status_code == 200, self.response.read()
        assert self.response.headers["content-type"].split(";")[0] == "text/event-stream"
        self._chunks = self.response.iter_raw()
        self._buffer = b""

    def next(self) -> dict:
        """The next event: `id`, `event` and `data`; `{}` at the end of the stream."""
        while b"\n\n" not in self._buffer:
            chunk = next(self._chunks, None)
            if chunk is None:
                return {}
            self._buffer += chunk
        block, _, self._buffer = self._buffer.partition(b"\n\n")
        fields = dict(line.split(": ", 1) for line in block.decode().split("\n"))
        assert set(fields) == {"id", "event", "data"}, block
        return {**fields, "data": json.loads(fields["data"])}

    def until(self, count: int) -> list[dict]:
        """So many permission events; heartbeats in between are left out."""
        found, deadline = [], time.monotonic() + 25
        while len(found) < count:
            event = self.next()
            assert time.monotonic() < deadline, f"{len(found)} of {count} within 25 s"
            assert event, f"the stream ended after {len(found)} of {count}"
            if event["event"] == "permission":
                found.append(event)
        return found

    def close(self) -> None:
        self.response.close()
        self.client.close()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_) -> None:
        self.close()


class Background:
    """A call on a thread of its own, whose result or error is asked for later."""

    def __init__(self, work, *args):
        self._result: deque = deque()
        self._thread = threading.Thread(target=self._run, args=(work, *args), daemon=True)
        self._thread.start()

    def _run(self, work, *args):
        try:
            self._result.append((work(*args), None))
        except BaseException as error:  # noqa: BLE001 - handed on by `result`
            self._result.append((None, error))

    def is_done(self) -> bool:
        return not self._thread.is_alive()

    def result(self, timeout: float = 30):
        self._thread.join(timeout)
        assert self._result, f"no result within {timeout} s"
        value, error = self._result.popleft()
        if error is not None:
            raise error
        return value


def eventually(found, timeout: float = 10):
    """What `found` gives, once that is something."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"nothing within {timeout} s")


def assert_error(answer, status: int, kind: str, text: str = "") -> None:
    """The dialect's error body, with this in its message."""
    assert answer.status == status, answer.raw
    assert answer.content_type == "application/json"
    body = answer.json()
    assert body["error"]["code"] == status
    assert body["error"]["type"] == kind
    assert body["message"] == body["error"]["message"]
    assert text in body["message"], body
