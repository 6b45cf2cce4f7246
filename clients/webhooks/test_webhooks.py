"""Webhooks between real processes: signed as the official library wants it, kept through failures and SIGKILL."""

import time

import pytest
from standardwebhooks import WebhookVerificationError

from harness import Server, Temp, grantd, record_secret
from hooks import PRIVATE, Receiver, ask, deliveries, eventually, make, ping, rotate


def approver(server: Server):
    key = server.client().post("/api/v1/keys", {"name": "approver", "grants": ["approver"]}).ok().json()["key"]
    return server.client(key=record_secret("api key", key))


def test_the_official_library_accepts_what_comes(hooked):
    server, receiver = hooked
    client = server.client()
    id, secret = make(client, receiver.url + "?a=b")
    request = ask(client)
    approver(server).post(f"/api/v1/requests/{request['id']}/decision", {"decision": "deny", "reason": "no"}).ok()
    made, decided = receiver.until(2)
    assert made.path == "/hooks?a=b"
    assert (made.verified(secret)["type"], decided.verified(secret)["type"]) == ("request.created", "request.decided")
    data = decided.body["data"]
    assert data["url"] == f"{server.url}/inbox/{request['id']}"
    assert (data["request"]["status"], data["request"]["reason"]) == ("denied", "no")
    assert "params" not in data["request"]
    for message in (made, decided):
        assert abs(int(message.headers["webhook-timestamp"]) - message.at) < 5
        assert message.headers["content-type"] == "application/json"
        with pytest.raises(WebhookVerificationError):
            message.verified("whsec_" + "A" * 44)
        message.raw = message.raw.replace(b"request", b"Request", 1)
        with pytest.raises(WebhookVerificationError):
            message.verified(secret)
    eventually(lambda: len(deliveries(client, id, "delivered")) == 2)


def test_it_fails_twice_and_then_arrives(hooked):
    server, receiver = hooked
    client = server.client()
    id, secret = make(client, receiver.url)
    receiver.answers(500, {"status": 302, "headers": {"Location": receiver.url}})
    message = ping(client, id)
    tried = receiver.until(3)
    assert [one.id for one in tried] == [message] * 3
    assert len({one.raw for one in tried}) == 1
    assert all(one.verified(secret)["type"] == "ping" for one in tried)
    waits = [after.at - before.at for before, after in zip(tried, tried[1:])]
    assert all(0.9 < wait < 5 for wait in waits), waits
    (ended,) = eventually(lambda: deliveries(client, id, "delivered"))
    assert (ended["attempts"], ended["last_status"]) == (3, 204)


def test_nothing_is_lost_to_sigkill(hooked):
    server, receiver = hooked
    client = server.client()
    id, secret = make(client, receiver.url, events=["request.created"])
    receiver.stop()
    asked = [ask(client, session=f"s{n % 3}")["id"] for n in range(40)]
    eventually(lambda: any(one["attempts"] for one in deliveries(client, id, "pending")))
    server.kill()
    receiver.start()
    time.sleep(0.5)
    assert receiver.messages() == []
    server.start()
    told = eventually(lambda: (m := receiver.messages()) and len({one.id for one in m}) == 40 and m, 60)
    assert {one.verified(secret)["data"]["request"]["id"] for one in told} == set(asked)


def test_killed_in_the_middle_of_sending(hooked):
    server, receiver = hooked
    client = server.client()
    id, secret = make(client, receiver.url)
    receiver.answers(*[{"status": 204, "delay": 0.2}] * 100)
    sent = {ping(client, id) for _ in range(20)}
    receiver.until(6)
    server.kill()
    server.start()
    told = eventually(lambda: (m := receiver.messages()) and {one.id for one in m} == sent and m, 60)
    # At least once: only what was under way may have come twice.
    assert 20 <= len(told) <= 24
    assert eventually(lambda: not deliveries(server.client(), id, "pending"))


def test_two_secrets_sign_while_one_takes_the_others_place(hooked):
    server, receiver = hooked
    client = server.client()
    id, first = make(client, receiver.url)
    second = rotate(client, id)
    ping(client, id)
    (both,) = receiver.until(1)
    assert len(both.headers["webhook-signature"].split(" ")) == 2
    assert both.verified(first) and both.verified(second)
    third = rotate(client, id)
    ping(client, id)
    last = receiver.until(2)[-1]
    assert last.verified(second) and last.verified(third)
    with pytest.raises(WebhookVerificationError):
        last.verified(first)


def test_a_slow_receiver_harms_no_other_one(hooked):
    server, receiver = hooked
    client = server.client()
    with Temp("webhooks-slow") as data, Receiver(data) as slow:
        slow.answers(*[{"delay": 30}] * 50)
        stuck, _ = make(client, slow.url)
        id, _ = make(client, receiver.url)
        begun = time.monotonic()
        for _ in range(20):
            ping(client, stuck), ping(client, id)
        receiver.until(20, timeout=10)
        assert time.monotonic() - begun < 10
        # After its time, the attempt counts as failed.
        failed = eventually(lambda: [d for d in deliveries(client, stuck) if d["attempts"]], 30)
        assert failed[0]["last_problem"] == "no answer in time"
        client.delete(f"/api/v1/webhooks/{stuck}").ok()


def test_private_addresses_are_refused_by_default():
    with Temp("webhooks-private") as data, Receiver(data) as receiver:
        with Server(data / "grantd", "webhooks-private") as server:
            client = server.client()
            refused = client.post("/api/v1/webhooks", {"url": receiver.url})
            assert (refused.status, refused.json()["field"]) == (400, "url")
            id, _ = make(client, f"https://localhost:{receiver.port}/")
            ping(client, id)
            tried = eventually(lambda: [d for d in deliveries(client, id) if d["attempts"]])
            assert "no public address" in tried[0]["last_problem"]
    assert receiver.messages() == []


@pytest.mark.parametrize("name, believed", [("localhost", True), ("other.example", True), ("localhost", False)])
def test_tls_is_verified(name, believed):
    with Temp("webhooks-tls") as data, Receiver(data, name) as receiver:
        args = [*PRIVATE, *(["--webhook-ca-file", str(receiver.certificate)] if believed else [])]
        with Server(data / "grantd", f"webhooks-tls-{name}-{believed}", args=args) as server:
            client = server.client()
            id, secret = make(client, receiver.url)
            ping(client, id)
            if believed and name == "localhost":
                assert receiver.until(1)[0].verified(secret)["type"] == "ping"
                return
            tried = eventually(lambda: [d for d in deliveries(client, id) if d["attempts"]])
            assert "certificate" in tried[0]["last_problem"]
            assert receiver.messages() == []


def test_the_commands(hooked, tmp_path):
    server, receiver = hooked
    env = {"GRANTD_URL": server.url, "GRANTD_API_KEY": server.key}

    def run(*args):
        done = grantd("webhook", *args, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    secret = record_secret("webhook secret", run("add", receiver.url, "--event", "request.created").strip())
    id = run("list").splitlines()[-1].split()[0]
    assert receiver.url in run("list")
    run("test", id)
    assert receiver.until(1)[0].verified(secret)["type"] == "ping"
    assert eventually(lambda: "delivered" in run("deliveries", id))
    assert record_secret("webhook secret", run("rotate", id).strip()).startswith("whsec_")
    run("remove", id)
    assert id not in run("list")
