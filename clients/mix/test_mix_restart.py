"""A restart, by request and by SIGKILL, while somebody waits and requests are pending."""

import http.client
import time

import pytest

from approvals import PERMISSIONS, Background, Cast, Stream, eventually, new_session
from harness import Server, Temp


@pytest.fixture
def restarting(request):
    with Temp("mix-restart") as data, Server(data, f"mix-{request.node.name}") as server:
        with Cast(server, "") as cast:
            yield cast


def wait_through(cast: Cast, id: str, deadline: float = 60) -> dict:
    """What an agent does: asks again whenever the answer is none, until there is a decision."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        client = cast.client(cast.asker_key, timeout=90)
        try:
            answer = client.get(f"{PERMISSIONS}/{id}?wait=60")
            if answer.status == 200 and answer.json()["status"] != "pending":
                return answer.json()
            assert answer.status in (200, 503), answer.raw
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        finally:
            client.close()
    raise AssertionError("no decision")


def test_the_sdk_tries_again_by_itself(restarting):
    cast = restarting
    session = new_session()
    asked = [cast.ask(session) for _ in range(2)]
    waits = [Background(wait_through, cast, one["id"]) for one in asked]
    with cast.mix() as mix:
        events = mix.streaming.stream_events(session_id=session).result
        last = [next(events).id for _ in range(2)][-1]
        begun = time.monotonic()
        cast.server.terminate()
        # Nothing that waits or streams holds it up.
        assert time.monotonic() - begun < 5
        assert next(events, None) is None or next(events, None) is None
        # These calls begin while there is no server at all.
        grant = Background(lambda: mix.permissions.grant(id=asked[0]["id"]).granted)
        again = Background(lambda: list_of(mix.streaming.stream_events(session_id=session, last_event_id=last), 1))
        time.sleep(1)
        assert not grant.is_done() and not again.is_done()
        cast.server.start()
        assert grant.result() is True
        assert again.result() == [asked[1]["id"]]
        mix.permissions.deny(id=asked[1]["id"])
    assert [wait.result(60)["status"] for wait in waits] == ["granted", "denied"]


def list_of(opened, count: int) -> list[str]:
    found = []
    for event in opened.result:
        if event.event == "permission":
            found.append(event.data.id)
            if len(found) == count:
                return found
    return found


def test_killed_with_requests_pending(restarting):
    cast = restarting
    session = new_session()
    asked = [cast.ask(session)["id"] for _ in range(30)]
    brief = cast.ask(session, timeoutSeconds=2)["id"]
    waits = {id: Background(wait_through, cast, id) for id in [*asked, brief]}
    decided = dict(zip(asked[:10], ["grant", "deny"] * 5))
    for id, verb in decided.items():
        cast.decide(id, verb).ok()
    cast.server.kill()
    time.sleep(2.5)
    cast.server.start()
    with Cast(cast.server, "") as after:
        # Each decision that was answered stands, and is the only one.
        for id, verb in decided.items():
            other = "deny" if verb == "grant" else "grant"
            assert after.decide(id, verb).status == 200
            assert after.decide(id, other).status == 404
        # Its time went on while nobody served; that grants nothing.
        told = eventually(lambda: waits[brief].is_done() and waits[brief].result())
        assert (told["status"], told["decidedBy"]) == ("expired", "timeout")
        with Stream(after, session) as stream:
            shown = [event["data"]["id"] for event in stream.until(20)]
        assert shown == asked[10:]
        for n, id in enumerate(asked[10:]):
            after.decide(id, "grant" if n % 2 else "deny").ok()
        for n, id in enumerate(asked[10:]):
            assert waits[id].result(60)["status"] == ("granted" if n % 2 else "denied")
        for id, verb in decided.items():
            assert waits[id].result(60)["status"] == ("granted" if verb == "grant" else "denied")
        entries, settled = 0, []
        while page := cast.server.client().get(f"/api/v1/ledger?after={entries}&limit=1000").ok().json()["items"]:
            entries = page[-1]["revision"]
            settled += [c["id"] for e in page for c in e["changes"] if c["kind"] == "request_settled"]
        assert sorted(settled) == sorted([*asked, brief]), "each was decided once"
