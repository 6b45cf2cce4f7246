"""Two servers that share a PostgreSQL: what is asked at one is decided at the other."""

import time

import pytest

from approvals import PERMISSIONS, Background, Cast, Stream, eventually, new_session
from harness import Temp
from postgres import Postgres


@pytest.fixture(scope="module")
def nodes():
    with Temp("mix-nodes") as data, Postgres() as postgres:
        with postgres.node(data, "mix-node-1") as first:
            with postgres.node(data, "mix-node-2", first) as second:
                here = Cast(first, "")
                there = Cast(second, "")
                # The same two people, whichever server they call.
                there.asker_key, there.decider_key = here.asker_key, here.decider_key
                there.asker, there.decider = there.client(here.asker_key), there.client(here.decider_key)
                with here, there:
                    yield here, there


@pytest.mark.parametrize("verb, told", [("grant", "granted"), ("deny", "denied")])
def test_asked_at_one_and_decided_at_the_other(nodes, verb, told):
    here, there = nodes
    asked = here.ask()["id"]
    waiting = Background(lambda: here.client(here.asker_key, timeout=90).get(f"{PERMISSIONS}/{asked}?wait=60").json())
    # At once: a dialect's client knows nothing of revisions.
    with there.mix() as mix:
        if verb == "grant":
            assert mix.permissions.grant(id=asked).granted is True
        else:
            assert mix.permissions.deny(id=asked).denied is True
        decided = time.monotonic()
        assert there.read(asked)["status"] == told
        assert here.read(asked)["status"] == told
    assert waiting.result(30)["status"] == told
    assert time.monotonic() - decided < 5, "the other server follows the store once a second"
    # The same decision again, at the server where it was not made, changes nothing; another one is none.
    assert here.decide(asked, verb).status == 200
    assert here.decide(asked, "deny" if verb == "grant" else "grant").status == 404


def test_a_viewer_at_one_sees_what_is_asked_at_the_other(nodes):
    here, there = nodes
    session = new_session()
    first = here.ask(session)["id"]
    with Stream(there, session) as stream:
        assert [event["data"]["id"] for event in stream.until(1)] == [first]
        later = [here.ask(session)["id"] for _ in range(5)]
        events = stream.until(5)
        assert [event["data"]["id"] for event in events] == later
        last = events[2]["id"]
    # The place that one server gave is one that the other knows.
    with Stream(here, session, last=last) as stream:
        assert [event["data"]["id"] for event in stream.until(2)] == later[3:]


def test_one_decision_of_two_at_once(nodes):
    here, there = nodes
    asked = [here.ask()["id"] for _ in range(15)]
    for id in asked:
        answers = [Background(lambda c, v: c.decide(id, v, client=c.client(c.decider_key)).status, *one)
                   for one in ((here, "grant"), (there, "deny"))]  # fmt: skip
        statuses = sorted(answer.result() for answer in answers)
        assert statuses == [200, 404], "one decides, the other one is told that it is decided"
        assert here.read(id)["status"] == there.read(id)["status"]


def test_what_is_asked_survives_the_server_where_it_was(nodes):
    here, there = nodes
    session = new_session()
    asked = here.ask(session)["id"]
    here.server.kill()
    try:
        with Stream(there, session) as stream:
            assert stream.until(1)[0]["data"]["id"] == asked
        there.decide(asked, "grant").ok()
    finally:
        here.server.start()
    eventually(lambda: here.client(here.asker_key).get(f"{PERMISSIONS}/{asked}").json()["status"] == "granted")
