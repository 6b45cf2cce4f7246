"""Two servers that share a PostgreSQL share the queue: each message is sent once, also if one of them ends."""

from collections import Counter

from harness import Temp
from hooks import Receiver, ask, deliveries, eventually, make
from postgres import Postgres

ARGS = ["--webhook-allow-private", "--webhook-retries", "1,1,2,5,10"]


def test_each_message_is_sent_by_one(request):
    with Temp("webhooks-nodes") as data, Receiver(data) as receiver, Postgres() as postgres:
        with postgres.node(data, "webhooks-node-1", args=ARGS) as first:
            with postgres.node(data, "webhooks-node-2", first, args=ARGS) as second:
                here, there = first.client(), second.client()
                id, secret = make(here, receiver.url, events=["request.created"])
                eventually(lambda: there.get(f"/api/v1/webhooks/{id}").status == 200)
                asked = [ask(client)["id"] for _ in range(30) for client in (here, there)]
                told = receiver.until(60, timeout=60)
                assert {one.verified(secret)["data"]["request"]["id"] for one in told} == set(asked)
                eventually(lambda: not deliveries(here, id, "pending"))
                assert set(Counter(one.id for one in receiver.messages()).values()) == {1}

                # What one node has under way when it ends is sent by the other, after its minute.
                receiver.answers(*[{"status": 204, "delay": 2}] * 200)
                asked = [ask(here)["id"] for _ in range(12)]
                receiver.until(62)
                first.kill()
                told = eventually(
                    lambda: {o.body["data"]["request"]["id"] for o in receiver.messages()[60:]} >= set(asked), 120
                )
                assert told
                eventually(lambda: not deliveries(there, id, "pending"), 120)
                first.start()
