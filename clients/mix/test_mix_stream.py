"""The stream: replay, late viewers, slow readers, sub-agents, and nothing that a client does not know."""

import http.client
import socket
import time
from datetime import datetime, timedelta, timezone

from approvals import Background, Stream, bearer, new_key, new_session
from harness import record_secret

# Every event name that the SDK's model admits.
KNOWN = {
    "connected", "heartbeat", "error", "complete", "thinking", "content", "tool_use_start",
    "tool_use_parameter_streaming_complete", "tool_use_parameter_delta", "tool_execution_start",
    "tool_execution_complete", "permission", "notification", "user_message_created", "session_created",
    "session_deleted",
}  # fmt: skip


def ids(events) -> list[str]:
    return [event["data"]["id"] for event in events]


def test_a_late_viewer_gets_what_is_still_to_be_decided(cast):
    session = new_session()
    asked = [cast.ask(session)["id"] for _ in range(4)]
    cast.decide(asked[1], "grant").ok()
    with Stream(cast, session) as stream:
        first = stream.next()
        assert first["event"] == "connected" and first["id"].isdigit()
        assert ids(stream.until(3)) == [asked[0], asked[2], asked[3]]
        later = cast.ask(session)["id"]
        assert ids(stream.until(1)) == [later]


def test_a_replay_begins_behind_the_last_event(cast):
    session = new_session()
    asked = [cast.ask(session)["id"] for _ in range(3)]
    with Stream(cast, session) as stream:
        last = stream.until(1)[0]["id"]
    # What is decided meanwhile was missed as well, and says so itself.
    cast.decide(asked[1], "deny").ok()
    asked.append(cast.ask(session)["id"])
    with Stream(cast, session, last=last) as stream:
        assert stream.next()["id"] == last
        events = stream.until(3)
    assert ids(events) == asked[1:]
    assert [event["data"]["status"] for event in events] == ["denied", "pending", "pending"]
    numbers = [int(event["id"]) for event in events]
    assert numbers == sorted(set(numbers))


def test_a_viewer_who_saw_only_the_greeting_misses_nothing(cast):
    session = new_session()
    asked = [cast.ask(session)["id"] for _ in range(2)]
    with Stream(cast, session) as stream:
        last = stream.next()["id"]
    with Stream(cast, session, last=last) as stream:
        assert ids(stream.until(2)) == asked


def test_a_place_that_is_none_is_where_a_new_viewer_begins(cast):
    session = new_session()
    asked = cast.ask(session)["id"]
    for last in ("abc", "", "-1", "99999999999999", "1e3"):
        with Stream(cast, session, last=last) as stream:
            assert ids(stream.until(1)) == [asked], last


def test_other_sessions_are_not_shown(cast):
    session, other = new_session(), new_session()
    cast.ask(session), cast.ask(other)
    with Stream(cast, session) as stream:
        stream.until(1)
        cast.ask(other)
        asked = cast.ask(session)["id"]
        assert ids(stream.until(1)) == [asked]


def test_a_sub_agents_requests_are_shown_to_who_looks_at_its_parent(cast):
    parent = cast.ask()["sessionId"]
    body = {
        "title": "look things up", "browserMode": "local-browser-service", "sessionType": "subagent",
        "parentSessionId": parent,
    }  # fmt: skip
    made = cast.asker.post("/api/sessions", body)
    assert made.status == 201, made.raw
    child = made.json()
    assert (child["sessionType"], child["parentSessionId"]) == ("subagent", parent)
    with Stream(cast, parent) as above, Stream(cast, child["id"]) as below:
        above.until(1)
        asked = cast.ask(child["id"], parentToolCallId="call-1")
        for stream in (above, below):
            event = stream.until(1)[0]["data"]
            assert (event["id"], event["sessionId"]) == (asked["id"], child["id"])
            assert event["parentToolCallId"] == "call-1"
    plain = [item["id"] for item in cast.decider.get("/api/sessions").ok().json()]
    assert parent in plain and child["id"] not in plain
    every = [item["id"] for item in cast.decider.get("/api/sessions?includeSubagents=true").ok().json()]
    assert child["id"] in every


