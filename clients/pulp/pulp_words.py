"""What the Pulp tests have in common: a client of the API, its error envelope, and what a user can really do."""

import itertools
import secrets
import tempfile
from pathlib import Path

from harness import RUN, Answer, Client, record_secret

OPERATIONS = ["CREATE", "READ", "UPDATE", "DELETE", "EXECUTE"]
USERS, ROLES, PERMISSIONS = "/v2/users/", "/v2/roles/", "/v2/permissions/"
ACTIONS = "/v2/permissions/actions/"
LOGIN = "/v2/actions/login/"
JSON = "application/json; charset=utf-8"

_count = itertools.count(1)


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{next(_count)}-{secrets.token_hex(3)}"


def new_password() -> str:
    return record_secret("password", "pw-" + secrets.token_hex(12))


def body(answer: Answer, status=200):
    """The JSON of a success."""
    assert answer.status == status, f"{answer.status}: {answer.raw[:600]!r}"
    assert answer.headers["Content-Type"] == JSON
    return answer.json()


def null(answer: Answer) -> None:
    """The answer of actions and deletes: four bytes."""
    assert answer.status == 200, f"{answer.status}: {answer.raw[:600]!r}"
    assert answer.raw == b"null" and answer.headers["Content-Type"] == JSON


def error(answer: Answer, status: int, code: str, **extra) -> dict:
    """The envelope, whole; `extra` is the member that depends on the kind. Gives the body."""
    assert answer.status == status, f"{answer.status} in place of {status}: {answer.raw[:600]!r}"
    assert answer.headers["Content-Type"] == JSON
    value = answer.json()
    common = {"http_request_method", "http_status", "_href", "error_message", "exception", "traceback", "error"}
    assert set(value) - common == (set(extra) or set(value) - common), value
    assert len(set(value) - common) == 1, value
    assert value["http_status"] == status
    assert value["exception"] is None and value["traceback"] is None
    assert set(value["error"]) == {"code", "description", "data", "sub_errors"}
    assert value["error"]["code"] == code, value
    assert value["error"]["description"] == value["error_message"] != ""
    assert value["error"]["sub_errors"] == []
    for name, expected in extra.items():
        assert value[name] == expected, value
    if code in ("PLP0015", "PLP0016"):
        names = value["property_names" if code == "PLP0015" else "missing_property_names"]
        assert value["error"]["data"]["property_names"] == names
        assert value["error"]["data"]["properties"] in value["error_message"]
    return value


def invalid(answer: Answer, *names: str) -> dict:
    return error(answer, 400, "PLP0015", property_names=list(names))


def missing(answer: Answer, *names: str) -> dict:
    value = error(answer, 400, "PLP0016")
    assert sorted(value["missing_property_names"]) == sorted(names), value
    return value


def rule(answer: Answer, message: str | None = None) -> dict:
    value = error(answer, 400, "PLP0000")
    assert value["args"] == [value["error_message"]]
    assert message is None or value["error_message"] == message, value
    return value


def denied(answer: Answer, user: str, operation: str) -> dict:
    value = error(answer, 401, "PLP0026", auth_error_code="permission_denied")
    assert value["error"]["data"] == {"user": user, "operation": operation}, value
    assert value["error_message"] == f"Permission denied: user {user} cannot perform {operation}."
    assert "WWW-Authenticate" not in answer.headers
    return value


def not_found(answer: Answer, **resources) -> dict:
    value = error(answer, 404, "PLP0009", resources=resources)
    assert value["error"]["data"] == {"resources": resources}
    return value


def duplicate(answer: Answer, name: str) -> dict:
    value = error(answer, 409, "PLP0018", resource_id=name)
    assert value["error"]["data"] == {"resource_id": name}
    return value


def is_oid(value) -> bool:
    return isinstance(value, str) and len(value) == 24 and set(value) <= set("0123456789abcdef")


