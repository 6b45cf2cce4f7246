"""The decision table: what each decision does to each state, and what the SDK raises."""

import time
import uuid

import pytest
from mix_python_sdk import errors

from approvals import NO_RETRIES, PERMISSIONS, Background, assert_error, eventually, new_key


@pytest.mark.parametrize("verb, done, word", [("grant", "granted", "granted"), ("deny", "denied", "denied")])
def test_a_decision_can_be_repeated(cast, verb, done, word):
    asked = cast.ask()
    for _ in range(3):
        body = cast.decide(asked["id"], verb).ok().json()
        assert body[done] is True and body["data"] == {done: True}
        assert (body["status"], body["id"]) == (word, asked["id"])
        assert body["message"] == f"Permission {word} successfully"
    told = cast.read(asked["id"])
    assert told["status"] == word


@pytest.mark.parametrize("first, second, state", [("grant", "deny", "granted"), ("deny", "grant", "denied")])
def test_the_other_decision_comes_too_late(cast, first, second, state):
    asked = cast.ask()
    cast.decide(asked["id"], first).ok()
    assert_error(cast.decide(asked["id"], second), 404, "not_found", state)
    with cast.mix() as mix, pytest.raises(errors.ErrorResponse) as raised:
        getattr(mix.permissions, second)(id=asked["id"])
    assert raised.value.status_code == 404
    assert raised.value.data.error.type == "not_found"
    assert state in str(raised.value)
    assert cast.read(asked["id"])["status"] == state


def test_what_timed_out_is_no_grant(cast):
    asked = cast.ask(timeoutSeconds=1)
    told = cast.read(asked["id"], wait=30)
    assert (told["status"], told["decidedBy"], told["reason"]) == ("expired", "timeout", "timed out")
    for verb in ("grant", "deny"):
        assert_error(cast.decide(asked["id"], verb), 404, "not_found", "expired")
    assert cast.read(asked["id"])["status"] == "expired"


def test_what_was_cancelled_is_decided_by_nobody(cast):
    asked = cast.ask()
    assert cast.asker.post(f"{PERMISSIONS}/{asked['id']}/cancel").ok().json()["status"] == "cancelled"
    assert cast.asker.post(f"{PERMISSIONS}/{asked['id']}/cancel").ok().json()["status"] == "cancelled"
    assert_error(cast.decide(asked["id"], "grant"), 404, "not_found", "cancelled")


def test_what_was_never_asked(cast):
    for id in (str(uuid.uuid4()), "no-uuid", "%20"):
        assert_error(cast.decide(id, "grant"), 404, "not_found")
    assert_error(cast.decider.post(f"{PERMISSIONS}//grant"), 400, "validation_error", "'id'")
    with cast.mix() as mix, pytest.raises(errors.ErrorResponse) as raised:
        mix.permissions.grant(id=str(uuid.uuid4()))
    assert (raised.value.status_code, raised.value.data.error.type) == (404, "not_found")
    with cast.mix() as mix, pytest.raises(errors.ErrorResponse) as raised:
        mix.streaming.stream_events(session_id="nobody-named-it")
    assert (raised.value.status_code, raised.value.data.error.type) == (404, "not_found")
    with cast.mix() as mix, pytest.raises(errors.ErrorResponse) as raised:
        mix.sessions.get(id="nobody-named-it")
    assert raised.value.status_code == 404


def test_without_a_credential_or_with_a_wrong_one(cast):
    asked = cast.ask()
    for key in (None, "gdk_" + "0" * 40):
        with cast.mix(key, NO_RETRIES) as mix:
            for call in (mix.permissions.grant, mix.permissions.deny):
                with pytest.raises(errors.ErrorResponse) as raised:
                    call(id=asked["id"])
                assert (raised.value.status_code, raised.value.data.error.type) == (401, "unauthorized")
            with pytest.raises(errors.MixDefaultError) as raised:
                mix.streaming.stream_events(session_id=asked["sessionId"])
            assert raised.value.status_code == 401
        # The credential is looked at first, whatever else is wrong.
        assert_error(cast.client(key).post(f"{PERMISSIONS}/x/grant"), 401, "unauthorized")
    assert cast.read(asked["id"])["status"] == "pending"


def test_nobody_decides_their_own_request(cast):
    both = cast.client(new_key(cast.server, "requester", "approver"))
    asked = cast.ask(client=both)
    for verb in ("grant", "deny"):
        assert_error(cast.decide(asked["id"], verb, both), 403, "unauthorized", "own")
    cast.decide(asked["id"], "grant").ok()


def test_who_may_ask_may_not_decide_and_the_other_way_round(cast):
    asked = cast.ask()
    other = cast.client(new_key(cast.server))
    assert_error(cast.decide(asked["id"], "grant", other), 403, "unauthorized")
    assert_error(other.get(f"{PERMISSIONS}/{asked['id']}"), 404, "not_found")
    body = {"sessionId": "s", "toolName": "t", "action": "a", "description": "d"}
    assert_error(cast.decider.post(PERMISSIONS, body), 403, "unauthorized")
    assert cast.read(asked["id"])["status"] == "pending"


def test_an_approver_of_one_session_decides_there_only(cast):
    here, there = cast.ask(), cast.ask()
    made = cast.server.client().post("/api/v1/keys", {"name": "k", "grants": ["checker"]}).ok().json()
    relationship = {
        "resource": f"mix_session:{here['sessionId']}",
        "relation": "approver",
        "subject": f"api_key:{made['id']}",
    }
    cast.server.client().post("/api/v1/relationships", {"write": [relationship]}).ok()
    approver = cast.client(made["key"])
    cast.decide(here["id"], "grant", approver).ok()
    assert cast.decide(there["id"], "grant", approver).status in (403, 404)
    listed = approver.get(PERMISSIONS).ok().json()
    assert [item["id"] for item in listed] == [here["id"]]


