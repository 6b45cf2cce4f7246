"""The unmodified mollie-api-py, which has to live in an environment of its own: one call per line of JSON, answered by one."""

import json
import sys

import mollie
from mollie import ClientSDK

URL = sys.argv[1]


def sdk(token=None):
    # No second attempt: a test wants to see the first answer.
    security = mollie.Security(o_auth=token) if token else None
    return ClientSDK(server_url=URL, security=security, retry_config=None, timeout_ms=20_000)


def plain(model):
    return json.loads(model.model_dump_json(by_alias=True))


def credentials(asked):
    return {"username": asked["client_id"], "password": asked["client_secret"]}


def list_permissions(asked):
    return plain(sdk(asked["token"]).permissions.list())


def get_permission(asked):
    return plain(sdk(asked["token"]).permissions.get(permission_id=asked["id"]))


def get_organization(asked):
    return plain(sdk(asked["token"]).organizations.get_current())


def exchange(asked):
    body = {"grant_type": "authorization_code", "code": asked["code"], "redirect_uri": asked["redirect_uri"]}
    return plain(sdk().oauth.generate(security=credentials(asked), request_body=body))


def refresh(asked):
    body = {"grant_type": "refresh_token", "refresh_token": asked["refresh_token"]}
    return plain(sdk().oauth.generate(security=credentials(asked), request_body=body))


def revoke(asked):
    body = {"token_type_hint": asked["hint"], "token": asked["token"]}
    sdk().oauth.revoke(security=credentials(asked), request_body=body)
    return None


CALLS = {
    call.__name__: call for call in (list_permissions, get_permission, get_organization, exchange, refresh, revoke)
}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"answer": CALLS[asked["call"]](asked)}
    except mollie.models.ErrorResponse as error:
        # What the client could read as the API's own error.
        answer = {"status": error.status_code, "title": error.data.title, "detail": error.data.detail}
    except mollie.models.APIError as error:
        answer = {"status": error.status_code, "body": error.body}
    print(json.dumps(answer), flush=True)
