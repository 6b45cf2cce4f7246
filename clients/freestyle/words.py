"""What the Freestyle tests have in common: paths, the error body, and questions about a VM or a repository."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from urllib.parse import quote

from harness import Answer, Client, record_secret

IDENTITIES = "/identity/v1/identities"
REPOS = "/git/v1/repo"
V5 = "/v5/identities"

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def is_uuid(value) -> bool:
    return isinstance(value, str) and UUID.fullmatch(value) is not None


def is_time(value) -> bool:
    """An RFC 3339 time that is also a day and an hour that exist."""
    if not isinstance(value, str) or not RFC3339.fullmatch(value):
        return False
    datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", value).replace("Z", "+00:00"))
    return True


def unknown() -> str:
    """A well-formed id of nothing."""
    return str(uuid.uuid4())


def body(answer: Answer):
    """The JSON of a success; every success is 200 and JSON, because the client parses it unasked."""
    assert answer.status == 200, f"{answer.status}: {answer.raw[:500]!r}"
    assert answer.content_type == "application/json"
    return answer.json()


def assert_empty(answer: Answer) -> None:
    """`{}`: the clients parse the body of every success."""
    assert body(answer) == {}


def assert_error(answer: Answer, status: int, code: str) -> None:
    """The one error body that works for every generation of clients."""
    assert answer.status == status, f"{answer.status} in place of {status}: {answer.raw[:500]!r}"
    assert answer.content_type == "application/json"
    value = answer.json()
    assert set(value) == {"code", "error", "message"}, value
    assert value["code"] == value["error"] == code, value
    assert isinstance(value["message"], str) and value["message"], value


def assert_repo_error(answer: Answer) -> None:
    """The repository API has a word of its own for what cannot be read; the client knows both."""
    assert_error(answer, 400, answer.json()["code"])
    assert answer.json()["code"] in ("GIT_INVALID_REQUEST", "INVALID_REQUEST")


def new_identity(api: Client) -> str:
    return body(api.post(IDENTITIES))["id"]


def new_managed_identity(api: Client) -> str:
    """Only /v5 can ask for one that the platform manages."""
    answer = api.post(V5, {"managed": True})
    assert answer.status == 200, answer
    return answer.json()["id"]


def new_token(api: Client, identity: str) -> dict:
    made = body(api.post(f"{IDENTITIES}/{identity}/tokens"))
    record_secret("identity token", made["token"])
    return made


def new_repo(api: Client, **options) -> str:
    return body(api.post(REPOS, options))["repoId"]


def vm_path(identity: str, vm: str) -> str:
    """The path of one grant; the VM's id is one segment, and `.` and `..` must not read as steps."""
    segment = quote(vm, safe="")
    if segment in (".", ".."):
        segment = segment.replace(".", "%2E")
    return f"{IDENTITIES}/{identity}/permissions/vm/{segment}"


def git_path(identity: str, repo: str) -> str:
    return f"{IDENTITIES}/{identity}/permissions/git/{repo}"


def node(*segments: str) -> str:
    """Segments as an id of a path type: `/a/b/`, everything but `[A-Za-z0-9_.~-]` encoded, and `.`, `..` too."""

    def one(segment: str) -> str:
        text = quote(segment, safe="")
        return text.replace(".", "%2E") if text in (".", "..") else text

    return "/" + "".join(one(segment) + "/" for segment in segments)


def allowed(native: Client, identity: str, action: str, kind: str, resource: str) -> bool:
    """Asks the permission server itself. `native` is a client without the dialect's prefix."""
    question = {
        "subject": {"type": "identity", "id": identity},
        "action": {"name": action},
        "resource": {"type": kind, "id": resource},
    }
    return native.post("/api/v1/check", question).ok().json()["allowed"]


def may_login(native: Client, identity: str, vm: str, user: str) -> bool:
    return allowed(native, identity, "login", "fs_vm", node(vm, user))


def in_parallel(count: int, work, connect, threads: int = 16) -> list:
    """`work(client, n)` for n below `count`, over several connections; the results in the order of n."""

    def share(first: int):
        client = connect()
        try:
            return [(n, work(client, n)) for n in range(first, count, threads)]
        finally:
            client.close()

    with ThreadPoolExecutor(threads) as pool:
        done = [pair for part in pool.map(share, range(threads)) for pair in part]
    return [result for _, result in sorted(done, key=lambda pair: pair[0])]