def test_only_known_events_with_what_they_need(cast):
    session = new_session()
    hostile = 'x\r\n\r\nevent: evil\ndata: {}\n\n\u2028\u202e\x00<b>&'
    with_lines = b'{"sessionId":"%s","toolName":"Bash","action":"a","description":"d","params":{\r\n"a":\n"b\\n"}}'
    asked = cast.ask(session, action=hostile, description=hostile, params={"command": hostile})
    cast.asker.post("/api/permissions", with_lines % session.encode()).ok()
    with Stream(cast, session) as stream:
        events = [stream.next() for _ in range(3)]
        cast.asker.delete(f"/api/sessions/{session}").ok()
        while events[-1]["event"] != "session_deleted":
            events.append(stream.next())
        assert stream.next() == {}, "the stream ends with its session"
    assert {event["event"] for event in events} <= KNOWN
    assert events[1]["data"]["id"] == asked["id"]
    assert events[1]["data"]["action"] == events[1]["data"]["params"]["command"] == hostile
    assert events[2]["data"]["params"] == {"a": "b\n"}


def test_a_slow_reader_loses_nothing_and_harms_nobody(at_root):
    cast, session = at_root, new_session()
    cast.ask(session)
    # Reads nothing until the end; a small buffer, so that the server cannot get rid of its events.
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", cast.server.port))
    head = f"GET /stream?sessionId={session} HTTP/1.1\r\nHost: localhost\r\n"
    slow.sendall((head + f"Authorization: {bearer(cast.decider_key)['Authorization']}\r\n\r\n").encode())
    with Stream(cast, session) as quick:
        quick.until(1)
        asked, slowest = [], 0.0
        for n in range(300):
            begun = time.monotonic()
            # Some 20 KB each, 6 MB in all.
            asked.append(cast.ask(session, description="d" * 20_000)["id"])
            assert ids(quick.until(1)) == asked[-1:]
            slowest = max(slowest, time.monotonic() - begun)
            if n % 3 == 0:
                cast.decide(asked[-1], "deny").ok()
        assert slowest < 5
    received = b""
    slow.settimeout(20)
    answer = http.client.HTTPResponse(slow)
    answer.begin()
    while received.count(b"event: permission") < 301:
        chunk = answer.read1(1 << 16)
        assert chunk, f"the stream ended after {received.count(b'event: permission')}"
        received += chunk
    slow.close()
    found = [line for line in received.split(b"\n") if line.startswith(b"data:")]
    text = b"".join(found).decode()
    assert all(id in text for id in asked)


def test_who_loses_the_right_sees_no_more(at_root):
    cast, session = at_root, new_session()
    cast.ask(session)
    native = cast.server.client()
    made = native.post("/api/v1/keys", {"name": "k", "grants": ["approver"]}).ok().json()
    with Stream(cast, session, key=made["key"]) as stream:
        stream.until(1)
        native.delete(f"/api/v1/keys/{made['id']}").ok()
        cast.ask(session)
        rest = Background(stream.next).result(40)
        assert rest == {}, "the stream of a revoked key ends"


def test_a_requester_sees_its_own_session_and_no_other(cast):
    session = cast.ask()["sessionId"]
    with Stream(cast, session, key=cast.asker_key) as stream:
        stream.until(1)
    other = cast.client(new_key(cast.server))
    assert other.get(f"/stream?sessionId={session}").status == 404
    assert other.get("/api/sessions").ok().json() == []


def test_a_disconnect_cancels_nothing(cast):
    session = new_session()
    asked = cast.ask(session)
    with Stream(cast, session, key=cast.asker_key) as stream:
        stream.until(1)
    time.sleep(0.2)
    assert cast.read(asked["id"])["status"] == "pending"


def test_the_end_of_a_key_ends_its_streams(cast):
    """Revoked, or run out: within the time between two signs of life, and nothing is shown after it."""
    session = new_session()
    cast.ask(session)
    client = cast.server.client()
    soon = datetime.now(timezone.utc) + timedelta(seconds=3)
    grants = {"grants": ["approver"]}
    for name, more in (("revoked", grants), ("runs out", {**grants, "expires": soon.isoformat()})):
        made = client.post("/api/v1/keys", {"name": name, **more}).ok().json()
        with Stream(cast, session, key=record_secret("api key", made["key"])) as stream:
            assert len(stream.until(1)) == 1
            if name == "revoked":
                client.delete(f"/api/v1/keys/{made['id']}").ok()
            else:
                time.sleep(3)
            missed = cast.ask(session)["id"]
            ended, seen = time.monotonic() + 20, []
            while event := stream.next():
                assert time.monotonic() < ended, f"the key is {name}, and the stream goes on"
                seen.append(event)
            assert missed not in [event["data"].get("id") for event in seen]
            assert time.monotonic() < ended
