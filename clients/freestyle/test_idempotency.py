"""Any write takes an `Idempotency-Key`: however often it is sent, it is done once."""

import uuid

from words import IDENTITIES, body, in_parallel, new_identity, vm_path
from harness import record_secret


def key() -> dict:
    return {"Idempotency-Key": str(uuid.uuid4())}


def test_the_same_key_is_done_once(api):
    again = key()
    first = body(api.post(IDENTITIES, headers=again))
    total = body(api.get(f"{IDENTITIES}?limit=1"))["total"]
    for _ in range(3):
        assert body(api.post(IDENTITIES, headers=again)) == first
    assert body(api.get(f"{IDENTITIES}?limit=1"))["total"] == total
    assert body(api.post(IDENTITIES, headers=key())) != first


def test_the_same_key_from_many_at_once(server):
    again = key()
    made = in_parallel(64, lambda api, n: body(api.post(IDENTITIES, headers=again))["id"], server.client, threads=32)
    assert len(set(made)) == 1


def test_a_grant_sent_again_is_not_a_conflict(api):
    identity, again = new_identity(api), key()
    path = vm_path(identity, "vm")
    made = body(api.post(path, {"allowedUsers": ["dev"]}, headers=again))
    assert body(api.post(path, {"allowedUsers": ["dev"]}, headers=again)) == made


def test_a_delete_sent_again_is_not_an_error(api):
    identity, again = new_identity(api), key()
    for _ in range(2):
        body(api.delete(f"{IDENTITIES}/{identity}", headers=again))


def test_the_same_key_with_another_body_is_refused(api):
    identity, again = new_identity(api), key()
    path = vm_path(identity, "vm")
    body(api.post(path, {"allowedUsers": ["dev"]}, headers=again))
    assert api.post(path, {"allowedUsers": None}, headers=again).status == 409
    assert body(api.get(path))["allowedUsers"] == ["dev"]


def test_a_secret_is_not_shown_again(api):
    identity, again = new_identity(api), key()
    path = f"{IDENTITIES}/{identity}/tokens"
    made = body(api.post(path, headers=again))
    record_secret("identity token", made["token"])
    replay = api.post(path, headers=again)
    assert made["token"].encode() not in replay.raw
    assert body(api.get(path)) == {"tokens": [{"id": made["id"]}]}