def test_of_many_deciders_one_decides(cast):
    asked = cast.ask()
    clients = [cast.client(new_key(cast.server, "approver")) for _ in range(8)]
    calls = [
        Background(cast.decide, asked["id"], "grant" if n % 2 else "deny", client) for n, client in enumerate(clients)
    ]
    statuses = [call.result().status for call in calls]
    verbs = {"grant" if n % 2 else "deny" for n, status in enumerate(statuses) if status == 200}
    assert len(verbs) == 1 and set(statuses) == {200, 404}
    assert cast.read(asked["id"])["status"] == {"grant": "granted", "deny": "denied"}[verbs.pop()]


def test_waiting(cast):
    asked = cast.ask()
    assert cast.read(asked["id"], wait=1)["status"] == "pending"

    def wait():
        return cast.client(cast.asker_key).get(f"{PERMISSIONS}/{asked['id']}?wait=30").ok().json()["status"]

    waits = [Background(wait) for _ in range(5)]
    time.sleep(0.3)
    cast.decide(asked["id"], "grant").ok()
    assert [waiting.result(5) for waiting in waits] == ["granted"] * 5
    # Decided already: no wait.
    assert cast.read(asked["id"], wait=60)["status"] == "granted"


def test_lists(cast):
    session = cast.ask()["sessionId"]
    ids = [cast.ask(session)["id"] for _ in range(6)]
    cast.decide(ids[0], "grant").ok()
    path = f"{PERMISSIONS}?sessionId={session}&status=pending&limit=4"
    first = cast.asker.get(path).ok()
    assert len(first.json()) == 4
    link = first.headers["Link"]
    assert link.endswith('; rel="next"')
    rest = cast.asker.get(PERMISSIONS + link[1 : link.index(">")]).ok()
    assert "Link" not in rest.headers
    assert len({item["id"] for item in first.json() + rest.json()}) == 6
    assert [item["id"] for item in cast.asker.get(f"{PERMISSIONS}?sessionId={session}&status=granted").ok().json()] == [ids[0]]
    assert_error(cast.asker.get(f"{PERMISSIONS}?status=perhaps"), 400, "validation_error", "'status'")
    assert_error(cast.asker.get(f"{PERMISSIONS}?limit=0"), 400, "validation_error", "'limit'")
    assert_error(cast.asker.get(f"{PERMISSIONS}?limit=x"), 400, "validation_error", "'limit'")


def test_bad_bodies(cast):
    good = {"sessionId": "s", "toolName": "t", "action": "a", "description": "d"}
    bad = [
        (b"", "bad_request"),
        (b"{", "bad_request"),
        (b"[]", "bad_request"),
        (b'{"sessionId": "\xff"}', "bad_request"),
        (b"[" * 1_000 + b"]" * 1_000, "bad_request"),
        ({**good, "sessionId": "a/b"}, "validation_error"),
        ({**good, "sessionId": ""}, "validation_error"),
        ({**good, "sessionId": "s" * 129}, "validation_error"),
        ({**good, "toolName": ""}, "validation_error"),
        ({**good, "toolName": 7}, "validation_error"),
        ({**good, "action": None}, "validation_error"),
        ({**good, "timeoutSeconds": 0}, "validation_error"),
        ({**good, "timeoutSeconds": -1}, "validation_error"),
        ({**good, "timeoutSeconds": 30 * 86_400 + 1}, "validation_error"),
        ({**good, "timeoutSeconds": 2**63}, "validation_error"),
        ({**good, "params": {"x": "y" * 300_000}}, "validation_error"),
        ({k: v for k, v in good.items() if k != "description"}, "validation_error"),
    ]
    before = len(cast.decider.get(f"{PERMISSIONS}?limit=1000").ok().json())
    for body, kind in bad:
        assert_error(cast.asker.post(PERMISSIONS, body), 400, kind)
    assert_error(cast.asker.post(PERMISSIONS, good, content_type="text/plain"), 415, "bad_request")
    assert_error(cast.asker.post(PERMISSIONS, b"x" * (2 << 20)), 413, "bad_request")
    assert len(cast.decider.get(f"{PERMISSIONS}?limit=1000").ok().json()) == before


def test_what_is_not_there(cast):
    assert_error(cast.asker.get(f"{PERMISSIONS}/x/y/z"), 404, "not_found")
    wrong = cast.asker.get(f"{PERMISSIONS}/x/grant")
    assert_error(wrong, 405, "bad_request")
    assert wrong.headers["Allow"] == "POST"
    for path in ("/api/sessions/s/messages", "/api/sessions/s/rewind"):
        assert_error(cast.asker.post(path, {}), 404, "not_found")
    assert_error(cast.decider.get("/stream"), 400, "validation_error", "'sessionId'")


def test_params_are_always_an_object(cast):
    for sent, told in [(None, {}), ("ls", {"input": "ls"}), ([1], {"input": [1]}), ({"a": {"b": 1}}, {"a": {"b": 1}})]:
        assert cast.ask(params=sent)["params"] == told


def test_a_session_that_is_closed_cancels_what_is_asked_there(cast):
    asked = cast.ask()
    cast.asker.delete(f"/api/sessions/{asked['sessionId']}").ok()
    assert eventually(lambda: cast.read(asked["id"])["status"] == "cancelled")
    assert_error(cast.asker.delete(f"/api/sessions/{asked['sessionId']}"), 404, "not_found")
