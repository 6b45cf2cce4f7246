"""Asks the server. A question has one deadline for all of it: the name's address, the connection, TLS, the last byte.

Python's sockets know a time-out for each step only, and looking up a name knows none. So each question is asked by a thread of its
own, and whoever waits for it waits no longer than that; connections are kept and used again.
"""

import http.client
import json
import ssl
import threading
from collections import deque
from urllib.parse import urlsplit

from .conf import Settings
from .errors import GrantdError, GrantdUnavailable

# What is read of an answer; a user with 20,000 permissions of 100 letters has 2 MB.
MOST = 8 << 20
# How many questions are asked at once; those that nobody waits for any more count until they end.
AT_ONCE = 64

GONE = (http.client.RemoteDisconnected, http.client.CannotSendRequest, ConnectionResetError, BrokenPipeError)


class Answer:
    """Status, ETag and JSON."""

    def __init__(self, status, etag, raw):
        self.status, self.etag, self.raw = status, etag, raw

    def json(self):
        try:
            return json.loads(self.raw)
        except ValueError:
            raise GrantdUnavailable("the answer is no JSON") from None


class Client:
    """A server, asked with one key."""

    def __init__(self, settings: Settings):
        self.settings = settings
        parts = urlsplit(settings.url)
        self.secure, self.host, self.port = parts.scheme == "https", parts.hostname, parts.port
        self.base = parts.path.rstrip("/")
        if settings.realm != "default":
            self.base += f"/r/{settings.realm}"
        self.tls = ssl.create_default_context(cafile=settings.ca_file) if self.secure else None
        self._idle = deque(maxlen=AT_ONCE)
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def get(self, path, etag=None) -> Answer:
        headers = {"If-None-Match": etag} if etag else {}
        return self.ask("GET", path, None, headers)

    def send(self, method, path, body, timeout=None) -> Answer:
        raw = json.dumps(body).encode()
        return self.ask(method, path, raw, {"Content-Type": "application/json"}, timeout)

    def ask(self, method, path, body, headers, timeout=None) -> Answer:
        """The answer, which is a success or a 304; never later than the deadline."""
        timeout = timeout or self.settings.timeout
        if not self._places.acquire(blocking=False):
            raise GrantdUnavailable(f"{AT_ONCE} questions are waiting for an answer already")
        asked = _Asked()
        arguments = (asked, method, self.base + path, body, headers, timeout)
        threading.Thread(target=self._run, args=arguments, daemon=True, name="grantd").start()
        if not asked.done.wait(timeout):
            asked.give_up()
            raise GrantdUnavailable(f"no answer within {timeout} s")
        if isinstance(asked.outcome, Exception):
            raise asked.outcome
        answer = asked.outcome
        if answer.status >= 400 or answer.status < 200 or 300 <= answer.status != 304:
            raise _refused(answer)
        return answer

    def _run(self, asked, method, path, body, headers, timeout):
        try:
            asked.outcome = self._exchange(asked, method, path, body, headers, timeout)
        except (OSError, http.client.HTTPException, ValueError) as error:
            asked.outcome = GrantdUnavailable(f"{type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001 - else whoever waits would not be told
            asked.outcome = GrantdUnavailable(repr(error))
        finally:
            self._places.release()
            asked.done.set()

    def _exchange(self, asked, method, path, body, headers, timeout) -> Answer:
        headers = {**headers, "Authorization": f"Bearer {self.settings.key}", "Accept": "application/json"}
        while True:
            connection, is_used = self._connection(timeout)
            asked.connection = connection
            try:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
            except GONE:
                connection.close()
                # The server may close a connection that nobody used for a while; nothing was asked on it then.
                if is_used:
                    continue
                raise
            raw = response.read(MOST + 1)
            if len(raw) > MOST:
                connection.close()
                raise ValueError(f"the answer is longer than {MOST} bytes")
            if response.will_close or asked.given_up:
                connection.close()
            else:
                self._idle.append(connection)
            return Answer(response.status, response.getheader("ETag"), raw)

    def _connection(self, timeout):
        try:
            return self._idle.pop(), True
        except IndexError:
            pass
        if self.secure:
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls)
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        return connection, False


class _Asked:
    """A question that somebody waits for."""

    def __init__(self):
        self.done, self.outcome = threading.Event(), None
        self.connection, self.given_up = None, False

    def give_up(self):
        """Ends the connection, so that the thread ends as well."""
        self.given_up = True
        socket = getattr(self.connection, "sock", None)
        if socket is not None:
            try:
                socket.shutdown(2)
            except OSError:
                pass


def _refused(answer):
    try:
        body = json.loads(answer.raw)
        code, detail = str(body.get("code", "")), str(body.get("detail", ""))
    except (ValueError, AttributeError):
        code, detail = "", "not in grantd's own form"
    if answer.status >= 500 or answer.status == 429:
        return GrantdUnavailable(f"the server answered {answer.status}: {detail}")
    return GrantdError(answer.status, code, detail)


_lock = threading.Lock()
_known: tuple[Settings, Client] | None = None


def client() -> Client:
    """The client of the project's settings; another one when they change, as in tests."""
    global _known
    settings = Settings.read()
    with _lock:
        if _known is None or _known[0] != settings:
            _known = (settings, Client(settings))
        return _known[1]