class Pulp:
    """A client of the API: one connection, one credential, one mount."""

    def __init__(self, client: Client, login: str | None = None):
        self.client, self.login = client, login

    def call(self, method, path, value=None, **more) -> Answer:
        return self.client.call(method, path, value, **more)

    def get(self, path, **more) -> Answer:
        return self.client.get(path, **more)

    def post(self, path, value=None, **more) -> Answer:
        return self.client.post(path, value, **more)

    def put(self, path, value=None, **more) -> Answer:
        return self.client.put(path, value, **more)

    def delete(self, path, **more) -> Answer:
        return self.client.delete(path, **more)

    def action(self, name: str, who: str, resource, operations, **more) -> Answer:
        field = "login" if name.endswith("user") else "role_id"
        wish = {field: who, "resource": resource, "operations": operations}
        return self.post(f"{ACTIONS}{name}/", wish, **more)

    def grant(self, login, resource, *operations) -> None:
        null(self.action("grant_to_user", login, resource, list(operations)))

    def revoke(self, login, resource, *operations) -> None:
        null(self.action("revoke_from_user", login, resource, list(operations)))

    def grant_role(self, role, resource, *operations) -> None:
        null(self.action("grant_to_role", role, resource, list(operations)))

    def revoke_role(self, role, resource, *operations) -> None:
        null(self.action("revoke_from_role", role, resource, list(operations)))

    def join(self, role, login) -> None:
        null(self.post(f"{ROLES}{role}/users/", {"login": login}))

    def leave(self, role, login) -> None:
        null(self.delete(f"{ROLES}{role}/users/{login}/"))

    def user(self, login) -> dict:
        return body(self.get(f"{USERS}{login}/"))

    def role(self, role) -> dict:
        return body(self.get(f"{ROLES}{role}/"))

    def new_user(self, prefix="user", **fields) -> str:
        """Makes a user without a password."""
        login = fields.pop("login", None) or unique(prefix)
        body(self.post(USERS, {"login": login, **fields}), 201)
        return login

    def new_role(self, prefix="role", **fields) -> str:
        role = unique(prefix)
        body(self.post(ROLES, {"role_id": role, **fields}), 201)
        return role

    def permissions(self, resource=None) -> dict:
        """Operations by user, by resource."""
        query = "" if resource is None else f"?resource={resource}"
        return {one["resource"]: one["users"] for one in body(self.get(f"{PERMISSIONS}{query}"))}

    def held(self, login: str) -> dict:
        """What the list of permissions says that a user holds, by resource."""
        return {resource: users[login] for resource, users in self.permissions().items() if login in users}


def as_user(server, api: Pulp, login=None, **more) -> Pulp:
    """A client that calls by login and password as a user, who is made if there is none yet."""
    password = new_password()
    if login is None:
        login = unique("user")
        body(api.post(USERS, {"login": login, "password": password}), 201)
    else:
        body(api.put(f"{USERS}{login}/", {"delta": {"password": password}}))
    record_secret("login and password", f"{login}:{password}")
    more.setdefault("base", api.client.base)
    user = Pulp(server.nobody(basic=(login, password), **more), login)
    user.password = password
    return user


def certificate_of(caller: Pulp) -> Path:
    """Signs in and keeps key and certificate in one file, as the official client does."""
    value = body(caller.post(LOGIN))
    assert set(value) == {"key", "certificate"}
    record_secret("private key", value["key"].splitlines()[5])
    RUN.mkdir(parents=True, exist_ok=True)
    file = Path(tempfile.mkstemp(prefix="client-", suffix=".pem", dir=RUN)[1])
    file.write_text(value["key"] + value["certificate"])
    return file


def with_certificate(server, file: Path, base="", login=None, **more) -> Pulp:
    """A client that shows a certificate in the handshake."""
    context = server.context()
    context.load_cert_chain(file)
    return Pulp(server.nobody(tls=context, base=base, **more), login)


def by_certificate(server, api: Pulp, login=None, **more) -> Pulp:
    """A client of a user by certificate: for many calls, which by password would cost a hash each."""
    by_password = as_user(server, api, login)
    more.setdefault("base", api.client.base)
    return with_certificate(server, certificate_of(by_password), login=by_password.login, **more)
